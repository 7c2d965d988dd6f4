//! The responses, with the fields that keep them from caches, frames and other sites.

use crate::credential::COOKIE;
use function_fetch_engine::{LocalReply, Status};

/// The page may use its own style and script, ask for itself, and send its form to
/// itself. The icon is an empty one, so that no browser asks a target for one.
const POLICY: &str = concat!(
    "default-src 'none'; style-src '",
    env!("STYLE_HASH"),
    "'; script-src '",
    env!("SCRIPT_HASH"),
    "'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
);

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

fn reply(status: u16, content_type: &str, body: String) -> LocalReply {
    let fields = [
        ("content-type", content_type),
        ("cache-control", "no-store"),
        ("content-security-policy", POLICY),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ];
    LocalReply {
        status,
        fields: fields
            .into_iter()
            .map(|(name, value)| (name, value.to_owned()))
            .collect(),
        body,
    }
}

fn with(mut reply: LocalReply, name: &'static str, value: String) -> LocalReply {
    reply.fields.push((name, value));
    reply
}

pub(crate) fn html(status: u16, page: String) -> LocalReply {
    reply(status, HTML, page)
}

#[inline(never)]
pub(crate) fn json(status: &Status) -> LocalReply {
    // Its keys are text, and writing to memory does not fail.
    let body = serde_json::to_string(status).unwrap_or_default();
    reply(200, JSON, body)
}

fn challenged(reply: LocalReply, wrong: bool) -> LocalReply {
    let error = if wrong {
        ", error=\"invalid_token\""
    } else {
        ""
    };
    let challenge = format!("Bearer realm=\"function-fetch status\"{error}");
    with(reply, "www-authenticate", challenge)
}

/// `wrong`: a token was given.
pub(crate) fn unauthorized(page: String, wrong: bool) -> LocalReply {
    challenged(html(401, page), wrong)
}

pub(crate) fn json_unauthorized(wrong: bool) -> LocalReply {
    let body = "{\"error\":\"unauthorized\"}".to_owned();
    challenged(reply(401, JSON, body), wrong)
}

pub(crate) fn method_not_allowed() -> LocalReply {
    let text = "Method not allowed: this is the status page\n".to_owned();
    with(
        reply(405, TEXT, text),
        "allow",
        "GET, HEAD, POST".to_owned(),
    )
}

/// There is no token, so none is right.
pub(crate) fn off() -> LocalReply {
    let text = "Forbidden: the status page is off until FETCH_STATUS_TOKEN is set\n".to_owned();
    reply(403, TEXT, text)
}

pub(crate) fn no_form() -> LocalReply {
    let text = "Bad request: the sign-in form is too long, or did not come in time\n".to_owned();
    reply(400, TEXT, text)
}

pub(crate) fn signed_in(path: &str, value: &str, https: bool) -> LocalReply {
    with_cookie(path, value, "", https)
}

pub(crate) fn signed_out(path: &str, https: bool) -> LocalReply {
    with_cookie(path, "", "; Max-Age=0", https)
}

/// Sends the browser to the page, which it asks for with the cookie as it is now.
fn with_cookie(path: &str, value: &str, ends: &str, https: bool) -> LocalReply {
    let secure = if https { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}{ends}");
    let reply = with(reply(303, TEXT, String::new()), "location", path.to_owned());
    with(reply, "set-cookie", cookie)
}
