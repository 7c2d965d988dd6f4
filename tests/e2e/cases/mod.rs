//! The table of cases (`tests/cases`) on real hosts, over real sockets.

mod client;
mod host;
mod stage;
mod upstream;

use std::sync::Arc;

use function_fetch_cases::{Case, read_all};

use crate::support::suite::Suite;
use host::{ALL, CaseHost};

/// These groups depend on who answers first, or on the 250 ms of a read of the store: they
/// cannot run while three other hosts compile their component on the same two cores.
const MEASURED: [&str; 3] = ["cold_start", "parallel", "store"];

/// The same for cases on hosts whose processes start with the case.
const MEASURED_ON_ADAPTERS: &str = "timeouts";

pub fn register(suite: &mut Suite) {
    let cases = read_all().unwrap_or_else(|error| panic!("{error}"));
    let cases: Vec<Arc<Case>> = cases.into_iter().map(Arc::new).collect();
    // One host after the other: what runs beside a case is then the same for all cases of a
    // host.
    for host in ALL {
        let run = |case: &&Arc<Case>| case.skipped(host.in_table()).is_none();
        for case in cases.iter().filter(run) {
            let name = format!("cases::{}", case.id());
            let alone = is_measured(case, host);
            let case = case.clone();
            let test = move |host| {
                let case = case.clone();
                async move {
                    if let Err(what) = stage::play(&case, host).await {
                        panic!("{what}");
                    }
                }
            };
            if alone {
                suite.alone(&[host], &name, test);
            } else {
                suite.on(&[host], &name, test);
            }
        }
    }
}

fn is_measured(case: &Case, host: CaseHost) -> bool {
    MEASURED.contains(&case.group())
        || (matches!(host, CaseHost::Adapter(_)) && case.group() == MEASURED_ON_ADAPTERS)
}
