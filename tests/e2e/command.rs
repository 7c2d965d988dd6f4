//! The `function-fetch serve` command: its errors, its shutdown, its log.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::cold_start::{COUNTED, begun};
use crate::promises;
use crate::support::client::{get, request, send_h2c, try_send, with};
use crate::support::environment::environment;
use crate::support::host::{EMBEDDED, Host};
use crate::support::origin::Origin;
use crate::support::process::Process;
use crate::support::reply;
use crate::support::setup::{Setup, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};
use serde_json::Value;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EMBEDDED,
        [
            a_port_in_use_is_one_line,
            a_missing_component_is_one_line,
            a_file_that_is_not_a_component_is_one_line,
            an_unusable_runtime_config_is_one_line,
            an_unusable_ca_file_is_one_line,
            sigterm_drains,
            a_second_signal_stops_at_once,
            json_logs_parse,
            http2_clients_are_served,
            an_idle_instance_is_replaced,
            a_server_without_targets_says_so_when_it_starts,
        ]
    );
}

/// Runs `serve` with these arguments, which must fail with one line that contains `named`.
async fn refuses(arguments: &[&str], named: &str) {
    let mut command = Command::new(&environment().bin);
    command.arg("serve").args(arguments);
    let mut process = Process::spawn(command);
    let status = process.exit().await;
    assert!(!status.success());
    assert!(status.code().is_some(), "killed by a signal: {status}");
    let lines = process.stderr();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains(named), "{lines:#?}");
    assert!(process.stdout().is_empty(), "{:?}", process.stdout());
}

fn component() -> &'static str {
    environment().spin_wasm.to_str().expect("a path in UTF-8")
}

async fn a_port_in_use_is_one_line(_: Host) {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    refuses(&[component(), "--listen", &address], &address).await;
}

async fn a_missing_component_is_one_line(_: Host) {
    refuses(
        &["/nowhere/component.wasm", "--listen", "127.0.0.1:0"],
        "/nowhere/component.wasm",
    )
    .await;
}

async fn a_file_that_is_not_a_component_is_one_line(_: Host) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let cases: [(&str, &[u8]); 4] = [
        ("empty.wasm", b""),
        ("text.wasm", b"this is text"),
        ("module.wasm", b"\0asm\x01\0\0\0"),
        ("cut.wasm", b"\0asm\x0d\0\x01\0\x01\xff"),
    ];
    for (name, bytes) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a writable directory");
        refuses(
            &[path.to_str().expect("UTF-8"), "--listen", "127.0.0.1:0"],
            name,
        )
        .await;
    }
    let folder = folder.path().to_str().expect("UTF-8");
    refuses(&[folder, "--listen", "127.0.0.1:0"], folder).await;
}

async fn refuses_config(path: &Path) {
    let path = path.to_str().expect("UTF-8");
    refuses(
        &[
            component(),
            "--listen",
            "127.0.0.1:0",
            "--runtime-config-file",
            path,
        ],
        path,
    )
    .await;
}

async fn an_unusable_runtime_config_is_one_line(_: Host) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    refuses_config(&folder.path().join("missing.toml")).await;
    refuses_config(folder.path()).await;
    let cases = [
        ("syntax.toml", "[key_value_store.default"),
        (
            "type.toml",
            "[key_value_store.default]\ntype = \"drawer\"\n",
        ),
        ("kind.toml", "key_value_store = 7\n"),
    ];
    for (name, text) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a writable directory");
        refuses_config(&path).await;
    }
}

async fn an_unusable_ca_file_is_one_line(_: Host) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("ca.pem");
    for text in [None, Some("no certificate\n")] {
        if let Some(text) = text {
            std::fs::write(&path, text).expect("a writable directory");
        }
        let path = path.to_str().expect("UTF-8");
        refuses(
            &[component(), "--listen", "127.0.0.1:0", "--ca-file", path],
            "ca.pem",
        )
        .await;
    }
}

async fn sigterm_drains(host: Host) {
    let origin = Origin::start("origin").script(|_| async {
        tokio::time::sleep(ms(500)).await;
        let (mut writer, body) = reply::written();
        tokio::spawn(async move {
            for piece in ["first ", "second ", "third"] {
                writer.send(piece).await;
                tokio::time::sleep(ms(300)).await;
            }
        });
        reply::with(200, body)
    });
    let mut proxy = proxy(host).targets([origin.url()]).start().await;
    let address = proxy.address;
    let in_flight = tokio::spawn(async move { try_send(address, get("/slow")).await });
    eventually("it is in flight", || origin.live().pop()).await;
    proxy.process.terminate();
    eventually("new connections are refused", || {
        std::net::TcpStream::connect(address).err()
    })
    .await;
    let answer = in_flight.await.expect("no panic").expect("it is finished");
    assert_eq!(
        (answer.status.as_u16(), answer.text()),
        (200, "first second third")
    );
    assert!(proxy.process.exit().await.success());
}

async fn a_second_signal_stops_at_once(host: Host) {
    let origin = Origin::start("origin").script(|_| std::future::pending());
    let mut proxy = proxy(host).targets([origin.url()]).start().await;
    let address = proxy.address;
    let in_flight = tokio::spawn(async move { try_send(address, get("/never")).await });
    eventually("it is in flight", || origin.live().pop()).await;
    proxy.process.terminate();
    eventually("new connections are refused", || {
        std::net::TcpStream::connect(address).err()
    })
    .await;
    assert!(proxy.process.ended().is_none(), "it did not wait");
    proxy.process.terminate();
    assert!(!proxy.process.exit().await.success());
    assert!(in_flight.await.expect("no panic").is_err());
}

async fn json_logs_parse(host: Host) {
    let mut fast = Origin::start("fast");
    let slow = Origin::start("slow").probed_in(ms(150));
    let mut proxy = proxy(host)
        .targets([slow.url(), fast.url(), "ftp://bad".to_owned()])
        .options(["--log-format", "json"])
        .start()
        .await;
    proxy.get("/").await.is_from("fast");
    fast.kill_at_rest().await;
    proxy.get("/").await.is_from("slow");
    proxy.says("\"ejected\"").await;
    proxy.process.terminate();
    proxy.process.exit().await;
    let events: Vec<Value> = proxy
        .process
        .stderr()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let has = |event: &str| events.iter().any(|line| line["event"] == event);
    assert!(
        has("bad_setting") && has("ejected") && has("primary_changed"),
        "{events:#?}"
    );
    // And the host's own lines.
    assert!(
        events.iter().any(|line| line["level"] == "INFO"),
        "{events:#?}"
    );
}

async fn http2_clients_are_served(host: Host) {
    let origin = Origin::start("origin").answer(|| {
        let mut reply = reply::text(200, "origin");
        reply
            .headers_mut()
            .append("set-cookie", "a=1".parse().expect("ASCII"));
        reply
            .headers_mut()
            .append("set-cookie", "b=2".parse().expect("ASCII"));
        reply
    });
    let proxy = proxy(host).targets([origin.url()]).start().await;
    let answer = send_h2c(proxy.address, get("/h2?x=%2f")).await;
    answer.is_from("origin");
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
    let seen = origin.only();
    assert_eq!(seen.target, "/h2?x=%2f");
    assert_eq!(
        seen.header("host"),
        Some(origin.address().to_string().as_str())
    );
    assert_eq!(
        seen.header("x-forwarded-host"),
        Some(proxy.address.to_string().as_str())
    );
    let body = reply::full("0123456789");
    let answer = send_h2c(
        proxy.address,
        with(request("POST", "/", body), "x-mark", "1"),
    )
    .await;
    answer.is_from("origin");
    let seen = origin.live().pop().expect("it answered");
    assert_eq!(
        (seen.body.start.as_slice(), seen.header("x-mark")),
        (&b"0123456789"[..], Some("1"))
    );
    let head = send_h2c(proxy.address, request("HEAD", "/", reply::empty())).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
}

async fn an_idle_instance_is_replaced(host: Host) {
    let fast = Origin::start("fast");
    let slow = Origin::start("slow").probed_in(ms(150));
    let proxy = proxy(host)
        .targets([slow.url(), fast.url(), COUNTED.to_owned()])
        .options(["--idle-instance-timeout", "100ms"])
        .start()
        .await;
    for _ in 0..3 {
        proxy.get("/").await.is_from("fast");
        tokio::time::sleep(ms(1000)).await;
    }
    // What the first one learned is in the host's store, in memory: the others did not measure, and had nothing to
    // report.
    assert_eq!(begun(&proxy).await, 1);
    assert_eq!((fast.probes().len(), slow.probes().len()), (1, 1));

    let alone = self::proxy(host)
        .targets([slow.url(), fast.url(), COUNTED.to_owned()])
        .set("FETCH_CACHE_ADAPTER", "memory")
        .options(["--idle-instance-timeout", "100ms"])
        .start()
        .await;
    for _ in 0..3 {
        alone.get("/").await.is_from("fast");
        tokio::time::sleep(ms(1000)).await;
    }
    assert_eq!(begun(&alone).await, 3);
}

async fn a_server_without_targets_says_so_when_it_starts(host: Host) {
    const WARNING: &str = "Missing env: FETCH_TARGETS";
    let warned = async |setup: Setup| {
        let proxy = setup.start().await;
        tokio::time::sleep(ms(200)).await;
        proxy.said(WARNING)
    };
    let warnings = warned(proxy(host)).await;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("Set it to"), "{warnings:?}");
    for setup in [
        proxy(host).set("FETCH_TARGETS", "http://127.0.0.1:1"),
        proxy(host).inherit("FETCH_TARGETS", "http://127.0.0.1:1"),
        proxy(host).variable("fetch_targets", "http://127.0.0.1:1"),
        proxy(host).inherit("SPIN_VARIABLE_FETCH_TARGETS", "http://127.0.0.1:1"),
    ] {
        assert_eq!(warned(setup).await, Vec::<String>::new());
    }
}
