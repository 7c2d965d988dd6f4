//! Request targets.

use super::row::{Row, row};

/// A request for a target.
fn target(method: &str, target: impl AsRef<[u8]>) -> Row {
    let target = target.as_ref();
    let name = format!("{method} {}", target.escape_ascii());
    let line = [
        method.as_bytes(),
        b" ",
        target,
        b" HTTP/1.1\r\nHost: a\r\nX-Row: {row}\r\n\r\n",
    ]
    .concat();
    row(name, line)
}

fn get(path: impl AsRef<[u8]>) -> Row {
    target("GET", path)
}

pub fn rows() -> Vec<Row> {
    [
        paths(),
        queries(),
        odd_bytes(),
        fragments(),
        whole_addresses(),
        other_forms(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn paths() -> Vec<Row> {
    vec![
        get("/"),
        get("//{decoy}/x"),
        get("///{decoy}/x"),
        get("/\\{decoy}/x"),
        get("/\\\\{decoy}/x"),
        get("/@{decoy}/x"),
        get("/:80@{decoy}/x"),
        get("/http://{decoy}/x"),
        get("/%2f%2f{decoy}/x"),
        get("/%5c%5c{decoy}/x"),
        get("/a/../b"),
        get("/a/./b/."),
        get("/../../a"),
        get("/.."),
        get("/%2e%2e/a"),
        get("/a/%2E%2e/b"),
        get("/a%2f..%2fb"),
        get("/a%2Fb%2fc"),
        get("/a%5cb"),
        get("/a//b///c"),
        get("/a;b=c/..;/d"),
        get("/a%00b"),
        get("/a%0d%0aX-A:%201"),
        get("/a%20b+c"),
        get("/%"),
        get("/%zz"),
        get("/%C3%a9"),
        get("/!$&'()*+,;=:@-._~"),
        get("/|^{}[]"),
    ]
}

fn queries() -> Vec<Row> {
    vec![
        get("/?"),
        get("/?a?b=/c//d"),
        get("/?a=1&a=2&&=&b"),
        get("/?a=http://{decoy}/../x"),
        get("/?%2f%23%3f"),
        get("?a"),
        get("/?a=[1]|^{2}\\"),
        get("/?a='b'"),
    ]
}

fn odd_bytes() -> Vec<Row> {
    vec![
        get("/a b"),
        get("/a\tb"),
        get("/a\0b"),
        get("/a\x01b"),
        get("/a\x7fb"),
        get("/a\rb"),
        get("/a\nb"),
        get("/\""),
        get("/<a>"),
        get("/`"),
        get("/?\""),
        get("/?<a>"),
        get("/?`"),
        get("/\u{e9}?\u{20ac}"),
        get(b"/\xe9"),
        get(b"/?\xff"),
    ]
}

fn fragments() -> Vec<Row> {
    vec![
        get("/a#b"),
        get("/#"),
        get("/?a#b"),
        get("/a#/../../b"),
        get("#a"),
        get("http://{decoy}/a#b"),
        get("http://{decoy}#b"),
        target("OPTIONS", "*#a"),
    ]
}

fn whole_addresses() -> Vec<Row> {
    vec![
        get("http://{decoy}/x?y=%2f"),
        get("http://{decoy}"),
        get("http://{decoy}?x"),
        get("http://{decoy}//{decoy}/x"),
        get("http://{decoy}/a/../b"),
        get("HTTP://{decoy}/x"),
        get("https://{decoy}/x"),
        get("ftp://{decoy}/x"),
        get("javascript://{decoy}/x"),
        get("http://user:secret@{decoy}/x"),
        get("http://a@{decoy}@b/x"),
        get("http://[::1]:80/x"),
        get("http://[::1/x"),
        get("http:///x"),
        get("http://"),
        get("http:/x"),
        get("http:x"),
        get("http://{decoy}\\x"),
        get("http://a:99999/x"),
        get("http://a:port/x"),
    ]
}

fn other_forms() -> Vec<Row> {
    vec![
        get("{decoy}"),
        get("{decoy}/x"),
        get("@{decoy}/x"),
        get("x"),
        get("a:80"),
        get("*"),
        get(""),
        target("OPTIONS", "*"),
        target("OPTIONS", "http://{decoy}"),
        target("OPTIONS", "**"),
        target("CONNECT", "{decoy}"),
        target("CONNECT", "/x"),
        target("CONNECT", "http://{decoy}/"),
        target("CONNECT", "*"),
    ]
}
