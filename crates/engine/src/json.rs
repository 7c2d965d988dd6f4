//! JSON, as little of it as the stored record, the notices and the list form of
//! a setting need.
//!
//! `serde_json` would do, and did. But the engine is also what JavaScript edges
//! load at each cold start, and there its number tables and error texts were
//! half of all bytes.

use std::str::Chars;

/// The most that values may be nested: our own are three deep.
const MOST_LEVELS: u32 = 8;

/// A value that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    /// A member of an object. Of a repeated one the last, as is usual.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members
                .iter()
                .rfind(|(known, _)| known == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A whole number from 0 on.
    pub(crate) fn count(&self) -> Option<u32> {
        self.number()
            .filter(|number| {
                number.floor() == *number && (0.0..=f64::from(u32::MAX)).contains(number)
            })
            .map(|number| number as u32)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }
}

/// Reads one value (RFC 8259), and nothing after it.
pub(crate) fn read(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text.chars() };
    let value = reader.value(MOST_LEVELS)?;
    reader.skip_space();
    reader.is_done().then_some(value)
}

struct Reader<'a> {
    rest: Chars<'a>,
}

impl Reader<'_> {
    fn value(&mut self, levels: u32) -> Option<Value> {
        let levels = levels.checked_sub(1)?;
        self.skip_space();
        match self.peek() {
            '{' => {
                let mut members = Vec::new();
                let mut more = self.opens('}')?;
                while more {
                    self.skip_space();
                    let name = self.string()?;
                    self.skip_space();
                    self.take(":")?;
                    members.push((name, self.value(levels)?));
                    more = self.goes_on('}')?;
                }
                Some(Value::Object(members))
            }
            '[' => {
                let mut values = Vec::new();
                let mut more = self.opens(']')?;
                while more {
                    values.push(self.value(levels)?);
                    more = self.goes_on(']')?;
                }
                Some(Value::List(values))
            }
            '"' => self.string().map(Value::Text),
            'n' => self.take("null").map(|()| Value::Null),
            't' => self.take("true").map(|()| Value::Bool(true)),
            'f' => self.take("false").map(|()| Value::Bool(false)),
            _ => self.number().map(Value::Number),
        }
    }

    /// Goes past the opening bracket: whether there is anything before `end`.
    fn opens(&mut self, end: char) -> Option<bool> {
        self.next()?;
        self.skip_space();
        Some(!self.skip(end))
    }

    /// Goes past the comma after an item, or past `end`.
    fn goes_on(&mut self, end: char) -> Option<bool> {
        self.skip_space();
        if self.skip(end) {
            return Some(false);
        }
        self.take(",").map(|()| true)
    }

    fn string(&mut self) -> Option<String> {
        self.take("\"")?;
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                '\0'..='\u{1f}' => return None,
                character => text.push(character),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            character @ ('"' | '\\' | '/') => character,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.hex()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first);
                }
                self.take("\\u")?;
                let low = self.hex()?.checked_sub(0xdc00)?;
                return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + low);
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let mut value = 0;
        for _ in 0..4 {
            value = value << 4 | self.next()?.to_digit(16)?;
        }
        Some(value)
    }

    fn number(&mut self) -> Option<f64> {
        let negative = self.skip('-');
        let mut decimal = Decimal::default();
        if self.skip('0') {
            // Nothing but a point or an exponent may follow.
            if self.peek().is_ascii_digit() {
                return None;
            }
        } else {
            self.digits(&mut decimal, 0)?;
        }
        if self.skip('.') {
            self.digits(&mut decimal, -1)?;
        }
        if self.skip('e') || self.skip('E') {
            let down = self.skip('-');
            if !down {
                self.skip('+');
            }
            let mut exponent = Decimal::default();
            self.digits(&mut exponent, 0)?;
            let exponent = exponent.digits.min(1_000.0) as i32;
            decimal.shift += if down { -exponent } else { exponent };
        }
        let value = decimal.value();
        Some(if negative { -value } else { value })
    }

    fn digits(&mut self, decimal: &mut Decimal, shift: i32) -> Option<()> {
        let mut any = None;
        while let Some(digit) = self.peek().to_digit(10) {
            self.next();
            decimal.push(digit, shift);
            any = Some(());
        }
        any
    }

    /// Goes past a text that must come now.
    fn take(&mut self, text: &str) -> Option<()> {
        text.chars().all(|wanted| self.skip(wanted)).then_some(())
    }

    /// Goes past a character, if it is the one that comes now.
    fn skip(&mut self, wanted: char) -> bool {
        let comes = self.peek() == wanted;
        if comes {
            self.next();
        }
        comes
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), ' ' | '\t' | '\n' | '\r') {
            self.next();
        }
    }

    fn next(&mut self) -> Option<char> {
        self.rest.next()
    }

    /// What comes now; at the end a character that stands for nothing in JSON.
    fn peek(&self) -> char {
        self.rest.clone().next().unwrap_or('\0')
    }

    fn is_done(&self) -> bool {
        self.rest.as_str().is_empty()
    }
}

/// A decimal number as it is read: its digits, and where the point stands.
/// Exact for all that have up to fifteen digits and a modest exponent; beyond
/// that it may be off in the last place, which nothing here depends on.
#[derive(Default)]
struct Decimal {
    digits: f64,
    shift: i32,
}

impl Decimal {
    fn push(&mut self, digit: u32, shift: i32) {
        if self.digits < 1e15 {
            self.digits = self.digits * 10.0 + f64::from(digit);
            self.shift += shift;
        } else {
            // Too small to matter, but for its place.
            self.shift += 1 + shift;
        }
    }

    fn value(&self) -> f64 {
        let mut power = 1.0;
        for _ in 0..self.shift.unsigned_abs().min(400) {
            power *= 10.0;
        }
        if self.digits == 0.0 {
            0.0
        } else if self.shift < 0 {
            self.digits / power
        } else {
            self.digits * power
        }
    }
}

/// A decimal number as people and JSON write it, if it is all there is.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let mut reader = Reader { rest: text.chars() };
    let number = reader.number()?;
    reader.is_done().then_some(number)
}

/// Writes a number to three decimals: milliseconds to the microsecond.
pub(crate) fn write_number(out: &mut String, value: f64) {
    let thousandths = (value.abs() * 1000.0 + 0.5).floor();
    if value < 0.0 && thousandths > 0.0 {
        out.push('-');
    }
    let whole = (thousandths / 1000.0).floor();
    *out += &format!("{whole}");
    let mut fraction = (thousandths - 1000.0 * whole) as u32;
    if fraction > 0 {
        out.push('.');
        while fraction > 0 {
            out.push(char::from(b'0' + (fraction / 100) as u8));
            fraction = fraction % 100 * 10;
        }
    }
}

/// Writes a string, quoted.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => {
                *out += &format!("\\u{:04x}", character as u32);
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Both readers' view of a text.
    fn compare(text: &str) {
        let theirs: Option<serde_json::Value> = serde_json::from_str(text).ok();
        assert_eq!(read(text), theirs.map(from), "{text}");
    }

    fn from(theirs: serde_json::Value) -> Value {
        use serde_json::Value as Theirs;
        match theirs {
            Theirs::Null => Value::Null,
            Theirs::Bool(value) => Value::Bool(value),
            Theirs::Number(number) => Value::Number(number.as_f64().expect("a float")),
            Theirs::String(text) => Value::Text(text),
            Theirs::Array(values) => Value::List(values.into_iter().map(from).collect()),
            Theirs::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name, from(value)))
                    .collect(),
            ),
        }
    }

    #[test]
    fn reads_what_serde_json_reads_and_nothing_else() {
        for text in [
            "",
            " ",
            "null",
            "nul",
            "true",
            "false ",
            "truee",
            "0",
            "-0.5",
            "01",
            "-",
            "1.",
            ".5",
            "1e3",
            "1E+2",
            "2.5e-3",
            "1e",
            "123456789.25",
            "\"\"",
            "\"a\\nb\\u0041\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "\"\\x\"",
            "\"",
            "\"\u{1}\"",
            "[]",
            "[ ]",
            "[1,2 , 3]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[",
            "{}",
            "{\"a\":1}",
            "{\"a\" : [true, {\"b\":null}]}",
            "{\"a\"}",
            "{a:1}",
            "{\"a\":1,}",
            "{\"a\":1} x",
            "\"é\"",
            "[\"https://a.com\"]",
        ] {
            compare(text);
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_refused() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&deep(8)).is_some());
        assert!(read(&deep(9)).is_none());
        assert!(read(&deep(100_000)).is_none());
    }

    #[test]
    fn numbers_come_back_to_the_microsecond() {
        for (value, wanted) in [
            (0.0, "0"),
            (5.5, "5.5"),
            (12.345, "12.345"),
            (0.001, "0.001"),
            (0.0004, "0"),
            (-2.5, "-2.5"),
            (-0.0001, "0"),
            (1_700_000_000_123.0, "1700000000123"),
            (19.999_9, "20"),
        ] {
            let mut text = String::new();
            write_number(&mut text, value);
            assert_eq!(text, wanted);
            let back = decimal(&text).unwrap();
            assert!((back - value).abs() <= 0.000_5, "{back} {value}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_written_so_that_it_reads_the_same(text in any::<String>()) {
            let mut written = String::new();
            write_text(&mut written, &text);
            prop_assert_eq!(read(&written), Some(Value::Text(text.clone())));
            prop_assert_eq!(serde_json::from_str::<String>(&written).ok(), Some(text));
        }

        #[test]
        fn no_text_is_more_than_refused(text in "[\\[\\]{}:,\"0-9eE.+truefalsn \\\\-]{0,40}") {
            let ours = read(&text).is_some();
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            // Theirs refuses numbers that are too large for it.
            let out_of_range = theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
            prop_assert!(ours == theirs.is_ok() || out_of_range || text.contains("[[[[["), "{}", text);
        }
    }
}
