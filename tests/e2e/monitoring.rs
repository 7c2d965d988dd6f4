//! What operators see of `function-fetch serve`: the access log, metrics, and what it says when it starts.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::promises;
use crate::support::client::{get, open, post, send, with};
use crate::support::environment::{checked, environment};
use crate::support::host::{EMBEDDED, Host};
use crate::support::origin::Origin;
use crate::support::port;
use crate::support::process::Process;
use crate::support::raw_origin::{Act, RawOrigin};
use crate::support::reply;
use crate::support::setup::{Proxy, proxy, served_address};
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};
use function_fetch_cases::repository;
use serde_json::Value;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EMBEDDED,
        [
            the_access_log_names_the_target_which_clients_do_not_see,
            the_access_log_tells_a_local_reply_and_a_broken_response,
            the_common_log_cannot_be_forged,
            an_access_log_that_cannot_be_written_stops_the_start,
            metrics_are_those_of_all_instances,
            metrics_are_sent_to_a_collector,
            counts_are_lines_where_nobody_listens,
            a_server_says_what_it_is_about_to_do,
            the_built_in_component_serves_without_a_file,
        ]
    );
    let missing = checked().is_ok_and(|environment| environment.promtool.is_none());
    suite.lacking(missing.then_some("promtool is not on PATH"));
    promises!(
        suite,
        EMBEDDED,
        [prometheus_finds_nothing_to_mend_in_metrics_and_rules]
    );
    suite.lacking(None);
}

/// The lines of a log, once there are so many.
async fn lines(file: &Path, count: usize) -> Vec<String> {
    eventually("the requests are logged", || {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let whole = text.ends_with('\n');
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        (whole && lines.len() >= count).then_some(lines)
    })
    .await
}

async fn entries(file: &Path, count: usize) -> Vec<Value> {
    let lines = lines(file, count).await;
    let entry = |line: &String| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    lines.iter().map(entry).collect()
}

async fn the_access_log_names_the_target_which_clients_do_not_see(host: Host) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("access.log");
    let dead = port::free();
    let origin = Origin::start("origin").answer(|| {
        let mut reply = reply::text(200, "twelve bytes");
        let field = "cdn.example; received-status=200".parse().expect("a field");
        reply.headers_mut().insert("proxy-status", field);
        reply
    });
    let start = async |explain: &str| {
        proxy(host)
            .targets([format!("http://127.0.0.1:{dead}"), origin.url()])
            .in_list_order()
            .set("FETCH_EXPLAIN", explain)
            .options([Path::new("--access-log").as_os_str(), file.as_os_str()])
            .start()
            .await
    };
    let quiet = start("false").await;
    let answer = quiet.get("/a?b=c").await;
    let values = answer.headers.get_all("proxy-status").iter().count();
    assert_eq!((values, answer.header("server-timing")), (1, None));
    assert_eq!(
        answer.header("proxy-status"),
        Some("cdn.example; received-status=200")
    );
    let entry = entries(&file, 1).await.remove(0);
    assert_eq!(entry["method"], "GET");
    assert_eq!(entry["uri"], "/a?b=c");
    assert_eq!(
        (&entry["status"], &entry["bytes"]),
        (&200.into(), &12.into())
    );
    assert_eq!(entry["complete"], true);
    assert_eq!(entry["target"], origin.address().to_string());
    assert_eq!(entry["attempts"], 2);
    assert_eq!(entry["client"], "127.0.0.1");
    assert!(
        entry["head_ms"].as_f64() <= entry["total_ms"].as_f64(),
        "{entry}"
    );

    // Who asks for the fields gets them.
    let talkative = start("true").await;
    let answer = talkative.get("/").await;
    assert_eq!(answer.headers.get_all("proxy-status").iter().count(), 2);
    assert!(answer.header("server-timing").is_some());
    assert_eq!(entries(&file, 2).await[1]["attempts"], 2);
}

async fn the_access_log_tells_a_local_reply_and_a_broken_response(host: Host) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("access.log");
    // A part of what it announces, then it resets the connection.
    let part = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\na part";
    let origin = RawOrigin::start(Act::SayThenReset(part.to_vec()));
    let options = ["--access-log".into(), file.clone().into_os_string()];
    let nowhere = proxy(host)
        .targets([format!("http://127.0.0.1:{}", port::free())])
        .options(options.clone())
        .start()
        .await;
    assert_eq!(nowhere.get("/").await.status, 502);
    let entry = entries(&file, 1).await.remove(0);
    assert_eq!(
        (&entry["status"], &entry["error"]),
        (&502.into(), &"connection_refused".into())
    );
    assert_eq!(entry.get("target"), None);

    let broken = proxy(host)
        .targets([origin.url()])
        .options(options)
        .start()
        .await;
    let exchange = open(broken.address, get("/")).await.expect("a head");
    assert!(exchange.finish().await.is_err(), "it breaks off");
    let entry = &entries(&file, 2).await[1];
    assert_eq!(
        (&entry["status"], &entry["complete"]),
        (&200.into(), &false.into())
    );
}

async fn the_common_log_cannot_be_forged(host: Host) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("access.log");
    let origin = Origin::start("origin");
    let format = ["--access-log-format".into(), "combined".into()];
    let log = ["--access-log".into(), file.clone().into_os_string()];
    let proxy = proxy(host)
        .targets([origin.url()])
        .options(log.into_iter().chain(format))
        .start()
        .await;
    let forged = with(get("/x"), "user-agent", "\" 200 \"");
    send(proxy.address, forged).await;
    let lines = lines(&file, 1).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("127.0.0.1 - - ["), "{lines:?}");
    assert!(
        lines[0].contains("\"GET /x HTTP/1.1\" 200 6 \"-\" \"\\\" 200 \\\"\" "),
        "{lines:?}"
    );
}

async fn an_access_log_that_cannot_be_written_stops_the_start(_: Host) {
    let mut command = Command::new(&environment().bin);
    command.arg("serve").arg(&environment().spin_wasm);
    command.args([
        "--listen",
        "127.0.0.1:0",
        "--access-log",
        "/nowhere/access.log",
    ]);
    let mut process = Process::spawn(command);
    assert!(!process.exit().await.success());
    let lines = process.stderr();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("--access-log /nowhere/access.log"),
        "{lines:?}"
    );
}

/// The value of a series, or 0.
fn value(text: &str, series: &str) -> f64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or(0.0)
}

/// The metrics, once a series has this value.
async fn scraped(at: u16, series: &str, wanted: f64) -> String {
    let address = ([127, 0, 0, 1], at).into();
    for _ in 0..100 {
        let answer = send(address, get("/metrics")).await;
        assert_eq!(answer.status, 200);
        let kind = answer.header("content-type").unwrap_or_default().to_owned();
        assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
        if value(answer.text(), series) == wanted {
            return answer.text().to_owned();
        }
        tokio::time::sleep(ms(100)).await;
    }
    let answer = send(address, get("/metrics")).await;
    panic!("{series} is not {wanted} in\n{}", answer.text());
}

async fn metrics_are_those_of_all_instances(host: Host) {
    let origin = Origin::start("origin");
    let dead = format!("http://127.0.0.1:{}", port::free());
    let at = port::free();
    let proxy = proxy(host)
        .targets([dead.clone(), origin.url()])
        .in_list_order()
        // Six instances, of which most are gone when their last line is due.
        .options([
            "--max-instance-reuse-count",
            "5",
            "--idle-instance-timeout",
            "100ms",
        ])
        .options(["--metrics-listen".to_owned(), format!("127.0.0.1:{at}")])
        .start()
        .await;
    for _ in 0..29 {
        proxy.get("/").await.is_from("origin");
    }
    // It may not be repeated, but nothing of it was sent.
    proxy.send(post("/", "x")).await.is_from("origin");

    let text = scraped(at, "function_fetch_requests_total", 30.0).await;
    let of = |name: &str, target: &str| {
        value(
            &text,
            &format!("function_fetch_{name}{{target=\"{target}\"}}"),
        )
    };
    assert_eq!(of("attempts_total", &dead), 30.0, "{text}");
    assert_eq!(of("attempts_total", &origin.url()), 30.0);
    assert_eq!(of("retries_total", &origin.url()), 30.0);
    let port = origin.address().port();
    let good = format!(
        "function_fetch_request_duration_seconds_count{{target=\"{}\",server_address=\"127.0.0.1\",server_port=\"{port}\",url_scheme=\"http\",http_request_method=\"GET\",http_response_status_code=\"200\"}}",
        origin.url()
    );
    assert_eq!(value(&text, &good), 29.0, "{text}");
    assert!(
        text.contains("http_request_method=\"POST\",error_type=\"connection_refused\""),
        "{text}"
    );
    assert!(
        text.contains("# TYPE function_fetch_connections gauge"),
        "{text}"
    );
    assert!(
        proxy.said("\"event\":\"stats\"").is_empty(),
        "they are added up, not printed"
    );

    let other = send(([127, 0, 0, 1], at).into(), get("/")).await;
    assert_eq!(other.status, 404);
    assert!(other.text().contains("/metrics"));
}

/// What the linter must see, beside the gauges of the host: what only failures, hedges and a store make.
const OF_ALL_KINDS: [&str; 8] = [
    "function_fetch_attempts_total",
    "function_fetch_retries_total",
    "function_fetch_hedges_total",
    "function_fetch_ejections_total",
    "function_fetch_probe_failures_total",
    "function_fetch_request_duration_seconds_count",
    "function_fetch_probe_duration_seconds_count",
    "function_fetch_store_operations_total",
];

async fn prometheus_finds_nothing_to_mend_in_metrics_and_rules(host: Host) {
    let failing = Origin::start("failing").answer(|| reply::text(503, "no"));
    // One is hedged to the other.
    let slow = ["one", "other"].map(|name| {
        Origin::start(name).script(|_| async {
            tokio::time::sleep(ms(50)).await;
            reply::text(200, "slow")
        })
    });
    let at = port::free();
    let proxy = proxy(host)
        .targets([
            failing.url(),
            format!("http://127.0.0.1:{}", port::free()),
            slow[0].url(),
            slow[1].url(),
        ])
        .set("FETCH_HEDGE_MS", "10")
        .options(["--max-instance-reuse-count", "5"])
        .options(["--idle-instance-timeout", "100ms"])
        .options(["--metrics-listen".to_owned(), format!("127.0.0.1:{at}")])
        .start()
        .await;
    for _ in 0..20 {
        proxy.get("/").await;
    }
    let text = scraped(at, "function_fetch_requests_total", 20.0).await;
    for family in OF_ALL_KINDS {
        assert!(text.contains(&format!("\n{family}{{")), "{family}: {text}");
    }
    let said = promtool(&["check", "metrics"], text.as_bytes());
    assert_eq!(said, "", "{text}");
    let rules = repository().join("deploy/grafana/alerts.yaml");
    let rules = rules.to_str().expect("a path in UTF-8");
    let said = promtool(&["check", "rules", rules], b"");
    assert!(said.contains("SUCCESS"), "{said}");
}

/// What it says, when it finds nothing to mend.
fn promtool(arguments: &[&str], input: &[u8]) -> String {
    let program = environment()
        .promtool
        .as_ref()
        .expect("checked by the suite");
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut linter = command.spawn().expect("promtool runs");
    let mut stdin = linter.stdin.take().expect("it is piped");
    stdin.write_all(input).expect("promtool reads");
    drop(stdin);
    let output = linter.wait_with_output().expect("promtool ends");
    assert!(output.status.success(), "{output:?}");
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8(said).expect("promtool speaks UTF-8")
}

async fn metrics_are_sent_to_a_collector(host: Host) {
    let collector = Origin::start("collector");
    let origin = Origin::start("origin");
    let proxy = proxy(host)
        .targets([origin.url()])
        .inherit("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .inherit("OTEL_EXPORTER_OTLP_HEADERS", "tenant=a%20b")
        .inherit("OTEL_METRIC_EXPORT_INTERVAL", "300")
        .inherit("OTEL_SERVICE_NAME", "edge")
        .start()
        .await;
    for _ in 0..3 {
        proxy.get("/").await.is_from("origin");
    }
    let metric = |message: &Value, name: &str| {
        let metrics = message["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array()?;
        metrics
            .iter()
            .find(|metric| metric["name"] == name)
            .cloned()
    };
    let (message, seen) = eventually("the collector has all three requests", || {
        collector.live().into_iter().find_map(|seen| {
            let message: Value = serde_json::from_slice(&seen.body.start).ok()?;
            let requests = metric(&message, "function_fetch.requests")?;
            (requests["sum"]["dataPoints"][0]["asInt"] == "3").then_some((message, seen))
        })
    })
    .await;
    assert_eq!(
        (seen.target.as_str(), seen.method.as_str()),
        ("/v1/metrics", "POST")
    );
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("tenant"), Some("a b"));
    let service = &message["resourceMetrics"][0]["resource"]["attributes"][0];
    assert_eq!(service["value"]["stringValue"], "edge");
    let duration = metric(&message, "http.client.request.duration").expect("a histogram");
    let point = &duration["histogram"]["dataPoints"][0];
    assert_eq!(
        (&duration["unit"], &point["count"]),
        (&"s".into(), &"3".into())
    );
    let port = origin.address().port().to_string();
    let attributes = point["attributes"].as_array().expect("attributes");
    let named = |name: &str| {
        attributes
            .iter()
            .find(|one| one["key"] == name)
            .expect("it is there")
    };
    assert_eq!(named("server.port")["value"]["intValue"], port);
    assert_eq!(named("http.request.method")["value"]["stringValue"], "GET");
}

async fn counts_are_lines_where_nobody_listens(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host)
        .targets([origin.url()])
        .set("FETCH_STATS_SECONDS", "1")
        .start()
        .await;
    proxy.get("/").await.is_from("origin");
    // An instance to which no further request comes tells all the same.
    let lines = proxy.says("\"event\":\"stats\"").await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    let stats: Value = serde_json::from_str(&lines[0]).expect("JSON");
    assert_eq!(stats["requests"], 1);
    assert_eq!(stats["targets"][0]["answers"][0]["status"], 200);
}

/// What is said on stderr when it has started.
async fn start_up(proxy: &Proxy) -> String {
    tokio::time::sleep(ms(200)).await;
    proxy.process.stderr().join("\n")
}

async fn a_server_says_what_it_is_about_to_do(host: Host) {
    let listed = r#"["http://127.0.0.1:1", {"url": "http://127.0.0.1:2", "tier": 2}]"#;
    let proxy = proxy(host)
        .set("FETCH_TARGETS", listed)
        .inherit("FETCH_MAX_ATTEMPTS", "many")
        .start()
        .await;
    let said = start_up(&proxy).await;
    for part in [
        "target http://127.0.0.1:1",
        "target http://127.0.0.1:2 (tier 2",
        "store `default`",
        // Its reason is an event, as on every host.
        "settings cannot be used as they are",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

async fn the_built_in_component_serves_without_a_file(_: Host) {
    let origin = Origin::start("origin");
    let mut command = Command::new(&environment().bin);
    command.args(["serve", "--listen", "127.0.0.1:0", "--env"]);
    command.arg(format!("FETCH_TARGETS={}", origin.url()));
    let process = Process::spawn(command);
    let address = eventually("it serves", || {
        process
            .stdout()
            .iter()
            .find_map(|line| served_address(line))
    })
    .await;
    send(address, get("/")).await.is_from("origin");
}
