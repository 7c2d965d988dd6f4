//! The steps of a case.

use crate::behaviour::Behaviour;
use crate::expectation::{ProbesRule, ResponseRule, SeenRule};
use crate::fields::Fields;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One step. A runner gets them through [`crate::run`].
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Members")]
pub struct Step(pub(crate) Kind);

/// By the name of an upstream.
pub(crate) type ByUpstream<T> = BTreeMap<String, T>;

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Ask(Box<Exchange>),
    Wait(ByUpstream<usize>),
    Behave(ByUpstream<Behaviour>),
    Probes(ByUpstream<ProbesRule>),
    Sleep(u64),
}

/// A request, and its expected outcome.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
    pub(crate) response: Option<ResponseRule>,
    pub(crate) seen: Option<ByUpstream<Vec<SeenRule>>>,
}

/// A client's request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// The request target, written to the wire unchanged.
    pub path: String,
    /// Its header fields, except those that frame the body, and `host` where it
    /// does not matter.
    pub headers: Fields,
    body: Option<String>,
    body_bytes: Option<usize>,
    /// Whether the body is sent without a length.
    pub chunked: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: "GET".into(),
            path: "/".into(),
            headers: Fields::default(),
            body: None,
            body_bytes: None,
            chunked: false,
        }
    }
}

impl Request {
    /// Its body, if it has one, possibly empty.
    #[must_use]
    pub fn content(&self) -> Option<Vec<u8>> {
        match (&self.body, self.body_bytes) {
            (Some(text), _) => Some(text.clone().into_bytes()),
            (None, Some(length)) => Some(vec![b'x'; length]),
            (None, None) => self.chunked.then(Vec::new),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    request: Option<Request>,
    response: Option<ResponseRule>,
    seen: Option<ByUpstream<Vec<SeenRule>>>,
    wait: Option<Wait>,
    upstreams: Option<ByUpstream<Behaviour>>,
    probes: Option<ByUpstream<ProbesRule>>,
    sleep_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wait {
    probes: ByUpstream<usize>,
}

impl TryFrom<Members> for Step {
    type Error = &'static str;

    fn try_from(members: Members) -> Result<Self, Self::Error> {
        let alone = members.response.is_none() && members.seen.is_none();
        let mut kinds = Vec::new();
        if let Some(request) = members.request {
            if request.body.is_some() && request.body_bytes.is_some() {
                return Err("a request needs either \"body\" or \"body_bytes\"");
            }
            kinds.push(Kind::Ask(Box::new(Exchange {
                request,
                response: members.response,
                seen: members.seen,
            })));
        } else if !alone {
            return Err("\"response\" and \"seen\" need a \"request\"");
        }
        kinds.extend(members.wait.map(|wait| Kind::Wait(wait.probes)));
        kinds.extend(members.upstreams.map(Kind::Behave));
        kinds.extend(members.probes.map(Kind::Probes));
        kinds.extend(members.sleep_ms.map(Kind::Sleep));
        match kinds.pop() {
            Some(kind) if kinds.is_empty() => Ok(Self(kind)),
            _ => Err(
                "a step is one of \"request\", \"wait\", \"upstreams\", \"probes\" and \"sleep_ms\"",
            ),
        }
    }
}

impl Step {
    /// The upstreams that it names.
    pub(crate) fn names(&self) -> Vec<&String> {
        match &self.0 {
            Kind::Ask(exchange) => exchange.seen.iter().flat_map(BTreeMap::keys).collect(),
            Kind::Wait(probes) => probes.keys().collect(),
            Kind::Behave(upstreams) => upstreams.keys().collect(),
            Kind::Probes(probes) => probes.keys().collect(),
            Kind::Sleep(_) => Vec::new(),
        }
    }
}
