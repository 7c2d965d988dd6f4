//! The component as part of a larger one: its requests go to another component's `wasi:http/client`, and no socket is
//! opened; or it stands before another component in a pipeline, which is then one of its targets. The composed component
//! runs on the embedded host and on wasmtime.

use std::path::Path;

use tempfile::TempDir;
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, plug};
use wit_component::DecodedWasm;

use crate::promises;
use crate::support::client::{post, request};
use crate::support::environment::environment;
use crate::support::host::{EMBEDDED, Host, PLAIN};
use crate::support::origin::Origin;
use crate::support::reply::empty;
use crate::support::setup::{Proxy, Setup, proxy};
use crate::support::suite::Suite;
use crate::support::waiting::ms;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        PLAIN,
        [
            a_composed_origin_is_measured_and_answers,
            a_composed_origin_that_refuses_is_failed_over,
            a_body_passes_through_a_composition_both_ways,
            a_composition_without_the_origin_is_a_bad_gateway,
        ]
    );
    promises!(
        suite,
        &[Host::EmbeddedPlain],
        [a_composition_asks_its_host_for_no_http_client]
    );
    // The flavour for pipelines has Spin's imports.
    promises!(
        suite,
        EMBEDDED,
        [
            the_next_component_is_a_target,
            the_next_component_stands_in_for_servers_that_fail,
            a_body_that_the_next_component_does_not_read_delays_nothing,
        ]
    );
}

/// A composed component, in a file.
pub struct Composed {
    directory: TempDir,
    bytes: Vec<u8>,
}

impl Composed {
    /// The component and the origins that it sends its requests to.
    pub fn new() -> Self {
        let environment = environment();
        Self::plug(&environment.wasi_wasm, &environment.origin_wasm)
    }

    /// A pipeline of the component and another one.
    fn pipeline() -> Self {
        let environment = environment();
        Self::plug(&environment.middleware_wasm, &environment.spin_app_wasm)
    }

    /// Composes them: what the first imports, the second exports.
    fn plug(socket: &Path, plugged: &Path) -> Self {
        let mut graph = CompositionGraph::new();
        let mut package = |name: &str, path: &Path| {
            let package = Package::from_file(name, None, path, graph.types_mut());
            graph
                .register_package(package.expect("a built component"))
                .expect("each has a name of its own")
        };
        let socket = package("function-fetch:socket", socket);
        let plugged = package("function-fetch:plugged", plugged);
        plug(&mut graph, vec![plugged], socket).expect("one exports what the other imports");
        let bytes = graph
            .encode(EncodeOptions::default())
            .expect("a valid component");
        let directory = TempDir::new().expect("a temporary directory");
        std::fs::write(directory.path().join("composed.wasm"), &bytes).expect("writable");
        Self { directory, bytes }
    }

    /// A proxy that is this, about to be started.
    pub fn proxy(&self, host: Host, targets: &[&str]) -> Setup {
        proxy(host)
            .component(self.directory.path().join("composed.wasm"))
            .targets(targets.iter().copied())
    }

    async fn start(&self, host: Host, targets: &[&str]) -> Proxy {
        self.proxy(host, targets).start().await
    }
}

async fn a_composed_origin_is_measured_and_answers(host: Host) {
    let composed = Composed::new();
    let proxy = composed
        .start(
            host,
            &["http://slow.internal", "http://quick.internal/base"],
        )
        .await;
    // The first one is slower, so that choosing the second takes measuring, not list order.
    for number in 0..5 {
        let answer = proxy.get(&format!("/a/../b?n={number}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (200, format!("quick GET /base/a/../b?n={number}").as_str())
        );
    }
    let head = proxy.send(request("HEAD", "/", empty())).await;
    assert_eq!((head.status.as_u16(), head.text()), (200, ""));
}

async fn a_composed_origin_that_refuses_is_failed_over(host: Host) {
    let composed = Composed::new();
    let proxy = composed
        .start(host, &["http://dead.internal", "http://quick.internal"])
        .await;
    for _ in 0..3 {
        proxy.get("/").await.is_from("quick GET /");
        proxy.send(post("/", "body")).await.is_from("body");
    }
    let said = proxy.says("\"ejected\"").await;
    assert!(said[0].contains("http://dead.internal"), "{said:?}");
}

async fn a_body_passes_through_a_composition_both_ways(host: Host) {
    let composed = Composed::new();
    let proxy = composed.start(host, &["http://quick.internal"]).await;
    let body: Vec<u8> = (0..2_000_000u32).map(|n| (n % 251) as u8).collect();
    let answer = proxy.send(post("/", body.clone())).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == body, "{} bytes came back", answer.body.len());
}

async fn a_composition_without_the_origin_is_a_bad_gateway(host: Host) {
    let composed = Composed::new();
    let proxy = composed.start(host, &["http://dead.internal"]).await;
    let answer = proxy.get("/").await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert!(answer.elapsed < ms(5000), "{:?}", answer.elapsed);
    assert_eq!(
        answer.header("proxy-status"),
        Some("function-fetch; error=connection_refused")
    );
}

async fn a_composition_asks_its_host_for_no_http_client(_: Host) {
    let imports = |wasm: &[u8]| {
        let decoded = wit_component::decode(wasm).expect("a component");
        let DecodedWasm::Component(resolve, world) = decoded else {
            panic!("it is a WIT package");
        };
        let names = resolve.worlds[world].imports.keys();
        names
            .map(|key| resolve.name_world_key(key))
            .collect::<Vec<_>>()
    };
    let alone = std::fs::read(&environment().wasi_wasm).expect("it is built");
    let client = "wasi:http/client@0.3.0".to_owned();
    assert!(imports(&alone).contains(&client));
    let composed = imports(&Composed::new().bytes);
    assert!(!composed.contains(&client), "{composed:?}");
}

async fn the_next_component_is_a_target(host: Host) {
    let pipeline = Composed::pipeline();
    let proxy = pipeline.start(host, &["http://next.internal/base"]).await;
    for _ in 0..3 {
        let answer = proxy.get("/hello?x=1").await;
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (200, "The component answers /base/hello\n")
        );
    }
    // Its client is the host's all the same.
    let origin = Origin::start("server");
    let proxy = pipeline.start(host, &[&origin.url()]).await;
    proxy.get("/hello").await.is_from("server");
}

async fn the_next_component_stands_in_for_servers_that_fail(host: Host) {
    let pipeline = Composed::pipeline();
    let mut origin = Origin::start("server");
    let targets = format!(
        r#"["{}", {{"url": "http://next.internal", "tier": 2}}]"#,
        origin.url()
    );
    let proxy = pipeline
        .proxy(host, &[])
        .set("FETCH_TARGETS", targets)
        .start()
        .await;
    // It is faster, but of a later tier.
    for _ in 0..3 {
        proxy.get("/hello").await.is_from("server");
    }
    origin.kill().await;
    for _ in 0..3 {
        let answer = proxy.get("/hello").await;
        assert_eq!(
            (answer.status.as_u16(), answer.text()),
            (200, "The component answers /hello\n")
        );
    }
}

async fn a_body_that_the_next_component_does_not_read_delays_nothing(host: Host) {
    let pipeline = Composed::pipeline();
    let proxy = pipeline.start(host, &["http://next.internal"]).await;
    let answer = proxy.send(post("/", vec![7; 2_000_000])).await;
    assert_eq!(
        (answer.status.as_u16(), answer.text()),
        (200, "The component answers /\n")
    );
}
