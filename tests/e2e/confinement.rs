//! A client can never choose the upstream host.

use crate::promises;
use crate::support::host::{EVERY, Host};
use crate::support::origin::Origin;
use crate::support::raw_client::{self, status};
use crate::support::raw_origin::{Act, RawOrigin};
use crate::support::setup::proxy;
use crate::support::suite::Suite;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            a_path_never_chooses_the_host,
            an_absolute_uri_never_chooses_the_host,
            a_header_never_chooses_the_host,
            a_malformed_target_reaches_no_other_host,
            a_path_stays_below_the_base_path,
        ]
    );
}

/// The destination of the tricks: it must never be contacted.
struct Decoy(Origin);

impl Decoy {
    fn start() -> Self {
        Self(Origin::start("decoy"))
    }

    fn authority(&self) -> String {
        self.0.address().to_string()
    }

    #[track_caller]
    fn is_left_alone(&self) {
        assert_eq!(self.0.connections(), 0, "{:#?}", self.0.live());
    }
}

async fn a_path_never_chooses_the_host(host: Host) {
    let decoy = Decoy::start();
    let evil = decoy.authority();
    let target = RawOrigin::start(Act::answer("target"));
    let proxy = proxy(host).targets([target.url()]).start().await;
    let paths = [
        format!("//{evil}/x"),
        format!("///{evil}/x"),
        format!("/\\{evil}/x"),
        format!("/\\\\{evil}/x"),
        format!("/@{evil}/x"),
        format!("/x@{evil}"),
        format!("/:80@{evil}/x"),
        format!("/http://{evil}/x"),
        format!("/%2f%2f{evil}/x"),
        format!("/%2F{evil}"),
        format!("/%5c%5C{evil}/x"),
        format!("/%40{evil}/x"),
        format!("/?url=http://{evil}/&target=//{evil}"),
        format!("/;//{evil}"),
        format!("/%0d%0aHost:%20{evil}"),
        "/%2e%2e/x".to_owned(),
        "/%2E%2e%2f%2e./x".to_owned(),
        "/../../x".to_owned(),
        "/a/./b/../c".to_owned(),
        "/a//b///c".to_owned(),
        "/a%20b%00%ff?c=%2F+d&&e==f&".to_owned(),
        "/a?".to_owned(),
        "/a?b?c".to_owned(),
        "/%zz%".to_owned(),
        "/!$&'()*+,;=:@-._~|^".to_owned(),
    ];
    for (count, path) in paths.iter().enumerate() {
        let response = raw_client::get(proxy.address, path, "proxy", "").await;
        assert_eq!(status(&response), 200, "{path}: {response}");
        assert!(response.ends_with("target"), "{path}: {response}");
        assert_eq!(target.live()[count].target(), path, "byte for byte");
    }
    decoy.is_left_alone();
}

async fn an_absolute_uri_never_chooses_the_host(host: Host) {
    let decoy = Decoy::start();
    let evil = decoy.authority();
    let target = RawOrigin::start(Act::answer("target"));
    let proxy = proxy(host).targets([target.url()]).start().await;
    for (uri, path) in [
        (format!("http://{evil}/x?y=%2f"), "/x?y=%2f"),
        (format!("http://{evil}"), "/"),
        (format!("http://{evil}//{evil}/x"), &*format!("//{evil}/x")),
    ] {
        let before = target.live().len();
        let response = raw_client::get(proxy.address, &uri, &evil, "").await;
        assert_eq!(status(&response), 200, "{uri}: {response}");
        let heard = target.live().remove(before);
        assert_eq!(heard.target(), path, "{uri}");
        assert_eq!(heard.header("host"), [target.address().to_string()]);
    }
    decoy.is_left_alone();
}

async fn a_header_never_chooses_the_host(host: Host) {
    let decoy = Decoy::start();
    let evil = decoy.authority();
    let target = RawOrigin::start(Act::answer("target"));
    let proxy = proxy(host).targets([target.url()]).start().await;
    let headers: String = [
        "x-forwarded-host",
        "x-forwarded-server",
        "x-host",
        "x-original-host",
        "x-original-url",
        "x-rewrite-url",
        "forwarded",
        "spin-full-url",
        "spin-path-info",
        "spin-component-route",
        "spin-client-addr",
        "cf-connecting-ip",
        "destination",
        "origin",
        "referer",
    ]
    .iter()
    .map(|name| format!("{name}: http://{evil}/x\r\n"))
    .collect();
    let response = raw_client::get(proxy.address, "/x", &evil, &headers).await;
    assert_eq!(status(&response), 200, "{response}");
    let heard = target.only();
    assert_eq!(heard.target(), "/x");
    assert_eq!(heard.header("host"), [target.address().to_string()]);
    decoy.is_left_alone();
}

async fn a_malformed_target_reaches_no_other_host(host: Host) {
    let decoy = Decoy::start();
    let evil = decoy.authority();
    let target = RawOrigin::start(Act::answer("target"));
    let proxy = proxy(host).targets([target.url()]).start().await;
    // Spin answers some of them by closing the connection.
    let is_closed = |response: &str| host == Host::SpinUp && response.is_empty();
    for uri in [
        format!("@{evil}/x"),
        evil.clone(),
        format!("http://user:pass@{evil}/x"),
        format!("https://{evil}/x"),
        format!("ftp://{evil}/x"),
        format!("\\\\{evil}\\x"),
        "x".to_owned(),
        "?x".to_owned(),
        "*".to_owned(),
    ] {
        // Refused or passed on: both are fine, as long as only the target is contacted.
        let response = raw_client::get(proxy.address, &uri, "proxy", "").await;
        assert!(
            is_closed(&response) || (200..600).contains(&status(&response)),
            "{uri}: {response}"
        );
    }
    let connect = format!("CONNECT {evil} HTTP/1.1\r\nhost: {evil}\r\nconnection: close\r\n\r\n");
    let response = raw_client::exchange(proxy.address, connect).await;
    assert!(
        is_closed(&response) || (400..600).contains(&status(&response)),
        "{response}"
    );
    for heard in target.live() {
        assert_eq!(heard.header("host"), [target.address().to_string()]);
    }
    decoy.is_left_alone();
}

async fn a_path_stays_below_the_base_path(host: Host) {
    let target = RawOrigin::start(Act::answer("target"));
    let proxy = proxy(host)
        .targets([format!("{}/tenant/a", target.url())])
        .start()
        .await;
    for path in ["//x", "/x/%2e%2e/b", "/", "/?q=/../..", "/b/..;/c"] {
        let before = target.live().len();
        raw_client::get(proxy.address, path, "proxy", "").await;
        // Dot segments that stay inside are for the origin to resolve, and it sees them all.
        let heard = target.live().remove(before);
        assert_eq!(heard.target(), format!("/tenant/a{path}"));
    }
    let before = target.live().len();
    for path in ["/../b", "/%2e%2e/b", "/..%2fb", "/..;/b", "/x/..%5c../b"] {
        let response = raw_client::get(proxy.address, path, "proxy", "").await;
        assert_eq!(raw_client::status(&response), 400, "{path}: {response}");
    }
    assert_eq!(target.live().len(), before);
}
