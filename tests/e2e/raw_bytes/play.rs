//! Plays a row on a host, and says what came of it in one line.

use std::net::SocketAddr;
use std::time::Duration;

use function_fetch_engine::headers::Fields;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::outcome::{Got, Outcome};
use super::row::{Act, Row};
use super::tap::{AFTER, Tap};
use crate::support::wire::{Body, Framing, Wire};

/// How long a host may be silent until it is taken to wait for more.
const SILENCE: Duration = Duration::from_secs(10);

/// One response.
pub struct Answer {
    pub status: u16,
    pub fields: Fields,
    pub body: Body,
}

/// How a connection went on after a row.
#[derive(PartialEq, Eq)]
pub enum End {
    /// It served [`AFTER`].
    Kept,
    /// It was closed.
    Closed,
    /// The host waited for more.
    Silent,
    /// [`AFTER`] got this status and body in place of its own response.
    Another(u16, String),
}

/// Plays a row, the `number`th of its table.
pub async fn play(row: &Row, number: usize, to: SocketAddr, tap: &Tap, decoy: &Tap) -> Outcome {
    let number = format!("{number:05}");
    tap.expect(&number, row.reply.clone());
    let decoys = decoy.connections();
    let words = Words {
        decoy: decoy.address().to_string(),
        row: number,
    };
    let sent: Vec<u8> = row
        .acts
        .iter()
        .filter_map(|act| match act {
            Act::Say(bytes) => Some(words.fill(bytes)),
            _ => None,
        })
        .flatten()
        .collect();
    let (answers, end) = converse(row, to, &words).await;
    let got = Got { answers, end };
    Outcome {
        sent,
        got,
        heard: tap.heard(),
        strayed: decoy.connections() > decoys,
        decoy: words.decoy,
    }
}

/// What the placeholders of a row stand for.
struct Words {
    decoy: String,
    row: String,
}

impl Words {
    fn fill(&self, bytes: &[u8]) -> Vec<u8> {
        let bytes = replaced(bytes, b"{decoy}", self.decoy.as_bytes());
        replaced(&bytes, b"{row}", self.row.as_bytes())
    }
}

fn replaced(bytes: &[u8], mark: &[u8], by: &[u8]) -> Vec<u8> {
    let mut rest = bytes;
    let mut filled = Vec::with_capacity(bytes.len());
    while let Some(at) = rest.windows(mark.len()).position(|part| part == mark) {
        filled.extend_from_slice(&rest[..at]);
        filled.extend_from_slice(by);
        rest = &rest[at + mark.len()..];
    }
    filled.extend_from_slice(rest);
    filled
}

async fn converse(row: &Row, to: SocketAddr, words: &Words) -> (Vec<Answer>, End) {
    let stream = TcpStream::connect(to).await.expect("the host accepts");
    let _ = stream.set_nodelay(true);
    let (reader, mut writer) = stream.into_split();
    let mut wire = Wire::new(reader);
    let mut answers = Vec::new();
    let mut finished = false;
    // The method decides whether a response has a body.
    let is_head = row
        .acts
        .iter()
        .any(|act| matches!(act, Act::Say(bytes) if bytes.starts_with(b"HEAD ")));
    for act in &row.acts {
        match act {
            // A host may respond before it has read everything, and close.
            Act::Say(bytes) => drop(writer.write_all(&words.fill(bytes)).await),
            Act::Finish => {
                finished = true;
                let _ = writer.shutdown().await;
            }
            Act::Await => match receive(&mut wire, is_head, &mut answers).await {
                Received::Answer => {}
                Received::Closed => return (answers, End::Closed),
                Received::Silence => return (answers, End::Silent),
            },
        }
    }
    if finished {
        return (answers, End::Closed);
    }
    let after = format!("GET {AFTER} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let _ = writer.write_all(after.as_bytes()).await;
    let mut last = Vec::new();
    let end = match receive(&mut wire, false, &mut last).await {
        Received::Closed if last.is_empty() => End::Closed,
        Received::Silence => End::Silent,
        _ => match last.as_slice() {
            [only] if only.status == 200 && only.body.bytes == AFTER.as_bytes() => End::Kept,
            [only, ..] => End::Another(only.status, only.body.bytes.escape_ascii().to_string()),
            [] => End::Closed,
        },
    };
    (answers, end)
}

enum Received {
    Answer,
    Closed,
    Silence,
}

/// The next final response, and the interim ones before it.
async fn receive(wire: &mut Wire, is_head: bool, answers: &mut Vec<Answer>) -> Received {
    loop {
        let Ok(head) = tokio::time::timeout(SILENCE, wire.head()).await else {
            return Received::Silence;
        };
        let Some(head) = head else {
            return Received::Closed;
        };
        let status = head.line.split(' ').nth(1);
        let status = status.and_then(|status| status.parse().ok()).unwrap_or(0);
        let interim = (100..200).contains(&status) && status != 101;
        let framing = if is_head || interim || matches!(status, 204 | 304) {
            Framing::Length(0)
        } else {
            head.framing(Framing::UntilClosed)
        };
        let body = tokio::time::timeout(SILENCE, wire.body(framing)).await;
        let body = body.unwrap_or(Body {
            broken: true,
            ..Body::default()
        });
        answers.push(Answer {
            status,
            fields: head.fields,
            body,
        });
        if !interim {
            return Received::Answer;
        }
    }
}
