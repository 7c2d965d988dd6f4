//! Settings: missing, bad next to good, and their sources.

use crate::promises;
use crate::support::host::{EMBEDDED, EVERY, Host};
use crate::support::origin::Origin;
use crate::support::setup::proxy;
use crate::support::suite::Suite;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EVERY,
        [
            missing_targets_are_named,
            every_bad_target_is_named_with_its_reason,
            a_bad_target_next_to_a_good_one_is_skipped_and_reported_once,
            a_bad_setting_is_named_and_its_default_used,
        ]
    );
    promises!(
        suite,
        EMBEDDED,
        [
            settings_come_from_the_hosts_environment,
            a_variable_overrides_the_environment,
            an_empty_variable_overrides_nothing,
        ]
    );
}

async fn missing_targets_are_named(host: Host) {
    for targets in [None, Some(""), Some(" \t "), Some(",, ,")] {
        let setup = proxy(host);
        let setup = match targets {
            None => setup,
            Some(targets) => setup.set("FETCH_TARGETS", targets),
        };
        let proxy = setup.start().await;
        for _ in 0..2 {
            let answer = proxy.get("/").await;
            assert_eq!(answer.status, 500);
            let content_type = answer.header("content-type").expect("a content-type");
            assert!(content_type.starts_with("text/plain"), "{content_type}");
            let first = answer.text().lines().next();
            assert_eq!(first, Some("Missing env: FETCH_TARGETS"), "{targets:?}");
        }
    }
}

async fn every_bad_target_is_named_with_its_reason(host: Host) {
    let entries = [
        "ftp://one.example",
        "http://user:secret@two.example",
        "three",
        "http://four.example:99999",
    ];
    for list in [entries.join(", "), serde_json::json!(entries).to_string()] {
        let proxy = proxy(host).set("FETCH_TARGETS", list).start().await;
        let answer = proxy.get("/").await;
        assert_eq!(answer.status, 500);
        let lines: Vec<_> = answer.text().lines().collect();
        assert_eq!(lines[0], "Invalid env: FETCH_TARGETS");
        assert_eq!(lines.len(), 1 + entries.len(), "{lines:#?}");
        for (line, part) in
            lines[1..]
                .iter()
                .zip(["one.example", "two.example", "three", "four.example"])
        {
            assert!(line.contains(part), "{line}");
            // The entry, and then the reason.
            assert!(line.len() > part.len() + 20, "no reason: {line}");
        }
        // Any client gets the text.
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    }
}

const REQUESTS: usize = 20;

/// Once for each instance. The embedded host was configured to have one; another host may start a second one at any
/// time, but not one for each request.
fn assert_once(host: Host, lines: &[String]) {
    let most = if host.is_ours() { 1 } else { REQUESTS / 2 };
    assert!((1..=most).contains(&lines.len()), "{lines:#?}");
}

async fn a_bad_target_next_to_a_good_one_is_skipped_and_reported_once(host: Host) {
    let good = Origin::start("good");
    let proxy = proxy(host)
        .targets(["gopher://bad.example".to_owned(), good.url()])
        .one_instance()
        .start()
        .await;
    for _ in 0..REQUESTS {
        proxy.get("/").await.is_from("good");
    }
    let lines = proxy.says("gopher://bad.example").await;
    assert_once(host, &lines);
    assert!(lines[0].contains("FETCH_TARGETS"), "{lines:#?}");
}

async fn a_bad_setting_is_named_and_its_default_used(host: Host) {
    let bad = [
        ("FETCH_HEALTH_TIMEOUT_MS", "soon"),
        ("FETCH_RETRY_ON_5XX", "maybe"),
        ("FETCH_CACHE_ADAPTER", "tape"),
        ("FETCH_CACHE_TTL_SECONDS", "1"),
        ("FETCH_MAX_ATTEMPTS", "-3"),
        ("FETCH_DEADLINE_MS", "1e99"),
        ("FETCH_SWITCH_MARGIN", "wide"),
    ];
    // A 503 in list order: it is retried, since `true` is the default of FETCH_RETRY_ON_5XX, and three that of the
    // attempts.
    let first = Origin::start("first").answer(|| crate::support::reply::text(503, "first"));
    first.set_health(crate::support::origin::Health::Answers(
        500,
        std::time::Duration::ZERO,
    ));
    let good = Origin::start("good");
    let setup = proxy(host).targets([first.url(), good.url()]);
    let setup = bad
        .iter()
        .fold(setup, |setup, (name, value)| setup.set(name, *value));
    let proxy = setup.one_instance().start().await;
    for _ in 0..REQUESTS {
        proxy.get("/").await.is_from("good");
    }
    for (name, value) in bad {
        let lines = proxy.says(name).await;
        assert_once(host, &lines);
        assert!(
            lines[0].len() > name.len() + value.len() + 10,
            "no reason: {lines:#?}"
        );
    }
}

async fn settings_come_from_the_hosts_environment(host: Host) {
    let origin = Origin::start("origin");
    let proxy = proxy(host)
        .inherit("FETCH_TARGETS", origin.url())
        .start()
        .await;
    proxy.get("/").await.is_from("origin");
}

async fn a_variable_overrides_the_environment(host: Host) {
    let from_variable = Origin::start("variable");
    let from_environment = Origin::start("environment");
    let proxy = proxy(host)
        .targets([from_environment.url()])
        .variable("fetch_targets", from_variable.url())
        .start()
        .await;
    proxy.get("/").await.is_from("variable");
}

async fn an_empty_variable_overrides_nothing(host: Host) {
    let origin = Origin::start("environment");
    let proxy = proxy(host)
        .targets([origin.url()])
        .variable("fetch_targets", "")
        .start()
        .await;
    proxy.get("/").await.is_from("environment");
}
