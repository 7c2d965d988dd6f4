//! The matrix of faults: what an origin can do to a request, by method, body and store, each combination judged by the
//! promises of `docs/behaviour.md`.
//!
//! Every combination goes through a real proxy in front of two origins: the first does what the request's path says,
//! the second one answers. Each request gets a new instance, so that none profits from what another has found out. An
//! ordinary run takes a sample, always the same one; `cargo xtask test matrix --matrix all` takes all, and with a part
//! of a name, which failures print, only those.

mod case;
mod exchange;
mod fault;
mod judge;
mod origin;
mod store;

use std::sync::Arc;

use futures::StreamExt;

use crate::support::host::{Host, WITH_STORE};
use crate::support::setup::{Proxy, Setup, proxy};
use crate::support::suite::Suite;
use case::{Case, Selection};
use fault::{CONNECTION_FAULTS, EXCHANGE_FAULTS, Fault};
use judge::{Receipts, Verdict, judge};
use origin::{Fallback, FaultOrigin};
use store::{FaultyStore, STORE_FAULTS, StoreFault};

/// The hosts that it runs on: the embedded one, and `wasmtime serve`, whose client is another one.
const HOSTS: &[Host] = &[Host::Embedded, Host::Embedded02, Host::WasmtimeServe];

/// Requests at a time.
const CONCURRENCY: usize = 24;

/// For the response head of an attempt, for a connection, and for the request. Wide, for a busy machine.
pub const ATTEMPT_MS: u64 = 4_000;
const CONNECT_MS: u64 = 2_000;
pub const DEADLINE_MS: u64 = 15_000;

pub fn register(suite: &mut Suite) {
    suite.on(HOSTS, "matrix_of_exchange_faults", |host| {
        run(host, EXCHANGE_FAULTS, None, 12)
    });
    for fault in CONNECTION_FAULTS {
        let name = format!(
            "matrix_of_connection_faults_{}",
            fault.name.replace('-', "_")
        );
        suite.on(HOSTS, &name, move |host| {
            run(host, std::slice::from_ref(fault), None, 3)
        });
    }
    let with_store: Vec<Host> = HOSTS
        .iter()
        .copied()
        .filter(|host| WITH_STORE.contains(host))
        .collect();
    for store in STORE_FAULTS {
        let name = format!("matrix_with_a_store_that_{}", store.name());
        suite.on(&with_store, &name, move |host| {
            run(host, EXCHANGE_FAULTS, Some(store), 24)
        });
    }
}

/// Runs the combinations of these faults; of a sample, one in `every`.
async fn run(host: Host, faults: &'static [Fault], store: Option<StoreFault>, every: u64) {
    let selection = Selection::asked_for(every);
    let cases: Vec<Case> = case::all(faults)
        .filter(|case| selection.includes(case))
        .collect();
    if cases.is_empty() {
        return;
    }
    let first = FaultOrigin::start(&faults[0]);
    let second = Fallback::start();
    let faulty = store.map(FaultyStore::start);
    let mut setup = proxy(host)
        .targets([first.url(), second.url()])
        .set("FETCH_ATTEMPT_TIMEOUT_MS", ATTEMPT_MS.to_string())
        .set("FETCH_CONNECT_TIMEOUT_MS", CONNECT_MS.to_string())
        .set("FETCH_DEADLINE_MS", DEADLINE_MS.to_string())
        .options(["--max-instance-reuse-count", "1"]);
    if host.is_ours() {
        setup = trusting(setup, &first);
    }
    setup = match &faulty {
        // The first of the list goes first, whatever it did before.
        None => setup.in_list_order(),
        Some(store) => setup.runtime_config(store.runtime_config()),
    };
    let proxy = Arc::new(setup.start().await);
    let verdicts: Vec<(Case, Verdict)> = futures::stream::iter(cases)
        .map(|case| one(host, case, proxy.clone(), &first, &second, store))
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    let tried = verdicts
        .iter()
        .filter(|(_, verdict)| verdict.was_tried)
        .count();
    let broken: Vec<String> = verdicts
        .iter()
        .filter_map(|(case, verdict)| {
            let what = verdict.broken.as_ref()?;
            Some(format!(
                "{case}: {what}\n    cargo xtask test matrix --matrix '{case}'"
            ))
        })
        .collect();
    println!(
        "{host:?}, {}: {} combinations, the first origin had {tried} of them",
        store.map_or("no store", StoreFault::name),
        verdicts.len()
    );
    assert!(
        broken.is_empty(),
        "{} of {} combinations on {host:?}, {}:\n{}",
        broken.len(),
        verdicts.len(),
        store.map_or("no store", StoreFault::name),
        broken.join("\n")
    );
    if faults.len() > 1 && selection.is_wide() {
        assert!(
            4 * tried >= verdicts.len(),
            "the faults were not met: {tried}"
        );
    }
}

fn trusting(setup: Setup, origin: &FaultOrigin) -> Setup {
    match origin.authority() {
        Some(file) => setup.options([std::ffi::OsStr::new("--ca-file"), file.as_os_str()]),
        None => setup,
    }
}

async fn one(
    host: Host,
    case: Case,
    proxy: Arc<Proxy>,
    first: &FaultOrigin,
    second: &Fallback,
    store: Option<StoreFault>,
) -> (Case, Verdict) {
    let outcome = exchange::run(&case, proxy.address).await;
    let receipts = Receipts {
        first: first.received(case.number),
        second: second.received(case.number),
    };
    let verdict = judge(host, &case, &outcome, &receipts, store.is_some());
    (case, verdict)
}
