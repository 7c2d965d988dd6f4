//! The page as HTML. The templates are in `status/`; they escape every value.

use crate::drawing::{self, Recent};
use crate::preference::Language;
use crate::words::{Text, Words, time};
use askama::Template;
use function_fetch_engine::settings::Value;
use function_fetch_engine::status::{FoundBy, Micros, Moment, Source, Standing, Target};
use function_fetch_engine::{Notice, Status};
use std::fmt;

const STYLE: &str = include_str!("../../../status/style.css");
const SCRIPT: &str = include_str!("../../../status/script.js");

/// The columns of the table of targets.
const COLUMNS: [Text; 5] = [
    Text::Rank,
    Text::Target,
    Text::Health,
    Text::Latency,
    Text::Recent,
];

/// A name that is longer is shown in part: its beginning and its end, which tell
/// long names apart.
const LONG: usize = 72;
const BEGINNING: usize = 44;
const END: usize = 24;

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignIn<'a> {
    words: &'static dyn Words,
    path: &'a str,
    wrong: bool,
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    words: &'static dyn Words,
    path: &'a str,
    status: &'a Status,
}

/// The form that asks for the token; `wrong`: one was given.
pub(crate) fn sign_in(path: &str, language: Language, wrong: bool) -> String {
    let words = language.words();
    rendered(&SignIn { words, path, wrong })
}

pub(crate) fn status(status: &Status, path: &str, language: Language) -> String {
    let words = language.words();
    rendered(&Page {
        words,
        path,
        status,
    })
}

/// A moment, and how far it is from now.
#[derive(Template)]
#[template(path = "time.html")]
struct Time<'a> {
    at: &'a Moment,
    clock: String,
    distance: String,
}

/// A target.
#[derive(Template)]
#[template(path = "name.html")]
struct Name<'a> {
    name: &'a str,
    short: String,
}

/// Text in memory. To append is a call: its code would else be there once for each piece
/// of a template.
#[derive(Default)]
struct Sink(String);

impl fmt::Write for Sink {
    #[inline(never)]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        Ok(())
    }
}

fn rendered(template: &impl Template) -> String {
    let mut sink = Sink::default();
    // Writing to memory does not fail, and neither does anything that the templates call.
    let _ = template.render_into(&mut sink);
    sink.0
}

impl Page<'_> {
    /// The time of day; the script makes it the reader's.
    fn clock(&self, at: &Moment) -> String {
        let seconds = at.0 / 1000;
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        format!("{hour:02}:{minute:02}:{second:02} UTC")
    }

    /// How far that is from the moment of the status.
    fn distance(&self, at: &Moment) -> String {
        let now = self.status.at;
        if *at > now {
            self.words.ahead(at.0 - now.0)
        } else {
            self.words.ago(now.0 - at.0)
        }
    }

    fn source(&self) -> &'static str {
        self.words.source(self.status.decision.source)
    }

    fn no_decision(&self) -> &'static str {
        self.words.no_decision(self.status.decision.probing)
    }

    fn requests(&self) -> String {
        self.words.instance(self.status.instance.requests)
    }

    fn margin(&self) -> String {
        let decision = &self.status.decision;
        let below = decision.challenger_below_us.map(time);
        self.words.margin(&decision.margin, below.as_deref())
    }

    /// A moment as HTML.
    fn time(&self, at: &Moment) -> String {
        rendered(&Time {
            at,
            clock: self.clock(at),
            distance: self.distance(at),
        })
    }

    /// A target as HTML.
    fn name(&self, name: &str) -> String {
        let short = short(name);
        rendered(&Name { name, short })
    }

    /// The targets that the decision names beside the primary.
    fn others(&self) -> Vec<(&'static str, &String)> {
        let decision = &self.status.decision;
        let chosen = decision.chosen.as_ref();
        let others = [
            (
                Text::Chosen,
                chosen.filter(|_| decision.chosen != decision.primary),
            ),
            (Text::StandsInFor, decision.stands_in_for.as_ref()),
        ];
        self.present(others)
    }

    /// When the decision was made, and until when it holds.
    fn moments(&self) -> Vec<(&'static str, &Moment)> {
        let decision = &self.status.decision;
        let moments = [
            (Text::Measured, decision.measured_at.as_ref()),
            (Text::Refresh, decision.refresh_at.as_ref()),
            (Text::FreshUntil, decision.fresh_until.as_ref()),
            (Text::UsedUntil, decision.used_until.as_ref()),
        ];
        self.present(moments)
    }

    fn present<T>(
        &self,
        list: impl IntoIterator<Item = (Text, Option<T>)>,
    ) -> Vec<(&'static str, T)> {
        let present = list
            .into_iter()
            .filter_map(|(text, one)| Some((text, one?)));
        present
            .map(|(text, one)| (self.words.text(text), one))
            .collect()
    }

    fn standing(&self, target: &Target) -> &'static str {
        self.words.standing(target.health)
    }

    /// How that is coloured.
    fn colour(&self, target: &Target) -> &'static str {
        match target.health {
            Standing::Healthy => "good",
            Standing::Unmeasured | Standing::Listed => "plain",
            Standing::Overdue | Standing::Aside | Standing::HalfOpen => "fair",
            Standing::Ejected | Standing::AwaitsProbe => "bad",
        }
    }

    fn latency(&self, latency: &Micros) -> String {
        time(*latency)
    }

    fn probes(&self, target: &Target) -> String {
        self.words.probes(target.probes)
    }

    fn length(&self, target: &Target) -> Option<u32> {
        drawing::length(target, &self.status.targets)
    }

    fn recent(&self, target: &Target) -> Recent {
        Recent::of(&target.recent)
    }

    fn recent_text(&self, recent: &Recent) -> String {
        self.words.recent(recent.count, recent.failed, recent.range)
    }

    /// Why a target does not get its requests, and what becomes of it.
    fn why(&self, target: &Target) -> String {
        let words = self.words;
        let mut sentences = Vec::new();
        if let Some(cause) = &target.cause {
            sentences.push(words.cause(cause));
            let last = target.recent.last().filter(|probe| probe.is_healthy());
            let by_requests = matches!(cause.found_by, FoundBy::Requests | FoundBy::Latency);
            if let (true, Some(status)) = (by_requests, last.and_then(|probe| probe.status)) {
                sentences.push(words.still_well(status));
            }
        }
        let trials = target.trials_passed.zip(target.trials_needed);
        sentences.extend(words.outlook(target.health, trials));
        sentences.join(" ")
    }

    fn notice(&self, notice: &Notice) -> String {
        self.words.notice(notice, &short)
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::Flag(flag) => flag.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Text(text) => text.clone(),
        }
    }
}

/// A name, or its beginning and end.
fn short(name: &str) -> String {
    if name.len() <= LONG {
        return name.to_owned();
    }
    let beginning = &name[..name.floor_char_boundary(BEGINNING)];
    let end = &name[name.ceil_char_boundary(name.len() - END)..];
    format!("{beginning}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_ends() {
        assert_eq!(short("http://a.example"), "http://a.example");
        let long = format!("http://a.example/{}/the-end-of-it", "x".repeat(2000));
        let shown = short(&long);
        assert!(shown.starts_with("http://a.example/xx") && shown.ends_with("/the-end-of-it"));
        assert!(shown.chars().count() < LONG);
        // Within a character nothing is cut.
        let wide = "é".repeat(100);
        assert!(short(&wide).contains('…'));
    }
}
