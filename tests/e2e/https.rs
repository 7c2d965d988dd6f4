//! Targets behind TLS.

use crate::promises;
use crate::support::client::{get, post, with};
use crate::support::host::{EMBEDDED, EVERY, Host};
use crate::support::origin::Origin;
use crate::support::pattern;
use crate::support::setup::{Setup, proxy};
use crate::support::suite::Suite;
use crate::support::tls::Authority;
use crate::support::waiting::ms;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            tls_to_a_plain_port_fails_over,
            an_untrusted_certificate_fails_over,
        ]
    );
    promises!(
        suite,
        EMBEDDED,
        [
            https_targets_are_served_with_a_private_authority,
            https_targets_may_speak_http2,
            the_fastest_of_http_and_https_wins,
        ]
    );
}

fn trusting(host: Host, authority: &Authority) -> Setup {
    proxy(host).options([
        std::ffi::OsStr::new("--ca-file"),
        authority.file().as_os_str(),
    ])
}

async fn tls_to_a_plain_port_fails_over(host: Host) {
    let plain = Origin::start("plain");
    let good = Origin::start("good");
    let proxy = proxy(host)
        .targets([plain.url().replace("http:", "https:"), good.url()])
        .in_list_order()
        .start()
        .await;
    proxy.get("/").await.is_from("good");
    // Nothing of the request was sent, so a POST fails over too.
    proxy.send(post("/", "body")).await.is_from("good");
    assert!(plain.connections() >= 2 && plain.live().is_empty());
}

async fn an_untrusted_certificate_fails_over(host: Host) {
    let authority = Authority::new();
    let untrusted = Origin::start_tls("untrusted", authority.acceptor(&[]));
    let good = Origin::start("good");
    let proxy = proxy(host)
        .targets([untrusted.url(), good.url()])
        .in_list_order()
        .start()
        .await;
    proxy.get("/").await.is_from("good");
    proxy.send(post("/", "body")).await.is_from("good");
    assert!(untrusted.live().is_empty());
}

async fn https_targets_are_served_with_a_private_authority(host: Host) {
    let authority = Authority::new();
    let origin = Origin::start_tls("secure", authority.acceptor(&["http/1.1"]));
    let proxy = trusting(host, &authority)
        .targets([origin.url()])
        .start()
        .await;
    proxy.get("/a?b=c").await.is_from("secure");
    assert_eq!(origin.only().target, "/a?b=c");
    proxy
        .send(post("/", pattern::bytes(200_000)))
        .await
        .is_from("secure");
    let body = origin.live().pop().expect("it answered").body;
    assert_eq!((body.length, body.foreign), (200_000, false));
}

async fn https_targets_may_speak_http2(host: Host) {
    let authority = Authority::new();
    let origin = Origin::start_tls("h2", authority.acceptor(&["h2"]));
    let proxy = trusting(host, &authority)
        .targets([origin.url()])
        .start()
        .await;
    let answer = proxy.send(with(get("/a"), "te", "trailers")).await;
    answer.is_from("h2");
    let seen = origin.only();
    assert_eq!(seen.header("te"), Some("trailers"));
    // RFC 9113 section 8.3.1: the host is in :authority, and a `host` next to it would have to
    // agree.
    assert_eq!(seen.target, format!("{}/a", origin.url()));
    proxy
        .send(post("/", pattern::bytes(200_000)))
        .await
        .is_from("h2");
    let body = origin.live().pop().expect("it answered").body;
    assert_eq!((body.length, body.foreign), (200_000, false));
}

async fn the_fastest_of_http_and_https_wins(host: Host) {
    let authority = Authority::new();
    let secure = Origin::start_tls("secure", authority.acceptor(&["h2", "http/1.1"]));
    let plain = Origin::start("plain").probed_in(ms(250));
    let proxy = trusting(host, &authority)
        .targets([plain.url(), secure.url()])
        .start()
        .await;
    for _ in 0..3 {
        proxy.get("/").await.is_from("secure");
    }
}
