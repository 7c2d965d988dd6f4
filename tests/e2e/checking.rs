//! The `function-fetch check` command: every problem with the settings, before they are deployed.

use std::process::Command;

use crate::promises;
use crate::support::environment::environment;
use crate::support::host::{EMBEDDED, Host};
use crate::support::process::Process;
use crate::support::suite::Suite;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EMBEDDED,
        [
            check_passes_good_settings,
            check_names_every_problem,
            check_suggests_the_closest_name,
            check_requires_a_target,
        ]
    );
}

const GOOD: (&str, &str) = (
    "FETCH_TARGETS",
    "http://one.example, https://two.example/base",
);

/// Checks these settings: half of them from the environment, half of them as arguments. Returns the exit code and the
/// output.
async fn check(settings: &[(&str, &str)]) -> (Option<i32>, Vec<String>) {
    let mut command = Command::new(&environment().bin);
    command.arg("check");
    for (n, (name, value)) in settings.iter().enumerate() {
        if n % 2 == 0 {
            command.env(name, value);
        } else {
            command.arg("--env").arg(format!("{name}={value}"));
        }
    }
    let mut process = Process::spawn(command);
    let status = process.exit().await;
    (status.code(), process.stdout())
}

/// The lines that begin with this name.
fn about<'a>(lines: &'a [String], name: &str) -> Vec<&'a String> {
    let start = format!("{name}:");
    lines
        .iter()
        .filter(|line| line.starts_with(&start))
        .collect()
}

async fn check_passes_good_settings(_: Host) {
    let (code, lines) = check(&[
        GOOD,
        ("FETCH_HEALTH_PATH", "/health"),
        ("FETCH_HEDGE_MS", "250"),
        ("FETCH_COLD_START", "race"),
        ("FETCH_SPREAD", "yes"),
        ("FETCH_RETRY_METHODS", "GET,PUT"),
        ("NOT_OURS", "no business of ours"),
    ])
    .await;
    assert_eq!(code, Some(0), "{lines:#?}");
    for target in ["http://one.example", "https://two.example/base"] {
        assert!(lines.iter().any(|line| line.contains(target)), "{lines:#?}");
    }
    assert!(about(&lines, "FETCH").is_empty(), "{lines:#?}");
    assert_eq!(lines.last().map(String::as_str), Some("No problems"));
}

async fn check_names_every_problem(_: Host) {
    let bad = [
        ("FETCH_HEALTH_TIMEOUT_MS", "soon"),
        ("FETCH_RETRY_ON_5XX", "perhaps"),
        ("FETCH_CACHE_ADAPTER", "drawer"),
        ("FETCH_CACHE_TTL_SECONDS", "1"),
        ("FETCH_MAX_ATTEMPTS", "0"),
        ("FETCH_SWITCH_MARGIN", "wide"),
        ("FETCH_COLD_START", "sprint"),
        ("FETCH_HEDGE_MS", "-1"),
    ];
    let targets = ("FETCH_TARGETS", "http://good.example ftp://bad.example");
    let (code, lines) = check(&[&[targets], &bad[..]].concat()).await;
    assert_eq!(code, Some(1), "{lines:#?}");
    for (name, value) in bad {
        let about = about(&lines, name);
        assert_eq!(about.len(), 1, "{name}: {lines:#?}");
        assert!(about[0].contains(value), "{about:?}");
    }
    let about = about(&lines, "FETCH_TARGETS");
    assert_eq!(about.len(), 1, "{lines:#?}");
    assert!(about[0].contains("ftp://bad.example"), "{about:?}");
    // A good one next to it still works.
    assert!(
        lines
            .iter()
            .any(|line| line.trim() == "http://good.example"),
        "{lines:#?}"
    );
    assert_eq!(lines.last().map(String::as_str), Some("9 problems"));
}

async fn check_suggests_the_closest_name(_: Host) {
    let (code, lines) = check(&[
        GOOD,
        ("FETCH_HEALTHPATH", "/"),
        ("FETCH_HEDGE", "100"),
        ("FETCH_ZEBRA", "1"),
    ])
    .await;
    assert_eq!(code, Some(1), "{lines:#?}");
    for (name, meant) in [
        ("FETCH_HEALTHPATH", "FETCH_HEALTH_PATH?"),
        ("FETCH_HEDGE", "FETCH_HEDGE_MS?"),
    ] {
        let about = about(&lines, name);
        assert_eq!(about.len(), 1, "{name}: {lines:#?}");
        assert!(about[0].ends_with(meant), "{about:?}");
    }
    let about = about(&lines, "FETCH_ZEBRA");
    assert_eq!(about.len(), 1, "{lines:#?}");
    assert!(!about[0].contains('?'), "{about:?}");
}

async fn check_requires_a_target(_: Host) {
    for (settings, problem) in [
        (&[][..], "Missing env: FETCH_TARGETS"),
        (
            &[("FETCH_TARGETS", "ftp://bad.example")],
            "FETCH_TARGETS: \"ftp://bad.example\"",
        ),
    ] {
        let (code, lines) = check(settings).await;
        assert_eq!(code, Some(1), "{lines:#?}");
        assert!(lines[0].starts_with(problem), "{lines:#?}");
    }
}
