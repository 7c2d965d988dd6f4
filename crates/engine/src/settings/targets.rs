//! `FETCH_TARGETS`: the one setting that must be there.

use super::parse::{Reader, quote, split_list};
use crate::MAX_TARGETS;
use crate::target::{Target, TargetError};
use crate::text;
use std::fmt;

const NAME: &str = "FETCH_TARGETS";

/// An entry that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The entry, quoted; what stands before an `@` is left out of it.
    pub entry: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Why there is no target at all. Its text is the body of every response; the
/// first line is a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetsError {
    /// Not set, or blank.
    Missing,
    /// Set, and no entry is usable.
    Invalid(Vec<Rejected>),
}

impl TargetsError {
    /// The first line says what is wrong, those that follow what to do.
    pub(crate) fn message(&self) -> String {
        let entries = match self {
            Self::Missing => {
                return "Missing env: FETCH_TARGETS\n\
                        Set it to the servers to proxy to, for example \
                        FETCH_TARGETS=\"https://us.example.com, https://eu.example.com\""
                    .to_owned();
            }
            Self::Invalid(entries) => entries,
        };
        let mut message = "Invalid env: FETCH_TARGETS".to_owned();
        for Rejected { entry, reason } in entries {
            for part in ["\n", entry, " ", reason] {
                message.push_str(part);
            }
        }
        message
    }
}

impl fmt::Display for TargetsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for TargetsError {}

/// The usable targets, duplicates collapsed; bad entries beside good ones are
/// problems, alone they are the error.
pub(super) fn read(from: &mut Reader<'_>) -> (Vec<Target>, Option<TargetsError>) {
    let Some(text) = from.text(NAME) else {
        return (Vec::new(), Some(TargetsError::Missing));
    };
    let entries = match split_list(text) {
        Ok(entries) => entries,
        Err(reason) => {
            let rejected = Rejected {
                entry: hide_user(text),
                reason: reason.to_owned(),
            };
            return (Vec::new(), Some(TargetsError::Invalid(vec![rejected])));
        }
    };
    if entries.is_empty() {
        return (Vec::new(), Some(TargetsError::Missing));
    }
    let mut targets: Vec<Target> = Vec::new();
    let mut rejected = Vec::new();
    for entry in &entries {
        let error = match Target::parse(entry) {
            Ok(target) if targets.contains(&target) => continue,
            Ok(target) if targets.len() < MAX_TARGETS => {
                targets.push(target);
                continue;
            }
            Ok(_) => TargetError::TooMany,
            Err(error) => error,
        };
        rejected.push(Rejected {
            entry: hide_user(entry),
            reason: error.message(),
        });
    }
    if targets.is_empty() {
        return (targets, Some(TargetsError::Invalid(rejected)));
    }
    for Rejected { entry, reason } in &rejected {
        let reason = text::concat(&[entry, " ", reason, "; it is skipped"]);
        from.problem(NAME, reason);
    }
    (targets, None)
}

/// Entries are shown to whoever sends a request, so a password in one is not.
fn hide_user(entry: &str) -> String {
    if let Some(at) = entry.bytes().rposition(|byte| byte == b'@')
        && let Some((before, host)) = entry.split_at_checked(at)
        && let (scheme, user) = text::cut(before, b":")
        && user.starts_with("://")
    {
        return quote(&text::concat(&[scheme, "://…", host]));
    }
    quote(entry)
}
