//! The headers that go upstream.

use crate::failover::is_our_own;
use crate::promises;
use crate::support::client::{get, with};
use crate::support::host::{EVERY, Host, KNOWING_THE_CLIENT, OURS_OF_ANY_WASI};
use crate::support::origin::Origin;
use crate::support::port;
use crate::support::raw_client;
use crate::support::raw_origin::{Act, RawOrigin};
use crate::support::setup::{Setup, proxy};
use crate::support::suite::Suite;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            headers_pass_unchanged,
            a_forged_client_address_is_not_trusted,
            forwarding_is_continued_when_trusted,
            hop_by_hop_headers_are_removed,
            via_is_added,
            a_loop_ends_after_five_hops,
            a_loop_of_proxies_ends,
        ]
    );
    promises!(
        suite,
        KNOWING_THE_CLIENT,
        [
            the_true_client_address_is_forwarded,
            forwarding_can_be_turned_off,
        ]
    );
    // A host removes `Connection` before the component sees it, so the fields that it lists are the host's to remove.
    // Other hosts do not.
    promises!(
        suite,
        OURS_OF_ANY_WASI,
        [headers_named_by_connection_are_removed]
    );
}

fn one(host: Host, origin: &Origin) -> Setup {
    proxy(host).targets([origin.url()])
}

async fn headers_pass_unchanged(host: Host) {
    let origin = RawOrigin::start(Act::answer("ok"));
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let headers = "accept: text/html;q=0.9, */*\r\nauthorization: Bearer a.b.c\r\n\
                   cookie: a=1; b=2\r\nx-multi: 1\r\nx-multi: 2\r\nx-empty:\r\n\
                   user-agent: curl/8\r\nx-name: J\u{fc}rgen\r\n";
    let long = "v".repeat(20_000);
    let headers = format!("{headers}x-long: {long}\r\n");
    let headers = &headers;
    raw_client::get(proxy.address, "/", "proxy", headers).await;
    let heard = origin.only();
    for (name, values) in [
        ("accept", vec!["text/html;q=0.9, */*"]),
        ("authorization", vec!["Bearer a.b.c"]),
        ("cookie", vec!["a=1; b=2"]),
        ("x-multi", vec!["1", "2"]),
        ("x-empty", vec![""]),
        ("user-agent", vec!["curl/8"]),
        ("x-name", vec!["J\u{fc}rgen"]),
        ("x-long", vec![long.as_str()]),
        ("host", vec![origin.address().to_string().as_str()]),
    ] {
        assert_eq!(heard.header(name), values, "{name}");
    }
}

async fn a_forged_client_address_is_not_trusted(host: Host) {
    let origin = RawOrigin::start(Act::answer("ok"));
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let forged = "spin-client-addr: 6.6.6.6:66\r\nspin-full-url: http://forged.example/\r\n\
                  spin-path-info: /forged\r\nx-forwarded-for: 6.6.6.6\r\n\
                  x-forwarded-host: forged.example\r\nx-forwarded-proto: https\r\n\
                  forwarded: for=6.6.6.6\r\n";
    raw_client::get(proxy.address, "/", "proxy", forged).await;
    let heard = origin.only();
    let lower = heard.head.to_ascii_lowercase();
    assert!(
        !lower.contains("6.6.6.6") && !lower.contains("forged"),
        "{lower}"
    );
    assert!(!lower.contains("spin-"), "{lower}");
    let expected: &[&str] = if host.knows_the_client() {
        &["127.0.0.1"]
    } else {
        &[]
    };
    assert_eq!(heard.header("x-forwarded-for"), expected);
}

async fn the_true_client_address_is_forwarded(host: Host) {
    let origin = Origin::start("origin");
    let proxy = one(host, &origin).start().await;
    proxy
        .send(with(get("/"), "host", "shop.example:8080"))
        .await
        .is_from("origin");
    let seen = origin.only();
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen.header("x-forwarded-host"), Some("shop.example:8080"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("http"));
    assert_eq!(
        seen.header("host"),
        Some(origin.address().to_string().as_str())
    );
}

async fn forwarding_can_be_turned_off(host: Host) {
    let origin = Origin::start("origin");
    let proxy = one(host, &origin)
        .set("FETCH_FORWARDED", "off")
        .start()
        .await;
    proxy.get("/").await.is_from("origin");
    let seen = origin.only();
    for name in ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
}

async fn forwarding_is_continued_when_trusted(host: Host) {
    let origin = Origin::start("origin");
    let proxy = one(host, &origin)
        .set("FETCH_TRUST_FORWARDED", "true")
        .start()
        .await;
    let request = with(get("/"), "x-forwarded-for", "203.0.113.7");
    let request = with(request, "x-forwarded-for", "198.51.100.1");
    let request = with(request, "x-forwarded-proto", "https");
    proxy.send(request).await.is_from("origin");
    let seen = origin.only();
    let chain: Vec<_> = seen.headers.get_all("x-forwarded-for").iter().collect();
    let chain = chain
        .iter()
        .map(|value| value.to_str().expect("ASCII"))
        .collect::<Vec<_>>()
        .join(", ");
    let own = if host.knows_the_client() {
        ", 127.0.0.1"
    } else {
        ""
    };
    assert_eq!(chain, format!("203.0.113.7, 198.51.100.1{own}"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("https"));
}

async fn hop_by_hop_headers_are_removed(host: Host) {
    let origin = RawOrigin::start(Act::answer("ok"));
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let headers = "keep-alive: timeout=5\r\nproxy-connection: keep-alive\r\n\
                   proxy-authenticate: Basic\r\nproxy-authorization: Basic c2VjcmV0\r\n\
                   te: gzip\r\nupgrade: h2c\r\nx-kept: 1\r\n";
    raw_client::get(proxy.address, "/", "proxy", headers).await;
    let heard = origin.only();
    assert_eq!(heard.header("x-kept"), ["1"]);
    for name in [
        "keep-alive",
        "proxy-connection",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "upgrade",
        "transfer-encoding",
    ] {
        assert!(heard.header(name).is_empty(), "{name}: {}", heard.head);
    }
}

async fn headers_named_by_connection_are_removed(host: Host) {
    let answer = "HTTP/1.1 200 OK\r\nconnection: close, X-Back\r\nx-back: secret\r\n\
                  x-kept: 2\r\ncontent-length: 2\r\n\r\nok";
    let origin = RawOrigin::start(Act::Say(answer.into()));
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let request = "GET / HTTP/1.1\r\nhost: proxy\r\nconnection: close, X-Hop\r\n\
                   x-hop: secret\r\nx-kept: 1\r\n\r\n";
    let response = raw_client::exchange(proxy.address, request).await;
    let heard = origin.only();
    assert_eq!(heard.header("x-kept"), ["1"]);
    assert!(heard.header("x-hop").is_empty(), "{}", heard.head);
    assert!(response.contains("x-kept: 2"), "{response}");
    assert!(!response.contains("secret"), "{response}");
}

async fn via_is_added(host: Host) {
    let origin = Origin::start("origin");
    let proxy = one(host, &origin).start().await;
    proxy
        .send(with(get("/"), "via", "1.0 fred"))
        .await
        .is_from("origin");
    let vias = origin.only().headers;
    let vias: Vec<_> = vias
        .get_all("via")
        .iter()
        .map(|via| via.to_str().expect("ASCII"))
        .collect();
    assert_eq!(vias.join(", "), "1.0 fred, 1.1 function-fetch");
}

async fn a_loop_ends_after_five_hops(host: Host) {
    let origin = Origin::start("origin");
    let proxy = one(host, &origin).start().await;
    let hop = "1.1 function-fetch";
    for vias in [vec![[hop; 5].join(", ")], vec![hop.to_owned(); 5]] {
        let request = vias
            .iter()
            .fold(get("/"), |request, via| with(request, "via", via));
        is_our_own(&proxy.send(request).await, 508, "proxy_loop_detected");
    }
    assert!(origin.live().is_empty());
    // Four are a deep setup, not a loop; another proxy's name does not count.
    let request = with(
        get("/"),
        "via",
        &format!("{}, 1.1 other", [hop; 4].join(", ")),
    );
    proxy.send(request).await.is_from("origin");
}

async fn a_loop_of_proxies_ends(host: Host) {
    let port = port::free();
    let proxy = proxy(host)
        .targets([format!("http://127.0.0.1:{port}")])
        .port(port)
        .start()
        .await;
    // The innermost one replies, and the outer ones pass it on.
    is_our_own(&proxy.get("/").await, 508, "proxy_loop_detected");
}
