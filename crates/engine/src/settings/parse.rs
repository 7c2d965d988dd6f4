//! How the text of a setting becomes a value, or a problem with its remedy.

use super::{Margin, Problem};
use crate::json;
use std::ops::RangeInclusive;

/// Looks settings up and collects what is wrong with them.
pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            problems: Vec::new(),
        }
    }

    pub(super) fn problem(&mut self, setting: &'static str, reason: String) {
        self.problems.push(Problem { setting, reason });
    }

    /// The setting's text, trimmed; a blank one counts as not set.
    pub(super) fn text(&self, setting: &str) -> Option<String> {
        (self.lookup)(setting)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    }

    /// A JSON array of strings, or a list split on commas and any white space.
    pub(super) fn list(&mut self, setting: &'static str) -> Vec<String> {
        let Some(text) = self.text(setting) else {
            return Vec::new();
        };
        split_list(&text).unwrap_or_else(|reason| {
            self.problem(setting, reason);
            Vec::new()
        })
    }

    pub(super) fn flag(&mut self, setting: &'static str, default: bool) -> bool {
        let Some(text) = self.text(setting) else {
            return default;
        };
        match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "y" | "on" => true,
            "0" | "false" | "no" | "n" | "off" => false,
            _ => {
                self.problem(
                    setting,
                    format!(
                        "{} is neither true nor false; using {default}",
                        quote(&text)
                    ),
                );
                default
            }
        }
    }

    pub(super) fn number(
        &mut self,
        setting: &'static str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> u32 {
        let Some(text) = self.text(setting) else {
            return default;
        };
        whole_number(&text, &range).unwrap_or_else(|reason| {
            self.problem(setting, format!("{reason}; using {default}"));
            default
        })
    }

    /// A number, or 0 for `off`, `none` and the like.
    pub(super) fn number_or_off(
        &mut self,
        setting: &'static str,
        range: RangeInclusive<u32>,
    ) -> u32 {
        let off = self.text(setting).is_none_or(|text| {
            ["off", "none", "no", "false", "0"].contains(&text.to_ascii_lowercase().as_str())
        });
        if off {
            return 0;
        }
        self.number(setting, 0, range)
    }

    pub(super) fn choice(
        &mut self,
        setting: &'static str,
        choices: &[&'static str],
    ) -> Option<&'static str> {
        let text = self.text(setting)?;
        let found = choices
            .iter()
            .find(|choice| choice.eq_ignore_ascii_case(&text));
        if found.is_none() {
            self.problem(
                setting,
                format!(
                    "{} is not one of {}; using {}",
                    quote(&text),
                    choices.join(", "),
                    choices[0]
                ),
            );
        }
        found.copied()
    }

    /// A path with an optional query, made to begin with `/`.
    pub(super) fn path(&mut self, setting: &'static str) -> Option<String> {
        let text = self.text(setting)?;
        let path = if text.starts_with('/') {
            text
        } else {
            format!("/{text}")
        };
        if path.contains('#') || !crate::target::may_stand_in_path(&path) {
            self.problem(
                setting,
                format!(
                    "{} is not a path; write other characters percent-encoded",
                    quote(&path)
                ),
            );
            return None;
        }
        Some(path)
    }

    /// `20%,10ms`: a share, an absolute amount, or both.
    pub(super) fn margin(&mut self, setting: &'static str, default: Margin) -> Margin {
        let mut margin = Margin {
            percent: 0.0,
            ms: 0.0,
        };
        let parts = self.list(setting);
        if parts.is_empty() {
            return default;
        }
        for part in &parts {
            let amount = |unit| {
                part.strip_suffix(unit)
                    .and_then(|digits| json::decimal(digits.trim()))
                    .filter(|value| (0.0..=100_000.0).contains(value))
            };
            if let Some(percent) = amount("%") {
                margin.percent = percent;
            } else if let Some(ms) = amount("ms") {
                margin.ms = ms;
            } else {
                let mut reason = quote(part);
                reason += " is neither a share like 20% nor a time like 10ms; using ";
                json::write_number(&mut reason, default.percent);
                reason += "%,";
                json::write_number(&mut reason, default.ms);
                reason += "ms";
                self.problem(setting, reason);
                return default;
            }
        }
        margin
    }

    pub(super) fn methods(&mut self, setting: &'static str, default: &[&str]) -> Vec<String> {
        const KNOWN: [&str; 8] = [
            "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "POST", "PATCH",
        ];
        let mut methods: Vec<String> = Vec::new();
        let mut given = self.list(setting);
        given
            .iter_mut()
            .for_each(|word| word.make_ascii_uppercase());
        // `none` and an empty list in JSON say: repeat nothing.
        if given == ["NONE"] {
            return methods;
        }
        for word in given {
            if !KNOWN.contains(&word.as_str()) {
                self.problem(
                    setting,
                    format!(
                        "{} is not one of {}; left out",
                        quote(&word),
                        KNOWN.join(", ")
                    ),
                );
            } else if !methods.contains(&word) {
                methods.push(word);
            }
        }
        if methods.is_empty() {
            methods = default.iter().map(|word| (*word).to_owned()).collect();
        }
        methods
    }
}

/// The two list forms of the user's document.
pub(super) fn split_list(text: &str) -> Result<Vec<String>, String> {
    let words: Vec<String> = if text.starts_with('[') {
        strings(text)
            .ok_or("begins with [ but is not a JSON array of strings, such as [\"a\", \"b\"]")?
    } else {
        text.split(|c: char| c == ',' || c.is_whitespace())
            .map(str::to_owned)
            .collect()
    };
    Ok(words
        .iter()
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect())
}

fn strings(json: &str) -> Option<Vec<String>> {
    json::read(json)?
        .list()?
        .iter()
        .map(|value| value.text().map(str::to_owned))
        .collect()
}

fn whole_number(text: &str, range: &RangeInclusive<u32>) -> Result<u32, String> {
    let (least, most) = (range.start(), range.end());
    let number: u64 = text
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().unwrap_or(u64::MAX))
        .ok_or_else(|| format!("{} is not a whole number", quote(text)))?;
    match u32::try_from(number) {
        Ok(number) if range.contains(&number) => Ok(number),
        _ if number < u64::from(*least) => Err(format!("{number} is below the least, {least}")),
        _ => Err(format!("{} is above the most, {most}", quote(text))),
    }
}

/// The text as it stands in a message: quoted, and cut where it is long.
pub(super) fn quote(text: &str) -> String {
    const MOST: usize = 80;
    let mut quoted = String::new();
    let mut shown: String = text.chars().take(MOST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    json::write_text(&mut quoted, &shown);
    quoted
}
