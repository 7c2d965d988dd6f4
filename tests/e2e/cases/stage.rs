//! A case on a real host: its upstreams, its store, its client.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use function_fetch_cases::{
    Behaviour, Case, Meanings, Request, Response, Seen, Setup, Stage, check_notices,
};

use super::client;
use super::host::{CaseHost, Started};
use super::upstream::Upstream;
use crate::support::host::Host;

/// The client's address, as the proxy sees it.
pub const CLIENT: &str = "127.0.0.1";

/// How long a WASI 0.2 instance may take to return after its response.
const RETURNED: Duration = Duration::from_millis(10);

struct Running {
    host: CaseHost,
    upstreams: BTreeMap<String, Upstream>,
    proxy: Started,
    key: String,
}

/// Runs a case on `host`; the error describes the differences.
pub async fn play(case: &Case, host: CaseHost) -> Result<(), String> {
    let name = host.in_table();
    let upstreams: BTreeMap<String, Upstream> = case
        .upstreams(name)
        .into_iter()
        .map(|name| (name.clone(), Upstream::new(&name)))
        .collect();
    let authorities = upstreams
        .iter()
        .map(|(name, upstream)| (name.clone(), host.authority(upstream.address())))
        .collect();
    let meanings = Meanings::of(&authorities).client(CLIENT);
    // The proxy's address is known once it runs; its settings do not depend on that.
    let before = case.plan(name, &meanings.clone().proxy("127.0.0.1:1"))?;
    let setup = Setup::new(&before, &authorities, host.store(), now_ms())
        .map_err(|error| error.to_string())?;
    for upstream in upstreams.values() {
        upstream.probed_at(&setup.engine_settings().health_path);
    }
    let proxy = host.start(&setup).await;
    let plan = case.plan(name, &meanings.proxy(&proxy.address().to_string()))?;
    let mut running = Running {
        host,
        upstreams,
        proxy,
        key: setup.key().to_owned(),
    };
    let outcome = function_fetch_cases::run(&plan, &setup, &mut running).await;
    let said = running.proxy.stop().await;
    let outcome = outcome.and_then(|()| check_notices(&plan, &said));
    outcome.map_err(|what| {
        [what]
            .into_iter()
            .chain(said)
            .collect::<Vec<_>>()
            .join("\n")
    })
}

fn now_ms() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("it is later than 1970").as_secs_f64() * 1e3
}

impl Running {
    fn upstream(&self, name: &str) -> &Upstream {
        &self.upstreams[name]
    }
}

impl Stage for Running {
    async fn ask(&mut self, request: &Request) -> Result<Response, String> {
        if let CaseHost::Component(Host::Wasmtime02) = self.host {
            // Its instance takes the next request once it has returned from the last; an earlier request starts another
            // instance, with its own memory.
            tokio::time::sleep(RETURNED).await;
        }
        client::ask(self.proxy.address(), request, self.host.added()).await
    }

    async fn behave(&mut self, upstream: &str, behaviour: &Behaviour) {
        let upstream = self
            .upstreams
            .get_mut(upstream)
            .expect("the table has checked the names");
        upstream.behave(behaviour).await;
    }

    fn probes(&self, upstream: &str) -> Vec<Seen> {
        self.upstream(upstream).probes()
    }

    fn seen(&self, upstream: &str) -> Vec<Seen> {
        self.upstream(upstream).seen()
    }

    async fn stored(&self) -> Option<Vec<u8>> {
        self.proxy.stored(&self.key).await
    }

    async fn sleep(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}
