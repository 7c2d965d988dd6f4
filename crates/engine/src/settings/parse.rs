//! How the text of a setting becomes a value, or a problem with its remedy.

use super::list;
use super::statuses::{self, Statuses};
use super::table::{
    Choice, Difference, Flag, Methods, Number, NumberOrOff, Path, Setting, StatusList, Text,
};
use super::{Margin, Problem};
use crate::json::Json;
use crate::time::Millis;

/// What a flag may say.
const YES: [&str; 5] = ["1", "true", "yes", "y", "on"];
const NO: [&str; 5] = ["0", "false", "no", "n", "off"];

/// What turns a number off.
const OFF: [&str; 5] = ["off", "none", "no", "false", "0"];

/// What the table of settings writes out.
const DEFAULT_MARGIN: Margin = Margin {
    percent: 20.0,
    least: Millis(10.0),
};

/// Looks settings up and collects what is wrong with them.
pub(super) struct Reader<'a> {
    given: &'a [(String, String)],
    pub(super) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(given: &'a [(String, String)]) -> Self {
        Self {
            given,
            problems: Vec::new(),
        }
    }

    pub(super) fn problem(&mut self, setting: &'static str, reason: String) {
        self.problems.push(Problem { setting, reason });
    }

    /// A problem with what was given: what is wrong with it, and what would be
    /// right or is used instead.
    pub(super) fn refuse(
        &mut self,
        setting: &'static str,
        given: &str,
        wrong: &str,
        right: &[&str],
        then: &str,
    ) {
        let reason = format!("{}{wrong}{}{then}", quote(given), right.join(", "));
        self.problem(setting, reason);
    }

    /// The setting's text, trimmed; a blank one counts as not set.
    pub(super) fn text(&self, setting: &str) -> Option<&'a str> {
        let (_, text) = self.given.iter().find(|(name, _)| name == setting)?;
        let text = text.trim();
        (!text.is_empty()).then_some(text)
    }

    /// The setting's text, else its default, if it has one.
    pub(super) fn text_or_default(&self, setting: Setting<Text>) -> Option<&'a str> {
        self.text(setting.name).or(setting.kind.default)
    }

    /// A list of words; in a JSON array they may be whole numbers.
    pub(super) fn list(&mut self, setting: &'static str) -> Vec<String> {
        let Some(entries) = list::read(self.text(setting).unwrap_or_default()) else {
            let reason = "begins with [ but is not a JSON array, such as [\"a\", \"b\"]";
            self.problem(setting, reason.to_owned());
            return Vec::new();
        };
        let mut words = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            match entry {
                Json::Text(word) => words.push(word.trim().to_owned()),
                Json::Whole(number) => words.push(number.to_string()),
                _ => {
                    let place = index + 1;
                    let wrong = "is neither a string nor a whole number; left out";
                    self.problem(setting, format!("entry {place} {wrong}"));
                }
            }
        }
        words
    }

    pub(super) fn flag(&mut self, setting: Setting<Flag>) -> bool {
        let Flag { default } = setting.kind;
        let Some(text) = self.text(setting.name) else {
            return default;
        };
        if place(&YES, text).is_some() {
            return true;
        }
        if place(&NO, text).is_some() {
            return false;
        }
        let used = if default { "true" } else { "false" };
        let wrong = " is neither true nor false; using ";
        self.refuse(setting.name, text, wrong, &[], used);
        default
    }

    pub(super) fn number(&mut self, setting: Setting<Number>) -> u32 {
        self.number_or(setting, setting.kind.default.unwrap_or_default())
    }

    /// A number whose default depends on other things.
    pub(super) fn number_or(&mut self, setting: Setting<Number>, default: u32) -> u32 {
        let Number { least, most, .. } = setting.kind;
        self.bounded(setting.name, default, least, most)
    }

    /// A number, or 0 for `off`, `none` and the like.
    pub(super) fn number_or_off(&mut self, setting: Setting<NumberOrOff>) -> u32 {
        let off = |text| place(&OFF, text).is_some();
        if self.text(setting.name).is_none_or(off) {
            return 0;
        }
        let NumberOrOff { least, most } = setting.kind;
        self.bounded(setting.name, 0, least, most)
    }

    fn bounded(&mut self, setting: &'static str, default: u32, least: u32, most: u32) -> u32 {
        let Some(text) = self.text(setting) else {
            return default;
        };
        // `parse` would take a sign.
        let is_whole = text.bytes().all(|byte| byte.is_ascii_digit());
        let (wrong, limit) = match text.parse::<u32>() {
            _ if !is_whole => (" is not a whole number up to ", most),
            Ok(number) if number < least => (" is below the least, ", least),
            Ok(number) if number <= most => return number,
            _ => (" is above the most, ", most),
        };
        let then = format!("; using {default}");
        self.refuse(setting, text, wrong, &[&limit.to_string()], &then);
        default
    }

    /// Which of the choices it is; the first, where it is none of them.
    pub(super) fn choice(&mut self, setting: Setting<Choice>) -> usize {
        let Choice { words } = setting.kind;
        let Some(text) = self.text(setting.name) else {
            return 0;
        };
        place(words, text).unwrap_or_else(|| {
            let then = format!("; using {}", words[0]);
            self.refuse(setting.name, text, " is not one of ", words, &then);
            0
        })
    }

    /// A path with an optional query, made to begin with `/`.
    pub(super) fn path(&mut self, setting: Setting<Path>) -> Option<String> {
        let text = self.text(setting.name)?;
        let slash = if text.starts_with('/') { "" } else { "/" };
        let path = format!("{slash}{text}");
        if crate::target::may_stand_in_path(&path) {
            return Some(path);
        }
        let wrong = " is not a path; write other characters percent-encoded";
        self.refuse(setting.name, &path, wrong, &[], "");
        None
    }

    /// `20%,10ms`: a share, an absolute amount, or both; and how that is written.
    pub(super) fn margin(&mut self, setting: Setting<Difference>) -> (Margin, String) {
        let parts = self.list(setting.name);
        let default = || (DEFAULT_MARGIN, setting.kind.default.to_owned());
        if parts.is_empty() {
            return default();
        }
        let mut margin = Margin {
            percent: 0.0,
            least: Millis::ZERO,
        };
        for part in &parts {
            let amount = |unit| {
                // `parse` would take NaN, infinity and signs.
                Json::parse(part.strip_suffix(unit)?)?
                    .number()
                    .filter(|value| (0.0..=100_000.0).contains(value))
            };
            if let Some(percent) = amount("%") {
                margin.percent = percent;
            } else if let Some(ms) = amount("ms") {
                margin.least = Millis(ms);
            } else {
                let wrong = " is neither a share like 20% nor a time like 10ms; using 20%,10ms";
                self.refuse(setting.name, part, wrong, &[], "");
                return default();
            }
        }
        (margin, parts.join(","))
    }

    /// Methods, in upper case.
    pub(super) fn methods(&mut self, setting: Setting<Methods>) -> Vec<&'static str> {
        let Methods { default, known } = setting.kind;
        let given = self.list(setting.name);
        let mut methods = Vec::new();
        for word in &given {
            // `none` and an empty list in JSON say: repeat nothing.
            if given.len() == 1 && word.eq_ignore_ascii_case("none") {
                return methods;
            }
            let Some(place) = place(known, word) else {
                self.refuse(setting.name, word, " is not one of ", known, "; left out");
                continue;
            };
            if !methods.contains(&known[place]) {
                methods.push(known[place]);
            }
        }
        if methods.is_empty() {
            methods = default.to_vec();
        }
        methods
    }

    /// Statuses and ranges of them.
    pub(super) fn statuses(&mut self, setting: Setting<StatusList>) -> Statuses {
        let mut statuses = Statuses::none();
        for word in &self.list(setting.name) {
            match statuses::parse(word) {
                Some(range) => statuses.insert(range),
                None => {
                    let wrong = " is neither a status from 400 to 599 nor a range such as \
                                 502-504; left out";
                    self.refuse(setting.name, word, wrong, &[], "");
                }
            }
        }
        if statuses.is_empty() {
            statuses = Statuses::default();
        }
        statuses
    }
}

/// Where a word stands in a list, whatever its case.
pub(super) fn place(list: &[&str], word: &str) -> Option<usize> {
    list.iter()
        .position(|known| known.eq_ignore_ascii_case(word))
}

/// The text as it stands in a message: quoted, and cut where it is long.
pub(super) fn quote(text: &str) -> String {
    const MOST: usize = 80;
    let mut shown = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == MOST {
            shown.push('…');
            break;
        }
        shown.push(character);
    }
    // Writing a text to memory does not fail.
    serde_json::to_string(&shown).unwrap_or_default()
}
