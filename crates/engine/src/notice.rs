//! What an operator should hear of: one structured line for each change, none
//! for a request.

use crate::json;
use crate::settings::Problem;

/// Something that changed, or is wrong. [`Notice::line`] is what hosts print.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// Another target is the primary now.
    PrimaryChanged {
        /// The primary before, where there was one.
        from: Option<String>,
        /// The primary now.
        to: String,
        /// What brought it: `probed`, `store`, `failover`, `recovered`.
        reason: &'static str,
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
        remedy: &'static str,
    },
    /// The shared store could not be read or written. Said once until it works.
    StoreFailed {
        /// `read` or `write`.
        operation: &'static str,
    },
    /// A setting that could not be used as it is.
    BadSetting {
        /// Its name.
        setting: &'static str,
        /// What is wrong, and what to do.
        reason: String,
    },
}

impl Notice {
    /// The notice as one line of JSON.
    #[must_use]
    pub fn line(&self) -> String {
        let (event, texts): (_, &[(&str, &str)]) = match self {
            Self::PrimaryChanged {
                from: Some(from),
                to,
                reason,
            } => (
                "primary_changed",
                &[("from", from), ("to", to), ("reason", reason)],
            ),
            Self::PrimaryChanged {
                from: None,
                to,
                reason,
            } => ("primary_changed", &[("to", to), ("reason", reason)]),
            Self::Ejected { target, reason, .. } => {
                ("ejected", &[("target", target), ("reason", reason)])
            }
            Self::Recovered { target } => ("recovered", &[("target", target)]),
            Self::NoHealthyTarget => ("no_healthy_target", &[]),
            Self::Denied { target, remedy } => {
                ("denied", &[("target", target), ("remedy", remedy)])
            }
            Self::StoreFailed { operation } => ("store_failed", &[("operation", operation)]),
            Self::BadSetting { setting, reason } => {
                ("bad_setting", &[("setting", setting), ("reason", reason)])
            }
        };
        let mut line = String::from("{\"source\":\"function-fetch\",\"event\":\"");
        line.push_str(event);
        line.push('"');
        for (name, text) in texts {
            line.push_str(",\"");
            line.push_str(name);
            line.push_str("\":");
            json::write_text(&mut line, text);
        }
        if let Self::Ejected { for_ms, .. } = self {
            line.push_str(",\"for_ms\":");
            json::write_whole(&mut line, *for_ms);
        }
        line.push('}');
        line
    }
}

impl From<&Problem> for Notice {
    fn from(problem: &Problem) -> Self {
        Self::BadSetting {
            setting: problem.setting,
            reason: problem.reason.clone(),
        }
    }
}
