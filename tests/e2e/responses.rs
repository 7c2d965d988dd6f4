//! Responses are passed on as the origin made them.

use http::HeaderMap;

use crate::promises;
use crate::support::client::{get, request, with};
use crate::support::host::{EVERY, Host};
use crate::support::origin::Origin;
use crate::support::raw_client;
use crate::support::reply::{self, Reply};
use crate::support::setup::{Proxy, proxy};
use crate::support::suite::Suite;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            head_keeps_the_length_and_has_no_body,
            a_204_has_no_body,
            a_304_keeps_its_validators,
            a_redirect_is_passed_on,
            repeated_set_cookie_fields_stay_separate,
            response_trailers_pass,
            bodies_keep_their_framing_back,
            content_encoding_is_not_changed,
            hop_by_hop_headers_are_not_forwarded,
            a_passed_response_is_untouched,
            explains_itself_when_configured,
        ]
    );
}

async fn before(host: Host, reply: impl Fn() -> Reply + Send + Sync + 'static) -> (Proxy, Origin) {
    let origin = Origin::start("origin").answer(reply);
    let proxy = proxy(host).targets([origin.url()]).start().await;
    (proxy, origin)
}

fn with_header(mut reply: Reply, name: &'static str, value: &'static str) -> Reply {
    reply
        .headers_mut()
        .append(name, value.parse().expect("a header value"));
    reply
}

async fn head_keeps_the_length_and_has_no_body(host: Host) {
    let (proxy, origin) = before(host, || reply::text(200, "0123456789")).await;
    let answer = proxy.send(request("HEAD", "/", reply::empty())).await;
    assert_eq!(origin.only().method, "HEAD");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-length"), Some("10"));
    assert!(answer.body.is_empty());
    // On the wire too: bytes after the head would be the next response's.
    let raw = raw_client::exchange(
        proxy.address,
        "HEAD / HTTP/1.1\r\nhost: proxy\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert!(raw.ends_with("\r\n\r\n"), "{raw:?}");
}

async fn a_204_has_no_body(host: Host) {
    let (proxy, _origin) = before(host, || {
        with_header(reply::with(204, reply::empty()), "x-mark", "1")
    })
    .await;
    let raw = raw_client::get(proxy.address, "/", "proxy", "").await;
    assert_eq!(raw_client::status(&raw), 204);
    let head = raw.to_ascii_lowercase();
    assert!(head.contains("x-mark: 1"), "{raw:?}");
    // RFC 9110 section 8.6: neither a length nor chunks.
    assert!(
        !head.contains("content-length") && !head.contains("transfer-encoding"),
        "{raw:?}"
    );
    assert!(raw.ends_with("\r\n\r\n"), "{raw:?}");
}

async fn a_304_keeps_its_validators(host: Host) {
    let (proxy, origin) = before(host, || {
        let reply = reply::with(304, reply::empty());
        with_header(
            with_header(reply, "etag", "\"v1\""),
            "cache-control",
            "max-age=60",
        )
    })
    .await;
    let answer = proxy.send(with(get("/"), "if-none-match", "\"v1\"")).await;
    assert_eq!(origin.only().header("if-none-match"), Some("\"v1\""));
    assert_eq!(answer.status, 304);
    assert_eq!(answer.header("etag"), Some("\"v1\""));
    assert_eq!(answer.header("cache-control"), Some("max-age=60"));
    assert!(answer.body.is_empty());
}

async fn a_redirect_is_passed_on(host: Host) {
    for status in [301, 302, 303, 307, 308] {
        let (proxy, origin) = before(host, move || {
            with_header(
                reply::with(status, reply::empty()),
                "location",
                "/elsewhere?a=b",
            )
        })
        .await;
        let answer = proxy.get("/").await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.header("location"), Some("/elsewhere?a=b"));
        assert_eq!(origin.only().target, "/");
    }
}

async fn repeated_set_cookie_fields_stay_separate(host: Host) {
    let cookies = [
        "a=1; Path=/",
        "b=2; Expires=Wed, 09 Jun 2027 10:18:14 GMT",
        "a=3",
    ];
    let (proxy, _origin) = before(host, move || {
        cookies
            .into_iter()
            .fold(reply::text(200, "ok"), |reply, cookie| {
                with_header(reply, "set-cookie", cookie)
            })
    })
    .await;
    let answer = proxy.get("/").await;
    let received: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(received, cookies);
}

async fn response_trailers_pass(host: Host) {
    let (proxy, origin) = before(host, || {
        let (mut writer, body) = reply::written();
        tokio::spawn(async move {
            writer.send("body").await;
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", "0".parse().expect("ASCII"));
            writer.trailers(trailers).await;
        });
        with_header(reply::with(200, body), "trailer", "grpc-status")
    })
    .await;
    let answer = proxy.send(with(get("/"), "te", "trailers")).await;
    assert_eq!(origin.only().header("te"), Some("trailers"));
    assert_eq!(answer.text(), "body");
    let trailers = answer.trailers.expect("trailers");
    assert_eq!(trailers["grpc-status"], "0");
}

async fn bodies_keep_their_framing_back(host: Host) {
    for size in [0, 1, 70_000] {
        let body = vec![b'x'; size];
        let sized = body.clone();
        let (proxy, _origin) = before(host, move || reply::text(200, sized.clone())).await;
        let answer = proxy.get("/").await;
        assert_eq!(
            answer.header("content-length"),
            Some(size.to_string().as_str())
        );
        assert_eq!(answer.body, body);
        let (proxy, _origin) = before(host, move || {
            let (mut writer, streamed) = reply::written();
            let body = body.clone();
            tokio::spawn(async move { writer.send(body).await });
            reply::with(200, streamed)
        })
        .await;
        let answer = proxy.get("/").await;
        assert_eq!(answer.header("content-length"), None);
        assert_eq!(answer.body.len(), size);
    }
}

async fn content_encoding_is_not_changed(host: Host) {
    // Not even valid: nothing in between may decode it.
    let (proxy, origin) = before(host, || {
        with_header(
            reply::text(200, &b"\x1f\x8bnot really"[..]),
            "content-encoding",
            "gzip",
        )
    })
    .await;
    let answer = proxy
        .send(with(get("/"), "accept-encoding", "gzip, br"))
        .await;
    assert_eq!(origin.only().header("accept-encoding"), Some("gzip, br"));
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    assert_eq!(answer.body, &b"\x1f\x8bnot really"[..]);
}

async fn hop_by_hop_headers_are_not_forwarded(host: Host) {
    let (proxy, _origin) = before(host, || {
        let reply = reply::text(200, "ok");
        let reply = with_header(reply, "keep-alive", "timeout=5");
        let reply = with_header(reply, "proxy-authenticate", "Basic");
        with_header(reply, "x-kept", "1")
    })
    .await;
    let answer = proxy.get("/").await;
    assert_eq!(answer.header("x-kept"), Some("1"));
    for name in ["keep-alive", "proxy-authenticate"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}

async fn a_passed_response_is_untouched(host: Host) {
    let (proxy, _origin) = before(host, || {
        let reply = with_header(reply::text(418, "teapot"), "server", "teapot/1.0");
        with_header(reply, "date", "Tue, 15 Nov 1994 08:12:31 GMT")
    })
    .await;
    let answer = proxy.get("/").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (418, "teapot"));
    let mut names: Vec<_> = answer.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "date", "server"]);
    assert_eq!(answer.header("date"), Some("Tue, 15 Nov 1994 08:12:31 GMT"));
}

async fn explains_itself_when_configured(host: Host) {
    let bad = Origin::start("bad").answer(|| reply::text(503, "bad"));
    let good = Origin::start("good");
    let proxy = proxy(host)
        .targets([bad.url(), good.url()])
        .in_list_order()
        .set("FETCH_EXPLAIN", "true")
        .start()
        .await;
    let answer = proxy.get("/").await;
    answer.is_from("good");
    let why = answer.header("proxy-status").expect("a Proxy-Status");
    assert!(why.starts_with("function-fetch"), "{why}");
    // Which target, and that it was the second attempt.
    assert!(why.contains(&good.address().to_string()), "{why}");
    assert!(why.contains('2'), "{why}");
    let timing = answer.header("server-timing").expect("a Server-Timing");
    assert!(timing.contains("dur="), "{timing}");
}
