//! What follows what on a connection: pipelining, half-closed connections, HTTP/1.0, early and interim responses.

use super::row::{Act, Row, row};
use super::tap::Reply;

const GET: &str = "GET /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\n\r\n";

fn say(bytes: impl AsRef<[u8]>) -> Act {
    Act::Say(bytes.as_ref().to_vec())
}

/// The target responds with these bytes once it has the head.
fn early(bytes: &str, closes: bool) -> Reply {
    Reply {
        bytes: bytes.into(),
        early: true,
        closes,
    }
}

fn late(bytes: &str) -> Reply {
    Reply {
        bytes: bytes.into(),
        ..Reply::default()
    }
}

pub fn rows() -> Vec<Row> {
    [pipelines(), halves(), old(), earlies(), interims()]
        .into_iter()
        .flatten()
        .collect()
}

fn pipelines() -> Vec<Row> {
    let posts = "POST /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\nContent-Length: 5\r\n\r\nhello";
    let chunked = "POST /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let numbered: String = (0..10)
        .map(|n| format!("GET /{n} HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\n\r\n"))
        .collect();
    vec![
        row("two requests at once", GET.repeat(2)).answers(2),
        row("ten requests at once", numbered).answers(10),
        row("a length and a request at once", format!("{posts}{GET}")).answers(2),
        row("chunks and a request at once", format!("{chunked}{GET}")).answers(2),
        row("an empty line between requests", format!("{GET}\r\n{GET}")).answers(2),
        row("an empty line behind a body", format!("{posts}\r\n{GET}")).answers(2),
        row(
            "a request and bytes that are none",
            format!("{GET}garbage\r\n\r\n"),
        )
        .answers(2)
        .races(),
        row("a request and half a one", format!("{GET}GET /y HT"))
            .answers(1)
            .finished()
            .races(),
        row(
            "a request behind one that closes",
            format!(
                "GET /x HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\nConnection: close\r\n\r\n{GET}"
            ),
        )
        .answers(2),
        row(
            "a fragment in the second of two requests",
            format!("{GET}GET /y#z HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\n\r\n"),
        )
        .answers(2),
        row(
            "a fragment behind a body",
            format!("{posts}GET /y#z HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\n\r\n"),
        )
        .answers(2),
        row(
            "a fragment behind chunks",
            format!("{chunked}GET /y#z HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\n\r\n"),
        )
        .answers(2),
        row(
            "what looks like a fragment in a body",
            "POST /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\nContent-Length: 20\r\n\r\nGET /y#z HTTP/1.1\r\n\r",
        ),
        row("a head byte by byte", "").acts(
            GET.bytes()
                .map(|byte| say([byte]))
                .chain([Act::Await])
                .collect::<Vec<_>>(),
        ),
    ]
}

/// Most hosts take the end of what a client sends for the end of the client, as proxies do: what the target gets of its
/// request depends on what is sooner.
fn halves() -> Vec<Row> {
    vec![
        row("a request, and the end", GET).finished().races(),
        row(
            "a request with a body, and the end",
            "POST /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\nContent-Length: 5\r\n\r\nhello",
        )
        .finished()
        .races(),
        row("half a request line, and the end", "GET /x").finished(),
        row(
            "half a head, and the end",
            "GET /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\n",
        )
        .finished(),
        row(
            "half a body, and the end",
            "POST /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\nContent-Length: 10\r\n\r\nhello",
        )
        .finished(),
        row("nothing, and the end", "").finished(),
    ]
}

fn old() -> Vec<Row> {
    vec![
        row(
            "HTTP/1.0",
            "GET /x HTTP/1.0\r\nHost: a\r\nX-Row: {row}\r\n\r\n",
        ),
        row("HTTP/1.0 without a host", "GET /x HTTP/1.0\r\n\r\n"),
        row(
            "HTTP/1.0 that is kept",
            "GET /x HTTP/1.0\r\nHost: a\r\nX-Row: {row}\r\nConnection: keep-alive\r\n\r\n",
        ),
        row(
            "HTTP/1.0 with a body",
            "POST /x HTTP/1.0\r\nHost: a\r\nX-Row: {row}\r\nContent-Length: 5\r\n\r\nhello",
        ),
        row(
            "HTTP/1.0 with a body of unknown length",
            "POST /x HTTP/1.0\r\nHost: a\r\nX-Row: {row}\r\n\r\nhello",
        )
        .finished()
        .races(),
        row(
            "HTTP/1.0 with an expectation",
            "POST /x HTTP/1.0\r\nHost: a\r\nX-Row: {row}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        ),
    ]
}

fn earlies() -> Vec<Row> {
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\nContent-Length: 10\r\n\r\n";
    let too_large = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno";
    let too_large_closes =
        "HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno";
    let expects = "POST /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    vec![
        row("an early response, and the rest of the body", head)
            .acts([say(head), say("hello"), Act::Await, say("hello")])
            .reply(early(too_large, false))
            .races(),
        row("an early response that closes", head)
            .acts([say(head), say("hello"), Act::Await, say("hello")])
            .reply(early(too_large_closes, true))
            .races(),
        row("an expectation that is met", expects).acts([say(expects), say("hello"), Act::Await]),
        row("an expectation, and an early response", expects)
            .reply(early(too_large_closes, true))
            .races(),
    ]
}

fn interims() -> Vec<Row> {
    let ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    let behind = |name: &str, interim: &str| row(name, GET).reply(late(&format!("{interim}{ok}")));
    vec![
        behind("100 before the response", "HTTP/1.1 100 Continue\r\n\r\n"),
        behind("102 before the response", "HTTP/1.1 102 Processing\r\n\r\n"),
        behind(
            "103 before the response",
            "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
        ),
        behind(
            "20 interim responses",
            &"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(20),
        ),
        behind(
            "an interim response with a length",
            "HTTP/1.1 103 Early Hints\r\ncontent-length: 5\r\n\r\n",
        ),
        behind("199 before the response", "HTTP/1.1 199 Odd\r\n\r\n"),
        row("an upgrade that nobody asked for", GET).reply(late(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: odd\r\n\r\n",
        )),
    ]
}
