//! Texts, cut apart and read, for the settings and the targets.
//!
//! The standard library's searchers, formatters and number parsers would do, and
//! did. But the engine is also what JavaScript edges load at each cold start,
//! and there they were a sixth of all bytes.

/// The whole numbers up to here are exact: 2^53.
pub(crate) const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// What stands before the first of `marks`, which are ASCII, and the rest from
/// there on; without any of them, all of it and nothing.
pub(crate) fn cut<'a>(text: &'a str, marks: &[u8]) -> (&'a str, &'a str) {
    text.bytes()
        .position(|byte| is_one_of(byte, marks))
        .and_then(|place| text.split_at_checked(place))
        .unwrap_or((text, ""))
}

/// Whether a byte is in a short list.
#[expect(
    clippy::manual_contains,
    reason = "`contains` brings a search by words of memory, for lists of a few bytes"
)]
pub(crate) fn is_one_of(byte: u8, list: &[u8]) -> bool {
    list.iter().any(|known| *known == byte)
}

/// The parts, one after the other.
pub(crate) fn concat(parts: &[&str]) -> String {
    join(parts, "")
}

/// The parts with something between them.
pub(crate) fn join(parts: &[&str], between: &str) -> String {
    let mut whole = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            whole.push_str(between);
        }
        whole.push_str(part);
    }
    whole
}

/// The words between commas and white space of any kind.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in text.chars().chain([',']) {
        if character != ',' && !character.is_whitespace() {
            word.push(character);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    words
}

/// Where a word stands in a list, whatever its case.
pub(crate) fn place(list: &[&str], word: &str) -> Option<usize> {
    list.iter()
        .position(|known| known.eq_ignore_ascii_case(word))
}

/// Whether a word is in a list, whatever its case.
pub(crate) fn says(list: &[&str], word: &str) -> bool {
    place(list, word).is_some()
}

/// The number that the text is all digits of; NaN for any other text, since no
/// comparison holds of that.
pub(crate) fn whole_number(text: &str) -> f64 {
    let mut number = if text.is_empty() { f64::NAN } else { 0.0 };
    for byte in text.bytes() {
        if !byte.is_ascii_digit() {
            return f64::NAN;
        }
        number = number * 10.0 + f64::from(byte - b'0');
    }
    number
}

/// The digits of a whole number, which is below 2^53.
pub(crate) fn digits(number: f64) -> String {
    let mut digits = String::new();
    push_digits(&mut digits, number);
    digits
}

/// Appends the digits of a whole number; of one that is not below 2^53 those of
/// 2^53.
pub(crate) fn push_digits(out: &mut String, number: f64) {
    let number = number.min(MOST_EXACT);
    let tens = (number / 10.0).floor();
    if tens > 0.0 {
        push_digits(out, tens);
    }
    out.push(char::from(b'0' + (number - 10.0 * tens) as u8));
}

/// Appends so many hexadecimal digits, in lower case.
pub(crate) fn push_hex(out: &mut String, number: u32, digits: u32) {
    for place in (0..digits).rev() {
        out.extend(char::from_digit(number >> (4 * place) & 15, 16));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts_before_the_first_mark() {
        assert_eq!(cut("a:b:c", b":"), ("a", ":b:c"));
        assert_eq!(cut("path?q#f", b"#?"), ("path", "?q#f"));
        assert_eq!(cut("é/", b"/"), ("é", "/"));
        assert_eq!(cut("none", b"/"), ("none", ""));
    }

    #[test]
    fn parts_are_put_together() {
        assert_eq!(concat(&["a", "", "b"]), "ab");
        assert_eq!(join(&["a", "b", "c"], ", "), "a, b, c");
        assert_eq!(join(&[], ", "), "");
    }

    #[test]
    fn words_stand_between_commas_and_any_white_space() {
        assert_eq!(words(" a,\tb ,,\u{3000}c\u{a0}"), ["a", "b", "c"]);
        assert!(words(" , ").is_empty());
    }

    #[test]
    fn hexadecimal_digits_have_zeros_in_front() {
        let mut out = String::new();
        push_hex(&mut out, 0x1f, 4);
        push_hex(&mut out, 0xdead_beef, 8);
        assert_eq!(out, "001fdeadbeef");
    }

    #[test]
    fn what_is_no_number_has_digits_all_the_same() {
        for number in [f64::INFINITY, f64::MAX, f64::NAN] {
            assert!(digits(number).len() <= 16);
        }
    }

    #[test]
    fn only_digits_are_a_number() {
        assert_eq!(whole_number("0042"), 42.0);
        for text in ["", "+1", "-1", "1.5", "1e3", " 1", "½"] {
            assert!(whole_number(text).is_nan(), "{text}");
        }
        assert!(whole_number(&"9".repeat(400)).is_infinite());
    }

    proptest! {
        #[test]
        fn digits_are_those_that_the_standard_library_writes(number in 0u64..1 << 53) {
            prop_assert_eq!(digits(number as f64), number.to_string());
        }

        #[test]
        fn any_number_has_few_digits(number: f64) {
            prop_assert!(digits(number.abs()).len() <= 16);
        }
    }
}
