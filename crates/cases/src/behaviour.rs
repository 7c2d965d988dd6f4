//! The behaviour of an upstream.

use crate::Fields;
use serde::Deserialize;

/// An upstream's behaviour, until a step changes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Behaviour {
    /// Nothing listens on its port.
    pub dead: bool,
    /// The response to a probe.
    pub health: Answer,
    /// The responses to other requests, in order; the last is repeated.
    pub answers: Vec<Answer>,
}

impl Behaviour {
    /// The response to the request with this index.
    #[must_use]
    pub fn answer(&self, before: usize) -> Answer {
        let last = self.answers.len().saturating_sub(1);
        self.answers
            .get(before.min(last))
            .cloned()
            .unwrap_or_default()
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        self.answers
            .iter()
            .chain([&self.health])
            .try_for_each(Answer::check)
    }
}

/// One response.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its header fields, except those that frame the body.
    pub headers: Fields,
    body: Option<String>,
    body_bytes: Option<usize>,
    /// How long it waits before the head, ms.
    pub delay_ms: u64,
    /// Its trailer fields.
    pub trailers: Fields,
    /// A fault in place of all that.
    pub fault: Option<Fault>,
    /// Whether the request's body is read first.
    pub read_body: bool,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            status: 200,
            headers: Fields::default(),
            body: None,
            body_bytes: None,
            delay_ms: 0,
            trailers: Fields::default(),
            fault: None,
            read_body: true,
        }
    }
}

/// A faulty response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The connection is reset once the request's head was read.
    Reset,
    /// There is no response.
    Silent,
    /// The response is not HTTP.
    Garbage,
    /// A head that announces 100 bytes, ten of them, and a reset.
    Short,
}

/// The length that [`Fault::Short`] announces.
const SHORT_PROMISE: &str = "100";
/// The length that it sends.
const SHORT_BODY: &[u8] = b"ten bytes.";

impl Answer {
    /// Whether its status allows content (RFC 9110 section 6.4.1).
    #[must_use]
    pub fn has_content(&self) -> bool {
        !matches!(self.status, 204 | 304)
    }

    /// Its body, from the upstream called `name`.
    #[must_use]
    pub fn content(&self, name: &str) -> Vec<u8> {
        match (&self.body, self.body_bytes) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(length)) => vec![b'x'; length],
            (None, None) if self.has_content() => name.as_bytes().to_vec(),
            (None, None) => Vec::new(),
        }
    }

    /// The header fields as sent, with those that frame the body.
    #[must_use]
    pub fn fields(&self, name: &str) -> Vec<(String, Vec<u8>)> {
        let mut fields = self.headers.to_raw();
        if self.fault == Some(Fault::Short) {
            fields.push(("content-length".into(), SHORT_PROMISE.into()));
        } else if !self.trailers.is_empty() {
            let names: Vec<&str> = self.trailers.iter().map(|(name, _)| name).collect();
            fields.push(("trailer".into(), names.join(", ").into_bytes()));
            fields.push(("transfer-encoding".into(), b"chunked".to_vec()));
        } else if self.has_content() && !self.is_chunked() {
            let length = self.content(name).len().to_string();
            fields.push(("content-length".into(), length.into_bytes()));
        }
        fields
    }

    /// Whether its body is chunked.
    #[must_use]
    pub fn is_chunked(&self) -> bool {
        !self.trailers.is_empty() || self.headers.has("transfer-encoding")
    }

    fn check(&self) -> Result<(), String> {
        if self.body.is_some() && self.body_bytes.is_some() {
            return Err("an answer needs either \"body\" or \"body_bytes\"".into());
        }
        // Above 599 none is defined; how a proxy handles them is a case.
        if !(200..=999).contains(&self.status) {
            return Err(format!("an answer's status cannot be {}", self.status));
        }
        Ok(())
    }

    /// The bytes that [`Fault::Short`] sends of its body.
    #[must_use]
    pub fn short_body() -> &'static [u8] {
        SHORT_BODY
    }
}
