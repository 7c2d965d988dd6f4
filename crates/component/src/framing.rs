//! How a request states the length of its body, where the sending host must be
//! told.

use function_fetch_engine::headers::Fields;

/// Whether the host would not send a body of unknown length: the HTTP library
/// of most hosts (hyper) treats such requests with these methods as having no
/// body.
#[must_use]
pub fn needs_length(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

/// Sets the length of the body, 0 for none, where the fields do not have it.
/// Without it some hosts would give a request without a body an empty chunked
/// one; GET and HEAD need it only when they have a body.
pub fn state_length(fields: &mut Fields, method: &str, length: usize) {
    let goes_without_saying = length == 0 && needs_length(method);
    if !goes_without_saying && content_length(fields).is_none() {
        fields.push(("content-length".into(), length.to_string().into_bytes()));
    }
}

/// The size of the fields of a response that is passed on without being built anew, bytes: below the limit of every host.
const PLAIN_BYTES: usize = 16 * 1024;

/// Whether nothing in the fields of a response has to be checked by building them anew, as a host does: their size, and a
/// length that is stated twice or oddly, which makes the response a failed attempt.
#[must_use]
pub fn is_plain(fields: &Fields) -> bool {
    let is_length = |name: &str| name.eq_ignore_ascii_case("content-length");
    let mut lengths = fields.iter().filter(|(name, _)| is_length(name));
    let is_canonical = |value: &[u8]| {
        !value.is_empty()
            && value.len() < 19
            && value.iter().all(u8::is_ascii_digit)
            && (value == b"0" || value[0] != b'0')
    };
    let length_is_plain = lengths.next().is_none_or(|(_, value)| is_canonical(value));
    let bytes: usize = fields
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    length_is_plain && lengths.next().is_none() && bytes <= PLAIN_BYTES
}

/// The `Content-Length`, where it is valid.
#[must_use]
pub fn content_length(fields: &Fields) -> Option<u64> {
    let (_, value) = fields
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    let digits = std::str::from_utf8(value).ok()?.trim();
    // `parse` would accept a sign.
    let sound = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(length: &str) -> Fields {
        vec![("Content-Length".into(), length.into())]
    }

    #[test]
    fn only_a_plain_response_is_passed_on_as_it_is() {
        assert!(is_plain(&vec![]));
        for (length, plain) in [
            ("0", true),
            ("12", true),
            ("012", false),
            ("5, 5", false),
            ("", false),
            ("+1", false),
        ] {
            assert_eq!(is_plain(&fields(length)), plain, "{length}");
        }
        assert!(!is_plain(&[fields("5"), fields("5")].concat()));
        let large = vec![("x".to_owned(), vec![b'x'; PLAIN_BYTES])];
        assert!(!is_plain(&large));
    }

    #[test]
    fn a_length_is_all_digits() {
        for (given, wanted) in [
            ("0", Some(0)),
            (" 12 ", Some(12)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("+5", None),
            ("-5", None),
            ("5, 5", None),
            ("0x5", None),
            ("", None),
        ] {
            assert_eq!(content_length(&fields(given)), wanted, "{given}");
        }
    }

    #[test]
    fn a_length_is_stated_once_and_where_it_is_needed() {
        for (method, length, wanted) in [
            ("GET", 0, None),
            ("HEAD", 0, None),
            ("GET", 5, Some("5")),
            ("POST", 0, Some("0")),
            ("OPTIONS", 0, Some("0")),
        ] {
            let mut list = Fields::new();
            state_length(&mut list, method, length);
            let stated = list.first().map(|(_, value)| value.as_slice());
            assert_eq!(stated, wanted.map(str::as_bytes), "{method} {length}");
        }
        let mut list = fields("7");
        state_length(&mut list, "POST", 7);
        assert_eq!(list, fields("7"));
    }
}
