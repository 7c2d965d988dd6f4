use super::*;
use function_fetch_engine::settings::StoreKind;
use function_fetch_engine::{
    Capabilities, Engine, Event, Failure, Millis, ProbeOutcome, ReplayState, Request as Asked,
    Settings,
};

const TOKEN: &str = "0123456789abcdef";
const NOW: Timestamp = Timestamp(1_790_000_000_000.0);

fn engine(store: Option<StoreKind>, given: &[(&str, &str)]) -> Engine {
    let host = Capabilities {
        store,
        ..Capabilities::default()
    };
    let page = [("FETCH_STATUS_PATH", "/s"), ("FETCH_STATUS_TOKEN", TOKEN)];
    let settings = Settings::read(host, |name| {
        let (_, value) = given
            .iter()
            .chain(&page)
            .find(|(known, _)| *known == name)?;
        Some((*value).to_owned())
    });
    Engine::new(settings, 7)
}

/// Probes all targets, each with the outcome that it is given.
fn measured(engine: &mut Engine, outcomes: &[Result<(u16, f64), Failure>]) {
    engine.begin(&Asked::new("GET", "/"), NOW);
    let round = engine.start_round(NOW).expect("a cold start probes");
    for (target, outcome) in outcomes.iter().enumerate() {
        let outcome = ProbeOutcome {
            result: outcome.map(|(status, _)| status),
            took: Millis(outcome.map_or(3.0, |(_, took)| took)),
            cached: false,
        };
        engine.probed(round.id, target, outcome, NOW);
    }
    engine.finish_round(round.id, NOW);
    engine.take_notices(NOW);
}

/// A request whose first answer is this status, and whose next is good.
fn failing(engine: &mut Engine, status: u16, now: Timestamp) {
    let mut step = engine.begin(&Asked::new("GET", "/"), now);
    let mut statuses = [status, 200].into_iter();
    while let function_fetch_engine::Action::Send(attempt) = step.action {
        let event = Event::Response {
            target: attempt.target,
            status: statuses.next().unwrap_or(200),
            retry_after: None,
            ttfb: Millis(20.0),
            replay: ReplayState::Unsent,
        };
        step = engine.settle(step.state, event, now);
    }
    engine.take_notices(now);
}

fn get<'a>(accept: &'a str) -> Request<'a> {
    Request {
        method: "GET",
        authorization: Some("Bearer 0123456789abcdef"),
        accept: Some(accept),
        ..Request::default()
    }
}

fn body(engine: &Engine, request: &Request<'_>, now: Timestamp) -> String {
    let reply = answer(engine, request, true, now).expect("the store was read");
    assert_eq!(reply.status, 200);
    reply.body
}

fn json(engine: &Engine, now: Timestamp) -> serde_json::Value {
    serde_json::from_str(&body(engine, &get("application/json"), now)).expect("JSON")
}

#[test]
fn a_target_that_requests_convicted_is_out_with_the_counts_and_the_probe_beside() {
    let mut engine = engine(
        None,
        &[("FETCH_TARGETS", "http://a.example http://b.example")],
    );
    measured(&mut engine, &[Ok((200, 10.0)), Ok((200, 50.0))]);
    let mut now = NOW;
    for _ in 0..3 {
        now = now + Millis(100.0);
        failing(&mut engine, 500, now);
    }
    let status = json(&engine, now);
    let out = &status["targets"][1];
    assert_eq!(out["target"], "http://a.example");
    assert_eq!(out["health"], "ejected");
    let cause = serde_json::json!({"found_by": "requests", "status": 500, "failed": 3, "of": 3});
    assert_eq!(out["cause"], cause);
    assert!(out["until"].as_u64() > status["at"].as_u64());
    assert_eq!(status["decision"]["primary"], "http://b.example");
    assert_eq!(status["decision"]["stands_in_for"], "http://a.example");
    assert_eq!(status["instance"]["requests"], 4);
    let events = status["events"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event["event"].as_str()).collect();
    assert_eq!(
        kinds,
        ["primary_changed", "ejected", "primary_changed"].map(Some),
        "the latest first"
    );

    let page = body(&engine, &get("text/html"), now);
    let sentence = "3 of its last 3 requests failed, the last one by status 500. The health path \
                    still answers 200. Then a probe decides.";
    assert!(page.contains(sentence), "{page}");
    let chinese = Request {
        accept_language: Some("zh"),
        ..get("text/html")
    };
    let page = body(&engine, &chinese, now);
    let sentence = "它最近的 3 个请求中有 3 个失败，最后一个是：状态码 500。健康检查路径仍然应答 \
                    200。之后由一次探测决定。";
    assert!(page.contains(sentence), "{page}");
}

#[test]
fn chinese_sentences_stand_without_a_space_between_them() {
    let mut engine = engine(
        None,
        &[("FETCH_TARGETS", "http://a.example http://b.example")],
    );
    measured(&mut engine, &[Ok((200, 10.0)), Ok((503, 5.0))]);
    for (language, wanted) in [
        (
            "zh",
            [
                "个请求后更换实例。它已收到 1 个请求。它的第一个请求到达于",
                "应答了 503。之后由",
            ],
        ),
        (
            "en",
            [
                "after 128 requests. It has had one request. Its first request came",
                "answered 503. Then a probe",
            ],
        ),
    ] {
        let asked = Request {
            accept_language: Some(language),
            ..get("text/html")
        };
        let page = body(&engine, &asked, NOW);
        for text in wanted {
            assert!(page.contains(text), "{page}");
        }
        assert!(!page.contains("。 "), "{page}");
    }
}

#[test]
fn what_was_told_before_any_request_has_its_moment() {
    let mut engine = engine(
        None,
        &[
            ("FETCH_TARGETS", "http://a.example http://b.example"),
            ("FETCH_EXPLAIN", "perhaps"),
        ],
    );
    let at = NOW + Millis(5_000.0);
    assert_eq!(engine.take_notices(at).len(), 1);
    let event = &json(&engine, at)["events"][0];
    assert_eq!(event["event"], "bad_setting");
    assert_eq!(event["at"], at.0 as u64);
}

#[test]
fn probes_and_connections_are_told_from_requests() {
    let mut engine = engine(
        None,
        &[(
            "FETCH_TARGETS",
            "http://a.example http://b.example http://c.example",
        )],
    );
    measured(
        &mut engine,
        &[
            Ok((200, 10.0)),
            Ok((503, 5.0)),
            Err(Failure::ConnectionRefused),
        ],
    );
    let status = json(&engine, NOW);
    let causes: Vec<_> = (1..3).map(|at| &status["targets"][at]["cause"]).collect();
    assert_eq!(
        causes,
        [
            &serde_json::json!({"found_by": "probe", "status": 503}),
            &serde_json::json!({"found_by": "probe", "error": "connection_refused"}),
        ]
    );
    assert_eq!(
        status["targets"][2]["recent"][0]["error"],
        "connection_refused"
    );
    assert_eq!(status["decision"]["source"], "probes");
    // 10 ms less the larger of 20 % and 10 ms.
    assert_eq!(status["decision"]["challenger_below_us"], 0);

    let step = engine.begin(&Asked::new("POST", "/"), NOW);
    let failed = Event::Failed {
        target: 0,
        failure: Failure::ConnectionTimeout,
        replay: ReplayState::Unsent,
    };
    engine.settle(step.state, failed, NOW);
    let status = json(&engine, NOW);
    let cause = serde_json::json!({"found_by": "connection", "error": "connection_timeout"});
    assert!(
        status["targets"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["cause"] == cause),
        "{status}"
    );
    assert_eq!(status["warnings"][0]["event"], "no_healthy_target");
}

#[test]
fn an_instance_without_a_decision_asks_the_store_and_one_with_it_does_not() {
    let targets = ("FETCH_TARGETS", "http://a.example http://b.example");
    let mut first = engine(Some(StoreKind::Spin), &[targets]);
    let request = get("application/json");
    assert_eq!(answer(&first, &request, false, NOW), None);
    // Whoever may not see it causes no read of the store.
    let stranger = Request {
        authorization: None,
        ..request
    };
    let refused = answer(&first, &stranger, false, NOW).expect("a reply");
    assert_eq!(refused.status, 401);

    measured(
        &mut first,
        &[Ok((200, 50.0)), Err(Failure::ConnectionRefused)],
    );
    assert!(answer(&first, &request, false, NOW).is_some());
    let record = first.take_write(NOW).expect("a decision is written").record;

    let mut second = engine(Some(StoreKind::Spin), &[targets]);
    let stored = function_fetch_engine::Stored::Record(record);
    second.status_store(&Event::StoreRead(Some(stored)), NOW);
    let status = json(&second, NOW);
    assert_eq!(status["decision"]["source"], "store");
    assert_eq!(status["decision"]["primary"], "http://a.example");
    assert_eq!(status["targets"][1]["cause"]["found_by"], "other_instance");
    assert_eq!(status["instance"]["requests"], 0);

    let mut third = engine(Some(StoreKind::Spin), &[targets]);
    third.status_store(&Event::StoreFailed, NOW);
    let status = json(&third, NOW);
    assert_eq!(status["decision"]["source"], "none");
    let warning = serde_json::json!({"event": "store_failed", "operation": "read"});
    assert_eq!(status["warnings"], serde_json::json!([warning]));
}

#[test]
fn where_nothing_is_measured_the_list_is_the_decision() {
    let engine = engine(None, &[("FETCH_TARGETS", r#"["http://a.example"]"#)]);
    let status = json(&engine, NOW);
    assert_eq!(status["decision"]["source"], "list");
    assert_eq!(status["decision"]["primary"], "http://a.example");
    assert_eq!(status["targets"][0]["health"], "listed");
    assert!(body(&engine, &get("*/*"), NOW).contains("nothing is measured"));
}

#[test]
fn nothing_reaches_the_page_unescaped() {
    // What settings may say of a target is quoted in a warning.
    let hostile = r#"<script>alert(1)</script>"'&"#;
    let health = format!("/{hostile}");
    let name = "http://a.example/'&;amp='onload=alert(1)//";
    let engine = engine(
        None,
        &[
            ("FETCH_TARGETS", name),
            ("FETCH_HEALTH_PATH", &health),
            ("FETCH_CACHE_KEY", hostile),
        ],
    );
    let page = body(&engine, &get("text/html"), NOW);
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
    assert!(
        page.contains("http://a.example/&#x27;&amp;;amp=&#x27;onload"),
        "{page}"
    );
    let without_token = !page.contains(TOKEN);
    assert!(without_token && !json(&engine, NOW).to_string().contains(TOKEN));
}

#[test]
fn the_policy_has_the_hashes_of_what_the_page_has() {
    let engine = engine(None, &[("FETCH_TARGETS", "http://a.example")]);
    let reply = answer(&engine, &get("text/html"), true, NOW).expect("a page");
    let policy = reply.field("content-security-policy").unwrap_or_default();
    for (tag, variable) in [
        ("style", env!("STYLE_HASH")),
        ("script", env!("SCRIPT_HASH")),
    ] {
        assert!(
            policy.contains(&format!("{tag}-src '{variable}'")),
            "{policy}"
        );
        assert_eq!(reply.body.matches(&format!("<{tag}>")).count(), 1);
    }
    // Browsers hash what is between the tags.
    let (_, rest) = reply.body.split_once("<style>").unwrap();
    let (style, _) = rest.split_once("</style>").unwrap();
    assert_eq!(style, include_str!("../../../status/style.css"));
    let (_, rest) = reply.body.split_once("<script>").unwrap();
    let (script, _) = rest.split_once("</script>").unwrap();
    assert_eq!(script, include_str!("../../../status/script.js"));
    for elsewhere in ["http://", "https://", "//cdn", " style=", " onclick="] {
        let page = reply.body.replace("http://a.example", "");
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
}

#[test]
fn a_cookie_is_for_https_alone_where_the_request_was() {
    let engine = engine(None, &[("FETCH_TARGETS", "http://a.example")]);
    let post = |https, form| {
        let request = Request {
            method: "POST",
            https,
            form,
            ..Request::default()
        };
        answer(&engine, &request, false, NOW).expect("a reply")
    };
    let form = format!("x=y&token=+{TOKEN}+");
    for (https, secure) in [(false, false), (true, true)] {
        let reply = post(https, Some(&form));
        assert_eq!((reply.status, reply.field("location")), (303, Some("/s")));
        let cookie = reply.field("set-cookie").unwrap_or_default();
        assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
        assert!(!cookie.contains(TOKEN));
    }
    assert_eq!(post(true, None).status, 400);
    for wrong in [
        "",
        "token=",
        "token=0123456789abcdeX",
        "t=0123456789abcdef",
        "&&=%",
    ] {
        let reply = post(true, Some(wrong));
        assert_eq!(
            (reply.status, reply.field("set-cookie")),
            (401, None),
            "{wrong}"
        );
    }
}
