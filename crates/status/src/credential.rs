//! Who may see the status: whoever knows the token, or has the cookie that is given
//! for it.
//!
//! What is compared are HMACs under the secrets (HMAC-SHA-256), in constant time. They
//! have one length, so the time tells neither how much of a guess is right nor how
//! long the token is.

use crate::Request;
use hmac_sha256::HMAC;
use std::fmt::Write;
use subtle::ConstantTimeEq;

/// The name of the cookie.
pub(crate) const COOKIE: &str = "function-fetch-status";

/// What is signed. Another meaning would need another text.
const MESSAGE: &str = "function-fetch status cookie 1";

fn mac(token: &str) -> [u8; 32] {
    HMAC::mac(MESSAGE, token)
}

/// Whether this is the token.
pub(crate) fn is_token(token: &str, given: &str) -> bool {
    mac(token).ct_eq(&mac(given)).into()
}

/// The cookie's value: it proves that its bearer knew the token, and does not tell it.
pub(crate) fn cookie_value(token: &str) -> String {
    mac(token).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Whether the request has the token, or the cookie.
pub(crate) fn is_given(token: &str, request: &Request<'_>) -> bool {
    if let Some(given) = request.authorization {
        // A wrong token is not made good by a cookie: whoever tries one is to hear that it is wrong.
        return bearer(given).is_some_and(|given| is_token(token, given));
    }
    let cookie = cookie_value(token);
    // Another path of this host may have set one of the same name.
    let mut given = cookies(request.cookie.unwrap_or_default());
    given.any(|given| given.as_bytes().ct_eq(cookie.as_bytes()).into())
}

/// The token of `Authorization: Bearer` (RFC 6750 §2.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// The values of our cookie (RFC 6265 §4.2).
fn cookies(field: &str) -> impl Iterator<Item = &str> {
    let pairs = field
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .filter(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "a token of the status page";

    fn with_authorization(value: &str) -> bool {
        let request = Request {
            authorization: Some(value),
            ..Request::default()
        };
        is_given(TOKEN, &request)
    }

    fn with_cookie(value: &str) -> bool {
        let request = Request {
            cookie: Some(value),
            ..Request::default()
        };
        is_given(TOKEN, &request)
    }

    #[test]
    fn the_token_is_a_bearers() {
        assert!(with_authorization(&format!("Bearer {TOKEN}")));
        assert!(with_authorization(&format!("bearer  {TOKEN} ")));
        for wrong in [
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            TOKEN.to_owned(),
            format!("Basic {TOKEN}"),
            format!("Bearer {TOKEN}x"),
            format!("Bearer {}", &TOKEN[1..]),
            format!("Bearer {}", cookie_value(TOKEN)),
        ] {
            assert!(!with_authorization(&wrong), "{wrong}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others_and_is_not_the_token() {
        let value = cookie_value(TOKEN);
        assert_eq!(value.len(), 64);
        assert!(!value.contains(TOKEN));
        assert!(with_cookie(&format!("a=b; {COOKIE}={value}; c")));
        assert!(with_cookie(&format!("{COOKIE}=old;{COOKIE}={value}")));
        for wrong in [
            String::new(),
            format!("{COOKIE}={TOKEN}"),
            format!("{COOKIE}={}", cookie_value("another token")),
            format!("{COOKIE}={}", &value[1..]),
            format!("x{COOKIE}={value}"),
        ] {
            assert!(!with_cookie(&wrong), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_token_is_not_made_good_by_the_cookie() {
        let cookie = format!("{COOKIE}={}", cookie_value(TOKEN));
        let request = Request {
            authorization: Some("Bearer wrong"),
            cookie: Some(&cookie),
            ..Request::default()
        };
        assert!(!is_given(TOKEN, &request));
    }

    /// By Python's `hmac.new(token, MESSAGE, "sha256")`: instances of one deployment must
    /// agree, whatever version each of them is.
    #[test]
    fn the_cookie_is_the_hmac_of_any_implementation() {
        let value = "e43f1c307705f6e6ec3e4be21fe9e1f6109c3ae581ddbb14ca7f0dac7285d09b";
        assert_eq!(cookie_value(TOKEN), value);
    }
}
