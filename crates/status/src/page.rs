//! The page as HTML. Its templates, style, script and texts are in `status/`.

use crate::drawing::{self, Recent};
use crate::preference::Language;
use crate::words::Words;
use function_fetch_engine::settings::Value;
use function_fetch_engine::status::{
    Cause, Decision, FoundBy, Micros, Moment, Source, Standing, Target,
};
use function_fetch_engine::{ChangeReason, Notice, Status, StoreOperation};

/// A template, the style or the script.
macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../../status/", $name))
    };
}

/// A name that is longer is shown in part: its beginning and its end, which tell
/// long names apart.
const LONG: usize = 72;
const BEGINNING: usize = 44;
const END: usize = 24;

/// The form that asks for the token; `wrong`: one was given.
pub(crate) fn sign_in(path: &str, language: Language, wrong: bool) -> String {
    let words = Words::of(language);
    let (alert, described) = match wrong {
        true => (
            words.html(file!("parts/wrong-token.html"), &[], &[]),
            " aria-invalid=\"true\" aria-describedby=\"wrong\"",
        ),
        false => (String::new(), ""),
    };
    let html = [("wrong", alert.as_str()), ("described", described)];
    let body = words.html(file!("sign-in.html"), &[("path", path)], &html);
    layout(words, &body)
}

pub(crate) fn status(status: &Status, path: &str, language: Language) -> String {
    let words = Words::of(language);
    let page = Page { words, status };
    let now = status.at;
    let texts = [
        ("path", path),
        ("at", &now.0.to_string()),
        ("clock", &clock(now)),
        ("version", status.version),
    ];
    let html = [
        ("warnings", &*page.warnings()),
        ("decision-facts", &page.decision()),
        ("target-rows", &page.targets()),
        ("event-rows", &page.events()),
        ("setting-rows", &page.settings()),
        ("instance", &page.instance()),
        ("script", file!("script.js")),
    ];
    layout(words, &words.html(file!("page.html"), &texts, &html))
}

fn layout(words: Words, body: &str) -> String {
    let html = [("style", file!("style.css")), ("body", body)];
    words.html(file!("layout.html"), &[], &html)
}

#[derive(Clone, Copy)]
struct Page<'a> {
    words: Words,
    status: &'a Status,
}

impl Page<'_> {
    /// Sentences, one after the other.
    fn sentences(self, sentences: impl IntoIterator<Item = String>) -> String {
        let both = |first: String, second: String| {
            let texts = [("first", &*first), ("second", &second)];
            self.words.say("sentences", &texts)
        };
        sentences.into_iter().reduce(both).unwrap_or_default()
    }

    /// Who answers, as HTML.
    fn instance(self) -> String {
        let told = [
            self.words.html("{own-view}", &[], &[]),
            self.words.html("{had}", &[("had", &self.requests())], &[]),
        ];
        self.sentences(told.into_iter().chain(self.since()))
    }

    fn requests(self) -> String {
        let count = self.status.instance.requests;
        let key = match count {
            0 => "requests-0",
            1 => "requests-1",
            _ => "requests",
        };
        self.words.say(key, &[("count", &count.to_string())])
    }

    fn since(self) -> Option<String> {
        let when = self.moment(self.status.instance.since?);
        let sentence = self.words.text("since").unwrap_or_default();
        Some(self.words.html(sentence, &[], &[("when", &when)]))
    }

    fn warnings(self) -> String {
        let mut html = String::new();
        if let Some(reason) = &self.status.no_targets {
            let texts = [("reason", reason.as_str())];
            html += &self.words.html(file!("parts/no-targets.html"), &texts, &[]);
        }
        let mut items = String::new();
        for warning in &self.status.warnings {
            let texts = [("sentence", &*self.notice(warning))];
            items += &self.words.html(file!("parts/item.html"), &texts, &[]);
        }
        if !items.is_empty() {
            let template = file!("parts/warnings.html");
            html += &self.words.html(template, &[], &[("items", &items)]);
        }
        html
    }

    fn decision(self) -> String {
        let decision = &self.status.decision;
        let mut html = String::new();
        let chosen = decision.chosen.as_ref();
        for (label, target) in [
            ("primary", decision.primary.as_ref()),
            (
                "chosen",
                chosen.filter(|_| decision.chosen != decision.primary),
            ),
            ("stands-in-for", decision.stands_in_for.as_ref()),
        ] {
            if let Some(target) = target {
                html += &self.fact(true, label, &self.name(target));
            }
        }
        html += &self.told(false, "source", &self.source(decision));
        for (label, at) in [
            ("measured", decision.measured_at),
            ("refresh", decision.refresh_at),
            ("fresh-until", decision.fresh_until),
            ("used-until", decision.used_until),
        ] {
            if let Some(at) = at {
                html += &self.fact(false, label, &self.moment(at));
            }
        }
        if decision.source != Source::List {
            html += &self.told(true, "change", &self.margin(decision));
        }
        html
    }

    /// A fact that is HTML.
    fn fact(self, wide: bool, label: &str, fact: &str) -> String {
        let label = self.words.text(label).unwrap_or_default();
        let class = if wide { " class=\"wide\"" } else { "" };
        let html = [("class", class), ("fact", fact)];
        self.words
            .html(file!("parts/fact.html"), &[("label", label)], &html)
    }

    /// A fact that is text.
    fn told(self, wide: bool, label: &str, fact: &str) -> String {
        let fact = self.words.html("{fact}", &[("fact", fact)], &[]);
        self.fact(wide, label, &fact)
    }

    fn source(self, decision: &Decision) -> String {
        let key = match decision.source {
            Source::Probes => "source-probes",
            Source::Store => "source-store",
            Source::List => "source-list",
            Source::None if decision.probing => "source-probing",
            Source::None => "source-none",
        };
        self.words.say(key, &[])
    }

    fn margin(self, decision: &Decision) -> String {
        let margin = match decision.margin.split_once(',') {
            Some((first, second)) => {
                let both = [("first", first), ("second", second)];
                self.words.say("and", &both)
            }
            None => decision.margin.clone(),
        };
        match decision.challenger_below_us {
            Some(below) => {
                let texts = [("margin", margin.as_str()), ("below", &time(below))];
                self.words.say("margin-below", &texts)
            }
            None => self.words.say("margin", &[("margin", &margin)]),
        }
    }

    fn targets(self) -> String {
        let targets = self.status.targets.iter().enumerate();
        targets
            .map(|(index, target)| self.target(index + 1, target))
            .collect()
    }

    fn target(self, place: usize, target: &Target) -> String {
        let words = self.words;
        let (standing, colour) = standing(target.health);
        let mark = match target.primary {
            true => words.html(file!("parts/primary-mark.html"), &[], &[]),
            false => String::new(),
        };
        let until = match target.until {
            Some(until) => {
                let moment = self.moment(until);
                words.html(file!("parts/until.html"), &[], &[("moment", &moment)])
            }
            None => String::new(),
        };
        let texts = [
            ("place", &*place.to_string()),
            ("tier-number", &target.tier.to_string()),
            ("weight-number", &target.weight.to_string()),
            ("colour", colour),
            ("standing", words.text(standing).unwrap_or_default()),
            ("why", &self.why(target, standing)),
        ];
        let html = [
            ("name", &*self.name(&target.target)),
            ("primary-mark", &mark),
            ("until-when", &until),
            ("measured-latency", &self.latency(target)),
            ("recent-probes", &self.recent(target)),
        ];
        words.html(file!("parts/target.html"), &texts, &html)
    }

    fn latency(self, target: &Target) -> String {
        let length = drawing::length(target, &self.status.targets);
        let (Some(latency), Some(length)) = (target.latency_us, length) else {
            return "–".to_owned();
        };
        let key = if target.probes == 1 {
            "probes-1"
        } else {
            "probes"
        };
        let probes = self
            .words
            .say(key, &[("count", &target.probes.to_string())]);
        let texts = [
            ("time", &*time(latency)),
            ("probes", &probes),
            ("length", &length.to_string()),
        ];
        self.words.html(file!("parts/latency.html"), &texts, &[])
    }

    fn recent(self, target: &Target) -> String {
        let recent = Recent::of(&target.recent);
        if recent.bars.is_empty() {
            return "–".to_owned();
        }
        let mut bars = String::new();
        for bar in &recent.bars {
            let texts = [
                ("x", &*bar.x.to_string()),
                ("y", &bar.y.to_string()),
                ("height", &bar.height.to_string()),
            ];
            let class = if bar.healthy { "" } else { " class=\"failed\"" };
            let html = [("class", class)];
            bars += &self
                .words
                .html(file!("parts/recent-bar.html"), &texts, &html);
        }
        let label = self.recent_label(&recent);
        let texts = [("label", label.as_str())];
        self.words
            .html(file!("parts/recent.html"), &texts, &[("bars", &bars)])
    }

    /// The last probes, for whoever does not see the drawing.
    fn recent_label(self, recent: &Recent) -> String {
        let count = recent.bars.len().to_string();
        let Some((least, most)) = recent.range else {
            return self
                .words
                .say("last-probes-all-failed", &[("count", &count)]);
        };
        let key = match recent.failed {
            0 => "last-probes",
            _ => "last-probes-failed",
        };
        let texts = [
            ("count", count.as_str()),
            ("least", &time(least)),
            ("most", &time(most)),
            ("failed", &recent.failed.to_string()),
        ];
        self.words.say(key, &texts)
    }

    /// Why a target does not get its requests, and what becomes of it.
    fn why(self, target: &Target, standing: &str) -> String {
        let mut why = Vec::new();
        if let Some(cause) = &target.cause {
            why.push(self.cause(cause));
            let by_requests = matches!(cause.found_by, FoundBy::Requests | FoundBy::Latency);
            let last = target.recent.last().filter(|probe| probe.is_healthy());
            if let (true, Some(status)) = (by_requests, last.and_then(|probe| probe.status)) {
                let texts = [("status", &*status.to_string())];
                why.push(self.words.say("still-well", &texts));
            }
        }
        let key = format!("why-{standing}");
        if self.words.text(&key).is_some() {
            let number = |number: Option<u32>| number.unwrap_or_default().to_string();
            let texts = [
                ("passed", &*number(target.trials_passed)),
                ("needed", &number(target.trials_needed)),
            ];
            why.push(self.words.say(&key, &texts));
        }
        self.sentences(why)
    }

    fn cause(self, cause: &Cause) -> String {
        let status = cause.status.map(|status| status.to_string());
        let code = status.as_deref().or(cause.error).unwrap_or_default();
        let (key, why) = match cause.found_by {
            FoundBy::Probe if status.is_some() => ("found-probe-status", code.to_owned()),
            FoundBy::Probe => ("found-probe-error", code.to_owned()),
            FoundBy::Connection => ("found-connection", code.to_owned()),
            FoundBy::Requests => {
                let why = match (&status, cause.error) {
                    (Some(status), _) => self.words.say("by-status", &[("why", status)]),
                    (None, Some(error)) => error.to_owned(),
                    (None, None) => self.words.say("by-overdue", &[]),
                };
                ("found-requests", why)
            }
            FoundBy::Latency => ("found-latency", String::new()),
            FoundBy::OtherInstance => ("found-other-instance", String::new()),
        };
        let number = |number: Option<u32>| number.unwrap_or_default().to_string();
        let texts = [
            ("why", why.as_str()),
            ("failed", &number(cause.failed)),
            ("of", &number(cause.of)),
        ];
        self.words.say(key, &texts)
    }

    fn events(self) -> String {
        let mut html = String::new();
        for event in &self.status.events {
            let texts = [("sentence", &*self.notice(&event.notice))];
            let moment = self.moment(event.at);
            let template = file!("parts/event.html");
            html += &self.words.html(template, &texts, &[("moment", &moment)]);
        }
        if html.is_empty() {
            let none = self.words.text("no-events").unwrap_or_default();
            let template = file!("parts/item.html");
            html = self.words.html(template, &[("sentence", none)], &[]);
        }
        html
    }

    fn notice(self, notice: &Notice) -> String {
        let (key, target, why) = match notice {
            Notice::PrimaryChanged { from, to, reason } => {
                let reason = match reason {
                    ChangeReason::Probed => "changed-probed",
                    ChangeReason::Store => "changed-store",
                    ChangeReason::Failover => "changed-failover",
                    ChangeReason::Recovered => "changed-recovered",
                };
                let why = self.words.text(reason).unwrap_or_default();
                let from = from.as_deref().map(short);
                let key = match from {
                    Some(_) => "primary_changed",
                    None => "first-primary",
                };
                let texts = [
                    ("to", &*short(to)),
                    ("from", &from.unwrap_or_default()),
                    ("why", why),
                ];
                return self.words.say(key, &texts);
            }
            Notice::Ejected {
                target,
                reason,
                for_ms,
            } => {
                let texts = [
                    ("target", &*short(target)),
                    ("why", reason),
                    ("span", &self.span(u64::from(*for_ms))),
                ];
                return self.words.say("told-ejected", &texts);
            }
            Notice::Recovered { target } => ("told-recovered", target.as_str(), ""),
            Notice::NoHealthyTarget => ("told-no_healthy_target", "", ""),
            Notice::Denied { target, remedy } => ("told-denied", target.as_str(), *remedy),
            Notice::HealthPathCached { target, remedy } => {
                ("told-health_path_cached", target.as_str(), *remedy)
            }
            Notice::StoreFailed { operation } => match operation {
                StoreOperation::Read => ("told-store-read", "", ""),
                StoreOperation::Write => ("told-store-write", "", ""),
            },
            Notice::BadSetting { setting, reason } => {
                ("told-bad_setting", *setting, reason.as_str())
            }
        };
        self.words
            .say(key, &[("target", &short(target)), ("why", why)])
    }

    fn settings(self) -> String {
        let hidden = self.words.text("hidden").unwrap_or_default();
        let shown = self.status.settings.iter();
        let shown = shown.map(|one| (one.setting, value(&one.value)));
        let all = shown.chain([("FETCH_STATUS_TOKEN", hidden.to_owned())]);
        all.map(|(name, text)| {
            let texts = [("name", name), ("text", &text)];
            self.words.html(file!("parts/setting.html"), &texts, &[])
        })
        .collect()
    }

    /// A target, as HTML.
    fn name(self, name: &str) -> String {
        let template = if name.len() > LONG {
            file!("parts/long-name.html")
        } else {
            file!("parts/name.html")
        };
        let texts = [("name", name), ("short", &short(name))];
        self.words.html(template, &texts, &[])
    }

    /// A moment, and how far it is from that of the status; as HTML.
    fn moment(self, at: Moment) -> String {
        let now = self.status.at;
        let (key, span) = if at > now {
            ("ahead", at.0 - now.0)
        } else {
            ("ago", now.0 - at.0)
        };
        let distance = self.words.say(key, &[("span", &self.span(span))]);
        let texts = [
            ("ms", &*at.0.to_string()),
            ("clock", &clock(at)),
            ("distance", &distance),
        ];
        self.words.html(file!("parts/moment.html"), &texts, &[])
    }

    /// A span in the largest unit of which there are two at least.
    fn span(self, ms: u64) -> String {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        let seconds = (ms + 500) / 1000;
        let (key, unit) = match seconds {
            s if s < 2 * MINUTE => ("seconds", 1),
            s if s < 2 * HOUR => ("minutes", MINUTE),
            s if s < 2 * DAY => ("hours", HOUR),
            _ => ("days", DAY),
        };
        let count = (seconds / unit).to_string();
        self.words.say(key, &[("count", &count)])
    }
}

/// The key of a state, and how it is coloured.
fn standing(standing: Standing) -> (&'static str, &'static str) {
    match standing {
        Standing::Healthy => ("healthy", "good"),
        Standing::Unmeasured => ("unmeasured", "plain"),
        Standing::Listed => ("listed", "plain"),
        Standing::Overdue => ("overdue", "fair"),
        Standing::Aside => ("aside", "fair"),
        Standing::Ejected => ("ejected", "bad"),
        Standing::AwaitsProbe => ("awaits_probe", "bad"),
        Standing::HalfOpen => ("half_open", "fair"),
    }
}

/// The time of day; the script makes it the reader's.
fn clock(at: Moment) -> String {
    let seconds = at.0 / 1000;
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{hour:02}:{minute:02}:{second:02} UTC")
}

/// A span in whole ms, unless it is shorter than some of them.
fn time(Micros(us): Micros) -> String {
    match us {
        0..10_000 => format!("{us} µs"),
        _ => format!("{} ms", us / 1000),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => text.clone(),
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
