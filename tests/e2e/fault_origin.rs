//! Fault origin: what a client does is not evidence against a target.

use crate::promises;
use crate::support::client::{request, try_send};
use crate::support::host::{EVERY, Host};
use crate::support::origin::Origin;
use crate::support::raw_client::RawClient;
use crate::support::reply;
use crate::support::setup::{Proxy, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            clients_that_disconnect_eject_no_target,
            a_slow_upload_completes_and_ejects_no_target,
        ]
    );
}

/// A proxy whose faster target is `primary`, and knows it.
async fn warm(host: Host, primary: &Origin, other: &Origin) -> Proxy {
    proxy(host)
        .targets([other.url(), primary.url()])
        .set("FETCH_ATTEMPT_TIMEOUT_MS", "1000")
        .one_instance()
        .start_warm(other)
        .await
}

#[track_caller]
fn nobody_is_ejected(proxy: &Proxy) {
    let lines = proxy.said("ejected");
    assert!(lines.is_empty(), "{lines:#?}");
}

async fn clients_that_disconnect_eject_no_target(host: Host) {
    let primary = Origin::start("primary");
    let other = Origin::start("other").probed_in(ms(200));
    let proxy = warm(host, &primary, &other).await;
    for framing in ["content-length: 1000", "transfer-encoding: chunked"] {
        for _ in 0..4 {
            let before = primary.live().len();
            let mut client = RawClient::connect(proxy.address).await;
            client
                .say(format!(
                    "POST / HTTP/1.1\r\nhost: proxy\r\n{framing}\r\n\r\na\r\n0123456789\r\n"
                ))
                .await;
            eventually("the upload begins", || {
                primary
                    .live()
                    .get(before)
                    .filter(|seen| seen.body.length > 0)
                    .map(drop)
            })
            .await;
            drop(client);
        }
    }
    tokio::time::sleep(ms(300)).await;
    proxy.get("/").await.is_from("primary");
    nobody_is_ejected(&proxy);
}

async fn a_slow_upload_completes_and_ejects_no_target(host: Host) {
    let primary = Origin::start("primary");
    let other = Origin::start("other").probed_in(ms(200));
    let proxy = warm(host, &primary, &other).await;
    let (mut writer, body) = reply::written();
    let address = proxy.address;
    let exchange = tokio::spawn(async move { try_send(address, request("POST", "/", body)).await });
    // Twice as long as a target may take to respond. It is the client that is slow.
    for _ in 0..20 {
        writer.send("piece ").await;
        tokio::time::sleep(ms(100)).await;
    }
    drop(writer);
    let answer = exchange.await.expect("no panic").expect("a response");
    answer.is_from("primary");
    proxy.get("/").await.is_from("primary");
    nobody_is_ejected(&proxy);
}
