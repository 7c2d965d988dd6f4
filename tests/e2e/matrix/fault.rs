//! What an origin can do to a request.

use crate::support::host::Host;

/// What is promised of a request that meets a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// The client gets the origin's response with this status and body, whole.
    Passes(u16, &'static str),
    /// Nothing was sent: any request goes to the next target.
    NothingSent,
    /// The same, or it cannot be known: a request that may not be repeated may fail as well.
    PerhapsNothingSent,
    /// No response: what may be repeated goes to the next target, the rest ends in this status.
    NoHead(u16),
    /// A failure status: what may be repeated goes to the next target, the rest is relayed.
    Fails(u16),
    /// The head was relayed: the client sees that the body is cut.
    Cuts,
}

/// What the origin does, once it has the whole request.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Says this, and
    Says(&'static str, End),
    /// Says it one byte a second.
    Drips(&'static str),
    /// Says a head of a megabyte.
    Floods,
    /// Says it, then these bytes one each second, and closes.
    SaysThenDrips(&'static str, &'static str),
    /// For faults of the connection: there is no request.
    Nothing,
}

/// How an exchange ends.
#[derive(Clone, Copy, Debug)]
pub enum End {
    Closes,
    Resets,
    Hangs,
}

/// One of them, by name.
#[derive(Debug)]
pub struct Fault {
    pub name: &'static str,
    pub act: Act,
    pub promise: Promise,
}

impl Fault {
    /// What is promised of it on this host: of the client of `wasmtime serve` the component learns less.
    pub fn promise_on(&self, host: Host, method: &str) -> Promise {
        match self.name {
            _ if host != Host::WasmtimeServe => self.promise,
            // It takes what follows a body for a failure of the exchange.
            "length-too-small" if method != "HEAD" => NoHead(502),
            // It undoes the last coding, and says nothing of the others.
            "other-coding" => Passes(200, "first"),
            // It has one of them, where there is no body to measure.
            "two-lengths" if method == "HEAD" => Passes(200, "first"),
            // Its time-out is for the connection, and not for the handshake behind it.
            "tls-to-plain" => PerhapsNothingSent,
            _ => self.promise,
        }
    }
}

const fn fault(name: &'static str, act: Act, promise: Promise) -> Fault {
    Fault { name, act, promise }
}

use Act::{Drips, Floods, Nothing, Says, SaysThenDrips};
use End::{Closes, Hangs, Resets};
use Promise::{Cuts, Fails, NoHead, NothingSent, Passes, PerhapsNothingSent};

/// A head that is not over, the one of a body of ten bytes, and the one of chunks.
const HALF_HEAD: &str = "HTTP/1.1 200 OK\r\nx-half: ";
const HALF_BODY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst";
const HALF_CHUNK: &str =
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\na\r\nfir";
const NO_TRAILERS: &str = "HTTP/1.1 200 OK\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\nx-su";

/// Those of an exchange: the request's path names them.
pub const EXCHANGE_FAULTS: &[Fault] = &[
    fault(
        "answers",
        Says("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst", Closes),
        Passes(200, "first"),
    ),
    fault(
        "answers-in-chunks",
        Says(
            "HTTP/1.1 200 OK\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\nx-sum: 1\r\n\r\n",
            Closes,
        ),
        Passes(200, "first"),
    ),
    fault(
        "answers-until-close",
        Says("HTTP/1.1 200 OK\r\n\r\nfirst", Closes),
        Passes(200, "first"),
    ),
    fault(
        "interim-then-answers",
        Says(
            "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst",
            Closes,
        ),
        Passes(200, "first"),
    ),
    fault(
        "not-found",
        Says(
            "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nfirst",
            Closes,
        ),
        Passes(404, "first"),
    ),
    fault(
        "not-implemented",
        Says("HTTP/1.1 501 No\r\ncontent-length: 5\r\n\r\nfirst", Closes),
        Passes(501, "first"),
    ),
    fault(
        "status-500",
        Says("HTTP/1.1 500 Oh\r\ncontent-length: 5\r\n\r\nfirst", Closes),
        Fails(500),
    ),
    fault(
        "status-503",
        Says("HTTP/1.1 503 Oh\r\ncontent-length: 5\r\n\r\nfirst", Closes),
        Fails(503),
    ),
    fault("hang-before-head", Says("", Hangs), NoHead(504)),
    fault("hang-mid-head", Says(HALF_HEAD, Hangs), NoHead(504)),
    fault("hang-mid-body", Says(HALF_BODY, Hangs), Cuts),
    fault("hang-mid-chunk", Says(HALF_CHUNK, Hangs), Cuts),
    fault("hang-before-trailers", Says(NO_TRAILERS, Hangs), Cuts),
    fault("reset-before-head", Says("", Resets), NoHead(502)),
    fault("reset-mid-head", Says(HALF_HEAD, Resets), NoHead(502)),
    fault("reset-mid-body", Says(HALF_BODY, Resets), Cuts),
    fault("reset-mid-chunk", Says(HALF_CHUNK, Resets), Cuts),
    fault("reset-before-trailers", Says(NO_TRAILERS, Resets), Cuts),
    fault("close-before-head", Says("", Closes), NoHead(502)),
    fault("close-mid-head", Says(HALF_HEAD, Closes), NoHead(502)),
    fault("close-mid-body", Says(HALF_BODY, Closes), Cuts),
    fault("close-mid-chunk", Says(HALF_CHUNK, Closes), Cuts),
    fault("close-before-trailers", Says(NO_TRAILERS, Closes), Cuts),
    fault(
        "drip-head",
        Drips("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst"),
        NoHead(504),
    ),
    fault(
        "drip-body",
        SaysThenDrips("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfir", "st"),
        Passes(200, "first"),
    ),
    fault(
        "length-too-small",
        Says(
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfirst and more",
            Closes,
        ),
        Passes(200, "first"),
    ),
    fault(
        "two-lengths",
        Says(
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nfirst",
            Closes,
        ),
        NoHead(502),
    ),
    fault(
        "length-of-minus-one",
        Says("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nfirst", Closes),
        NoHead(502),
    ),
    fault(
        "length-of-words",
        Says(
            "HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\nfirst",
            Closes,
        ),
        NoHead(502),
    ),
    fault(
        "bad-chunk",
        Says(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\nzz\r\n",
            Closes,
        ),
        Cuts,
    ),
    fault(
        "other-coding",
        Says(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n",
            Closes,
        ),
        NoHead(502),
    ),
    fault("large-head", Floods, NoHead(502)),
    fault(
        "other-protocol",
        Says("SSH-2.0-OpenSSH_9.9\r\n", Closes),
        NoHead(502),
    ),
    fault(
        "status-99",
        Says("HTTP/1.1 99 Low\r\ncontent-length: 5\r\n\r\nfirst", Closes),
        NoHead(502),
    ),
    fault(
        "status-600",
        Says(
            "HTTP/1.1 600 High\r\ncontent-length: 5\r\n\r\nfirst",
            Closes,
        ),
        NoHead(502),
    ),
    fault(
        "unasked-101",
        Says(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
            Closes,
        ),
        NoHead(502),
    ),
];

/// Those of a connection: an origin of its own for each.
pub const CONNECTION_FAULTS: &[Fault] = &[
    fault("refuse", Nothing, NothingSent),
    fault("hang-at-accept", Nothing, NoHead(504)),
    fault("close-at-accept", Nothing, PerhapsNothingSent),
    fault("reset-at-accept", Nothing, PerhapsNothingSent),
    fault("tls-to-plain", Nothing, NothingSent),
    fault("tls-hang", Nothing, PerhapsNothingSent),
    fault("tls-close", Nothing, NothingSent),
    fault("tls-expired", Nothing, NothingSent),
    fault("tls-wrong-name", Nothing, NothingSent),
    fault("tls-self-signed", Nothing, NothingSent),
];
