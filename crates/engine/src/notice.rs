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
        for_ms: u32,
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
        let mut line = Line(String::from("{\"source\":\"function-fetch\""));
        match self {
            Self::PrimaryChanged { from, to, reason } => {
                line.add("event", "primary_changed");
                if let Some(from) = from {
                    line.add("from", from);
                }
                line.add("to", to);
                line.add("reason", reason);
            }
            Self::Ejected {
                target,
                reason,
                for_ms,
            } => {
                line.add("event", "ejected");
                line.add("target", target);
                line.add("reason", reason);
                line.0 += &format!(",\"for_ms\":{for_ms}");
            }
            Self::Recovered { target } => {
                line.add("event", "recovered");
                line.add("target", target);
            }
            Self::NoHealthyTarget => line.add("event", "no_healthy_target"),
            Self::Denied { target, remedy } => {
                line.add("event", "denied");
                line.add("target", target);
                line.add("remedy", remedy);
            }
            Self::StoreFailed { operation } => {
                line.add("event", "store_failed");
                line.add("operation", operation);
            }
            Self::BadSetting { setting, reason } => {
                line.add("event", "bad_setting");
                line.add("setting", setting);
                line.add("reason", reason);
            }
        }
        line.0.push('}');
        line.0
    }
}

/// A JSON object as it is written.
struct Line(String);

impl Line {
    fn add(&mut self, name: &str, text: &str) {
        for part in [",\"", name, "\":"] {
            self.0.push_str(part);
        }
        json::write_text(&mut self.0, text);
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
