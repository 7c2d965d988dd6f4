//! How a host differs from the others, and why.

use crate::host::HOSTS;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The members of a case that an exception may replace.
pub(crate) const REPLACEABLE: [&str; 7] = [
    "settings",
    "targets",
    "upstreams",
    "store",
    "steps",
    "store_after",
    "notices",
];

/// An exception.
#[derive(Clone, Debug)]
pub(crate) enum Exception {
    /// The host skips the case, for this reason.
    Skip(String),
    /// The host runs this instead.
    Replace(Map<String, Value>),
}

/// Reads `except`, by host.
pub(crate) fn read(except: Map<String, Value>) -> Result<BTreeMap<String, Exception>, String> {
    let mut exceptions = BTreeMap::new();
    for (names, value) in except {
        let exception = read_one(value).map_err(|reason| format!("except[{names:?}]: {reason}"))?;
        for host in names.split(',').map(str::trim) {
            if !HOSTS.contains(&host) {
                return Err(format!(
                    "except[{names:?}]: {host:?} is not one of {}",
                    HOSTS.join(", ")
                ));
            }
            if exceptions
                .insert(host.to_owned(), exception.clone())
                .is_some()
            {
                return Err(format!("except: {host:?} is named a second time"));
            }
        }
    }
    Ok(exceptions)
}

fn read_one(value: Value) -> Result<Exception, String> {
    let Value::Object(mut members) = value else {
        return Err("it is not an object".into());
    };
    let why = match members.remove("why") {
        Some(Value::String(why)) if !why.trim().is_empty() => why,
        _ => return Err("it has no \"why\"".into()),
    };
    let skip = match members.remove("skip") {
        None => false,
        Some(Value::Bool(true)) => true,
        Some(_) => return Err("\"skip\" is true, or left out".into()),
    };
    if let Some(unknown) = members
        .keys()
        .find(|name| !REPLACEABLE.contains(&name.as_str()))
    {
        return Err(format!("unknown member {unknown:?}"));
    }
    match (skip, members.is_empty()) {
        (true, true) => Ok(Exception::Skip(why)),
        (false, false) => Ok(Exception::Replace(members)),
        _ => {
            Err("it needs either \"skip\": true, or members that replace those of the case".into())
        }
    }
}
