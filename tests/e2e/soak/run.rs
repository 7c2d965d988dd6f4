//! One host, from its start to its end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::abuse;
use crate::faults;
use crate::ledger::Ledger;
use crate::load::{self, Clients, MEASURED, MIX};
use crate::report::{Check, Report};
use crate::support::any_host::command;
use crate::support::environment::environment;
use crate::support::host::Host;
use crate::support::process::Process;
use crate::support::setup::{HEALTH_PATH, proxy};
use crate::target::{Mood, Target};
use crate::verdict::Verdicts;
use crate::watch;

/// Targets, of which the last is always well.
const TARGETS: usize = 4;

/// The good clients whose latency is measured, beside nothing and beside the slow ones.
const MEASURED_CLIENTS: usize = 4;

/// Requests that an instance serves: few, so that many instances end in each run.
const REUSE: &str = "2000";

/// For a request in all.
const DEADLINE_MS: &str = "5000";

/// How long the proxy may take to stop under load.
const DRAIN: Duration = Duration::from_secs(10);

/// A host that is soaked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SoakHost {
    /// `function-fetch serve`.
    Embedded,
    /// The command on Node.js.
    Node,
}

impl SoakHost {
    pub const ALL: [Self; 2] = [Self::Embedded, Self::Node];

    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Node => "node",
        }
    }

    /// Why it cannot run here, if it cannot.
    pub fn missing(self) -> Option<&'static str> {
        match self {
            Self::Embedded => None,
            Self::Node => environment()
                .node
                .is_none()
                .then_some("the adapters are not built"),
        }
    }
}

/// A running proxy.
struct Running {
    process: Process,
    address: SocketAddr,
}

async fn start(host: SoakHost, targets: &[Target]) -> Running {
    let urls = targets.iter().map(Target::url);
    match host {
        SoakHost::Embedded => {
            let proxy = proxy(Host::Embedded)
                .targets(urls)
                .set("FETCH_DEADLINE_MS", DEADLINE_MS)
                .options(["--threads", "2", "--max-instance-reuse-count", REUSE])
                // One line for each instance that ends.
                .options(["--log-level", "warn,function_fetch_host::instances=debug"])
                .start()
                .await;
            Running {
                address: proxy.address,
                process: proxy.process,
            }
        }
        SoakHost::Node => {
            let targets = urls.collect::<Vec<_>>().join(",");
            let settings = BTreeMap::from([
                ("FETCH_HEALTH_PATH", HEALTH_PATH),
                ("FETCH_DEADLINE_MS", DEADLINE_MS),
                ("FETCH_TARGETS", targets.as_str()),
            ]);
            let (process, address) = command(&settings).await;
            Running { process, address }
        }
    }
}

/// A share of the whole time.
fn share(time: Duration, percent: u32) -> Duration {
    time * percent / 100
}

/// Runs all phases on a host.
pub async fn soak(host: SoakHost, time: Duration) -> Report {
    let ledger = Arc::new(Ledger::default());
    let verdicts = Arc::new(Verdicts::default());
    let mut targets: Vec<_> = (0..TARGETS)
        .map(|_| Target::start(ledger.clone()))
        .collect();
    let mut proxy = start(host, &targets).await;
    let pid = proxy.process.pid();
    let http2 = host == SoakHost::Embedded;
    let clients = Arc::new(Clients::new(
        proxy.address,
        http2,
        ledger.clone(),
        verdicts.clone(),
    ));

    // Calm: what the good clients get while nothing else goes on.
    let mut all = JoinSet::new();
    load::start(&clients, MEASURED, MEASURED_CLIENTS, &mut all);
    tokio::time::sleep(share(time, 8)).await;
    clients.measure(true);
    tokio::time::sleep(share(time, 15)).await;
    let (calm, calm_count) = verdicts.take_p99();

    // The same beside slow clients.
    clients.measure(false);
    let abusers = abuse::start(proxy.address).await;
    clients.measure(true);
    tokio::time::sleep(share(time, 15)).await;
    clients.measure(false);
    let (abused, abused_count) = verdicts.take_p99();
    let connections = watch::sample(pid).descriptors;

    // All kinds at saturation, with faults, beside the slow clients.
    for (kind, count) in MIX {
        load::start(&clients, kind, count, &mut all);
    }
    let saturated = share(time, 50);
    let before = verdicts.good_in_all();
    let (samples, troubles) = tokio::join!(
        watch::watch(pid, saturated),
        faults::run(&mut targets, &ledger, saturated),
    );
    let good = verdicts.good_in_all() - before;
    clients.stop();
    while all.join_next().await.is_some() {}
    drop(abusers);
    let rss = watch::second_half(&samples, |sample| sample.rss_kib);
    let descriptors = watch::second_half(&samples, |sample| sample.descriptors);
    // Sockets of the slow clients close as it finds them closed.
    let mut left = watch::sample(pid).descriptors;
    for _ in 0..20 {
        if left < connections / 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        left = watch::sample(pid).descriptors;
    }

    // SIGTERM, while many requests wait for slow targets.
    for target in &mut targets {
        target.behave(Mood::Slow).await;
    }
    let violations_before = verdicts.violations();
    clients.go_on();
    for (kind, count) in MIX {
        load::start(&clients, kind, count, &mut all);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    clients.stop();
    let in_flight = clients.in_flight();
    let terminated = Instant::now();
    proxy.process.terminate();
    while all.join_next().await.is_some() {}
    let status = proxy.process.exit().await;
    let drained = terminated.elapsed();
    let lost = verdicts.violations() - violations_before;

    let log = proxy.process.stderr();
    let lines = |text: &str| log.iter().filter(|line| line.contains(text)).count();
    let recycled = lines("instance ended");
    let failures = lines("instance failed") + lines("panicked") + lines("TypeError");

    let mut checks = vec![
        Check::of("violations of the promises", verdicts.violations(), 0),
        Check::of(
            "requests that may not be repeated and came late",
            ledger.latecomers() as u64,
            0,
        ),
        Check::of(
            "p99 of good clients beside slow ones, ms",
            ms(abused),
            2 * ms(calm) + 50,
        ),
        Check::of(
            "memory in the last quarter, KiB",
            rss.1,
            rss.0 + rss.0 / 10 + 16 * 1024,
        ),
        Check::of(
            "descriptors in the last quarter",
            descriptors.1,
            descriptors.0 + descriptors.0 / 10 + 64,
        ),
        Check::of(
            "descriptors when all clients have gone",
            left,
            connections / 2,
        ),
        Check::of("requests lost at SIGTERM", lost, 0),
        Check::of("time to stop, ms", ms(drained), ms(DRAIN)),
        Check::of(
            "exit code",
            status.code().map_or(u64::MAX, |code| code as u64),
            0,
        ),
        Check::of("instances that failed, panics", failures as u64, 0),
        Check::at_least(
            "connections held by slow clients",
            connections,
            (abuse::IDLE + abuse::SLOW_HEADS) as u64,
        ),
        Check::at_least("requests in flight at SIGTERM", in_flight, 8),
        Check::at_least("good requests at saturation", good, 500),
        Check::at_least("measured requests, calm", calm_count as u64, 200),
        Check::at_least(
            "measured requests beside slow clients",
            abused_count as u64,
            200,
        ),
        Check::at_least("troubles of targets", troubles as u64, 3),
    ];
    if host == SoakHost::Embedded {
        checks.push(Check::at_least("instances replaced", recycled as u64, 1));
    }
    Report {
        host: host.name(),
        seconds: time.as_secs(),
        requests_per_second: good as f64 / saturated.as_secs_f64(),
        calm,
        abused,
        rss,
        descriptors,
        checks,
        verdicts: verdicts.json(),
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
