//! What an instance tells of itself, as JSON and as a page.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::settings::given;
use arbitrary::{Result, Unstructured};
use function_fetch_component::record::decode;
use function_fetch_engine::settings::Value as Setting;
use function_fetch_engine::{
    Action, Engine, Event, Failure, LocalReply, Millis, Notice, ProbeOutcome, ReplayState, Request,
    Settings, Step, Stored, Timestamp, Waited, record,
};
use function_fetch_status::answer;
use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use serde_json::Value;

const NOW: Timestamp = Timestamp(1_790_000_000_000.0);
const PATH: &str = "/status";
const TOKEN: &str = "0123456789abcdef";
const MOST_MOVES: usize = 100;
const MOST_EVENTS: usize = 30;
const MOST_PROBES: usize = 20;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../status/status.schema.json");
    serde_json::from_str(text).expect("the schema is JSON")
});

/// Settings, in lines as `settings` has them, until an empty line; a line that the store holds; then bytes that choose
/// what happens. Whatever that is, the status is JSON with the members of its schema, which contradicts itself
/// nowhere, and on the page every text is text.
pub fn status(input: &[u8]) {
    let (settings, rest) = split(input, b"\n\n");
    let (stored, moves) = split(rest, b"\n");
    let (host, given) = given(&String::from_utf8_lossy(settings));
    let mut settings = Settings::of(host, &given);
    // Somebody may see it.
    settings.status_path.get_or_insert_with(|| PATH.to_owned());
    settings.status_token = Some(TOKEN.to_owned());
    let mut instance = Instance {
        stored: meant_for(&settings, decode(stored)),
        engine: Engine::new(settings, 1),
        now: NOW,
    };
    let mut choices = Unstructured::new(moves);
    instance.tells();
    for _ in 0..MOST_MOVES {
        if choices.is_empty() || instance.happen(&mut choices).is_err() {
            break;
        }
        instance.tells();
    }
    for language in ["en", "zh"] {
        instance.shows(language);
    }
    if !given.iter().any(|(_, value)| value.contains(TOKEN)) {
        let told = [
            instance.get("application/json", "en"),
            instance.get("text/html", "en"),
        ];
        assert!(
            !told.iter().any(|reply| reply.body.contains(TOKEN)),
            "it tells the token"
        );
    }
}

fn split<'a>(input: &'a [u8], at: &[u8]) -> (&'a [u8], &'a [u8]) {
    let place = input.windows(at.len()).position(|bytes| bytes == at);
    place.map_or((input, &[]), |place| {
        (&input[..place], &input[place + at.len()..])
    })
}

/// A record for other settings would not be used.
fn meant_for(settings: &Settings, stored: Stored) -> Stored {
    match stored {
        Stored::Record(mut read) => {
            read.hash = record::hash(settings);
            Stored::Record(read)
        }
        other => other,
    }
}

struct Instance {
    engine: Engine,
    stored: Stored,
    now: Timestamp,
}

impl Instance {
    fn happen(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        match choices.int_in_range(0..=7_u8)? {
            0..=2 => self.request(choices)?,
            3 => self.now = self.now + Millis(f64::from(choices.arbitrary::<u16>()?) * 8.0),
            // The wall clock is set.
            4 => self.now = self.now + Millis(f64::from(choices.arbitrary::<i32>()?)),
            5 => self.round(choices)?,
            6 => {
                let well = choices.arbitrary()?;
                if self.engine.take_write(self.now).is_some() {
                    self.engine.store_written(well);
                }
            }
            _ => {
                let event = self.store(choices)?;
                self.engine.status_store(&event, self.now);
            }
        }
        // The page has what the log has.
        self.engine.take_notices(self.now);
        Ok(())
    }

    fn store(&self, choices: &mut Unstructured<'_>) -> Result<Event> {
        Ok(match choices.int_in_range(0..=3_u8)? {
            0 => Event::StoreFailed,
            1 => Event::StoreRead(None),
            _ => Event::StoreRead(Some(self.stored.clone())),
        })
    }

    /// A request, until it is over or its client leaves.
    fn request(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        let method = *choices.choose(&["GET", "POST"])?;
        let mut step = self.engine.begin(&Request::new(method, "/"), self.now);
        while !matches!(step.action, Action::Relay | Action::Reply(_)) {
            if step.round && choices.arbitrary()? {
                self.round(choices)?;
            }
            let event = match step.action {
                Action::ReadStore => self.store(choices)?,
                Action::AwaitRound => Event::RoundReady,
                _ => Self::of_an_attempt(&step, choices)?,
            };
            step = self.engine.settle(step.state, event, self.now);
            if choices.ratio(1, 32)? {
                break;
            }
        }
        Ok(())
    }

    fn of_an_attempt(step: &Step, choices: &mut Unstructured<'_>) -> Result<Event> {
        let replay = *choices.choose(&[ReplayState::Unsent, ReplayState::Consumed])?;
        if let Action::Cancel { target, failure } = step.action {
            return Ok(Event::Failed {
                target,
                failure,
                replay,
            });
        }
        let running: Vec<usize> = (0..function_fetch_engine::MAX_TARGETS)
            .filter(|target| step.state.running.contains(*target))
            .collect();
        let target = *choices.choose(&running)?;
        Ok(match choices.int_in_range(0..=3_u8)? {
            0 => Event::Failed {
                target,
                failure: *choices.choose(&Failure::ALL)?,
                replay,
            },
            1 => {
                let time = Millis(f64::from(choices.arbitrary::<u16>()?));
                let waited = running.into_iter().map(|target| Waited { target, time });
                Event::Timer(waited.collect())
            }
            _ => Event::Response {
                target,
                status: *choices.choose(&[200, 404, 429, 500, 503])?,
                retry_after: choices
                    .arbitrary::<Option<u16>>()?
                    .map(|seconds| Millis(f64::from(seconds) * 1000.0)),
                ttfb: Millis(f64::from(choices.arbitrary::<u16>()?)),
                replay,
            },
        })
    }

    /// A round, which is given up when the choices run out.
    fn round(&mut self, choices: &mut Unstructured<'_>) -> Result<()> {
        let mut next = self.engine.start_round(self.now);
        while let Some(round) = next {
            if round.read_store
                && let Event::StoreRead(value) = self.store(choices)?
                && self.engine.round_read_store(value.as_ref(), self.now)
            {
                break;
            }
            for target in round.targets {
                let outcome = ProbeOutcome {
                    result: match choices.int_in_range(0..=3_u8)? {
                        0 => Err(*choices.choose(&Failure::ALL)?),
                        1 => Ok(choices.int_in_range(100..=599)?),
                        _ => Ok(200),
                    },
                    took: Millis(f64::from(choices.arbitrary::<u16>()?) / 16.0),
                    cached: choices.ratio(1, 8)?,
                };
                self.engine.probed(round.id, target, outcome, self.now);
            }
            next = self.engine.finish_round(round.id, self.now);
        }
        Ok(())
    }

    fn get(&self, accept: &str, language: &str) -> LocalReply {
        let request = function_fetch_status::Request {
            method: "GET",
            authorization: Some("Bearer 0123456789abcdef"),
            accept: Some(accept),
            accept_language: Some(language),
            ..function_fetch_status::Request::default()
        };
        let reply = answer(&self.engine, &request, true, self.now).expect("the store was read");
        assert_eq!(reply.status, 200);
        reply
    }

    /// What holds of the JSON.
    fn tells(&self) {
        let reply = self.get("application/json", "en");
        let status: Value = serde_json::from_str(&reply.body).expect("it is JSON");
        is_described(&status, &SCHEMA);
        is_described(&status["instance"], &SCHEMA["properties"]["instance"]);
        is_described(&status["decision"], &SCHEMA["properties"]["decision"]);
        for setting in list(&status["settings"]) {
            is_described(setting, &SCHEMA["properties"]["settings"]["items"]);
        }
        for notice in list(&status["warnings"])
            .iter()
            .chain(list(&status["events"]))
        {
            is_a_notice(notice);
        }
        assert!(
            list(&status["warnings"])
                .iter()
                .all(|one| one.get("at").is_none())
        );
        assert!(list(&status["events"]).iter().all(|one| one["at"].is_u64()));
        assert!(list(&status["events"]).len() <= MOST_EVENTS);
        self.tells_of_targets(&status);
    }

    fn tells_of_targets(&self, status: &Value) {
        let targets = list(&status["targets"]);
        let mut places: Vec<u64> = targets
            .iter()
            .filter_map(|one| one["place"].as_u64())
            .collect();
        places.sort_unstable();
        let all: Vec<u64> = (1..=self.engine.settings().targets.len() as u64).collect();
        assert_eq!(places, all, "each target once");
        for target in targets {
            is_described(target, &SCHEMA["$defs"]["target"]);
            if let Some(cause) = target.get("cause") {
                is_described(cause, &SCHEMA["$defs"]["cause"]);
            }
            let recent = list(&target["recent"]);
            assert!(recent.len() <= MOST_PROBES);
            for probe in recent {
                is_described(
                    probe,
                    &SCHEMA["$defs"]["target"]["properties"]["recent"]["items"],
                );
                assert_ne!(probe.get("status").is_some(), probe.get("error").is_some());
            }
            let lasts = matches!(target["health"].as_str(), Some("ejected" | "aside"));
            let until = target.get("until").and_then(Value::as_u64);
            assert_eq!(until.is_some(), lasts, "{target}");
            assert!(
                until.is_none_or(|until| Some(until) >= status["at"].as_u64()),
                "{target}"
            );
        }
        let is_primary = |one: &&Value| one["primary"] == true;
        let primaries: Vec<&Value> = targets.iter().filter(is_primary).collect();
        assert!(primaries.len() <= 1);
        for primary in primaries {
            assert_eq!(primary["target"], status["decision"]["primary"]);
        }
    }

    /// What holds of the page: a text with whatever it has in it is there as one text.
    fn shows(&self, language: &str) {
        let page = Page::read(&self.get("text/html", language).body);
        page.is_ours();
        let settings = self.engine.settings();
        let status = self.engine.status(self.now);
        let names = status.targets.iter().map(|target| target.target.as_str());
        let values = status.settings.iter().filter_map(|one| match &one.value {
            Setting::Text(text) => Some(text.as_str()),
            Setting::Flag(_) | Setting::Number(_) => None,
        });
        for text in names.chain(values).chain(status.no_targets.as_deref()) {
            page.has(text, |shown| shown == text);
        }
        for warning in &status.warnings {
            if let Notice::BadSetting { reason, .. } = warning {
                page.has(reason, |shown| shown.contains(reason.as_str()));
            }
        }
        let action = page.forms.first().expect("the form to sign out");
        assert_eq!(Some(action), settings.status_path.as_ref());
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

/// Whether the members of an object are those that the schema has, with values that it allows. The tests of the
/// adapters hold whole statuses to it.
fn is_described(object: &Value, schema: &Value) {
    let members = object.as_object().expect("an object");
    for required in schema["required"].as_array().into_iter().flatten() {
        let name = required.as_str().expect("a name");
        assert!(members.contains_key(name), "{name} is missing: {object}");
    }
    for (name, value) in members {
        let described = schema["properties"].get(name);
        let described = described.unwrap_or_else(|| panic!("{name} is not in the schema"));
        let allowed = described.get("enum").and_then(Value::as_array);
        assert!(
            allowed.is_none_or(|allowed| allowed.contains(value)),
            "{name}: {value}"
        );
        assert!(!value.is_number() || value.is_u64(), "{name}: {value}");
        let bound = |keyword: &str| described.get(keyword).and_then(Value::as_u64);
        if let Some(number) = value.as_u64() {
            let (least, most) = (bound("minimum"), bound("maximum"));
            assert!(least.is_none_or(|least| least <= number), "{name}: {value}");
            assert!(most.is_none_or(|most| number <= most), "{name}: {value}");
        }
    }
}

fn is_a_notice(notice: &Value) {
    let kinds = list(&SCHEMA["$defs"]["notice"]["oneOf"]);
    let event = &notice["event"];
    let is_this = |kind: &&Value| {
        let named = &kind["properties"]["event"];
        named["const"] == *event
            || named["enum"]
                .as_array()
                .is_some_and(|names| names.contains(event))
    };
    let mut kind = kinds
        .iter()
        .find(is_this)
        .expect("the schema has it")
        .clone();
    // An event's, which is checked beside.
    kind["properties"]["at"] = Value::Object(serde_json::Map::new());
    is_described(notice, &kind);
}

/// A page as a browser reads it.
struct Page {
    /// Every run of text between two tags.
    texts: Vec<String>,
    /// How often each element is there.
    elements: BTreeMap<String, usize>,
    /// Where its forms lead.
    forms: Vec<String>,
}

impl Page {
    fn read(html: &str) -> Self {
        let mut page = Self {
            texts: vec![String::new()],
            elements: BTreeMap::new(),
            forms: Vec::new(),
        };
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true);
        for token in Tokenizer::new_with_emitter(html, emitter).flatten() {
            match token {
                Token::String(text) => {
                    let run = page.texts.last_mut().expect("there is one");
                    run.push_str(&String::from_utf8_lossy(&text));
                }
                Token::StartTag(tag) => page.starts(&tag),
                Token::EndTag(_) => page.texts.push(String::new()),
                Token::Comment(_) => panic!("the templates have no comment"),
                Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        page
    }

    fn starts(&mut self, tag: &StartTag<()>) {
        self.texts.push(String::new());
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        for (attribute, value) in &tag.attributes {
            assert!(!attribute.starts_with(b"on"), "a handler");
            if name == "form" && &attribute[..] == b"action" {
                self.forms.push(String::from_utf8_lossy(value).into_owned());
            }
        }
        *self.elements.entry(name).or_default() += 1;
    }

    fn is_ours(&self) {
        for once in ["script", "style", "form", "main"] {
            assert_eq!(self.elements.get(once), Some(&1), "{once}");
        }
        for never in ["a", "iframe", "img", "object", "embed", "base"] {
            assert_eq!(self.elements.get(never), None, "{never}");
        }
    }

    fn has(&self, text: &str, shows: impl Fn(&str) -> bool) {
        // Of these HTML has no escape: a browser reads something else.
        if text.is_empty() || text.contains(['\0', '\r']) {
            return;
        }
        assert!(
            self.texts.iter().any(|run| shows(run)),
            "{text:?} is not on the page"
        );
    }
}
