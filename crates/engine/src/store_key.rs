//! One logical key, encoded for the store in use.

use crate::hash::fnv1a;
use crate::settings::StoreKind;
use std::fmt::Write;

/// Spin's file store takes 256 bytes; longer keys end in a hash of the whole.
const MAX_BYTES: usize = 256;

/// The key as the store accepts it. Bytes that it does not accept are written as
/// hex behind an escape that is itself escaped, so that two keys never collide.
#[must_use]
pub fn encode(kind: StoreKind, key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for byte in key.bytes() {
        match kind {
            StoreKind::EdgeKv if byte.is_ascii_alphanumeric() || byte == b'-' => {
                out.push(byte as char);
            }
            StoreKind::EdgeKv => push_escaped(&mut out, '_', byte),
            // Azure Cosmos DB behind Spin's interface bars these four.
            _ if byte.is_ascii_graphic() && !b"/\\?#%".contains(&byte) => out.push(byte as char),
            _ => push_escaped(&mut out, '%', byte),
        }
    }
    if out.len() > MAX_BYTES {
        out.truncate(MAX_BYTES - 9);
        let _ = write!(out, "-{:08x}", fnv1a(key));
    }
    out
}

fn push_escaped(out: &mut String, escape: char, byte: u8) {
    let _ = write!(out, "{escape}{byte:02X}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_key_is_legal_everywhere() {
        assert_eq!(encode(StoreKind::Spin, "proxy:fastest"), "proxy:fastest");
        assert_eq!(
            encode(StoreKind::WorkersKv, "proxy:fastest"),
            "proxy:fastest"
        );
        assert_eq!(
            encode(StoreKind::EdgeKv, "proxy:fastest"),
            "proxy_3Afastest"
        );
        assert_eq!(encode(StoreKind::EdgeKv, "a-1"), "a-1");
    }

    #[test]
    fn different_keys_stay_different() {
        assert_eq!(encode(StoreKind::Spin, "a/b"), "a%2Fb");
        assert_eq!(encode(StoreKind::Spin, "a%2Fb"), "a%252Fb");
        assert_eq!(encode(StoreKind::EdgeKv, "a_3Ab"), "a_5F3Ab");
        assert_eq!(encode(StoreKind::Spin, "é"), "%C3%A9");
    }

    #[test]
    fn a_long_key_keeps_within_the_limit_and_apart() {
        let one = encode(StoreKind::Spin, &"k".repeat(300));
        let two = encode(StoreKind::Spin, &"k".repeat(301));
        assert_eq!((one.len(), two.len()), (256, 256));
        assert_ne!(one, two);
        let longest = "k".repeat(256);
        assert_eq!(encode(StoreKind::Spin, &longest), longest, "it fits");
    }
}
