//! What came of a row: in one line, and held against what no row may do.

use function_fetch_engine::headers::{Fields, HOP_BY_HOP};

use super::play::{Answer, End};
use super::row::Row;
use super::strict::{self, Request};
use super::tap::{AFTER, Heard, ROW};

/// Longer texts, and longer runs of one byte, are shortened.
const SHOWN: usize = 90;
const RUN: usize = 24;

/// More fields than that are counted.
const FIELDS: usize = 6;

/// A target that stands for a request that is not one: it is hidden in a body, or in what follows one.
const HIDDEN: &[u8] = b"/smuggled";

/// Fields of requests that hosts and engine add.
const ADDED: [&str; 8] = [
    // By workerd.
    "cf-worker",
    "host",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "content-length",
    "transfer-encoding",
];

/// Fields of responses that every server adds.
const ADDED_TO_ANSWERS: [&str; 5] = ["date", "connection", "keep-alive", "server", "cf-ray"];

/// What the client got.
pub struct Got {
    pub answers: Vec<Answer>,
    pub end: End,
}

/// What came of a row.
pub struct Outcome {
    pub sent: Vec<u8>,
    pub got: Got,
    pub heard: Vec<Heard>,
    /// Whether anything but the target was contacted.
    pub strayed: bool,
    /// The address that must not be, which differs from run to run.
    pub decoy: String,
}

impl Outcome {
    /// What the client got, and what the target received.
    pub fn line(&self, row: &Row) -> String {
        let mut got: Vec<String> = self
            .got
            .answers
            .iter()
            .map(|answer| answer_text(answer, row.shows_answers))
            .collect();
        got.push(match &self.got.end {
            End::Kept => "kept".into(),
            End::Closed => "closed".into(),
            End::Silent => "waits".into(),
            End::Another(status, what) if *status < 400 => format!("then {status} [{what}]"),
            End::Another(status, _) => format!("then {status}"),
        });
        let mut line = vec![got.join(", ")];
        // A request that breaks off may be given up before it is sent, and requests of one connection may be served at
        // once.
        let shown = self
            .heard_of_row()
            .into_iter()
            .filter(|heard| !matches!(heard, Heard::Broken(_)));
        let mut heard: Vec<String> = shown.filter(|_| !row.races).map(heard_text).collect();
        heard.sort();
        line.extend(heard);
        line.join(" | ").replace(&self.decoy, "{decoy}")
    }

    /// What the target received, without the request that follows each row.
    fn heard_of_row(&self) -> Vec<&Heard> {
        let is_after = |heard: &&Heard| matches!(heard, Heard::Whole(request) if request.target == AFTER.as_bytes());
        self.heard.iter().filter(|heard| !is_after(heard)).collect()
    }

    /// What no row may do. `target`: the host and port of the only target.
    pub fn violations(&self, target: &str, row: &Row) -> Vec<String> {
        let mut violations = Vec::new();
        if self.strayed {
            violations.push("another host than the target was contacted".into());
        }
        if let End::Another(status, what) = &self.got.end
            && *status < 400
        {
            violations.push(format!(
                "the next request got the response {status} [{what}]"
            ));
        }
        let sent = strict::read_all(&self.sent);
        let mut whole = Vec::new();
        for heard in self.heard_of_row() {
            match heard {
                Heard::Malformed(why, bytes) => {
                    violations.push(format!("the target received {why}: {}", shortened(bytes)))
                }
                Heard::Broken(None) => violations.push("the target received half a head".into()),
                Heard::Broken(Some(request)) | Heard::Whole(request) => {
                    if request.target.starts_with(HIDDEN) {
                        violations.push("a part of a request became another one".into());
                    }
                    if request.values("host") != [target.as_bytes()] {
                        violations.push(format!("another Host than {target}"));
                    }
                    whole.push((matches!(heard, Heard::Whole(_)), request));
                }
            }
        }
        // What has one meaning must arrive with that meaning, or not at all.
        if let Some(mut sent) = sent {
            let is_repeated =
                row.reply.closes && sent.iter().all(|request| request.method == "GET");
            // A response that cannot be understood may be asked for once more.
            if whole.len() > sent.len() && !is_repeated {
                violations.push(format!("{} requests became {}", sent.len(), whole.len()));
            }
            // Requests of one connection may be served at once.
            sent.sort_by(|a, b| {
                origin_form(&a.target)
                    .cmp(origin_form(&b.target))
                    .then(a.method.cmp(&b.method))
            });
            whole.sort_by(|(_, a), (_, b)| a.target.cmp(&b.target).then(a.method.cmp(&b.method)));
            for (sent, (complete, received)) in sent.iter().zip(&whole) {
                let changes = changes(sent, received, *complete);
                if !changes.is_empty() {
                    violations.push(changes.join("; "));
                }
            }
        }
        violations
    }
}

/// How a received request differs from the one that was sent.
fn changes(sent: &Request, received: &Request, complete: bool) -> Vec<String> {
    let mut changes = Vec::new();
    if sent.method != received.method {
        changes.push(format!("the method became {}", received.method));
    }
    let target = origin_form(&sent.target);
    // `http://a?b` has an empty path, which is `/`.
    if target != received.target && [b"/", target].concat() != received.target {
        changes.push(format!("the target became {}", shortened(&received.target)));
    }
    let (before, after) = (end_to_end(sent, true), end_to_end(received, false));
    if before != after {
        let (before, after) = (fields_text(&before), fields_text(&after));
        changes.push(format!("the fields {before} became {after}"));
    }
    if complete && sent.body != received.body {
        changes.push(format!("the body became [{}]", shortened(&received.body)));
    }
    if complete && lower(&sent.trailers) != lower(&received.trailers) {
        changes.push(format!(
            "the trailers became {}",
            fields_text(&received.trailers)
        ));
    }
    changes
}

/// The path of an absolute-form target (RFC 9112 section 3.2.2).
fn origin_form(target: &[u8]) -> &[u8] {
    let Some(at) = target.windows(3).position(|part| part == b"://") else {
        return target;
    };
    if target.starts_with(b"/") {
        return target;
    }
    let authority = &target[at + 3..];
    match authority.iter().position(|byte| b"/?".contains(byte)) {
        Some(path) => &authority[path..],
        None => b"/",
    }
}

/// The fields that pass, in the order of their names, which is not significant (RFC 9110 section 5.3).
fn end_to_end(request: &Request, sent: bool) -> Fields {
    let named: Vec<String> = request
        .values("connection")
        .iter()
        .filter(|_| sent)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(|name| String::from_utf8_lossy(name.trim_ascii()).to_lowercase())
        .collect();
    let mut fields: Fields = lower(&request.fields)
        .into_iter()
        .filter(|(name, value)| {
            let name = name.as_str();
            let hop = HOP_BY_HOP.contains(&name) && !(name == "te" && value == b"trailers");
            !(hop
                || name == ROW
                || ADDED.contains(&name)
                || name == "expect"
                || named.iter().any(|n| n == name))
        })
        .collect();
    fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    if sent {
        join_cookies(&mut fields);
    }
    fields
}

/// HTTP/1.1 has only one `Cookie` (RFC 9113 section 8.2.3).
fn join_cookies(fields: &mut Fields) {
    let cookies: Vec<Vec<u8>> = fields
        .extract_if(.., |(name, _)| name == "cookie")
        .map(|(_, value)| value)
        .collect();
    if !cookies.is_empty() {
        fields.push(("cookie".into(), cookies.join(&b"; "[..])));
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
}

fn lower(fields: &Fields) -> Fields {
    fields
        .iter()
        .map(|(name, value)| (name.to_lowercase(), value.clone()))
        .collect()
}

fn answer_text(answer: &Answer, shows: bool) -> String {
    let Answer {
        status,
        fields,
        body,
    } = answer;
    let mut text = status.to_string();
    if shows {
        let local = fields
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("proxy-status"));
        if let Some((_, why)) = local {
            text.push_str(&format!(" ({})", shortened(why)));
        } else {
            let mut fields = lower(fields);
            fields.retain(|(name, _)| !ADDED_TO_ANSWERS.contains(&name.as_str()));
            fields.sort_by(|(a, _), (b, _)| a.cmp(b));
            text.push_str(&fields_text(&fields));
            text.push_str(&body_text(&body.bytes));
        }
        if !body.trailers.is_empty() {
            text.push_str(&format!(" trailers{}", fields_text(&body.trailers)));
        }
    }
    if body.broken {
        text.push_str(" broken");
    }
    text
}

fn heard_text(heard: &Heard) -> String {
    let request = match heard {
        Heard::Malformed(why, _) => return (*why).to_owned(),
        Heard::Broken(None) => return "half a head".into(),
        Heard::Whole(request) | Heard::Broken(Some(request)) => request,
    };
    let mut text = format!("{} {}", request.method, shortened(&request.target));
    text.push_str(&fields_text(&end_to_end(request, false)));
    text.push_str(&body_text(&request.body));
    if !request.trailers.is_empty() {
        text.push_str(&format!(
            " trailers{}",
            fields_text(&lower(&request.trailers))
        ));
    }
    if matches!(heard, Heard::Broken(_)) {
        text.push_str(" broken");
    }
    text
}

fn fields_text(fields: &Fields) -> String {
    match fields.len() {
        0 => String::new(),
        1..=FIELDS => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| {
                    format!("{}: {}", shortened(name.as_bytes()), shortened(value))
                })
                .collect();
            format!(" {{{}}}", fields.join(", "))
        }
        count => format!(" {{{count} fields}}"),
    }
}

fn body_text(body: &[u8]) -> String {
    if body.is_empty() {
        String::new()
    } else {
        format!(" [{}]", shortened(body))
    }
}

/// As text, a long run of one byte as its length.
fn shortened(bytes: &[u8]) -> String {
    let mut text = String::new();
    for run in bytes.chunk_by(|a, b| a == b) {
        if run.len() > RUN {
            text.push_str(&format!("{}x{}", run[..1].escape_ascii(), run.len()));
        } else {
            text.push_str(&run.escape_ascii().to_string());
        }
        if text.len() > SHOWN {
            text.push('…');
            break;
        }
    }
    text
}
