//! The status page, for every host: which request may see it, and what it gets. What
//! it tells are the values of [`function_fetch_engine::Status`], as JSON or as HTML.
//!
//! A host calls [`answer`] for each request whose path is
//! [`Settings::is_status_path`](function_fetch_engine::Settings::is_status_path), and
//! gives the client what comes back. No such request goes to a target.

mod credential;
mod drawing;
mod page;
mod preference;
mod reply;
mod words;

use function_fetch_engine::{Engine, LocalReply, Timestamp};
use preference::{Format, Language};

/// How much of the sign-in form is read, bytes.
pub const MOST_FORM_BYTES: usize = 4096;

/// How long it is waited for, ms.
pub const FORM_TIMEOUT_MS: u32 = 5_000;

/// A request for the status page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// Its method.
    pub method: &'a str,
    /// Whether the client's connection is encrypted, as far as is known.
    pub https: bool,
    /// Its `authorization`.
    pub authorization: Option<&'a str>,
    /// Its `cookie`; several fields are joined by `; `.
    pub cookie: Option<&'a str>,
    /// Its `accept`.
    pub accept: Option<&'a str>,
    /// Its `accept-language`.
    pub accept_language: Option<&'a str>,
    /// The body of a POST; none where it is longer than [`MOST_FORM_BYTES`], did not
    /// come within [`FORM_TIMEOUT_MS`], or is not text.
    pub form: Option<&'a str>,
}

/// The response to a request for the status page. None when the store is to be read
/// first, for at most [`function_fetch_engine::STORE_TIMEOUT`]: its result goes to
/// [`Engine::status_store`], and the next call has `store_read`.
#[must_use]
pub fn answer(
    engine: &Engine,
    request: &Request<'_>,
    store_read: bool,
    now: Timestamp,
) -> Option<LocalReply> {
    let settings = engine.settings();
    let path = settings.status_path.as_deref().unwrap_or("/");
    let shows = match request.method {
        "GET" | "HEAD" => true,
        "POST" => false,
        _ => return Some(reply::method_not_allowed()),
    };
    let Some(token) = settings.status_token.as_deref() else {
        return Some(reply::off());
    };
    let language = Language::preferred(request.accept_language);
    if !shows {
        return Some(sign_in(request, token, path, language));
    }
    let format = Format::wanted(request.accept);
    if !credential::is_given(token, request) {
        let wrong = request.authorization.is_some();
        return Some(match format {
            Format::Json => reply::json_unauthorized(wrong),
            Format::Html => reply::unauthorized(page::sign_in(path, language, wrong), wrong),
        });
    }
    if !store_read && engine.status_wants_store(now) {
        return None;
    }
    let status = engine.status(now);
    Some(match format {
        Format::Json => reply::json(&status),
        Format::Html => reply::html(200, page::status(&status, path, language)),
    })
}

fn sign_in(request: &Request<'_>, token: &str, path: &str, language: Language) -> LocalReply {
    let Some(form) = request.form else {
        return reply::no_form();
    };
    let mut pairs = form_urlencoded::parse(form.as_bytes());
    if pairs.any(|(name, _)| name == "leave") {
        return reply::signed_out(path, request.https);
    }
    let mut pairs = form_urlencoded::parse(form.as_bytes());
    match pairs.find(|(name, _)| name == "token") {
        Some((_, given)) if credential::is_token(token, given.trim()) => {
            reply::signed_in(path, &credential::cookie_value(token), request.https)
        }
        _ => reply::unauthorized(page::sign_in(path, language, true), true),
    }
}

#[cfg(test)]
mod tests;
