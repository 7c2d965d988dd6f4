//! The address and credentials of a Redis.

use redis::{ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo};
use std::fmt;
use std::str::FromStr;

/// The address of a Redis: `redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]`, or `rediss://` for TLS. `valkey://` and
/// `valkeys://` mean the same.
///
/// Displayed without user and password.
#[derive(Clone)]
pub struct RedisUrl {
    text: String,
    host: String,
    port: u16,
    tls: bool,
    settings: RedisConnectionInfo,
}

/// Why a text is not a [`RedisUrl`]. It does not repeat the text, which may contain a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidRedisUrl(&'static str);

const FORM: InvalidRedisUrl = InvalidRedisUrl(
    "is not the address of a Redis; write redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], or rediss:// for TLS, and percent-encode special characters in the password",
);
const UNCHECKED: InvalidRedisUrl = InvalidRedisUrl(
    "asks for TLS without checking the certificate (#insecure), which this host does not support; leave it out, and trust the authority with --ca-file",
);
const SOCKET: InvalidRedisUrl =
    InvalidRedisUrl("names a socket file, which this host does not support; write redis://HOST");

impl FromStr for RedisUrl {
    type Err = InvalidRedisUrl;

    fn from_str(text: &str) -> Result<Self, InvalidRedisUrl> {
        let (scheme, rest) = text.split_once("://").ok_or(FORM)?;
        let tls = match scheme {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            "unix" | "redis+unix" | "valkey+unix" => return Err(SOCKET),
            _ => return Err(FORM),
        };
        if rest.ends_with("#insecure") {
            return Err(UNCHECKED);
        }
        // The library is built without TLS and rejects such URLs: the connection that it gets has TLS already.
        let info = format!("redis://{rest}")
            .into_connection_info()
            .map_err(|_| FORM)?;
        let ConnectionAddr::Tcp(host, port) = info.addr().clone() else {
            return Err(FORM);
        };
        Ok(Self {
            text: text.to_owned(),
            host,
            port,
            tls,
            settings: info.redis_settings().clone(),
        })
    }
}

impl RedisUrl {
    /// The name or address of its machine.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.tls
    }

    /// User, password and database.
    pub(crate) fn settings(&self) -> &RedisConnectionInfo {
        &self.settings
    }
}

impl PartialEq for RedisUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for RedisUrl {}

impl fmt::Display for RedisUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let (open, close) = if self.host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        write!(
            formatter,
            "{scheme}://{open}{}{close}:{}/{}",
            self.host,
            self.port,
            self.settings.db()
        )
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_displayed_without_secrets() {
        let cases = [
            ("redis://127.0.0.1", "redis://127.0.0.1:6379/0"),
            ("redis://:s%3Fcret@cache:7000/3", "redis://cache:7000/3"),
            ("rediss://me:secret@[::1]/1", "rediss://[::1]:6379/1"),
            ("valkeys://cache", "rediss://cache:6379/0"),
        ];
        for (text, shown) in cases {
            let url: RedisUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
        }
        let url: RedisUrl = "redis://me:s%3Fcret@cache/3".parse().unwrap();
        let settings = url.settings();
        assert_eq!(
            (settings.username(), settings.password(), settings.db()),
            (Some("me"), Some("s?cret"), 3)
        );
    }

    #[test]
    fn an_invalid_address_is_rejected_without_being_repeated() {
        for text in [
            "",
            "127.0.0.1:6379",
            "http://secret",
            "redis://",
            "redis://:secret@cache/name",
            "redis://:sec/ret@cache",
            "redis://:secret@0.0.0.0",
            "rediss://:secret@cache#insecure",
            "redis+unix:///secret",
        ] {
            let error = text.parse::<RedisUrl>().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{text}: {error}");
        }
    }
}
