//! A case on the engine: the pretended upstreams, one instance, and a clock
//! that jumps to what happens next.

use crate::front;
use crate::network::Network;
use crate::platform::Instance;
use function_fetch_cases::{
    Behaviour, Case, Meanings, Request, Response, Seen, Setup, Stage, check_notices,
};
use function_fetch_engine::settings::StoreKind;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

/// Where the proxy pretends to listen.
pub const PROXY: &str = "127.0.0.1:3000";
/// Where its client pretends to be.
pub const CLIENT: &str = "127.0.0.1";

/// No answer may take longer, in the case's own time: as long as over real sockets.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a case; the error says what was not as it says.
pub fn run(case: &Case) -> Result<(), String> {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| error.to_string())?;
    LocalSet::new().block_on(&runtime, play(case))
}

async fn play(case: &Case) -> Result<(), String> {
    let authorities: BTreeMap<String, String> = case
        .upstreams(crate::HOST)
        .into_iter()
        .zip(4001..)
        .map(|(name, port)| (name, format!("127.0.0.1:{port}")))
        .collect();
    let meanings = Meanings::of(&authorities).proxy(PROXY).client(CLIENT);
    let plan = case.plan(crate::HOST, &meanings)?;
    let network = Network::new(&authorities);
    let instance = Instance::new(network.clone());
    let setup = Setup::new(
        &plan,
        &authorities,
        Some(StoreKind::Spin),
        instance.wall().0,
    )
    .map_err(|error| error.to_string())?;
    instance.start(setup.engine_settings().clone(), setup.store.clone());
    network.probed_at(setup.engine_settings().health_path.clone());
    let mut stage = Pretended { network, instance };
    function_fetch_cases::run(&plan, &setup, &mut stage).await?;
    check_notices(&plan, &stage.instance.said())
}

struct Pretended {
    network: Network,
    instance: Instance,
}

impl Stage for Pretended {
    async fn ask(&mut self, request: &Request) -> Result<Response, String> {
        timeout(PATIENCE, front::answer(&self.instance, request))
            .await
            .map_err(|_| format!("no answer within {PATIENCE:?}"))
    }

    async fn behave(&mut self, upstream: &str, behaviour: &Behaviour) {
        self.network.behave(upstream, behaviour.clone());
    }

    fn probes(&self, upstream: &str) -> Vec<Seen> {
        self.network.probes(upstream)
    }

    fn seen(&self, upstream: &str) -> Vec<Seen> {
        self.network.seen(upstream)
    }

    async fn stored(&self) -> Option<Vec<u8>> {
        self.instance.stored()
    }

    async fn sleep(&self, ms: u64) {
        sleep(Duration::from_millis(ms)).await;
    }
}
