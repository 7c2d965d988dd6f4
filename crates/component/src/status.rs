//! A request for the status page: its form is read, and the store if need be.

use crate::upload::BodySource;
use function_fetch_driver::{Platform, ask, read_store};
use function_fetch_engine::headers::{ClientFacts, Fields};
use function_fetch_engine::{Event, Failure, LocalReply, Millis, STORE_TIMEOUT};
use function_fetch_status::{FORM_TIMEOUT_MS, MOST_FORM_BYTES, Request, answer as status};
use futures::future::{FusedFuture, FutureExt};
use std::pin::pin;

/// Answers a request whose path is [`Settings::is_status_path`](function_fetch_engine::Settings::is_status_path),
/// and whose body comes from `source`.
pub async fn answer<P, S>(
    platform: &P,
    method: &str,
    fields: &Fields,
    facts: &ClientFacts,
    source: Option<S>,
) -> LocalReply
where
    P: Platform,
    S: BodySource,
{
    let form = match source {
        Some(source) if method == "POST" => read(platform, source).await,
        _ => None,
    };
    let cookie = joined(fields, "cookie", "; ");
    let [authorization, accept, accept_language] =
        ["authorization", "accept", "accept-language"].map(|name| joined(fields, name, ", "));
    let https = platform.engine(|engine| facts.is_https(fields, engine.settings()));
    let request = Request {
        method,
        https,
        authorization: authorization.as_deref(),
        cookie: cookie.as_deref(),
        accept: accept.as_deref(),
        accept_language: accept_language.as_deref(),
        form: form.as_deref(),
    };
    let drawn = |store_read| {
        let now = platform.now();
        platform.engine(|engine| status(engine, &request, store_read, now))
    };
    // What is to be reported is reported before, since the page shows what was: an instance
    // may have had no other request.
    ask(platform, |_, _| ());
    if let Some(reply) = drawn(false) {
        return reply;
    }
    let event = match read_store(platform, STORE_TIMEOUT).await {
        Ok(value) => Event::StoreRead(value),
        Err(_) => Event::StoreFailed,
    };
    ask(platform, |engine, now| engine.status_store(&event, now));
    // With the store read there is always one.
    drawn(true).unwrap_or_else(|| LocalReply::failed(Failure::InternalError))
}

/// The values of all fields of a name, unless they are no text.
fn joined(fields: &Fields, name: &str, separator: &str) -> Option<String> {
    let values = fields
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let values: Vec<&str> = values
        .map(|(_, value)| str::from_utf8(value))
        .collect::<Result<_, _>>()
        .ok()?;
    (!values.is_empty()).then(|| values.join(separator))
}

/// The form, unless it is too long, too late or no text.
async fn read(platform: &impl Platform, mut source: impl BodySource) -> Option<String> {
    let mut late = pin!(platform.sleep(Millis::from(FORM_TIMEOUT_MS)).fuse());
    let mut form = Vec::new();
    loop {
        let received = source.read(&mut late).await;
        form.extend_from_slice(&received.bytes);
        if form.len() > MOST_FORM_BYTES {
            return None;
        }
        if received.ended {
            return String::from_utf8(form).ok();
        }
        if late.is_terminated() {
            return None;
        }
    }
}
