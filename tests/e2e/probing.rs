//! The `function-fetch probe` command: who is healthy, and how fast.

use std::process::Command;

use serde_json::Value;

use crate::promises;
use crate::support::environment::environment;
use crate::support::host::{EMBEDDED, Host};
use crate::support::origin::{Health, Origin};
use crate::support::port::Port;
use crate::support::process::Process;
use crate::support::raw_origin::RawOrigin;
use crate::support::suite::Suite;
use crate::support::waiting::ms;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EMBEDDED,
        [
            probe_ranks_the_targets,
            probe_speaks_json,
            probe_fails_when_no_target_is_healthy,
            probe_takes_the_settings,
        ]
    );
}

/// Runs it. Returns its exit code and output.
async fn probe(arguments: &[&str]) -> (Option<i32>, Vec<String>) {
    let mut command = Command::new(&environment().bin);
    command.arg("probe").args(arguments);
    let mut process = Process::spawn(command);
    let status = process.exit().await;
    (status.code(), process.stdout())
}

/// The words of the one line about a target.
#[track_caller]
fn row<'a>(lines: &'a [String], target: &str) -> Vec<&'a str> {
    let mut rows = lines.iter().filter(|line| line.contains(target));
    let row = rows.next().unwrap_or_else(|| panic!("{lines:#?}"));
    assert!(rows.next().is_none(), "{lines:#?}");
    row.split_whitespace().collect()
}

async fn probe_ranks_the_targets(_: Host) {
    let slow = Origin::start("slow").probed_in(ms(250));
    let fast = Origin::start("fast");
    let failing = Origin::start("failing");
    failing.set_health(Health::Answers(503, ms(0)));
    let silent = RawOrigin::silent();
    let refused = Port::hold();
    let targets = [
        refused.url(),
        slow.url(),
        failing.url(),
        silent.url(),
        fast.url(),
    ];
    let mut arguments: Vec<&str> = targets.iter().map(String::as_str).collect();
    arguments.extend(["--env", "FETCH_HEALTH_TIMEOUT_MS=1000"]);
    let (code, lines) = probe(&arguments).await;
    assert_eq!(code, Some(0), "{lines:#?}");
    assert_eq!(lines.len(), 1 + targets.len(), "{lines:#?}");
    assert!(lines[1].contains(&fast.url()), "{lines:#?}");
    assert!(lines[2].contains(&slow.url()), "{lines:#?}");
    for (target, rank, health) in [
        (fast.url(), "1", "ok"),
        (slow.url(), "2", "ok"),
        (failing.url(), "-", "failed"),
        (silent.url(), "-", "failed"),
        (refused.url(), "-", "failed"),
    ] {
        let row = row(&lines, &target);
        assert_eq!((row[0], row[2]), (rank, health), "{row:?}");
    }
    // And why.
    assert_eq!(row(&lines, &failing.url()).last(), Some(&"503"));
    for (target, reason) in [(silent.url(), "1000 ms"), (refused.url(), "refused")] {
        let row = row(&lines, &target).join(" ");
        assert!(row.contains(reason), "{row}");
    }
    // Probed as the proxy does, and each as often as the next; one that fails is not probed
    // again.
    assert_eq!((fast.probes().len(), slow.probes().len()), (3, 3));
    assert_eq!((fast.live().len(), failing.probes().len()), (0, 1));
}

async fn probe_speaks_json(_: Host) {
    let slow = Origin::start("slow").probed_in(ms(250));
    let fast = Origin::start("fast");
    let refused = Port::hold();
    let targets = [refused.url(), slow.url(), fast.url()];
    let mut arguments: Vec<&str> = targets.iter().map(String::as_str).collect();
    arguments.extend(["--json", "--samples", "1"]);
    let (code, lines) = probe(&arguments).await;
    assert_eq!(code, Some(0), "{lines:#?}");
    let report: Value = serde_json::from_str(&lines.join("\n")).expect("JSON alone");
    let rows = report.as_array().expect("a list");
    let listed: Vec<&str> = rows
        .iter()
        .filter_map(|row| row["target"].as_str())
        .map(|target| target.trim_end_matches('/'))
        .collect();
    assert_eq!(listed, [fast.url(), slow.url(), refused.url()]);
    for (row, healthy) in rows.iter().zip([true, true, false]) {
        assert_eq!(row["healthy"], healthy, "{row}");
        assert_eq!(row["latency_ms"].is_number(), healthy, "{row}");
        assert_eq!(row["error"].is_string(), !healthy, "{row}");
    }
    assert_eq!(rows[0]["status"], 200);
    assert!(rows[1]["latency_ms"].as_f64() >= Some(250.0), "{report}");
    assert_eq!((fast.probes().len(), slow.probes().len()), (1, 1));
}

async fn probe_fails_when_no_target_is_healthy(_: Host) {
    let refused = Port::hold();
    let failing = Origin::start("failing");
    failing.set_health(Health::Answers(500, ms(0)));
    let (refused, failing) = (refused.url(), failing.url());
    for format in [&[][..], &["--json"]] {
        let (code, lines) = probe(&[&[&*refused, &*failing], format].concat()).await;
        assert_eq!(code, Some(1), "{lines:#?}");
        // It still reports what it found.
        for target in [&refused, &failing] {
            assert!(lines.iter().any(|line| line.contains(target)), "{lines:#?}");
        }
    }
}

async fn probe_takes_the_settings(_: Host) {
    let named = Origin::start("named");
    let other = Origin::start("other");
    let targets = format!("FETCH_TARGETS={}", named.url());
    let settings = ["--env", &targets, "--env", "FETCH_HEALTH_PATH=/up?x=1"];
    let (code, lines) = probe(&settings).await;
    assert_eq!(code, Some(0), "{lines:#?}");
    assert_eq!(named.probes()[0].target, "/up?x=1");
    // Arguments override.
    let asked = named.probes().len();
    let (code, lines) = probe(&[&settings[..], &[&other.url()]].concat()).await;
    assert_eq!(code, Some(0), "{lines:#?}");
    assert_eq!(other.probes()[0].target, "/up?x=1");
    assert_eq!(named.probes().len(), asked);
    // Without any there is nothing to do.
    let (code, lines) = probe(&[]).await;
    assert_eq!((code, lines), (Some(1), vec![]));
}
