//! Sizes: what passes has all of it, and what is too large is refused.

use super::row::{Row, row};

fn fields(name: &str, lines: String) -> Row {
    row(
        name,
        format!("GET /x HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\n{lines}\r\n"),
    )
}

fn many(count: usize) -> Row {
    let lines = (0..count).map(|n| format!("x-{n}: 1\r\n")).collect();
    fields(&format!("{count} fields"), lines)
}

fn value(bytes: usize) -> Row {
    let line = format!("X-A: {}\r\n", "a".repeat(bytes));
    fields(&format!("a value of {bytes} bytes"), line)
}

fn name(bytes: usize) -> Row {
    let line = format!("{}: 1\r\n", "a".repeat(bytes));
    fields(&format!("a name of {bytes} bytes"), line)
}

fn target(bytes: usize) -> Row {
    let path = "a".repeat(bytes - 1);
    let bytes = format!("a target of {bytes} bytes");
    row(
        bytes,
        format!("GET /{path} HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\n\r\n"),
    )
}

fn body(bytes: usize) -> Row {
    let name = format!("a body of {bytes} bytes");
    let head =
        format!("POST /x HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\nContent-Length: {bytes}\r\n\r\n");
    row(name, head + &"b".repeat(bytes))
}

pub fn rows() -> Vec<Row> {
    vec![
        many(90),
        many(400),
        many(1_500),
        many(10_000),
        value(8_000),
        value(60_000),
        value(100_000),
        value(1_000_000),
        name(8_000),
        name(60_000),
        name(100_000),
        target(8_000),
        target(60_000),
        target(65_536),
        target(1_000_000),
        row(
            "a method of 20,000 bytes",
            format!(
                "{} /x HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\n\r\n",
                "A".repeat(20_000)
            ),
        ),
        row(
            "a host of 20,000 bytes",
            format!("GET /x HTTP/1.1\r\nHost: {}\r\n\r\n", "a".repeat(20_000)),
        ),
        row(
            "a request line of 1,000,000 bytes that does not end",
            format!("GET /{}", "a".repeat(1_000_000)),
        )
        .finished(),
        row(
            "a field of 1,000,000 bytes that does not end",
            format!(
                "GET /x HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\nX-A: {}",
                "a".repeat(1_000_000)
            ),
        )
        .finished(),
        body(65_536),
        body(1_000_000),
        row(
            "a body of 1,000 chunks of one byte",
            format!(
                "POST /x HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
                "1\r\nb\r\n".repeat(1_000)
            ),
        ),
        row(
            "trailers of 100,000 bytes",
            format!(
                "POST /x HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-End: {}\r\n\r\n",
                "a".repeat(100_000)
            ),
        ),
    ]
}
