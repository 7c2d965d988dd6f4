//! Request lines and fields.

use super::row::{Row, row};

pub fn rows() -> Vec<Row> {
    [lines(), starts(), names(), values(), hosts(), named()]
        .into_iter()
        .flatten()
        .collect()
}

/// A GET with these lines after its Host, each with its end.
fn fields(name: &str, lines: impl AsRef<[u8]>) -> Row {
    let head = b"GET /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\n";
    row(name, [&head[..], lines.as_ref(), b"\r\n"].concat())
}

/// A whole request.
fn whole(name: &str, bytes: impl AsRef<[u8]>) -> Row {
    row(name, bytes)
}

fn lines() -> Vec<Row> {
    vec![
        whole("bare LFs", "GET /x HTTP/1.1\nHost: a\nX-A: 1\n\n"),
        whole(
            "a bare LF behind the request line",
            "GET /x HTTP/1.1\nHost: a\r\nX-Row: {row}\r\n\r\n",
        ),
        whole(
            "a bare LF behind a field",
            "GET /x HTTP/1.1\r\nHost: a\nX-A: 1\r\n\r\n",
        ),
        whole(
            "a bare LF as the empty line",
            "GET /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\n\n",
        ),
        whole("bare CRs", "GET /x HTTP/1.1\rHost: a\r\r").finished(),
        fields("a bare CR in a value", "X-A: 1\r2\r\n"),
        fields("a bare CR behind a value", "X-A: 1\r\r\n"),
        fields("a field behind a bare CR", "X-A: 1\rX-B: 2\r\n"),
        fields("a folded value", "X-A: 1\r\n 2\r\n"),
        fields("a value folded with a tab", "X-A: 1\r\n\t2\r\n"),
        fields("a value that begins in the next line", "X-A:\r\n 1\r\n"),
        whole(
            "a folded first field",
            "GET /x HTTP/1.1\r\n Host: a\r\nHost: a\r\nX-Row: {row}\r\n\r\n",
        ),
        whole(
            "an empty line in front",
            "\r\nGET /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\n\r\n",
        ),
        whole(
            "a bare LF in front",
            "\nGET /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\n\r\n",
        ),
        whole(
            "many empty lines in front",
            format!(
                "{}GET /x HTTP/1.1\r\nHost: a\r\nX-Row: {{row}}\r\n\r\n",
                "\r\n".repeat(50)
            ),
        ),
        whole(
            "a space in front",
            " GET /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\n\r\n",
        ),
    ]
}

fn starts() -> Vec<Row> {
    let start = |line: &str| {
        row(
            format!("{line:?}"),
            format!("{line}\r\nHost: a\r\nX-Row: {{row}}\r\n\r\n"),
        )
    };
    vec![
        start("GET /x HTTP/1.1"),
        start("get /x HTTP/1.1"),
        start("Get /x HTTP/1.1"),
        start("PURGE /x HTTP/1.1"),
        start("M-SEARCH /x HTTP/1.1"),
        start("BREW /x HTTP/1.1"),
        start("X!#$%&'*+-.^_`|~9 /x HTTP/1.1"),
        start(&format!("{} /x HTTP/1.1", "A".repeat(64))),
        start("G(T /x HTTP/1.1"),
        start("G\u{e9}T /x HTTP/1.1"),
        start("GET\0 /x HTTP/1.1"),
        start("/x HTTP/1.1"),
        start("GET  /x HTTP/1.1"),
        start("GET\t/x\tHTTP/1.1"),
        start("GET /x  HTTP/1.1"),
        start("GET /x HTTP/1.1 "),
        start("GET /x HTTP/1.1 x"),
        start("GET /x"),
        start("GET /x HTTP/0.9"),
        start("GET /x HTTP/1.0"),
        start("GET /x HTTP/1.2"),
        start("GET /x HTTP/2.0"),
        start("GET /x HTTP/2"),
        start("GET /x HTTP/11"),
        start("GET /x http/1.1"),
        start("GET /x HTTPS/1.1"),
        start("GET /x HTTP/1.1\0"),
        row("HTTP/0.9", "GET /x\r\n").finished(),
        row(
            "bytes of TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        )
        .finished(),
        row(
            "a preface of HTTP/2 that breaks off",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        )
        .finished(),
        row(
            "another method with the preface's line",
            "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        )
        .finished(),
    ]
}

fn names() -> Vec<Row> {
    let name = |name: &[u8]| {
        let line = [name, b": 1\r\n"].concat();
        let label = format!("a field called \"{}\"", name.escape_ascii());
        fields(&label, line)
    };
    let mut rows = vec![
        name(b"x!#$%&'*+-.^_`|~9"),
        name(b"X-MiXeD"),
        name(b"x y"),
        name(b"x-a "),
        name(b"x-a\t"),
        name(b" x-a"),
        name(b""),
        name(b"x\0a"),
        name(b"x\x01a"),
        name(b"x\x7fa"),
        name(b"x\xe9"),
        name(b"\xffx"),
        name(b"x\xc3\xa9"),
        name(b"x(a)"),
        name(b"x/a"),
        name(b"x@a"),
        name(b"x[a]"),
        name(b"{x}"),
        name(b"\"x\""),
        name(b"x;a"),
        name(b":method"),
        fields("a line without a colon", "X-A\r\n"),
        fields("a line of one colon", ":\r\n"),
    ];
    rows.push(fields("a field twice", "X-A: 1\r\nX-B: 2\r\nX-A: 3\r\n"));
    rows.push(fields(
        "a field twice with the same value",
        "X-A: 1\r\nX-A: 1\r\n",
    ));
    rows
}

fn values() -> Vec<Row> {
    let value = |value: &[u8]| {
        let line = [b"X-A: ", value, b"\r\n"].concat();
        let label = format!("a value of \"{}\"", value.escape_ascii());
        fields(&label, line)
    };
    let mut rows = vec![
        value(b""),
        value(b"   "),
        value(b" 1 "),
        value(b"\t1\t"),
        value(b"1\t2"),
        value(b"1  2"),
        value(b"\"a, b\", c;d=\"\\\"\""),
        value(b"\xe9"),
        value(b"\xff\xfe\x80"),
        value(b"\xc3\xa9\xe2\x82\xac"),
        value(b"\xc2\x85"),
        value(b"a\xa0"),
        value(b"\xa0a"),
    ];
    for control in [0_u8, 1, 7, 8, 0x0b, 0x0c, 0x1b, 0x1f, 0x7f] {
        rows.push(value(&[b'1', control, b'2']));
    }
    rows.push(fields("no space behind the colon", "X-A:1\r\n"));
    rows.push(fields("two cookies", "Cookie: a=1\r\nCookie: b=2\r\n"));
    rows.push(fields(
        "two languages",
        "Accept-Language: en\r\nAccept-Language: de\r\n",
    ));
    rows.push(fields(
        "two authorizations",
        "Authorization: a\r\nAuthorization: b\r\n",
    ));
    rows.push(fields(
        "two user agents",
        "User-Agent: a\r\nUser-Agent: b\r\n",
    ));
    rows.push(fields(
        "two content types",
        "Content-Type: a/a\r\nContent-Type: b/b\r\n",
    ));
    rows.push(fields("fields of HTTP/2", "HTTP2-Settings: AAMAAABkAAQAAP__\r\nUpgrade: h2c\r\nConnection: upgrade, http2-settings\r\n"));
    rows.push(fields(
        "an expectation that nobody knows",
        "Expect: the-unexpected\r\n",
    ));
    rows
}

fn hosts() -> Vec<Row> {
    let host = |value: &str| {
        let bytes = format!("GET /x HTTP/1.1\r\nHost: {value}\r\n\r\n");
        row(format!("a host of {value:?}"), bytes)
    };
    vec![
        host("a"),
        host("A.Example:8080"),
        host("{decoy}"),
        host(""),
        host("[::1]"),
        host("[::1]:8080"),
        host("[2001:DB8::7]:80"),
        host("[fe80::1%25eth0]"),
        host("[::1"),
        host("::1"),
        host("a:"),
        host("a:port"),
        host("a:99999"),
        host("a:80:80"),
        host("user@a"),
        host("user:secret@{decoy}"),
        host("a/b"),
        host("a?b"),
        host("a#b"),
        host("a\\b"),
        host("a b"),
        host("a, b"),
        host("a\t"),
        host("http://a"),
        host("a%20b"),
        host("a%2f"),
        host("b\u{fc}cher.example"),
        host("xn--bcher-kva.example"),
        host("a_b"),
        host("*"),
        host("."),
        host("a\0b"),
        row("no host", "GET /x HTTP/1.1\r\n\r\n"),
        row(
            "two hosts",
            "GET /x HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\nHost: {decoy}\r\n\r\n",
        ),
        row(
            "a host twice",
            "GET /x HTTP/1.1\r\nHost: a\r\nHost: a\r\nX-Row: {row}\r\n\r\n",
        ),
        row(
            "a host with a space before its colon",
            "GET /x HTTP/1.1\r\nHost : {decoy}\r\nHost: a\r\nX-Row: {row}\r\n\r\n",
        ),
        row(
            "a folded host",
            "GET /x HTTP/1.1\r\nHost: a\r\n {decoy}\r\n\r\n",
        ),
        row(
            "a host behind a bare LF",
            "GET /x HTTP/1.1\r\nHost: a\nHost: {decoy}\r\n\r\n",
        ),
    ]
}

fn named() -> Vec<Row> {
    let connection = |value: &str| {
        let name = format!("a connection that names {value:?}");
        let lines = format!("Connection: {value}\r\nX-A: 1\r\nCookie: a=1\r\nVia: 1.1 b\r\n");
        fields(&name, lines)
    };
    vec![
        connection("x-a"),
        connection("X-A"),
        connection("keep-alive, x-a"),
        connection("x-a,,"),
        connection("cookie, via"),
        connection("host"),
        connection("x a"),
        connection("*"),
        fields(
            "a connection named in two fields",
            "Connection: x-a\r\nConnection: x-b\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n",
        ),
        fields(
            "fields of a connection",
            "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: a\r\nTE: gzip\r\nX-A: 1\r\n",
        ),
    ]
}
