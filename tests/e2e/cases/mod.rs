//! The table of cases (`tests/cases`) on real hosts, between real sockets.

mod client;
mod stage;
mod upstream;
mod wire;

use std::sync::Arc;

use function_fetch_cases::read_all;

use crate::support::host::{EVERY, Host};
use crate::support::suite::Suite;

/// What these groups show hangs on who answers first, or within the 250 ms of a
/// read of the store: not to be asked while three other hosts compile their
/// component on the same two cores.
const MEASURED: [&str; 3] = ["cold_start", "parallel", "store"];

pub fn register(suite: &mut Suite) {
    let cases = read_all().unwrap_or_else(|error| panic!("{error}"));
    for case in cases.into_iter().map(Arc::new) {
        let runs = |host: &Host| host_of(*host).is_some_and(|name| case.skipped(name).is_none());
        let hosts: Vec<Host> = EVERY.iter().copied().filter(runs).collect();
        let name = format!("cases::{}", case.id());
        let alone = MEASURED.contains(&case.group());
        let test = move |host| {
            let case = case.clone();
            async move {
                let name = host_of(host).expect("it was asked before");
                if let Err(what) = stage::play(&case, name, host).await {
                    panic!("{what}");
                }
            }
        };
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
