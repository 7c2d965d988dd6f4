//! Whether a cache on the way sent a response in its target's place.

use super::is;

/// The fields in which caches say what they did, in words of their own:
/// `Hit from cloudfront`, `MISS, HIT`, `TCP_MEM_HIT`.
const VERDICTS: [&str; 2] = ["x-cache", "cf-cache-status"];

/// Whether a response was stored before it was asked for: it has been in a cache
/// for some time (`Age`, RFC 9111 §5.1), or a cache says that it was found there.
#[must_use]
pub fn is_from_cache(fields: &[(String, Vec<u8>)]) -> bool {
    fields.iter().any(|(name, value)| {
        let says_hit = || value.split(|byte| *byte == b',').any(is_hit);
        is(name, "age") && is_positive(value)
            || VERDICTS.iter().any(|verdict| is(name, verdict)) && says_hit()
    })
}

/// A whole number of seconds above 0. Of a list the first counts, as the RFC has it.
fn is_positive(value: &[u8]) -> bool {
    let first = value.split(|byte| *byte == b',').next().unwrap_or_default();
    let digits = first.trim_ascii();
    digits.iter().all(u8::is_ascii_digit) && digits.iter().any(|digit| *digit != b'0')
}

/// Whether one cache found the response. One that asked the target if what it
/// had was still good did as `no-cache` says, and calls that `TCP_REFRESH_HIT`.
fn is_hit(verdict: &[u8]) -> bool {
    let has = |wanted: &str| {
        verdict
            .split(|byte| !byte.is_ascii_alphanumeric())
            .any(|word| word.eq_ignore_ascii_case(wanted.as_bytes()))
    };
    has("hit") && !has("refresh")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_and_the_words_of_caches_tell() {
        for (name, value, wanted) in [
            ("age", "1", true),
            ("Age", " 3600 ", true),
            ("age", "10, 0", true),
            ("age", "0", false),
            ("age", "000", false),
            ("age", "", false),
            ("age", "0, 10", false),
            ("age", "soon", false),
            ("age", "-5", false),
            ("x-cache", "HIT", true),
            ("X-Cache", "Hit from cloudfront", true),
            ("x-cache", "MISS, HIT", true),
            ("x-cache", "HIT, MISS", true),
            ("x-cache", "TCP_MEM_HIT from a2-16-0-1", true),
            ("x-cache", "MISS", false),
            ("x-cache", "Miss from cloudfront", false),
            ("x-cache", "RefreshHit from cloudfront", false),
            ("x-cache", "TCP_REFRESH_HIT", false),
            ("x-cache", "TCP_REFRESH_HIT, TCP_HIT", true),
            ("x-cache", "WHITE", false),
            ("cf-cache-status", "HIT", true),
            ("CF-Cache-Status", "hit", true),
            ("cf-cache-status", "DYNAMIC", false),
            ("cf-cache-status", "REVALIDATED", false),
            ("x-cache-hits", "HIT", false),
        ] {
            let fields = [(name.to_owned(), value.as_bytes().to_vec())];
            assert_eq!(is_from_cache(&fields), wanted, "{name}: {value}");
        }
    }

    #[test]
    fn any_field_suffices() {
        let fields = [("age", "0"), ("x-cache", "MISS"), ("x-cache", "HIT")]
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        assert!(is_from_cache(&fields));
        assert!(!is_from_cache(&fields[..2]) && !is_from_cache(&[]));
    }
}
