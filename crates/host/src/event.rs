//! The component's notices, as values.

use crate::metrics::Stats;
use serde::Deserialize;
use serde_json::Value;

/// The `source` of the component's notices.
const SOURCE: &str = "function-fetch";

/// A change in one instance of the component, or a problem.
///
/// Each instance has its own memory, so that every instance that notices a change reports it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The primary has changed: another target gets the traffic.
    PrimaryChanged {
        /// The primary before, where there was one.
        from: Option<String>,
        /// The primary now.
        to: String,
        /// The cause: `probed`, `store`, `failover`, `recovered`.
        reason: String,
    },
    /// A target failed and gets no traffic for a while.
    Ejected {
        /// The target.
        target: String,
        /// The failure, or `status 503` and the like.
        reason: String,
        /// For how long, in milliseconds.
        for_ms: u64,
    },
    /// A probe found an ejected target healthy again.
    Recovered {
        /// The target.
        target: String,
    },
    /// A whole round of probes found nothing healthy.
    NoHealthyTarget,
    /// The host's own policy forbids a target.
    Denied {
        /// The target.
        target: String,
        /// Which setting to change.
        remedy: String,
    },
    /// A cache answered a probe of the target: it did not measure the target. Reported once for each target.
    HealthPathCached {
        /// The target.
        target: String,
        /// What to change.
        remedy: String,
    },
    /// The key-value store could not be read or written. Reported once until it works again.
    StoreFailed {
        /// `read` or `write`.
        operation: String,
    },
    /// A setting that could not be used as it is.
    BadSetting {
        /// Its name.
        setting: String,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// What the instance has done since it last told (`FETCH_STATS_SECONDS`).
    Stats(Box<Stats>),
    /// A line of a component that has more events than this library: JSON with `source` and `event`.
    #[serde(skip)]
    Other(String),
}

impl Event {
    /// Parses one line of the component's stderr. None when it is something else, such as a panic's message.
    pub fn from_line(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        if value.get("source")? != SOURCE || !value.get("event")?.is_string() {
            return None;
        }
        Some(serde_json::from_value(value).unwrap_or_else(|_| Self::Other(line.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use function_fetch_component::notice::line;
    use function_fetch_engine::{ChangeReason, Notice, StoreOperation};

    #[test]
    fn every_notice_of_the_engine_is_read() {
        let text = |text: &str| text.to_owned();
        let cases = [
            (
                Notice::PrimaryChanged {
                    from: None,
                    to: text("http://a"),
                    reason: ChangeReason::Probed,
                },
                Event::PrimaryChanged {
                    from: None,
                    to: text("http://a"),
                    reason: text("probed"),
                },
            ),
            (
                Notice::PrimaryChanged {
                    from: Some(text("http://a")),
                    to: text("http://b"),
                    reason: ChangeReason::Failover,
                },
                Event::PrimaryChanged {
                    from: Some(text("http://a")),
                    to: text("http://b"),
                    reason: text("failover"),
                },
            ),
            (
                Notice::Ejected {
                    target: text("http://a"),
                    reason: text("connection_refused"),
                    for_ms: 1000,
                },
                Event::Ejected {
                    target: text("http://a"),
                    reason: text("connection_refused"),
                    for_ms: 1000,
                },
            ),
            (
                Notice::Recovered {
                    target: text("http://a"),
                },
                Event::Recovered {
                    target: text("http://a"),
                },
            ),
            (Notice::NoHealthyTarget, Event::NoHealthyTarget),
            (
                Notice::Denied {
                    target: text("http://a"),
                    remedy: "allow it",
                },
                Event::Denied {
                    target: text("http://a"),
                    remedy: text("allow it"),
                },
            ),
            (
                Notice::HealthPathCached {
                    target: text("http://a"),
                    remedy: "exempt it",
                },
                Event::HealthPathCached {
                    target: text("http://a"),
                    remedy: text("exempt it"),
                },
            ),
            (
                Notice::StoreFailed {
                    operation: StoreOperation::Read,
                },
                Event::StoreFailed {
                    operation: text("read"),
                },
            ),
            (
                Notice::BadSetting {
                    setting: "FETCH_SPREAD",
                    reason: text("is \"x\""),
                },
                Event::BadSetting {
                    setting: text("FETCH_SPREAD"),
                    reason: text("is \"x\""),
                },
            ),
        ];
        for (notice, event) in cases {
            assert_eq!(Event::from_line(&line(&notice)), Some(event));
        }
    }

    #[test]
    fn the_counts_of_the_engine_are_read() {
        use function_fetch_component::stats;
        use function_fetch_engine::{Capabilities, Engine, Request, Settings, Timestamp};

        let settings = Settings::read(Capabilities::default(), |name| match name {
            "FETCH_TARGETS" => Some("http://a".to_owned()),
            "FETCH_STATS_SECONDS" => Some("1".to_owned()),
            _ => None,
        });
        let mut engine = Engine::new(settings, 1);
        let request = Request::new("GET", "/");
        engine.begin(&request, Timestamp(0.0));
        let told = engine.take_stats(true, Timestamp(0.0)).unwrap();
        let Some(Event::Stats(read)) = Event::from_line(&stats::line(&told)) else {
            panic!("{}", stats::line(&told));
        };
        assert_eq!((read.requests, read.targets[0].attempts), (1, 1));
        assert_eq!(read.targets[0].target, told.targets[0].target);
    }

    #[test]
    fn newer_events_are_passed_on_and_other_lines_are_not_events() {
        let newer = r#"{"source":"function-fetch","event":"invented_later","n":1}"#;
        assert_eq!(
            Event::from_line(newer),
            Some(Event::Other(newer.to_owned()))
        );
        for line in [
            "",
            "thread 'main' panicked at src/lib.rs:1:1",
            r#"{"event":"recovered","target":"a"}"#,
            r#"{"source":"other","event":"recovered","target":"a"}"#,
            r#"{"source":"function-fetch"}"#,
            r#"["source"]"#,
        ] {
            assert_eq!(Event::from_line(line), None, "{line}");
        }
    }
}
