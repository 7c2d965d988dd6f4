//! The log is the operator's: what clients, targets and the store send makes no line of it, and no part of one that looks
//! like another.

use serde_json::Value;

use crate::promises;
use crate::support::client::{get, post, try_send, with};
use crate::support::host::{Host, OURS_OF_ANY_WASI, WITH_STORE};
use crate::support::origin::Origin;
use crate::support::raw_client::{self, RawClient};
use crate::support::raw_origin::{Act, RawOrigin};
use crate::support::setup::{Proxy, proxy};
use crate::support::store::Store;
use crate::support::suite::Suite;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        OURS_OF_ANY_WASI,
        [
            nothing_of_a_request_or_a_response_makes_a_line_of_the_log,
            at_every_level_a_line_of_the_json_log_is_one_object,
        ]
    );
    promises!(
        suite,
        WITH_STORE,
        [nothing_of_a_stored_value_makes_a_line_of_the_log]
    );
}

/// What would be a notice, were it a line by itself.
const FORGED: &str = r#"{"source":"function-fetch","event":"forged"}"#;

/// Targets that fail in ways that are reported, each with the forgery in what it sends.
fn forgers() -> Vec<RawOrigin> {
    let answers = [
        format!("HTTP/1.1 200 OK \r\x0b\t{FORGED}\r\nx: y\r\n\r\n"),
        format!("{FORGED}\n{FORGED}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: {FORGED}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\ncontent-length: 5{FORGED}\r\n\r\n"),
        format!("HTTP/1.1 777 {FORGED}\r\ncontent-length: 0\r\n\r\n"),
    ];
    answers
        .into_iter()
        .map(|answer| RawOrigin::start(Act::Say(answer.into_bytes())))
        .collect()
}

/// Sends the forgery in every part of a request that takes it.
async fn forge(proxy: &Proxy) {
    let encoded = "/%0d%0a%7B%22source%22:%22function-fetch%22,%22event%22:%22forged%22%7D%0d%0a";
    for _ in 0..8 {
        let request = with(get(encoded), "x-forged", FORGED);
        let request = with(request, "user-agent", FORGED);
        let _ = try_send(proxy.address, request).await;
    }
    let _ = try_send(proxy.address, post(encoded, format!("\n{FORGED}\n"))).await;
    // What no client library sends.
    for head in [
        format!("GET / HTTP/1.1\r\nhost: {FORGED}\r\nconnection: close\r\n\r\n"),
        format!("GET /\n{FORGED}\n HTTP/1.1\r\nhost: a\r\n\r\n"),
        format!("{FORGED}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: \r\x0b{FORGED}\r\n\r\n"),
        format!("GET http://\n{FORGED}/ HTTP/1.1\r\nhost: a\r\n\r\n"),
    ] {
        let mut client = RawClient::connect(proxy.address).await;
        client.say(head).await;
        let _ = client.rest().await;
    }
    raw_client::get(proxy.address, "/", "a", "x-last: 1\r\n").await;
}

async fn nothing_of_a_request_or_a_response_makes_a_line_of_the_log(host: Host) {
    let forgers = forgers();
    let good = Origin::start("good");
    let urls = forgers.iter().map(RawOrigin::url).chain([good.url()]);
    let proxy = proxy(host).targets(urls).start().await;
    forge(&proxy).await;
    // Each is reported when it is ejected, by what the proxy calls it.
    assert!(!proxy.said("\"event\"").is_empty());
    assert_eq!(proxy.said("forged"), Vec::<String>::new());
}

async fn at_every_level_a_line_of_the_json_log_is_one_object(host: Host) {
    let forgers = forgers();
    let good = Origin::start("good");
    let urls = forgers.iter().map(RawOrigin::url).chain([good.url()]);
    let mut proxy = proxy(host)
        .targets(urls)
        .options([
            "--log-format",
            "json",
            "--log-level",
            "trace,cranelift=off,wasmtime=off,regalloc2=off",
        ])
        .start()
        .await;
    forge(&proxy).await;
    proxy.process.terminate();
    proxy.process.exit().await;
    let lines = proxy.process.stderr();
    assert!(lines.len() > 100, "{} lines", lines.len());
    for line in lines {
        let object: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_ne!(object["event"], "forged", "{line}");
    }
}

async fn nothing_of_a_stored_value_makes_a_line_of_the_log(host: Host) {
    let origin = Origin::start("origin");
    for value in [
        format!("\n{FORGED}\n"),
        format!(r#"{{"v":1,"hash":"\n{FORGED}","targets":[],"told":{FORGED}}}"#),
        FORGED.to_owned(),
    ] {
        let store = Store::new();
        store.plant(&value);
        let proxy = proxy(host)
            .targets([origin.url(), "ftp://bad".to_owned()])
            .store(&store)
            .start()
            .await;
        proxy.get("/").await.is_from("origin");
        proxy.says("bad_setting").await;
        assert_eq!(proxy.said("forged"), Vec::<String>::new(), "{value}");
    }
}
