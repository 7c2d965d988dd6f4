//! Where a request ends: its length, its transfer coding, its chunks.

use super::row::{Row, row};

/// A POST with these fields, each with its end, and this body.
fn post(name: &str, fields: &str, body: &str) -> Row {
    let head = format!("POST /x HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\n{fields}\r\n");
    row(name, head + body)
}

/// Another method with a body.
fn with(method: &str, fields: &str, body: &str) -> Row {
    let name = format!(
        "{method}, {}, {body:?}",
        fields.trim_end().replace("\r\n", " and ")
    );
    let head = format!("{method} /x HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\n{fields}\r\n");
    row(name, head + body)
}

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
const HELLO: &str = "5\r\nhello\r\n0\r\n\r\n";

/// What follows a request that an attacker would have read as another one.
const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

pub fn rows() -> Vec<Row> {
    [lengths(), contradictions(), codings(), chunks(), methods()]
        .into_iter()
        .flatten()
        .collect()
}

fn lengths() -> Vec<Row> {
    let length = |value: &str| {
        let name = format!("a length of {value:?}");
        post(&name, &format!("Content-Length: {value}\r\n"), "hello")
    };
    vec![
        length("5"),
        length("005"),
        length("+5"),
        length("-5"),
        length("0x5"),
        length("5.0"),
        length("5 5"),
        length("5;"),
        length(""),
        length("5, 5"),
        length("5, 6"),
        length("5,"),
        length("18446744073709551616"),
        length("18446744073709551621"),
        length("99999999999999999999999999"),
        post("a length after a tab", "Content-Length:\t5\r\n", "hello"),
        post(
            "a length after a vertical tab",
            "Content-Length:\x0b5\r\n",
            "hello",
        ),
        post("a length before a NUL", "Content-Length: 5\0\r\n", "hello"),
        post(
            "a length with a space before its colon",
            "Content-Length : 5\r\n",
            "hello",
        ),
        post(
            "a length with an underscore",
            "Content_Length: 50\r\nContent-Length: 5\r\n",
            "hello",
        ),
        post(
            "a length twice",
            "Content-Length: 5\r\nContent-Length: 5\r\n",
            "hello",
        ),
        post(
            "two lengths, the smaller first",
            "Content-Length: 5\r\nContent-Length: 50\r\n",
            &format!("hello{HIDDEN}"),
        ),
        post(
            "two lengths, the larger first",
            "Content-Length: 50\r\nContent-Length: 5\r\n",
            &format!("hello{HIDDEN}"),
        ),
        post(
            "a length that its connection names",
            "Connection: content-length\r\nContent-Length: 5\r\n",
            "hello",
        ),
        post(
            "no length, and bytes that are no request",
            "",
            "hello\r\n\r\n",
        )
        .races(),
        post("a length of 0", "Content-Length: 0\r\n", ""),
        post("no length, and no body", "", ""),
    ]
}

fn contradictions() -> Vec<Row> {
    let both = |name: &str, fields: &str, body: &str| post(name, fields, body);
    vec![
        both(
            "a length and chunked, which agree",
            "Content-Length: 15\r\nTransfer-Encoding: chunked\r\n",
            HELLO,
        ),
        both(
            "a length too short and chunked",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            HELLO,
        ),
        both(
            "chunked and a length too short",
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            HELLO,
        ),
        both(
            "a length that hides a request behind an empty chunk",
            &format!(
                "Content-Length: {}\r\nTransfer-Encoding: chunked\r\n",
                5 + HIDDEN.len()
            ),
            &format!("0\r\n\r\n{HIDDEN}"),
        ),
        both(
            "chunked that hides a request behind a length",
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            &format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len()),
        ),
        both(
            "a length of 0 and chunked",
            "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
            HELLO,
        ),
        both(
            "a length too long and chunked",
            "Content-Length: 50\r\nTransfer-Encoding: chunked\r\n",
            HELLO,
        ),
        both(
            "a length as long as the first of two chunks",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n",
        ),
        both(
            "two lengths and chunked",
            "Content-Length: 5\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n",
            HELLO,
        ),
        both(
            "an invalid length and chunked",
            "Content-Length: x\r\nTransfer-Encoding: chunked\r\n",
            HELLO,
        ),
    ]
}

fn codings() -> Vec<Row> {
    let coded = |value: &str| {
        let name = format!("a coding of {value:?}");
        post(&name, &format!("Transfer-Encoding: {value}\r\n"), HELLO)
    };
    let beside = |name: &str, line: &str| {
        let fields = format!("Content-Length: {}\r\n{line}\r\n", 5 + HIDDEN.len());
        post(name, &fields, &format!("0\r\n\r\n{HIDDEN}"))
    };
    vec![
        coded("chunked"),
        coded("CHUNKED"),
        coded("chunked, chunked"),
        coded("gzip, chunked"),
        coded("chunked, gzip"),
        coded("gzip"),
        coded("identity"),
        coded("identity, chunked"),
        coded("xchunked"),
        coded("chunked;q=1"),
        coded("\"chunked\""),
        coded(""),
        coded(","),
        coded("chunked,"),
        coded(", chunked"),
        post("chunked twice", &CHUNKED.repeat(2), HELLO),
        post(
            "gzip and chunked in two fields",
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            HELLO,
        ),
        post(
            "chunked and gzip in two fields",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n",
            HELLO,
        ),
        beside(
            "chunked after a vertical tab, beside a length",
            "Transfer-Encoding:\x0bchunked",
        ),
        beside(
            "chunked behind a space, beside a length",
            "Transfer-Encoding : chunked",
        ),
        beside(
            "chunked behind a tab, beside a length",
            "Transfer-Encoding\t: chunked",
        ),
        beside(
            "chunked in a folded line, beside a length",
            "Transfer-Encoding:\r\n chunked",
        ),
        beside(
            "chunked in a continued field, beside a length",
            "X: y\r\n Transfer-Encoding: chunked",
        ),
        beside(
            "chunked after a bare CR, beside a length",
            "X: y\rTransfer-Encoding: chunked",
        ),
        beside(
            "chunked after a bare LF, beside a length",
            "X: y\nTransfer-Encoding: chunked",
        ),
        beside(
            "chunked with an underscore, beside a length",
            "Transfer_Encoding: chunked",
        ),
        beside(
            "chunked before a NUL, beside a length",
            "Transfer-Encoding: chunked\0",
        ),
        beside("xchunked beside a length", "Transfer-Encoding: xchunked"),
        post(
            "chunked that its connection names",
            &format!("Connection: transfer-encoding\r\n{CHUNKED}"),
            HELLO,
        ),
        row(
            "chunked from HTTP/1.0",
            format!("POST /x HTTP/1.0\r\nHost: a\r\nX-Row: {{row}}\r\n{CHUNKED}\r\n{HELLO}"),
        ),
    ]
}

fn chunks() -> Vec<Row> {
    let chunked = |name: &str, body: &str| post(name, CHUNKED, body);
    vec![
        chunked("chunks", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
        chunked("a chunk size in capitals", "A\r\nhellohello\r\n0\r\n\r\n"),
        chunked(
            "a chunk size with zeros in front",
            "0005\r\nhello\r\n0\r\n\r\n",
        ),
        chunked(
            "a chunk size with many zeros in front",
            &format!("{}5\r\nhello\r\n0\r\n\r\n", "0".repeat(40)),
        ),
        chunked("a chunk extension", "5;a=b\r\nhello\r\n0;c\r\n\r\n"),
        chunked(
            "a quoted chunk extension",
            "5;a=\"b;c\"\r\nhello\r\n0\r\n\r\n",
        ),
        chunked(
            "a long chunk extension",
            &format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(20_000)),
        ),
        chunked("a bare LF in a chunk extension", "5;a\nhello\r\n0\r\n\r\n"),
        chunked(
            "a request behind a bare LF in a chunk extension",
            &format!("5;\n{HIDDEN}\r\nhello\r\n0\r\n\r\n"),
        ),
        chunked(
            "a bare CR in a chunk extension",
            "5;a\rb\r\nhello\r\n0\r\n\r\n",
        ),
        chunked("a space behind a chunk size", "5 \r\nhello\r\n0\r\n\r\n"),
        chunked("a space before a chunk size", " 5\r\nhello\r\n0\r\n\r\n"),
        chunked("a bare LF behind a chunk size", "5\nhello\r\n0\r\n\r\n"),
        chunked("a bare LF behind a chunk", "5\r\nhello\n0\r\n\r\n"),
        chunked("a bare CR behind a chunk", "5\r\nhello\r0\r\n\r\n"),
        chunked("nothing behind a chunk", "5\r\nhello0\r\n\r\n"),
        chunked("a chunk longer than its size", "5\r\nhello!\r\n0\r\n\r\n"),
        chunked("a negative chunk size", "-5\r\nhello\r\n0\r\n\r\n"),
        chunked("a chunk size with a sign", "+5\r\nhello\r\n0\r\n\r\n"),
        chunked("a chunk size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
        chunked(
            "a chunk size with an underscore",
            "0_5\r\nhello\r\n0\r\n\r\n",
        ),
        chunked("no chunk size", "\r\nhello\r\n0\r\n\r\n"),
        chunked(
            "a chunk size that is no number",
            "xyz\r\nhello\r\n0\r\n\r\n",
        ),
        chunked(
            "a chunk size of 2^64 + 5",
            "10000000000000005\r\nhello\r\n0\r\n\r\n",
        ),
        chunked(
            "a chunk size of 2^32 + 5",
            "100000005\r\nhello\r\n0\r\n\r\n",
        )
        .finished(),
        chunked("a bare LF behind the last chunk", "5\r\nhello\r\n0\n\r\n"),
        chunked("a bare LF behind the trailers", "5\r\nhello\r\n0\r\n\n").finished(),
        chunked("a trailer", "5\r\nhello\r\n0\r\nX-End: 1\r\n\r\n"),
        chunked(
            "a trailer that names a length",
            "5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n",
        ),
        chunked(
            "a trailer that names a coding",
            "5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        chunked(
            "a trailer that names a host",
            "5\r\nhello\r\n0\r\nHost: {decoy}\r\n\r\n",
        ),
        chunked(
            "a trailer with a space before its colon",
            "5\r\nhello\r\n0\r\nX-End : 1\r\n\r\n",
        ),
        chunked(
            "a folded trailer",
            "5\r\nhello\r\n0\r\nX-End: 1\r\n 2\r\n\r\n",
        ),
        chunked(
            "a trailer with a NUL",
            "5\r\nhello\r\n0\r\nX-End: 1\0\r\n\r\n",
        ),
        chunked(
            "a request as a trailer",
            &format!("5\r\nhello\r\n0\r\n{HIDDEN}"),
        ),
        post(
            "an announced trailer",
            &format!("TE: trailers\r\nTrailer: X-End\r\n{CHUNKED}"),
            "5\r\nhello\r\n0\r\nX-End: 1\r\n\r\n",
        ),
        chunked("no chunks", "0\r\n\r\n"),
        chunked("chunks that break off", "5\r\nhello\r\n").finished(),
        chunked("a chunk that breaks off", "5\r\nhel").finished(),
        post("a body that breaks off", "Content-Length: 10\r\n", "hello").finished(),
    ]
}

fn methods() -> Vec<Row> {
    let mut rows = Vec::new();
    for method in [
        "GET", "HEAD", "DELETE", "OPTIONS", "PATCH", "TRACE", "PURGE",
    ] {
        rows.push(with(method, "Content-Length: 5\r\n", "hello"));
        rows.push(with(method, CHUNKED, HELLO));
    }
    rows.push(with("GET", "Content-Length: 0\r\n", ""));
    rows.push(with("GET", CHUNKED, "0\r\n\r\n"));
    rows.push(with(
        "GET",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        HELLO,
    ));
    rows
}
