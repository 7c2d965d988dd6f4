//! Settings as an operator may write them.

use function_fetch_engine::settings::{NAMES, StoreKind};
use function_fetch_engine::{Action, Capabilities, Engine, Request, Settings, Target, Timestamp};

/// Lines of `NAME=value`; a line without `=` names the host's store. Whatever they say, what comes out is within the
/// bounds of section 2 of `docs/behaviour.md`, or every request is answered with the reason.
pub fn settings(input: &[u8]) {
    let (host, given) = given(&String::from_utf8_lossy(input));
    let settings = Settings::of(host, &given);
    assert_eq!(settings, Settings::of(host, &given), "alike each time");
    are_in_bounds(&settings, host);
    targets_are_addresses(&settings);
    has_the_last_word(settings);
}

/// The host and what it is given, of lines.
pub(crate) fn given(text: &str) -> (Capabilities, Vec<(String, String)>) {
    let mut host = Capabilities::default();
    let mut given = Vec::new();
    for line in text.split('\n') {
        match line.split_once('=') {
            Some((name, value)) => given.push((name.to_owned(), value.to_owned())),
            None => host = host_of(line),
        }
    }
    (host, given)
}

fn host_of(word: &str) -> Capabilities {
    let store = match word {
        "spin" => Some(StoreKind::Spin),
        "workers" => Some(StoreKind::WorkersKv),
        "esa" => Some(StoreKind::EdgeKv),
        "node" => Some(StoreKind::Custom),
        _ => None,
    };
    Capabilities {
        store,
        max_probes: (word == "esa").then_some(3),
        sampled_reports: word != "spin",
    }
}

fn are_in_bounds(settings: &Settings, host: Capabilities) {
    assert!(settings.health_path.starts_with('/'));
    assert!(settings.health_timeout.0 >= 200.0);
    assert!(settings.cache_ttl.0 >= 10_000.0);
    assert!((1..=32).contains(&settings.max_attempts));
    assert!((1..=host.max_probes.unwrap_or(32)).contains(&settings.max_probes));
    assert!(settings.connect_timeout.0 >= 1.0);
    assert!(settings.attempt_timeout.is_none_or(|span| span.0 >= 1.0));
    assert!(settings.deadline.is_none_or(|span| span.0 >= 1.0));
    assert!(settings.hedge.is_none_or(|span| span.0 >= 1.0));
    assert!(settings.switch_margin.percent >= 0.0 && settings.switch_margin.percent.is_finite());
    assert!(settings.switch_margin.least.0 >= 0.0 && settings.switch_margin.least.is_finite());
    assert!(settings.cache_store.is_none() || settings.cache_store == host.store);
    let statuses = &settings.retry_statuses;
    assert!(
        (0..=u16::MAX).all(|status| !statuses.contains(status) || (400..600).contains(&status))
    );
    assert!(
        (400..600).any(|status| statuses.contains(status)),
        "the default, if nothing is left"
    );
    let key = settings.cache_key.as_bytes();
    let is_legal = |byte: &u8| match host.store {
        Some(StoreKind::EdgeKv) => byte.is_ascii_alphanumeric() || b"-_".contains(byte),
        _ => byte.is_ascii_graphic() && !b"/\\?#".contains(byte),
    };
    assert!(key.len() <= 256 && !key.is_empty() && key.iter().all(is_legal));
    for problem in &settings.problems {
        assert!(NAMES.contains(&problem.setting) && !problem.reason.is_empty());
    }
}

fn targets_are_addresses(settings: &Settings) {
    assert!(settings.targets.len() <= function_fetch_engine::MAX_TARGETS);
    for (index, target) in settings.targets.iter().enumerate() {
        let url = target.url();
        let again = Target::parse(&url).expect("an address that was understood is one");
        assert!(again.is_at(target) && again.url() == url);
        assert!(url.starts_with("http://") || url.starts_with("https://"));
        assert!(!target.authority().contains(['@', '/', '?', '#', '\\', ' ']));
        assert!(!url.contains(|character: char| !character.is_ascii_graphic()));
        assert!(target.path_for("/x?y") == format!("{}/x?y", target.base_path()));
        let earlier = &settings.targets[..index];
        assert!(
            !earlier.iter().any(|other| other.is_at(target)),
            "once each"
        );
    }
}

/// Without a target every request gets the reason; with one, a request goes to a target.
fn has_the_last_word(settings: Settings) {
    let missing = settings.no_targets.is_some();
    assert_eq!(missing, settings.targets.is_empty());
    let mut engine = Engine::new(settings, 1);
    let request = Request {
        has_body: true,
        ..Request::new("POST", "/")
    };
    let step = engine.begin(&request, Timestamp(1_790_000_000_000.0));
    match step.action {
        Action::Reply(reply) => {
            assert!(missing && reply.status == 500);
            let first = reply.body.lines().next().unwrap_or_default();
            assert!(first == "Missing env: FETCH_TARGETS" || first == "Invalid env: FETCH_TARGETS");
            let is_plain = |character: char| character == '\n' || !character.is_control();
            assert!(reply.body.chars().all(is_plain), "{:?}", reply.body);
        }
        _ => assert!(!missing),
    }
}
