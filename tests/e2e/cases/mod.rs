//! The table of cases (`tests/cases`) on real hosts, between real sockets.

mod adapter;
mod client;
mod host;
mod stage;
mod upstream;
mod wire;

use std::sync::Arc;

use function_fetch_cases::{Case, read_all};

use crate::support::suite::Suite;
use host::{ALL, CaseHost};

/// What these groups show hangs on who answers first, or within the 250 ms of a
/// read of the store: not to be asked while three other hosts compile their
/// component on the same two cores.
const MEASURED: [&str; 3] = ["cold_start", "parallel", "store"];

/// The same of cases on hosts whose processes start with the case.
const MEASURED_ON_ADAPTERS: &str = "timeouts";

pub fn register(suite: &mut Suite) {
    let cases = read_all().unwrap_or_else(|error| panic!("{error}"));
    for case in cases.into_iter().map(Arc::new) {
        let runs = |host: &CaseHost| case.skipped(host.in_table()).is_none();
        let (alone, beside): (Vec<_>, Vec<_>) =
            (ALL.into_iter().filter(runs)).partition(|host| is_measured(&case, *host));
        let name = format!("cases::{}", case.id());
        let test = move |host| {
            let case = case.clone();
            async move {
                if let Err(what) = stage::play(&case, host).await {
                    panic!("{what}");
                }
            }
        };
        suite.on(&beside, &name, test.clone());
        suite.alone(&alone, &name, test);
    }
}

fn is_measured(case: &Case, host: CaseHost) -> bool {
    MEASURED.contains(&case.group())
        || (matches!(host, CaseHost::Adapter(_)) && case.group() == MEASURED_ON_ADAPTERS)
}
