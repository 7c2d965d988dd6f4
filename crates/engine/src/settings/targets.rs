//! `FETCH_TARGETS`: the one setting that must be there.

use super::Problem;
use super::parse::{Reader, quote, split_list};
use crate::MAX_TARGETS;
use crate::target::{Target, TargetError};
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

impl std::error::Error for TargetsError {}

impl fmt::Display for TargetsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(
                f,
                "Missing env: {NAME}\n\
                 Set it to the servers to proxy to, for example \
                 {NAME}=\"https://us.example.com, https://eu.example.com\""
            ),
            Self::Invalid(entries) => {
                write!(f, "Invalid env: {NAME}")?;
                for Rejected { entry, reason } in entries {
                    write!(f, "\n{entry} {reason}")?;
                }
                Ok(())
            }
        }
    }
}

/// The usable targets, duplicates collapsed; bad entries beside good ones are
/// problems, alone they are the error.
pub(super) fn read(from: &mut Reader<'_>) -> (Vec<Target>, Option<TargetsError>) {
    let Some(text) = from.text(NAME) else {
        return (Vec::new(), Some(TargetsError::Missing));
    };
    let entries = match split_list(&text) {
        Ok(entries) => entries,
        Err(reason) => {
            let rejected = Rejected {
                entry: hide_user(&text),
                reason,
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
        let result = match Target::parse(entry) {
            Ok(target) if targets.contains(&target) => continue,
            Ok(_) if targets.len() == MAX_TARGETS => Err(TargetError::TooMany),
            other => other,
        };
        match result {
            Ok(target) => targets.push(target),
            Err(error) => rejected.push(Rejected {
                entry: hide_user(entry),
                reason: error.to_string(),
            }),
        }
    }
    if targets.is_empty() {
        return (targets, Some(TargetsError::Invalid(rejected)));
    }
    for Rejected { entry, reason } in rejected {
        from.problems.push(Problem {
            setting: NAME,
            reason: format!("{entry} {reason}; it is skipped"),
        });
    }
    (targets, None)
}

/// Entries are shown to whoever sends a request, so a password in one is not.
fn hide_user(entry: &str) -> String {
    if let Some((before, host)) = entry.rsplit_once('@')
        && let Some((scheme, user)) = before.split_once(':')
        && user.starts_with("//")
    {
        let mut shown = scheme.to_owned();
        shown += "://…@";
        shown += host;
        return quote(&shown);
    }
    quote(entry)
}
