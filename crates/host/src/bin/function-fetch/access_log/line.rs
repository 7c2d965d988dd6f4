//! The text of an access.

use super::AccessLogFormat;
use function_fetch_host::Access;
use http::HeaderValue;
use serde::Serialize;
use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::FormatItem;
use time::macros::format_description;

const RFC_3339: &[FormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const COMMON: &[FormatItem<'_>] =
    format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");

/// What nginx logs for a client that left before the response.
const CLIENT_LEFT: u16 = 499;

/// The line, with its line break.
pub fn of(access: &Access, format: AccessLogFormat) -> String {
    let mut line = match format {
        AccessLogFormat::Json => json(access),
        AccessLogFormat::Common => common(access),
        AccessLogFormat::Combined => {
            let quoted = |value: &Option<HeaderValue>| {
                value
                    .as_ref()
                    .map_or_else(|| "-".to_owned(), |value| escaped(value.as_bytes()))
            };
            let (referer, user_agent) = (quoted(&access.referer), quoted(&access.user_agent));
            format!("{} \"{referer}\" \"{user_agent}\"", common(access))
        }
    };
    if !matches!(format, AccessLogFormat::Json) {
        // After what the format defines, where its readers ignore it.
        let target = access.target.as_deref().or(access.error.as_deref());
        let attempts = access.attempts.unwrap_or(0);
        let seconds = access.total.as_secs_f64();
        write!(
            line,
            " \"{}\" {attempts} {seconds:.3}",
            target.unwrap_or("-")
        )
        .expect("a string takes whatever is written to it");
    }
    line.push('\n');
    line
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    client: IpAddr,
    method: &'a str,
    uri: &'a str,
    protocol: String,
    status: Option<u16>,
    bytes: u64,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    head_ms: f64,
    total_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    referer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
}

fn json(access: &Access) -> String {
    let text = |value: &Option<HeaderValue>| {
        let bytes = value.as_ref().map(HeaderValue::as_bytes)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    };
    let line = Line {
        time: moment(access, RFC_3339),
        client: access.client.ip(),
        method: access.method.as_str(),
        uri: &access.uri,
        protocol: format!("{:?}", access.version),
        status: access.status.map(|status| status.as_u16()),
        bytes: access.body_bytes,
        complete: access.complete,
        target: access.target.as_deref(),
        attempts: access.attempts,
        error: access.error.as_deref(),
        head_ms: milliseconds(access.until_head),
        total_ms: milliseconds(access.total),
        referer: text(&access.referer),
        user_agent: text(&access.user_agent),
    };
    serde_json::to_string(&line).expect("its names are text, and writing to memory does not fail")
}

fn common(access: &Access) -> String {
    format!(
        "{} - - [{}] \"{} {} {:?}\" {} {}",
        access.client.ip(),
        moment(access, COMMON),
        escaped(access.method.as_str().as_bytes()),
        escaped(access.uri.as_bytes()),
        access.version,
        access.status.map_or(CLIENT_LEFT, |status| status.as_u16()),
        access.body_bytes,
    )
}

fn moment(access: &Access, format: &[FormatItem<'_>]) -> String {
    // It fails only for years of five digits.
    OffsetDateTime::from(access.at)
        .format(format)
        .unwrap_or_default()
}

/// To the tenth.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e4).round() / 10.0
}

/// Between quotes: what a client sends can neither end them nor begin a line.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => write!(text, "\\x{byte:02x}").expect("a string takes whatever is written to it"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sends_stays_within_its_quotes() {
        assert_eq!(escaped(b"a \"b\" \\ \n\xff"), "a \\\"b\\\" \\\\ \\x0a\\xff");
    }

    #[test]
    fn times_are_to_the_tenth() {
        assert_eq!(milliseconds(Duration::from_micros(1_260)), 1.3);
        assert_eq!(milliseconds(Duration::ZERO), 0.0);
    }
}
