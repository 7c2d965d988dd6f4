//! What targets respond.

use super::row::{Row, answer, row};
use super::tap::Reply;

/// A whole response that nobody asked for, behind another one.
const UNASKED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled";

/// A 200 with these fields, each with its end, and this body.
fn ok(name: &str, fields: impl AsRef<[u8]>, body: &str) -> Row {
    let head = [b"HTTP/1.1 200 OK\r\n", fields.as_ref(), b"\r\n"].concat();
    answer(name, [&head, body.as_bytes()].concat())
}

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
const HELLO: &str = "5\r\nhello\r\n0\r\n\r\n";

pub fn rows() -> Vec<Row> {
    [lengths(), codings(), heads(), statuses(), surplus()]
        .into_iter()
        .flatten()
        .collect()
}

fn lengths() -> Vec<Row> {
    let length = |value: &str| {
        let name = format!("a response's length of {value:?}");
        ok(&name, format!("Content-Length: {value}\r\n"), "hello")
    };
    vec![
        length("5"),
        length("005"),
        length("+5"),
        length("-5"),
        length("5, 5"),
        length("5, 6"),
        length(""),
        length("x"),
        length("10"),
        length("3"),
        length("18446744073709551621"),
        ok(
            "a response's length twice",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "hello",
        ),
        ok(
            "a response with two lengths",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "hello!",
        ),
        ok("a response without a length", "", "hello"),
    ]
}

fn codings() -> Vec<Row> {
    let coded = |value: &str| {
        let name = format!("a response's coding of {value:?}");
        ok(&name, format!("Transfer-Encoding: {value}\r\n"), HELLO)
    };
    let chunked = |name: &str, body: &str| ok(name, CHUNKED, body);
    vec![
        coded("chunked"),
        coded("Chunked"),
        coded("gzip, chunked"),
        coded("chunked, chunked"),
        coded("chunked, gzip"),
        coded("identity"),
        coded("xchunked"),
        ok("a response chunked twice", CHUNKED.repeat(2), HELLO),
        ok(
            "a response's length and chunked",
            format!("Content-Length: 3\r\n{CHUNKED}"),
            HELLO,
        ),
        ok(
            "a response's chunked behind a space",
            "Transfer-Encoding : chunked\r\n",
            HELLO,
        ),
        chunked(
            "a response's chunk extension",
            "5;a=b\r\nhello\r\n0\r\n\r\n",
        ),
        chunked(
            "a bare LF behind a response's chunk size",
            "5\nhello\r\n0\r\n\r\n",
        ),
        chunked(
            "a response's chunk longer than its size",
            "5\r\nhello!\r\n0\r\n\r\n",
        ),
        chunked(
            "a response's chunk size that is no number",
            "x\r\nhello\r\n0\r\n\r\n",
        ),
        chunked("a response's chunks that break off", "5\r\nhello\r\n"),
        chunked(
            "a response's trailer",
            "5\r\nhello\r\n0\r\nX-End: 1\r\n\r\n",
        ),
        answer(
            "a response chunked from HTTP/1.0",
            format!("HTTP/1.0 200 OK\r\n{CHUNKED}\r\n{HELLO}"),
        ),
    ]
}

fn heads() -> Vec<Row> {
    let field =
        |name: &str, line: &[u8]| ok(name, [line, b"\r\nContent-Length: 5\r\n"].concat(), "hello");
    vec![
        answer(
            "a response with bare LFs",
            "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        ),
        field("a response's folded value", b"X-A: 1\r\n 2"),
        field("a bare CR in a response's value", b"X-A: 1\r2"),
        field("a bare LF in a response's value", b"X-A: 1\nX-B: 2"),
        field("a NUL in a response's value", b"X-A: 1\x002"),
        field("a control character in a response's value", b"X-A: 1\x012"),
        field("high bytes in a response's value", b"X-A: \xe9\xff"),
        field(
            "UTF-8 in a response's value",
            "X-A: \u{e9}\u{20ac}".as_bytes(),
        ),
        field("a tab in a response's value", b"X-A: 1\t2"),
        field("an empty value in a response", b"X-A:"),
        field("a space before a response's colon", b"X-A : 1"),
        field("a response's line without a colon", b"X-A"),
        field("a response's field without a name", b": 1"),
        field("a high byte in a response's name", b"X-\xe9: 1"),
        field("a response's field twice", b"X-A: 1\r\nX-B: 2\r\nX-A: 3"),
        field(
            "two cookies in a response",
            b"Set-Cookie: a=1\r\nSet-Cookie: b=2",
        ),
        field("two dates in a response", b"Date: a\r\nDate: b"),
        field(
            "a response's connection that names a field",
            b"Connection: x-a\r\nX-A: 1",
        ),
        field(
            "a response's fields of a connection",
            b"Keep-Alive: timeout=5\r\nProxy-Authenticate: a\r\nUpgrade: h2c\r\nX-A: 1",
        ),
        ok(
            "600 fields in a response",
            (0..600)
                .map(|n| format!("x-{n}: 1\r\n"))
                .collect::<String>()
                + "content-length: 5\r\n",
            "hello",
        ),
    ]
}

fn statuses() -> Vec<Row> {
    let status = |line: &str, rest: &str| answer(line.to_owned(), format!("{line}\r\n{rest}"));
    let hello = "content-length: 5\r\n\r\nhello";
    vec![
        status("HTTP/1.1 200", hello),
        status("HTTP/1.1 200 ", hello),
        status("HTTP/1.1 200 Tr\u{e8}s bien", hello),
        status("HTTP/1.0 200 OK", hello),
        status("HTTP/1.0 200 OK ", "\r\nhello"),
        status("HTTP/2.0 200 OK", hello),
        status("HTTP/1.2 200 OK", hello),
        status("http/1.1 200 OK", hello),
        status("HTTP/1.1  200 OK", hello),
        status("HTTP/1.1 0200 OK", hello),
        status("HTTP/1.1 20 OK", hello),
        status("HTTP/1.1 099 Odd", hello),
        status("HTTP/1.1 299 Odd", hello),
        status("HTTP/1.1 599 Odd", hello),
        status("HTTP/1.1 600 Odd", hello),
        status("HTTP/1.1 999 Odd", hello),
        status("HTTP/1.1 204 No Content", hello),
        status("HTTP/1.1 204 No Content ", "\r\n"),
        status("HTTP/1.1 205 Reset Content", "content-length: 0\r\n\r\n"),
        status(
            "HTTP/1.1 304 Not Modified",
            "content-length: 5\r\netag: \"a\"\r\n\r\n",
        ),
        status(
            "HTTP/1.1 302 Found",
            "location: http://{decoy}/\r\ncontent-length: 0\r\n\r\n",
        ),
        status("ICY 200 OK", hello),
        status("220 mail.example ESMTP", "\r\n"),
        answer("no response", "\r\n"),
    ]
}

/// Bytes behind a response, on a connection that the target keeps: the next request must not get them.
fn surplus() -> Vec<Row> {
    let get = "GET /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\n\r\n";
    let head = "HEAD /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\n\r\n";
    let behind = |name: &str, request: &str, first: &str| {
        row(name, request).reply(Reply {
            bytes: format!("{first}{UNASKED}").into_bytes(),
            ..Reply::default()
        })
    };
    vec![
        behind(
            "a response behind a response",
            get,
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        ),
        behind(
            "a response behind chunks",
            get,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        ),
        behind(
            "a response behind a 204",
            get,
            "HTTP/1.1 204 No Content\r\n\r\n",
        ),
        behind(
            "a response behind a 304",
            get,
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
        ),
        behind(
            "a response behind one with two lengths",
            get,
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok",
        ),
        behind(
            "a response behind a 100 with a length",
            get,
            "HTTP/1.1 100 Continue\r\ncontent-length: 2\r\n\r\nok",
        ),
        row("a body in response to HEAD", head).reply(Reply::default()),
    ]
}
