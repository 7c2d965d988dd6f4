//! A case on a real host: its upstreams, its store, its client.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use function_fetch_cases::{
    Behaviour, Case, Meanings, Request, Response, Seen, Setup, Stage, has_store,
};
use function_fetch_engine::settings::StoreKind;

use super::client;
use super::upstream::Upstream;
use crate::support::host::Host;
use crate::support::setup::{Proxy, proxy};
use crate::support::store::Store;

const CLIENT: &str = "127.0.0.1";

struct Running {
    upstreams: BTreeMap<String, Upstream>,
    proxy: Proxy,
    store: Option<Store>,
    key: String,
}

/// Runs a case on `host`, which the table calls `name`; the error says what was not as it says.
pub async fn play(case: &Case, name: &str, host: Host) -> Result<(), String> {
    let upstreams: BTreeMap<String, Upstream> = case
        .upstreams(name)
        .into_iter()
        .map(|name| (name.clone(), Upstream::new(&name)))
        .collect();
    let authorities = upstreams
        .iter()
        .map(|(name, upstream)| (name.clone(), upstream.authority()))
        .collect();
    let meanings = Meanings::of(&authorities).client(CLIENT);
    // Where the proxy serves is known once it runs; its settings do not depend on that.
    let before = case.plan(name, &meanings.clone().proxy("127.0.0.1:1"))?;
    let kind = has_store(name).then_some(StoreKind::Spin);
    let setup =
        Setup::new(&before, &authorities, kind, now_ms()).map_err(|error| error.to_string())?;
    for upstream in upstreams.values() {
        upstream.probed_at(&setup.engine_settings().health_path);
    }
    let store = kind.map(|_| Store::new());
    if let (Some(store), Some(value)) = (&store, &setup.store) {
        store.plant_at(setup.key(), value);
    }
    let proxy = start(host, &setup, store.as_ref()).await;
    let plan = case.plan(name, &meanings.proxy(&proxy.address.to_string()))?;
    let mut running = Running {
        upstreams,
        proxy,
        store,
        key: setup.key().to_owned(),
    };
    function_fetch_cases::run(&plan, &setup, &mut running).await
}

async fn start(host: Host, setup: &Setup, store: Option<&Store>) -> Proxy {
    let mut proxy = proxy(host).one_instance();
    if !setup.settings.contains_key("FETCH_HEALTH_PATH") {
        proxy = proxy.unset("FETCH_HEALTH_PATH");
    }
    for (name, value) in &setup.settings {
        proxy = proxy.set(name, value);
    }
    if let Some(store) = store {
        proxy = proxy.store(store);
    }
    proxy.start().await
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
        client::ask(self.proxy.address, request).await
    }

    async fn behave(&mut self, upstream: &str, behaviour: &Behaviour) {
        let upstream = self
            .upstreams
            .get_mut(upstream)
            .expect("the table has checked the names");
        upstream.behave(behaviour).await;
    }

    fn probes(&self, upstream: &str) -> usize {
        self.upstream(upstream).probes()
    }

    fn seen(&self, upstream: &str) -> Vec<Seen> {
        self.upstream(upstream).seen()
    }

    fn stored(&self) -> Option<Vec<u8>> {
        self.store.as_ref()?.read(&self.key)
    }

    async fn sleep(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}
