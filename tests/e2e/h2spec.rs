//! h2spec, the public test suite of HTTP/2 servers, where it is installed.

use std::process::Command;
use std::time::Duration;

use crate::promises;
use crate::support::environment::{checked, environment};
use crate::support::host::{EMBEDDED, Host};
use crate::support::origin::Origin;
use crate::support::process::Process;
use crate::support::setup::proxy;
use crate::support::suite::Suite;

/// At least so many cases pass: the suite cannot pass by running none.
const PASSED: usize = 140;

/// What is no HTTP/2 at all is HTTP/1.1 on a port without TLS, which serves both: it gets 400 and is closed, where h2spec
/// expects a frame or nothing.
const BOTH_VERSIONS: &str = "2: Sends invalid connection preface";

pub fn register(suite: &mut Suite) {
    let missing = checked().is_ok_and(|environment| environment.h2spec.is_none());
    suite.lacking(missing.then_some("h2spec is not on PATH"));
    promises!(suite, EMBEDDED, [the_cases_of_h2spec_pass]);
    suite.lacking(None);
}

async fn the_cases_of_h2spec_pass(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let program = environment().h2spec.as_ref().expect("checked by the suite");
    let mut command = Command::new(program);
    command
        .args(["--strict", "--host", "127.0.0.1", "--port"])
        .arg(proxy.address.port().to_string());
    let mut h2spec = Process::spawn(command);
    h2spec.exit_within(Duration::from_secs(100)).await;
    let said = h2spec.stdout();
    let failures = said.iter().skip_while(|line| !line.starts_with("Failures"));
    let failed: Vec<&str> = failures
        .filter_map(|line| line.trim_start().strip_prefix("× "))
        .collect();
    assert_eq!(failed, [BOTH_VERSIONS], "{}", said.join("\n"));
    // "147 tests, 146 passed, 0 skipped, 1 failed"
    let passed = said.last().and_then(|summary| {
        let count = summary
            .split(", ")
            .find_map(|part| part.strip_suffix(" passed"));
        count?.parse::<usize>().ok()
    });
    assert!(passed >= Some(PASSED), "{:?}", said.last());
    assert_eq!(proxy.get("/x").await.status, 200);
}
