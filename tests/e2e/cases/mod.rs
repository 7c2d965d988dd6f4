//! The table of cases (`tests/cases`) on real hosts, between real sockets.

mod client;
mod stage;
mod upstream;
mod wire;

use std::sync::Arc;

use function_fetch_cases::read_all;

use crate::support::host::{EVERY, Host};
use crate::support::suite::Suite;

pub fn register(suite: &mut Suite) {
    let cases = read_all().unwrap_or_else(|error| panic!("{error}"));
    for case in cases.into_iter().map(Arc::new) {
        let runs = |host: &Host| host_of(*host).is_some_and(|name| case.skipped(name).is_none());
        let hosts: Vec<Host> = EVERY.iter().copied().filter(runs).collect();
        let name = format!("cases::{}", case.id());
        let alone = case.plants_a_record();
        let test = move |host| {
            let case = case.clone();
            async move {
                let name = host_of(host).expect("it was asked before");
                if let Err(what) = stage::play(&case, name, host).await {
                    panic!("{what}");
                }
            }
        };
        // A read of the store has 250 ms, and then counts as failed: too little where
        // three other hosts are compiling their component on the same two cores.
        if alone {
            suite.alone(&hosts, &name, test);
        } else {
            suite.on(&hosts, &name, test);
        }
    }
}

/// A host's name in the table, where the table is run on it.
const fn host_of(host: Host) -> Option<&'static str> {
    match host {
        Host::Embedded => Some("embedded"),
        Host::WasmtimeServe => Some("wasmtime"),
        Host::Embedded02 => Some("embedded-0.2"),
        Host::Wasmtime02 => Some("wasmtime-0.2"),
        // The first with the other flavour: what differs, `wasmtime` shows.
        Host::EmbeddedPlain => None,
        // Where it is installed the suite's own promises are shown on it.
        Host::SpinUp => None,
    }
}
