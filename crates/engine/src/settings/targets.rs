//! `FETCH_TARGETS`: the one setting that must be there.

use super::list;
use super::parse::{Reader, quote};
use crate::MAX_TARGETS;
use crate::json::Json;
use crate::target::{Preference, Target, TargetError};
use std::{fmt, slice};

const NAME: &str = super::table::TARGETS.name;

/// An entry that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its address, quoted, without what may be a secret. For the operator alone.
    /// Its place, where it has none.
    pub entry: String,
    /// What anybody may know of it: its place, and its host where that is plain.
    pub shown: String,
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
        for Rejected { shown, reason, .. } in entries {
            message += &format!("\n{shown} {reason}");
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

const NOT_A_LIST: &str = "begins with [ but is not a JSON array, such as [\"https://a.example\", \
                          {\"url\": \"https://b.example\", \"tier\": 2}]";

/// The address of an entry, as it was given: in a plain list the entry, in a JSON array
/// that, or the `url` of an object.
fn address(entry: &Json) -> Option<&str> {
    match entry {
        Json::Text(text) => Some(text.trim()),
        Json::Members(members) => members.iter().find_map(|(name, value)| match value {
            Json::Text(text) if name == "url" => Some(text.trim()),
            _ => None,
        }),
        _ => None,
    }
}

fn parse(entry: &Json) -> Result<Target, TargetError> {
    let mut preference = Preference::default();
    if let Json::Members(members) = entry {
        for (name, value) in members {
            let up_to = |most: u8| match value {
                Json::Whole(number) if (1..=u64::from(most)).contains(number) => {
                    Some(*number as u8)
                }
                _ => None,
            };
            match name.as_str() {
                "url" => {}
                "tier" => {
                    preference.tier = up_to(Preference::LAST_TIER).ok_or(TargetError::Tier)?;
                }
                "weight" => {
                    preference.weight =
                        up_to(Preference::MOST_WEIGHT).ok_or(TargetError::Weight)?;
                }
                _ => return Err(TargetError::Member),
            }
        }
    }
    let target = Target::parse(address(entry).ok_or(TargetError::NoAddress)?)?;
    Ok(target.preferred(preference))
}

/// The usable targets, duplicates collapsed; bad entries beside good ones are
/// problems, alone they are the error.
pub(super) fn read(from: &mut Reader<'_>) -> (Vec<Target>, Option<TargetsError>) {
    let Some(text) = from.text(NAME) else {
        return (Vec::new(), Some(TargetsError::Missing));
    };
    let Some(entries) = list::read(text) else {
        let rejected = Rejected {
            entry: quote(&redacted(text)),
            shown: "the list".to_owned(),
            reason: NOT_A_LIST.to_owned(),
        };
        tell(from, slice::from_ref(&rejected), "");
        return (Vec::new(), Some(TargetsError::Invalid(vec![rejected])));
    };
    if entries.is_empty() {
        return (Vec::new(), Some(TargetsError::Missing));
    }
    let mut targets: Vec<Target> = Vec::new();
    let mut rejected = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let error = match parse(entry) {
            Ok(target) => match targets.iter().find(|known| known.is_at(&target)) {
                Some(known) if *known == target => continue,
                Some(_) => TargetError::Contradiction,
                None if targets.len() < MAX_TARGETS => {
                    targets.push(target);
                    continue;
                }
                None => TargetError::TooMany,
            },
            Err(error) => error,
        };
        let address = address(entry);
        let shown = shown(index, address.unwrap_or_default());
        rejected.push(Rejected {
            entry: address.map_or_else(|| shown.clone(), |address| quote(&redacted(address))),
            shown,
            reason: error.message(),
        });
    }
    if targets.is_empty() {
        tell(from, &rejected, "");
        return (targets, Some(TargetsError::Invalid(rejected)));
    }
    tell(from, &rejected, "; it is skipped");
    (targets, None)
}

/// The operator hears of each entry by its address.
fn tell(from: &mut Reader<'_>, rejected: &[Rejected], then: &str) {
    for Rejected { entry, reason, .. } in rejected {
        from.problem(NAME, format!("{entry} {reason}{then}"));
    }
}

/// What whoever sends a request may see of an entry: which one it is, and its
/// host, unless that cannot be told from a password or a token.
fn shown(index: usize, entry: &str) -> String {
    let place = format!("entry {}", index + 1);
    let (scheme, after) = cut(entry, &[':', '/', '?', '#', '@']);
    let rest = after.strip_prefix("://").unwrap_or(entry);
    let (authority, beyond) = cut(rest, &['/', '?', '#', '\\']);
    let host = authority
        .split_once('@')
        .map_or(authority, |(_, host)| host);
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let is_plain = !name.is_empty()
        && name.len() <= 253
        && !scheme.is_empty()
        && !beyond.contains('@')
        && !host.contains('@')
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    if is_plain {
        format!("{place} ({name})")
    } else {
        place
    }
}

/// An address without what may be a secret: the log goes further than the settings
/// do. A password may have any character in it, so whatever stands before the last
/// `@` is left out, and so are the query, the fragment, and a port that is none.
fn redacted(address: &str) -> String {
    const SECRET: &str = "***";
    let authority_at = address.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = address.split_at(authority_at);
    if let Some(at) = rest.rfind('@') {
        let (host, beyond) = cut(&rest[at..], &['?', '#']);
        let query = if beyond.is_empty() { "" } else { SECRET };
        return format!("{scheme}{SECRET}{host}{query}");
    }
    let (plain, beyond) = cut(rest, &['?', '#']);
    let (authority, path) = cut(plain, &['/', '\\']);
    let host_end = authority.rfind(']').unwrap_or_default();
    let (host, port) = match authority[host_end..].find(':') {
        Some(colon) => authority.split_at(host_end + colon + 1),
        None => (authority, ""),
    };
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = if is_port { port } else { SECRET };
    let query = match beyond.chars().next() {
        Some(mark) => format!("{mark}{SECRET}"),
        None => String::new(),
    };
    format!("{scheme}{host}{port}{path}{query}")
}

/// What stands before the first of `marks`, and the rest from there on.
fn cut<'a>(text: &'a str, marks: &[char]) -> (&'a str, &'a str) {
    text.split_at(text.find(marks).unwrap_or(text.len()))
}
