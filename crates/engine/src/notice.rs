//! What is reported to the operator: one structured line for each change, none
//! for a request.

use crate::settings::Problem;
use serde::Serialize;

/// Something that changed, or is wrong. Hosts write it as one line of JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Notice {
    /// Another target is the primary now.
    PrimaryChanged {
        /// The primary before, where there was one.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// The primary now.
        to: String,
        /// Why.
        reason: ChangeReason,
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
    /// A cache answered a probe of the target. Reported once for each target.
    HealthPathCached {
        /// The target.
        target: String,
        /// What to change.
        remedy: &'static str,
    },
    /// The shared store could not be read or written. Reported once until it works
    /// again.
    StoreFailed {
        /// Which operation failed.
        operation: StoreOperation,
    },
    /// A setting that could not be used as it is.
    BadSetting {
        /// Its name.
        setting: &'static str,
        /// What is wrong, and what to do.
        reason: String,
    },
}

/// Why another target became the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeReason {
    /// A round of probes.
    Probed,
    /// Another instance, through the store.
    Store,
    /// The one before failed.
    Failover,
    /// A better one is back.
    Recovered,
}

/// An operation of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreOperation {
    /// Reading it.
    Read,
    /// Writing it.
    Write,
}

impl From<&Problem> for Notice {
    fn from(problem: &Problem) -> Self {
        Self::BadSetting {
            setting: problem.setting,
            reason: problem.reason.clone(),
        }
    }
}
