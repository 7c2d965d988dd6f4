//! HTTP/2, frame by frame: what RFC 9113 calls an error ends the stream or the connection, and nothing else; and what a
//! request has of HTTP/1.1 in its fields never reaches the target as such.

use crate::promises;
use crate::support::host::{EMBEDDED, Host};
use crate::support::raw_client::{self, status};
use crate::support::raw_h2::{
    self, ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING,
    PRIORITY, PUSH_PROMISE, RST_STREAM, RawH2, SETTINGS, WINDOW_UPDATE, block, frame,
};
use crate::support::setup::{Proxy, proxy};
use crate::support::suite::Suite;

use super::tap::{Heard, Reply, Tap};

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EMBEDDED,
        [
            an_error_of_http2_ends_no_more_than_it_must,
            a_malformed_request_of_http2_never_reaches_the_target,
        ]
    );
}

const NO_ERROR: u32 = 0;
const PROTOCOL: u32 = 1;
const FLOW_CONTROL: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const FRAME_SIZE: u32 = 6;
const COMPRESSION: u32 = 9;

/// What ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// The connection, for one of these reasons; it may just close as well (RFC 9113 section 5.4.1).
    Connection(&'static [u32]),
    /// The stream 1, for one of these reasons; or the connection (section 5.4.2 allows to treat it so).
    Stream(&'static [u32]),
    /// Nothing: the stream 1 is answered.
    Nothing,
}
use Ends::{Connection, Nothing, Stream};

async fn started(host: Host, target: &Tap) -> Proxy {
    let url = format!("http://{}", target.address());
    proxy(host).targets([url]).in_list_order().start().await
}

type Field<'a> = (&'a [u8], &'a [u8]);

const PSEUDO: [Field<'_>; 4] = [
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":path", b"/x"),
    (b":authority", b"a"),
];

/// A head without errors, and these fields.
fn head(fields: &[Field<'_>]) -> Vec<u8> {
    block(&[&PSEUDO, fields].concat())
}

/// A head with another value of a pseudo-field.
fn instead(name: &[u8], value: &[u8]) -> Vec<u8> {
    block(&PSEUDO.map(|(known, usual)| (known, if known == name { value } else { usual })))
}

fn get(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &head(&[]))
}

/// The start of a POST.
fn post(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &instead(b":method", b"POST"))
}

fn setting(name: u16, value: u32) -> Vec<u8> {
    [&name.to_be_bytes()[..], &value.to_be_bytes()[..]].concat()
}

/// The frames that RFC 9113 speaks of, by its sections.
fn errors() -> Vec<(&'static str, Vec<u8>, Ends)> {
    let word = |value: u32| value.to_be_bytes().to_vec();
    let both = |one: Vec<u8>, other: Vec<u8>| [one, other].concat();
    vec![
        (
            "4.1: a frame of unknown type",
            both(frame(0x77, 0xff, 0, b"odd"), get(1)),
            Nothing,
        ),
        (
            "4.1: the reserved bit of a stream",
            both(frame(PING, 0, 1 << 31, &[0; 8]), get(1)),
            Nothing,
        ),
        (
            "4.2: a frame too large",
            both(post(1), frame(DATA, 0, 1, &[0; 20_000])),
            Stream(&[FRAME_SIZE]),
        ),
        (
            "4.3: fields that are no HPACK",
            frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xff; 20]),
            Connection(&[COMPRESSION]),
        ),
        (
            "4.3: an index beyond the tables",
            frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xfe]),
            Connection(&[COMPRESSION]),
        ),
        (
            "5.1: DATA of an idle stream",
            frame(DATA, END_STREAM, 1, b"x"),
            Connection(&[PROTOCOL, STREAM_CLOSED]),
        ),
        (
            "5.1: RST_STREAM of an idle stream",
            frame(RST_STREAM, 0, 1, &word(8)),
            Connection(&[PROTOCOL]),
        ),
        (
            "5.1: WINDOW_UPDATE of an idle stream",
            frame(WINDOW_UPDATE, 0, 1, &word(1)),
            Connection(&[PROTOCOL]),
        ),
        (
            "5.1: CONTINUATION of an idle stream",
            frame(CONTINUATION, END_HEADERS, 1, &head(&[])),
            Connection(&[PROTOCOL]),
        ),
        (
            "5.1: DATA behind the end of a stream",
            both(get(1), frame(DATA, END_STREAM, 1, b"x")),
            Stream(&[STREAM_CLOSED]),
        ),
        ("5.1.1: an even stream", get(2), Connection(&[PROTOCOL])),
        (
            "5.1.1: a lower stream",
            both(get(5), get(3)),
            Connection(&[PROTOCOL, STREAM_CLOSED]),
        ),
        (
            "6.1: DATA of the connection",
            frame(DATA, 0, 0, b"x"),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.1: padding longer than DATA",
            both(post(1), frame(DATA, PADDED, 1, &[9, 1])),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.2: HEADERS of the connection",
            frame(HEADERS, END_HEADERS, 0, &head(&[])),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.2: padding longer than HEADERS",
            frame(HEADERS, END_HEADERS | PADDED, 1, &[200, 0x82]),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.3: PRIORITY of the connection",
            frame(PRIORITY, 0, 0, &[0; 5]),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.3: PRIORITY of another length",
            both(frame(PRIORITY, 0, 1, &[0; 4]), get(3)),
            Stream(&[FRAME_SIZE]),
        ),
        (
            "6.4: RST_STREAM of the connection",
            frame(RST_STREAM, 0, 0, &word(8)),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.4: RST_STREAM of another length",
            both(post(1), frame(RST_STREAM, 0, 1, b"xyz")),
            Connection(&[FRAME_SIZE]),
        ),
        (
            "6.5: SETTINGS of a stream",
            frame(SETTINGS, 0, 1, &[]),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.5: an acknowledgement with settings",
            frame(SETTINGS, ACK, 0, &setting(1, 1)),
            Connection(&[FRAME_SIZE]),
        ),
        (
            "6.5: SETTINGS of another length",
            frame(SETTINGS, 0, 0, b"xyz"),
            Connection(&[FRAME_SIZE]),
        ),
        (
            "6.5.2: an invalid ENABLE_PUSH",
            frame(SETTINGS, 0, 0, &setting(2, 2)),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.5.2: a window too large",
            frame(SETTINGS, 0, 0, &setting(4, 1 << 31)),
            Connection(&[FLOW_CONTROL]),
        ),
        (
            "6.5.2: a frame size too small",
            frame(SETTINGS, 0, 0, &setting(5, 16_383)),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.5.2: a frame size too large",
            frame(SETTINGS, 0, 0, &setting(5, 1 << 24)),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.5.2: an unknown setting",
            both(frame(SETTINGS, 0, 0, &setting(0xff, 1)), get(1)),
            Nothing,
        ),
        (
            "6.6: PUSH_PROMISE of a client",
            both(
                get(1),
                frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82]),
            ),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.7: PING of a stream",
            frame(PING, 0, 1, &[0; 8]),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.7: PING of another length",
            frame(PING, 0, 0, &[0; 7]),
            Connection(&[FRAME_SIZE]),
        ),
        (
            "6.8: GOAWAY of a stream",
            frame(GOAWAY, 0, 1, &[0; 8]),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.9: an increment of 0 for the connection",
            frame(WINDOW_UPDATE, 0, 0, &word(0)),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.9: an increment of 0 for a stream",
            both(post(1), frame(WINDOW_UPDATE, 0, 1, &word(0))),
            Stream(&[PROTOCOL]),
        ),
        (
            "6.9: an increment of another length",
            frame(WINDOW_UPDATE, 0, 0, b"xyz"),
            Connection(&[FRAME_SIZE]),
        ),
        (
            "6.9.1: a window of the connection beyond 2^31",
            frame(WINDOW_UPDATE, 0, 0, &word(u32::MAX >> 1)),
            Connection(&[FLOW_CONTROL]),
        ),
        (
            "6.9.1: a window of a stream beyond 2^31",
            both(post(1), frame(WINDOW_UPDATE, 0, 1, &word(u32::MAX >> 1))),
            Stream(&[FLOW_CONTROL]),
        ),
        (
            "6.10: another frame between HEADERS and CONTINUATION",
            both(
                frame(HEADERS, END_STREAM, 1, &head(&[])),
                frame(PING, 0, 0, &[0; 8]),
            ),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.10: CONTINUATION of another stream",
            both(
                frame(HEADERS, END_STREAM, 1, &head(&[])),
                frame(CONTINUATION, END_HEADERS, 3, &[]),
            ),
            Connection(&[PROTOCOL]),
        ),
        (
            "6.10: a head in two frames",
            both(
                frame(HEADERS, END_STREAM, 1, &head(&[])),
                frame(CONTINUATION, END_HEADERS, 1, &block(&[(b"x-a", b"1")])),
            ),
            Nothing,
        ),
        (
            "8.1: a second head that does not end the stream",
            both(
                post(1),
                frame(HEADERS, END_HEADERS, 1, &block(&[(b"x-a", b"1")])),
            ),
            Stream(&[PROTOCOL]),
        ),
    ]
}

async fn an_error_of_http2_ends_no_more_than_it_must(host: Host) {
    let target = Tap::start();
    let proxy = started(host, &target).await;
    let mut wrong = Vec::new();
    for (name, bytes, expected) in errors() {
        let found = play(&proxy, &bytes).await;
        let fits = match (expected, found) {
            (Connection(_), Found::Closed) => true,
            // The h2 crate says no more of some errors than that they are errors.
            (Connection(_) | Stream(_), Found::GoAway(PROTOCOL)) => true,
            (Connection(codes), Found::GoAway(code)) => codes.contains(&code),
            (Stream(codes), Found::GoAway(code) | Found::Reset(code)) => codes.contains(&code),
            (Nothing, Found::Response) => true,
            _ => false,
        };
        if !fits {
            wrong.push(format!("{name}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let answer = raw_client::get(proxy.address, "/x", "a", "").await;
    assert_eq!(status(&answer), 200, "{answer}");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Closed,
    GoAway(u32),
    Reset(u32),
    Response,
}

/// What comes of frames. An error counts more than a response before it.
async fn play(proxy: &Proxy, bytes: &[u8]) -> Found {
    let mut client = RawH2::connect(proxy.address, None).await;
    client.say_bytes(bytes).await;
    // What is said to this one shows that everything before was dealt with.
    client.say_bytes(&frame(PING, 0, 0, b"the last")).await;
    let mut responded = false;
    while let Some(frame) = client.frame().await {
        let code = |at: usize| {
            let bytes = frame.payload.get(at..at + 4)?;
            Some(u32::from_be_bytes(bytes.try_into().ok()?))
        };
        match frame.kind {
            GOAWAY => match code(4) {
                Some(NO_ERROR) | None => {}
                Some(code) => return Found::GoAway(code),
            },
            // hyper resets a stream whose response is complete, if its request is not.
            RST_STREAM if code(0) != Some(NO_ERROR) => {
                return Found::Reset(code(0).unwrap_or_default());
            }
            HEADERS => {
                responded = true;
                // An error that follows has a moment to show.
                client
                    .say_bytes(&raw_h2::frame(PING, 0, 0, b"response"))
                    .await;
            }
            PING if responded && frame.payload == b"response" => return Found::Response,
            _ => {}
        }
    }
    Found::Closed
}

/// Fields that would be something else for a target: another request, another body, another host.
fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    let with = |name: &'static str, value: &'static [u8]| head(&[(name.as_bytes(), value)]);
    let instead = |name: &str, value: &[u8]| instead(name.as_bytes(), value);
    let without = |name: &str| {
        let mut fields = PSEUDO.to_vec();
        fields.retain(|(known, _)| *known != name.as_bytes());
        block(&fields)
    };
    vec![
        ("a CRLF in a value", with("x-a", b"1\r\nx-b: 2")),
        (
            "a request in a value",
            with("x-a", b"1\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a"),
        ),
        ("a LF in a value", with("x-a", b"1\nx-b: 2")),
        ("a CR in a value", with("x-a", b"1\rx-b: 2")),
        ("a NUL in a value", with("x-a", b"1\x002")),
        ("a CRLF in a name", head(&[(b"x-a: 1\r\nx-b", b"2")])),
        ("a colon in a name", head(&[(b"x-a:b", b"1")])),
        ("a space in a name", head(&[(b"x a", b"1")])),
        ("an empty name", head(&[(b"", b"1")])),
        ("capitals in a name", head(&[(b"X-A", b"1")])),
        ("a transfer coding", with("transfer-encoding", b"chunked")),
        ("a connection", with("connection", b"x-a")),
        ("a keep-alive", with("keep-alive", b"timeout=5")),
        ("a proxy-connection", with("proxy-connection", b"close")),
        ("an upgrade", with("upgrade", b"h2c")),
        ("a te that is not trailers", with("te", b"gzip")),
        (
            "a CRLF in the path",
            instead(":path", b"/x HTTP/1.1\r\nhost: b\r\n\r\nGET /smuggled"),
        ),
        ("a space in the path", instead(":path", b"/x /smuggled")),
        ("an empty path", instead(":path", b"")),
        ("a path without a slash", instead(":path", b"smuggled")),
        (
            "a CRLF in the method",
            instead(":method", b"GET /smuggled HTTP/1.1\r\nx: "),
        ),
        (
            "a space in the method",
            instead(":method", b"GET /smuggled"),
        ),
        (
            "a CRLF in the authority",
            instead(":authority", b"a\r\nx-b: 2"),
        ),
        (
            "a path in the authority",
            instead(":authority", b"a/smuggled"),
        ),
        (
            "user information in the authority",
            instead(":authority", b"b@a"),
        ),
        ("a CRLF in the scheme", instead(":scheme", b"http\r\nx: ")),
        ("no method", without(":method")),
        ("no scheme", without(":scheme")),
        ("no path", without(":path")),
        ("two paths", head(&[(b":path", b"/smuggled")])),
        ("two methods", head(&[(b":method", b"POST")])),
        ("an unknown pseudo-field", head(&[(b":odd", b"1")])),
        ("a pseudo-field of responses", head(&[(b":status", b"200")])),
        (
            "a pseudo-field behind a field",
            [head(&[(b"x-a", b"1")]), block(&[(b":path", b"/smuggled")])].concat(),
        ),
        (
            "a CONNECT",
            block(&[(b":method", b"CONNECT"), (b":authority", b"a:1")]),
        ),
        ("a length without a body", with("content-length", b"5")),
        ("a length that is no number", with("content-length", b"x")),
        (
            "two lengths",
            head(&[(b"content-length", b"0"), (b"content-length", b"5")]),
        ),
    ]
}

async fn a_malformed_request_of_http2_never_reaches_the_target(host: Host) {
    let target = Tap::start();
    let proxy = started(host, &target).await;
    let mut wrong = Vec::new();
    for (name, block) in malformed() {
        target.expect("", Reply::default());
        let mut client = RawH2::connect(proxy.address, None).await;
        client
            .say_bytes(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block))
            .await;
        client.say_bytes(&frame(PING, 0, 0, b"the last")).await;
        end(&mut client).await;
        let heard = target.heard();
        if !heard.is_empty() {
            wrong.push(format!("{name}: the target received {heard:?}"));
        }
    }
    // With a body of another length than it says.
    for (length, body) in [("3", &b"hello"[..]), ("10", b"hello")] {
        target.expect("", Reply::default());
        let fields = [
            &[(&b":method"[..], &b"POST"[..])],
            &PSEUDO[1..],
            &[(&b"content-length"[..], length.as_bytes())],
        ]
        .concat();
        let mut client = RawH2::connect(proxy.address, None).await;
        client
            .say_bytes(&frame(HEADERS, END_HEADERS, 1, &raw_h2::block(&fields)))
            .await;
        client.say_bytes(&frame(DATA, END_STREAM, 1, body)).await;
        end(&mut client).await;
        let heard = target.heard();
        if heard.iter().any(|heard| !matches!(heard, Heard::Broken(_))) {
            wrong.push(format!(
                "a length of {length} with {body:?}: the target received {heard:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Reads until the stream or its connection ends, or has a response.
async fn end(client: &mut RawH2) {
    while let Some(frame) = client.frame().await {
        if matches!(frame.kind, RST_STREAM | GOAWAY | HEADERS) {
            return;
        }
    }
}
