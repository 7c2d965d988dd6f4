//! Notices for the operator.

use function_fetch_engine::Notice;
use serde::Serialize;
use std::io::Write;

#[derive(Serialize)]
struct Line<'a> {
    source: &'static str,
    #[serde(flatten)]
    notice: &'a Notice,
}

/// The notice as one line of JSON.
#[must_use]
pub fn line(notice: &Notice) -> String {
    let line = Line {
        source: "function-fetch",
        notice,
    };
    // Its names are text, and writing to memory does not fail.
    serde_json::to_string(&line).unwrap_or_default()
}

/// Writes the notice to stderr.
pub fn write(notice: &Notice) {
    // In one write: `eprintln!` writes the line break separately, and another instance's line could come between.
    let line = line(notice) + "\n";
    let _ = std::io::stderr().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use function_fetch_engine::{ChangeReason, StoreOperation};

    /// The same as in `adapters/test/engine/notice.test.ts`.
    #[test]
    fn a_notice_is_one_line_of_json() {
        let text = |text: &str| text.to_owned();
        for (notice, wanted) in [
            (
                Notice::PrimaryChanged {
                    from: Some(text("http://a")),
                    to: text("http://b"),
                    reason: ChangeReason::Failover,
                },
                r#""event":"primary_changed","from":"http://a","to":"http://b","reason":"failover"}"#,
            ),
            (
                Notice::PrimaryChanged {
                    from: None,
                    to: text("http://b"),
                    reason: ChangeReason::Probed,
                },
                r#""event":"primary_changed","to":"http://b","reason":"probed"}"#,
            ),
            (
                Notice::Ejected {
                    target: text("http://a"),
                    reason: text("status 503"),
                    for_ms: 1000,
                },
                r#""event":"ejected","target":"http://a","reason":"status 503","for_ms":1000}"#,
            ),
            (
                Notice::Recovered {
                    target: text("http://a"),
                },
                r#""event":"recovered","target":"http://a"}"#,
            ),
            (Notice::NoHealthyTarget, r#""event":"no_healthy_target"}"#),
            (
                Notice::Denied {
                    target: text("http://a"),
                    remedy: "allow it",
                },
                r#""event":"denied","target":"http://a","remedy":"allow it"}"#,
            ),
            (
                Notice::HealthPathCached {
                    target: text("http://a"),
                    remedy: "exempt it",
                },
                r#""event":"health_path_cached","target":"http://a","remedy":"exempt it"}"#,
            ),
            (
                Notice::StoreFailed {
                    operation: StoreOperation::Read,
                },
                r#""event":"store_failed","operation":"read"}"#,
            ),
            (
                Notice::BadSetting {
                    setting: "FETCH_EXPLAIN",
                    reason: text("\"\n\u{1}\" is neither"),
                },
                r#""event":"bad_setting","setting":"FETCH_EXPLAIN","reason":"\"\n\u0001\" is neither"}"#,
            ),
        ] {
            assert_eq!(
                line(&notice),
                format!("{{\"source\":\"function-fetch\",{wanted}")
            );
        }
    }
}
