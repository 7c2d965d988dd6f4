//! A client cannot tell the proxy from its target: each endpoint of a real httpbin responds alike when it is asked
//! directly and through the proxy, for clients of different make. The requests and the comparison are in
//! `tests/transparency`.

use std::path::Path;
use std::process::Command;

use function_fetch_cases::repository;

use crate::promises;
use crate::support::any_host::{AnyHost, EMBEDDED, NODE, WASMTIME, WORKERS};
use crate::support::environment::{checked, environment};
use crate::support::process::Process;
use crate::support::setup::served_address;
use crate::support::suite::Suite;
use crate::support::waiting::eventually;

/// One host for each library that reads a client's bytes and sends them on.
const COMPARED_ON: &[AnyHost] = &[EMBEDDED, WASMTIME, NODE, WORKERS];

/// At least so many exchanges are compared: the script cannot pass by comparing nothing.
const COMPARED: usize = 400;

pub fn register(suite: &mut Suite) {
    let missing = checked().is_ok_and(|environment| environment.httpbin.is_none());
    suite.lacking(missing.then_some("httpbin could not be installed"));
    promises!(
        suite,
        COMPARED_ON,
        [every_endpoint_of_httpbin_responds_as_it_does_directly]
    );
    suite.lacking(None);
}

fn script(name: &str) -> Command {
    let python = environment().httpbin.as_deref().map(Path::as_os_str);
    let mut command = Command::new(python.expect("checked by the suite"));
    // It would write compiled files into the repository.
    command
        .arg("-B")
        .arg(repository().join("tests/transparency").join(name));
    command
}

async fn every_endpoint_of_httpbin_responds_as_it_does_directly(host: AnyHost) {
    let httpbin = Process::spawn(script("serve.py"));
    let address = eventually("httpbin serves", || {
        httpbin
            .stdout()
            .iter()
            .find_map(|line| served_address(line))
    })
    .await;
    let direct = format!("http://{address}");
    let proxy = host.start(&direct, &[]).await;
    let mut compare = script("compare.py");
    compare
        .arg(&direct)
        .arg(format!("http://{}", proxy.address()));
    if host != WASMTIME {
        // There the component does not learn for what host the client asked.
        compare.args(["--adds", "X-Forwarded-Host:edge.test"]);
    }
    match host {
        NODE => drop(compare.args(["--adds", "Connection:keep-alive"])),
        WORKERS => drop(compare.args(["--adds", "CF-Worker:worker.example.com"])),
        _ => {}
    }
    if host == EMBEDDED {
        compare.arg("--http2");
    }
    let mut compare = Process::spawn(compare);
    let status = compare
        .exit_within(std::time::Duration::from_secs(100))
        .await;
    let said = compare.stdout();
    let compared = said
        .last()
        .and_then(|line| line.split(' ').next()?.parse().ok());
    assert!(
        status.success(),
        "{}",
        [said.clone(), compare.stderr()].concat().join("\n")
    );
    assert!(
        compared.is_some_and(|count: usize| count >= COMPARED),
        "{said:?}"
    );
}
