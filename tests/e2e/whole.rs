//! What cannot be passed on whole is refused, never trimmed: heads beyond a host's limits, and invalid statuses.

use crate::promises;
use crate::support::client::{get, post};
use crate::support::host::{EVERY, Host};
use crate::support::origin::Origin;
use crate::support::raw_client::{exchange, status};
use crate::support::raw_origin::{Act, RawOrigin};
use crate::support::setup::proxy;
use crate::support::suite::Suite;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            fields_beyond_a_hosts_limit_are_refused_whole,
            a_response_head_beyond_what_a_host_holds_is_a_failed_attempt,
            an_invalid_status_is_a_failed_attempt,
            an_unrequested_upgrade_is_a_failed_attempt,
        ]
    );
}

/// Together with the fields that are added, more than wasmtime's 128 KiB.
const MUCH: usize = 130_904;

async fn fields_beyond_a_hosts_limit_are_refused_whole(host: Host) {
    let origin = RawOrigin::start(Act::answer("ok"));
    let proxy = proxy(host).targets([origin.url()]).start().await;
    for length in [MUCH - 60_000, MUCH, MUCH + 200] {
        let before = origin.live().len();
        let fill = "a".repeat(length);
        let request =
            format!("GET / HTTP/1.1\r\nhost: proxy\r\nconnection: close\r\nx-fill: {fill}\r\n\r\n");
        let response = exchange(proxy.address, request).await;
        // A host may accept less; but what passes has all its fields.
        if status(&response) == 200 {
            let heard = origin.live().pop().expect("it answered");
            assert_eq!(heard.header("x-fill"), [fill.as_str()]);
            assert_eq!(heard.header("via"), ["1.1 function-fetch"]);
        } else {
            assert_eq!(status(&response), 431, "{response}");
            assert_eq!(origin.live().len(), before, "{length}");
        }
        assert!(status(&response) != 200 || length <= MUCH, "{length}");
    }
}

async fn a_response_head_beyond_what_a_host_holds_is_a_failed_attempt(host: Host) {
    let fill = "a".repeat(MUCH + 200);
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\nx-fill: {fill}\r\n");
    let large = RawOrigin::start(Act::Say(
        format!("{head}content-length: 2\r\n\r\nok").into_bytes(),
    ));
    // The client of another host may reject such a head itself, with a different error.
    let why = if host.is_ours() {
        "http_response_header"
    } else {
        "http_"
    };
    elsewhere_or_502(host, large, why, 1).await;
}

async fn an_invalid_status_is_a_failed_attempt(host: Host) {
    for code in [600, 700, 999] {
        let odd =
            format!("HTTP/1.1 {code} Odd\r\nconnection: close\r\ncontent-length: 3\r\n\r\nodd");
        let odd = RawOrigin::start(Act::Say(odd.into_bytes()));
        elsewhere_or_502(host, odd, "http_protocol_error", gets(host)).await;
    }
}

async fn an_unrequested_upgrade_is_a_failed_attempt(host: Host) {
    let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: odd\r\n\r\n";
    let odd = RawOrigin::start(Act::Say(head.into()));
    elsewhere_or_502(host, odd, "error=", gets(host)).await;
}

/// How often the target gets the request. Spin reports it like a kept connection that was closed: a GET goes to the same
/// target once more.
fn gets(host: Host) -> usize {
    if host == Host::SpinUp { 2 } else { 1 }
}

/// A GET, which the target gets so often, is answered by the next one, a POST with a 502 that gives the reason.
async fn elsewhere_or_502(host: Host, odd: RawOrigin, why: &str, gets: usize) {
    let good = Origin::start("good");
    let proxy = proxy(host)
        .targets([odd.url(), good.url()])
        .in_list_order()
        .start()
        .await;
    proxy.send(get("/")).await.is_from("good");
    let answer = proxy.send(post("/", "body")).await;
    assert_eq!(answer.status, 502, "{answer:?}");
    let said = answer.header("proxy-status").expect("why");
    assert!(said.contains(why), "{said}");
    assert_eq!((odd.live().len(), good.live().len()), (gets + 1, 1));
}
