use super::*;
use crate::target::Preference;

fn read(pairs: &[(&str, &str)]) -> Settings {
    read_on(
        Capabilities {
            store: Some(StoreKind::Spin),
            ..Capabilities::default()
        },
        pairs,
    )
}

fn read_on(host: Capabilities, pairs: &[(&str, &str)]) -> Settings {
    Settings::read(host, |name| {
        assert!(NAMES.contains(&name), "{name} is not in NAMES");
        pairs
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

fn targets(text: &str) -> Vec<String> {
    read(&[("FETCH_TARGETS", text)])
        .targets
        .iter()
        .map(Target::to_string)
        .collect()
}

#[test]
fn defaults_are_the_documented_ones() {
    let settings = read(&[("FETCH_TARGETS", "https://a.com")]);
    assert_eq!(settings.problems, []);
    assert_eq!(settings.health_path, "/");
    assert_eq!(settings.health_timeout, Millis(1500.0));
    assert!(settings.retry_on_5xx && settings.cache_memory && settings.forwarded);
    assert_eq!(settings.retry_statuses, Statuses::default());
    assert_eq!(settings.report_from_status(), 500);
    assert_eq!(settings.cache_store, Some(StoreKind::Spin));
    assert_eq!(settings.cache_key, "proxy:fastest");
    let five_minutes = Millis(300e3);
    assert_eq!(
        (settings.cache_ttl, settings.stale),
        (five_minutes, five_minutes)
    );
    assert_eq!(settings.store_name, "default");
    assert_eq!(
        (settings.max_attempts, settings.max_probes, settings.hedge),
        (3, 6, None)
    );
    assert_eq!(
        (
            settings.connect_timeout,
            settings.attempt_timeout,
            settings.deadline
        ),
        (Millis(3e3), Some(Millis(30e3)), Some(Millis(60e3)))
    );
    assert_eq!(settings.retry_methods, ["GET", "HEAD", "OPTIONS"]);
    assert_eq!(settings.replay_body_bytes, 65_536);
    assert_eq!(
        settings.switch_margin,
        Margin {
            percent: 20.0,
            least: Millis(10.0)
        }
    );
    assert_eq!(settings.cold_start, ColdStart::Probe);
    assert!(!settings.spread && !settings.trust_forwarded && !settings.explain);
    assert_eq!((settings.status_path, settings.status_token), (None, None));
}

#[test]
fn targets_in_every_list_form() {
    let wanted = ["https://a.com", "https://b.com"];
    for text in [
        r#"["https://a.com", "https://b.com"]"#,
        "https://a.com,https://b.com",
        "https://a.com https://b.com",
        " https://a.com ,\n\thttps://b.com\r\n",
        "https://a.com, https://A.com:443/, https://b.com",
        "https://a.com,,https://b.com,",
    ] {
        assert_eq!(targets(text), wanted, "{text}");
    }
}

#[test]
fn a_bad_target_beside_a_good_one_is_skipped_and_named() {
    let settings = read(&[("FETCH_TARGETS", "ftp://x, https://a.com, nonsense")]);
    assert_eq!(settings.no_targets, None);
    assert_eq!(settings.targets.len(), 1);
    assert_eq!(settings.problems.len(), 2);
    let text = settings.problems[0].to_string();
    assert!(
        text.starts_with("FETCH_TARGETS: \"ftp://x\" has another scheme"),
        "{text}"
    );
}

#[test]
fn missing_and_invalid_targets_say_so_in_the_first_line() {
    for text in ["", "   ", ",", "[]"] {
        let error = read(&[("FETCH_TARGETS", text)]).no_targets.unwrap();
        assert_eq!(
            error.to_string().lines().next(),
            Some("Missing env: FETCH_TARGETS")
        );
    }
    for (text, lines) in [("a.com b.com", 3), ("[1]", 2), (r#"["#, 2)] {
        let error = read(&[("FETCH_TARGETS", text)]).no_targets.unwrap();
        let said = error.to_string();
        assert_eq!(said.lines().next(), Some("Invalid env: FETCH_TARGETS"));
        assert_eq!(said.lines().count(), lines, "{said}");
    }
}

#[test]
fn no_password_of_an_entry_is_logged() {
    for (entry, logged) in [
        ("https://user:hunter2@a.com", "https://***@a.com"),
        ("user:hunter2@a.com", "***@a.com"),
        ("https://u:p@hunter2@a.com:81/x", "https://***@a.com:81/x"),
        ("https://u:hunter2/x?@a.com", "https://***@a.com"),
        ("user:p@a.com/x?token=hunter2", "***@a.com/x***"),
        ("a.com/x?token=hunter2", "a.com/x?***"),
        ("a.com#hunter2", "a.com#***"),
        // A password with a space in it is two entries.
        ("https://user:hunter2", "https://user:***"),
        ("https://[::1]:hunter2/x", "https://[::1]:***/x"),
        ("ftp://a.com:21/x", "ftp://a.com:21/x"),
        ("http://[::1", "http://[:***"),
        (
            r#"["https://user:hunter2@a.com,"#,
            r#"["https://***@a.com,"#,
        ),
    ] {
        let settings = read(&[("FETCH_TARGETS", entry)]);
        if settings.no_targets.is_none() {
            assert_eq!(settings.targets.len(), 1, "{entry}");
            continue;
        }
        let reported = settings.problems[0].to_string();
        let logged = serde_json::to_string(logged).unwrap();
        let quoted = format!("FETCH_TARGETS: {logged} ");
        assert!(reported.starts_with(&quoted), "{entry}: {reported}");
        assert!(!reported.contains("hunter2"), "{reported}");
    }
}

#[test]
fn of_an_entry_only_its_place_and_its_host_are_public() {
    for (entry, shown) in [
        ("https://user:hunter2@a.com", "entry 1 (a.com)"),
        ("user:hunter2@a.com", "entry 1 (a.com)"),
        ("user:hunter2@a.com/base?token=hunter2", "entry 1 (a.com)"),
        ("ftp://a.com:21/hunter2", "entry 1 (a.com)"),
        ("a.com?token=hunter2", "entry 1 (a.com)"),
        ("a.com#hunter2", "entry 1 (a.com)"),
        // Where the host ends, or begins, is not plain.
        ("https://u:hunter2/x@a.com", "entry 1"),
        ("https://u:p@hunter2@a.com", "entry 1"),
        ("https://a.com/?to=b@hunter2", "entry 1"),
        ("https://a.com:hunter2", "entry 1"),
        ("https://hunter2!x", "entry 1"),
        ("?token=hunter2", "entry 1"),
        ("[\"https://user:hunter2@a.com", "the list"),
    ] {
        let settings = read(&[("FETCH_TARGETS", entry)]);
        let Some(said) = settings.no_targets.map(|error| error.to_string()) else {
            // A query is dropped, and then it is a target.
            assert_eq!(settings.targets.len(), 1, "{entry}");
            continue;
        };
        assert!(!said.contains("hunter2"), "{said}");
        let line = said.lines().nth(1).unwrap();
        assert!(line.starts_with(&format!("{shown} ")), "{said}");
    }
}

#[test]
fn an_object_is_named_by_its_url_and_by_no_other_text() {
    let list = r#"[{"note": "https://hunter2.com", "url": "https://b.com"}]"#;
    let settings = read(&[("FETCH_TARGETS", list)]);
    let said = settings.no_targets.expect("it is no target").to_string();
    let line = said.lines().nth(1).unwrap();
    assert!(line.starts_with("entry 1 (b.com) "), "{said}");
}

#[test]
fn a_decision_may_be_fresh_for_a_month() {
    for (seconds, is_taken) in [("2678400", true), ("2678401", false)] {
        let given = [
            ("FETCH_TARGETS", "https://a.com"),
            ("FETCH_CACHE_TTL_SECONDS", seconds),
        ];
        assert_eq!(read(&given).problems.is_empty(), is_taken, "{seconds}");
    }
}

#[test]
fn an_entry_of_a_json_array_may_say_its_tier_and_weight() {
    let settings = read(&[(
        "FETCH_TARGETS",
        r#"["https://a.com", {"url": " https://b.com ", "tier": 2}, "",
            {"url": "https://c.com", "weight": 3}, {"weight": 100, "tier": 9, "url": "http://d/x"},
            {"url": "https://A.com", "tier": 1, "weight": 1}]"#,
    )]);
    assert_eq!(settings.problems, []);
    let read: Vec<(String, u8, u8)> = settings
        .targets
        .iter()
        .map(|target| {
            let Preference { tier, weight } = target.preference();
            (target.url(), tier, weight)
        })
        .collect();
    let wanted = [
        ("https://a.com", 1, 1),
        ("https://b.com", 2, 1),
        ("https://c.com", 1, 3),
        ("http://d/x", 9, 100),
    ];
    assert_eq!(
        read,
        wanted.map(|(url, tier, weight)| (url.to_owned(), tier, weight))
    );
}

#[test]
fn an_entry_that_is_no_address_and_preference_is_skipped_and_named() {
    let tier = "has a tier that is not a whole number from 1 to 9";
    let weight = "has a weight that is not a whole number from 1 to 100";
    let address = "names no address; write it as";
    let member = "has a member other than url, tier and weight; remove it";
    for (entry, shown, reason) in [
        (
            r#"{"url": "https://b.com", "tier": 0}"#,
            "entry 2 (b.com)",
            tier,
        ),
        (
            r#"{"url": "https://b.com", "tier": 10}"#,
            "entry 2 (b.com)",
            tier,
        ),
        (
            r#"{"url": "https://b.com", "tier": 1.5}"#,
            "entry 2 (b.com)",
            tier,
        ),
        (
            r#"{"url": "https://b.com", "tier": "1"}"#,
            "entry 2 (b.com)",
            tier,
        ),
        (
            r#"{"url": "https://b.com", "tier": 257}"#,
            "entry 2 (b.com)",
            tier,
        ),
        (
            r#"{"url": "https://b.com", "weight": 0}"#,
            "entry 2 (b.com)",
            weight,
        ),
        (
            r#"{"url": "https://b.com", "weight": 101}"#,
            "entry 2 (b.com)",
            weight,
        ),
        (
            r#"{"url": "https://b.com", "weight": -1}"#,
            "entry 2 (b.com)",
            weight,
        ),
        (
            r#"{"url": "https://b.com", "wieght": 2}"#,
            "entry 2 (b.com)",
            member,
        ),
        (r#"{"tier": 2}"#, "entry 2", address),
        (r#"{"url": ["https://b.com"]}"#, "entry 2", address),
        ("1", "entry 2", address),
        ("null", "entry 2", address),
        (r#"["https://b.com"]"#, "entry 2", address),
        (
            r#"{"url": "ftp://b.com"}"#,
            "entry 2 (b.com)",
            "has another scheme; only http and https are served",
        ),
        (
            r#"{"url": "https://a.com/", "tier": 2}"#,
            "entry 2 (a.com)",
            "is there already with another tier or weight; keep one of the two",
        ),
    ] {
        let text = format!(r#"["https://a.com", {entry}]"#);
        let settings = read(&[("FETCH_TARGETS", &text)]);
        assert_eq!(settings.targets.len(), 1, "{entry}");
        let [problem] = &settings.problems[..] else {
            panic!("{entry}: {:?}", settings.problems)
        };
        assert!(problem.reason.contains(reason), "{entry}: {problem}");
        assert!(
            problem.reason.ends_with("; it is skipped"),
            "{entry}: {problem}"
        );

        if shown.contains("a.com") {
            continue;
        }
        // Alone, it is why there is no target, and its place is public.
        let text = format!(r#"["nonsense", {entry}]"#);
        let error = read(&[("FETCH_TARGETS", &text)]).no_targets.unwrap();
        let said = error.to_string();
        let line = said.lines().nth(2).unwrap();
        assert!(line.starts_with(&format!("{shown} {reason}")), "{said}");
    }
}

#[test]
fn more_targets_than_the_engine_takes_are_named() {
    let many: Vec<String> = (0..40).map(|i| format!("https://t{i}.com")).collect();
    let settings = read(&[("FETCH_TARGETS", &many.join(","))]);
    assert_eq!(settings.targets.len(), 32);
    assert_eq!(settings.problems.len(), 8);
}

#[test]
fn flags_in_every_spelling() {
    for (text, wanted) in [
        ("1", true),
        ("TRUE", true),
        ("Yes", true),
        ("y", true),
        ("on", true),
        ("0", false),
        ("False", false),
        ("no", false),
        ("N", false),
        ("OFF", false),
    ] {
        let settings = read(&[("FETCH_RETRY_ON_5XX", text), ("FETCH_EXPLAIN", text)]);
        assert_eq!(
            (settings.retry_on_5xx, settings.explain),
            (wanted, wanted),
            "{text}"
        );
        assert_eq!(settings.problems, [], "{text}");
    }
}

#[test]
fn a_bad_value_falls_back_to_its_default_and_is_named() {
    for (name, text) in [
        ("FETCH_RETRY_ON_5XX", "maybe"),
        ("FETCH_HEALTH_TIMEOUT_MS", "199"),
        ("FETCH_HEALTH_TIMEOUT_MS", "1.5"),
        ("FETCH_CACHE_TTL_SECONDS", "9"),
        ("FETCH_CACHE_TTL_SECONDS", "-1"),
        ("FETCH_MAX_ATTEMPTS", "0"),
        ("FETCH_MAX_ATTEMPTS", "+3"),
        ("FETCH_DEADLINE_MS", "99999999999999999999999"),
        ("FETCH_SWITCH_MARGIN", "20"),
        ("FETCH_SWITCH_MARGIN", "NaN%"),
        ("FETCH_COLD_START", "hot"),
        ("FETCH_HEDGE_MS", "soon"),
        ("FETCH_RETRY_METHODS", "BREW"),
        ("FETCH_RETRY_STATUSES", "302"),
        ("FETCH_RETRY_STATUSES", "[500"),
        ("FETCH_RETRY_STATUSES", "[302]"),
        ("FETCH_RETRY_STATUSES", "[500.5]"),
        ("FETCH_RETRY_METHODS", "[1]"),
        ("FETCH_RETRY_METHODS", "[true]"),
        ("FETCH_CACHE_ADAPTER", "[null]"),
        ("FETCH_SWITCH_MARGIN", "[20]"),
        ("FETCH_SWITCH_MARGIN", "[[]]"),
        ("FETCH_HEALTH_PATH", "/a b"),
        ("FETCH_CACHE_ADAPTER", "redis"),
    ] {
        let settings = read(&[("FETCH_TARGETS", "https://a.com"), (name, text)]);
        let mut wanted = read(&[("FETCH_TARGETS", "https://a.com")]);
        assert_eq!(settings.problems.len(), 1, "{name}={text}");
        assert_eq!(settings.problems[0].setting, name);
        wanted.problems.clone_from(&settings.problems);
        assert_eq!(settings, wanted, "{name}={text}");
    }
}

#[test]
fn retry_statuses_in_every_list_form() {
    for text in [
        "429, 502-504",
        "502-504 429",
        "503-504,429,502,503",
        r#"["429", "502-504"]"#,
        r#"[429, "502-504"]"#,
        "[ 429,502 , 503,504, \"\" ]",
    ] {
        let settings = read(&[("FETCH_RETRY_STATUSES", text)]);
        assert_eq!(settings.problems, [], "{text}");
        let failures: Vec<u16> = (100..600)
            .filter(|status| settings.is_failure_status(*status))
            .collect();
        assert_eq!(failures, [429, 502, 503, 504], "{text}");
        assert_eq!(settings.report_from_status(), 429, "{text}");
    }
}

#[test]
fn a_status_that_is_no_failure_is_left_out_and_named() {
    for wrong in ["200", "302", "100-199", "5xx", "600", "504-502"] {
        let text = format!("503, {wrong}");
        let settings = read(&[("FETCH_RETRY_STATUSES", &text)]);
        assert!(settings.is_failure_status(503) && !settings.is_failure_status(500));
        let [problem] = &settings.problems[..] else {
            panic!("{wrong}: {:?}", settings.problems)
        };
        let wanted = format!(
            "FETCH_RETRY_STATUSES: \"{wrong}\" is neither a status from 400 to 599 nor a range \
             such as 502-504; left out"
        );
        assert_eq!(problem.to_string(), wanted);
    }
}

#[test]
fn an_entry_of_a_json_array_that_is_no_word_is_left_out_and_named() {
    for (setting, text, place) in [
        ("FETCH_RETRY_STATUSES", "[503, 429.5]", 2),
        ("FETCH_RETRY_STATUSES", "[503, -429, 502]", 2),
        ("FETCH_RETRY_STATUSES", r#"[{"from": 502}, "503"]"#, 1),
        ("FETCH_RETRY_METHODS", r#"["GET", true]"#, 2),
        ("FETCH_CACHE_ADAPTER", r#"["kv", null]"#, 2),
        ("FETCH_SWITCH_MARGIN", r#"["20%", ["10ms"]]"#, 2),
    ] {
        let settings = read(&[(setting, text)]);
        let [problem] = &settings.problems[..] else {
            panic!("{text}: {:?}", settings.problems)
        };
        let wanted =
            format!("{setting}: entry {place} is neither a string nor a whole number; left out");
        assert_eq!(problem.to_string(), wanted);
        if setting == "FETCH_RETRY_STATUSES" {
            assert!(settings.is_failure_status(503) && !settings.is_failure_status(500));
        }
    }
}

#[test]
fn the_cache_adapter_in_all_its_forms() {
    let spin = Some(StoreKind::Spin);
    for (text, wanted) in [
        ("auto", (true, spin)),
        ("memory", (true, None)),
        ("MEM", (true, None)),
        ("inmemory", (true, None)),
        ("kv", (false, spin)),
        ("cloudflare_kv", (false, spin)),
        ("memory,kv", (true, spin)),
        (r#"["memory", "kv"]"#, (true, spin)),
        ("memory none", (false, None)),
        ("off", (false, None)),
        ("disabled", (false, None)),
        ("kv, redis", (false, spin)),
        ("redis, kv", (false, spin)),
    ] {
        let settings = read(&[("FETCH_CACHE_ADAPTER", text)]);
        assert_eq!(
            (settings.cache_memory, settings.cache_store),
            wanted,
            "{text}"
        );
    }
}

#[test]
fn a_host_without_a_store_uses_its_memory() {
    let auto = read_on(Capabilities::default(), &[]);
    assert_eq!((auto.cache_memory, auto.cache_store), (true, None));
    assert_eq!(auto.problems, []);
    let kv = read_on(Capabilities::default(), &[("FETCH_CACHE_ADAPTER", "kv")]);
    assert_eq!((kv.cache_memory, kv.cache_store), (true, None));
    assert_eq!(kv.problems.len(), 1);
}

#[test]
fn the_rest_is_read() {
    let settings = read(&[
        ("FETCH_HEALTH_PATH", "ping?deep=1"),
        ("FETCH_SWITCH_MARGIN", "5ms"),
        ("FETCH_RETRY_METHODS", "get, put get"),
        ("FETCH_HEDGE_MS", "250"),
        ("FETCH_COLD_START", "Race"),
        ("FETCH_CACHE_TTL_SECONDS", "60"),
        ("FETCH_STATUS_PATH", "status"),
        ("FETCH_STATUS_TOKEN", " 0123456789abcdef "),
        ("FETCH_CACHE_KEY", "my-app:best"),
    ]);
    assert_eq!(settings.problems, []);
    assert_eq!(settings.health_path, "/ping?deep=1");
    assert_eq!(
        settings.switch_margin,
        Margin {
            percent: 0.0,
            least: Millis(5.0)
        }
    );
    assert_eq!(settings.retry_methods, ["GET", "PUT"]);
    assert_eq!(settings.hedge, Some(Millis(250.0)));
    assert_eq!(settings.cold_start, ColdStart::Race);
    let a_minute = Millis(60e3);
    assert_eq!((settings.cache_ttl, settings.stale), (a_minute, a_minute));
    assert_eq!(settings.status_path.as_deref(), Some("/status"));
    assert_eq!(settings.status_token.as_deref(), Some("0123456789abcdef"));
    assert_eq!(settings.cache_key, "my-app:best");
    assert!(
        read(&[("FETCH_RETRY_METHODS", "none")])
            .retry_methods
            .is_empty()
    );
}

#[test]
fn a_status_page_needs_a_path_that_all_hosts_take_alike_and_a_token() {
    const TOKEN: (&str, &str) = ("FETCH_STATUS_TOKEN", "0123456789abcdef");
    let problem = |given: &[(&str, &str)]| {
        let mut problems = read(given).problems;
        assert!(problems.len() < 2, "{problems:?}");
        problems.pop().map(|problem| problem.to_string())
    };
    for path in ["/", "/-/status", "status", "/a.b/..c/~x", "/x,y=(1)@:*"] {
        assert_eq!(
            problem(&[TOKEN, ("FETCH_STATUS_PATH", path)]),
            None,
            "{path}"
        );
    }
    for path in [
        "//status", "/a/../b", "/.", "/a?b", "/a;b", "/%61", "/ä", "/a b", "/a\\b", "/a\"b",
    ] {
        let given = [TOKEN, ("FETCH_STATUS_PATH", path)];
        let told = problem(&given);
        assert!(
            told.is_some_and(|told| told.starts_with("FETCH_STATUS_PATH: \"")),
            "{path}"
        );
        assert_eq!(read(&given).status_path, None, "{path}");
    }
    for (given, wanted) in [
        (&[("FETCH_STATUS_PATH", "/s")][..], "is not set, so nobody"),
        (&[TOKEN], "does nothing without FETCH_STATUS_PATH"),
        (
            &[("FETCH_STATUS_PATH", "/s"), ("FETCH_STATUS_TOKEN", "short")],
            "has fewer than 16",
        ),
    ] {
        let told = problem(given).unwrap_or_default();
        assert!(
            told.starts_with("FETCH_STATUS_TOKEN: ") && told.contains(wanted),
            "{told}"
        );
        assert!(
            !told.contains("short;") && !told.contains("\"short"),
            "{told}"
        );
    }
}

#[test]
fn only_the_very_path_is_the_status_pages() {
    let settings = read(&[
        ("FETCH_STATUS_PATH", "/s"),
        ("FETCH_STATUS_TOKEN", "0123456789abcdef"),
    ]);
    for path in ["/s", "/s?", "/s?a=/b"] {
        assert!(settings.is_status_path(path), "{path}");
    }
    for path in [
        "/", "", "/s/", "//s", "/S", "/s#", "/s;a", "/%73", "/ss", "s", "*",
    ] {
        assert!(!settings.is_status_path(path), "{path}");
    }
    assert!(!read(&[]).is_status_path("/s"));
}

#[test]
fn there_is_a_status_page_where_it_has_a_path_and_a_token() {
    let path = ("FETCH_STATUS_PATH", "/s");
    let token = ("FETCH_STATUS_TOKEN", "0123456789abcdef");
    for (given, has_page) in [
        (&[][..], false),
        (&[path], false),
        (&[token], false),
        (&[path, token], true),
    ] {
        assert_eq!(read(given).has_status_page(), has_page, "{given:?}");
    }
}

#[test]
fn each_host_has_its_name_for_the_store_and_reads_it_as_often_as_that_costs() {
    for (store, setting, default, seconds) in [
        (None, "FETCH_CACHE_KV_BINDING", "default", 1),
        (
            Some(StoreKind::Spin),
            "FETCH_CACHE_KV_BINDING",
            "default",
            1,
        ),
        (
            Some(StoreKind::WorkersKv),
            "FETCH_CACHE_KV_BINDING",
            "FASTEST_KV",
            0,
        ),
        (Some(StoreKind::EdgeKv), "ESA_KV_NAMESPACE", "", 0),
    ] {
        let host = Capabilities {
            store,
            ..Capabilities::default()
        };
        let settings = read_on(host, &[]);
        assert_eq!(settings.store_name, default, "{store:?}");
        assert_eq!(settings.cache_sync, Millis::from_seconds(seconds));
        let named = read_on(
            host,
            &[(setting, "mine"), ("FETCH_CACHE_SYNC_SECONDS", "7")],
        );
        assert_eq!(named.store_name, "mine", "{store:?}");
        assert_eq!(named.cache_sync, Millis::from_seconds(7));
    }
}
