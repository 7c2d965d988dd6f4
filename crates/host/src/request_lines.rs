//! Finds request targets with a fragment in what a client sends over HTTP/1.1.
//!
//! A target has none (RFC 9112 section 3.2), and hyper drops it without a trace: `/a#b` would be passed on as `/a`, which
//! is not what was asked for. So the client's bytes are followed here, from one request line to the next. Requests that
//! hyper refuses need not be understood, since it closes their connection.

/// How much of a line is kept while it is incomplete: enough for the fields that tell where a request ends.
const KEPT: usize = 256;

/// The requests of one connection.
#[derive(Default)]
pub(crate) struct RequestLines {
    place: Place,
    /// The start of a line that is incomplete.
    line: Vec<u8>,
    /// Whether there is more of that line than is kept.
    is_cut: bool,
    /// How many request lines there were, without the one under way.
    complete: u64,
    /// Of the body of the request whose fields are being read.
    body: Body,
}

#[derive(Default)]
enum Place {
    /// In the line of a request, or before it.
    #[default]
    Request,
    Fields,
    Body(u64),
    /// In the line of a chunk's size.
    Size,
    /// In a chunk, or in the line end behind it.
    Chunk(u64),
    Trailers,
    /// Behind a request that hyper refuses.
    Lost,
}

#[derive(Default)]
enum Body {
    #[default]
    None,
    Length(u64),
    Chunked,
    Invalid,
}

impl RequestLines {
    /// Follows some bytes. If a target in them has a fragment, returns the number of its request on this connection,
    /// from 1.
    pub(crate) fn read(&mut self, mut bytes: &[u8]) -> Option<u64> {
        let mut found = None;
        while !bytes.is_empty() {
            match &mut self.place {
                Place::Lost => break,
                Place::Body(left) | Place::Chunk(left) => {
                    let skipped =
                        usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    *left -= skipped as u64;
                    bytes = &bytes[skipped..];
                    if *left == 0 {
                        self.place = match self.place {
                            Place::Chunk(_) => Place::Size,
                            _ => Place::Request,
                        };
                    }
                }
                _ => {
                    let end = memchr::memchr(b'\n', bytes);
                    let (part, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
                    bytes = rest;
                    let is_fragment =
                        matches!(self.place, Place::Request) && self.has_fragment(part);
                    if is_fragment {
                        found = found.or(Some(self.complete + 1));
                    }
                    if end.is_none() || !self.line.is_empty() {
                        self.keep(part);
                    }
                    if end.is_some() {
                        let kept = std::mem::take(&mut self.line);
                        self.end_line(if kept.is_empty() { part } else { &kept });
                        self.is_cut = false;
                    }
                }
            }
        }
        found
    }

    /// Whether there is a fragment in this part of a request line. A `#` in the method is none.
    fn has_fragment(&self, part: &[u8]) -> bool {
        let behind_method = self.is_cut || self.line.contains(&b' ');
        let target = if behind_method {
            Some(part)
        } else {
            memchr::memchr(b' ', part).map(|space| &part[space..])
        };
        target.is_some_and(|target| memchr::memchr(b'#', target).is_some())
    }

    fn keep(&mut self, part: &[u8]) {
        let kept = part.len().min(KEPT - self.line.len());
        self.is_cut |= kept < part.len();
        self.line.extend_from_slice(&part[..kept]);
    }

    /// `line`: with its end, unless it is cut.
    fn end_line(&mut self, line: &[u8]) {
        let is_empty = !self.is_cut && matches!(line, b"\n" | b"\r\n");
        match self.place {
            // Empty lines in front are ignored (RFC 9112 section 2.2).
            Place::Request if is_empty => {}
            Place::Request => {
                self.complete += 1;
                self.body = Body::None;
                self.place = Place::Fields;
            }
            Place::Fields if is_empty => self.place = self.body.start(),
            Place::Fields => self.body.read_field(line, self.is_cut),
            Place::Size => self.place = chunk(line, self.is_cut),
            Place::Trailers if is_empty => self.place = Place::Request,
            Place::Trailers | Place::Body(_) | Place::Chunk(_) | Place::Lost => {}
        }
    }
}

impl Body {
    fn start(&self) -> Place {
        match *self {
            Self::None | Self::Length(0) => Place::Request,
            Self::Length(length) => Place::Body(length),
            Self::Chunked => Place::Size,
            Self::Invalid => Place::Lost,
        }
    }

    fn read_field(&mut self, line: &[u8], is_cut: bool) {
        let Some(colon) = memchr::memchr(b':', line) else {
            return;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            // The only coding that is not refused. It counts more than a length.
            *self = if value.eq_ignore_ascii_case(b"chunked") && !is_cut {
                Self::Chunked
            } else {
                Self::Invalid
            };
        } else if name.eq_ignore_ascii_case(b"content-length")
            && matches!(self, Self::None | Self::Length(_))
        {
            let length = std::str::from_utf8(value).ok();
            let length = length.and_then(|length| length.parse().ok());
            *self = match length {
                Some(length) if !is_cut => Self::Length(length),
                _ => Self::Invalid,
            };
        }
    }
}

/// What follows the line of a chunk's size.
fn chunk(line: &[u8], is_cut: bool) -> Place {
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit());
    let digits = &line[..end.unwrap_or(line.len())];
    let size = std::str::from_utf8(digits).ok();
    match size.and_then(|size| u64::from_str_radix(size, 16).ok()) {
        _ if is_cut && end.is_none() => Place::Lost,
        Some(0) => Place::Trailers,
        // The chunk has a line end of its own.
        Some(size) => size.checked_add(2).map_or(Place::Lost, Place::Chunk),
        None => Place::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &str = "GET /a HTTP/1.1\r\nhost: a\r\n\r\n";
    const FRAGMENT: &str = "GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n";

    fn post(framing: &str, body: &str) -> String {
        format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n{body}")
    }

    /// The first request with a fragment, however the bytes are cut.
    #[track_caller]
    fn is_found(bytes: &str, wanted: Option<u64>) {
        for length in [1, 2, 3, 7, 64, 300, usize::MAX] {
            let mut lines = RequestLines::default();
            let mut found = None;
            for part in bytes.as_bytes().chunks(length.min(bytes.len())) {
                found = found.or(lines.read(part));
            }
            assert_eq!(found, wanted, "in parts of {length}: {bytes:?}");
        }
    }

    #[test]
    fn a_fragment_is_found_in_any_request() {
        let long = format!("GET /{}#b HTTP/1.1\r\n\r\n", "a".repeat(1000));
        is_found(GET, None);
        is_found(FRAGMENT, Some(1));
        is_found("GET #a HTTP/1.1\n\n", Some(1));
        is_found(&long, Some(1));
        is_found(&format!("{GET}\r\n{GET}{FRAGMENT}{FRAGMENT}"), Some(3));
        for before in [
            post("content-length: 5", "hello"),
            post("Content-Length:5\r\ncontent-length: 5", "hello"),
            post("content-length: 0", ""),
            post(
                "transfer-encoding: chunked",
                "5\r\nhello\r\n00A;x\r\n0123456789\r\n0\r\n\r\n",
            ),
            post("transfer-encoding: Chunked", "0\r\nx-end: #\r\n\r\n"),
            post(
                "content-length: 3\r\ntransfer-encoding: chunked",
                "0\r\n\r\n",
            ),
            post(
                "transfer-encoding: chunked\r\ncontent-length: 3",
                "0\r\n\r\n",
            ),
            post(
                "transfer-encoding: chunked",
                &format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(500)),
            ),
        ] {
            is_found(&before, None);
            is_found(&format!("{before}{FRAGMENT}"), Some(2));
        }
    }

    #[test]
    fn nothing_else_is_taken_for_one() {
        is_found("X#Y /a HTTP/1.1\r\nhost: a\r\n\r\n", None);
        is_found(
            &format!(
                "GET / HTTP/1.1\r\nreferer: /a#b\r\nx: {}\r\n\r\n{GET}",
                "#".repeat(600)
            ),
            None,
        );
        let length = FRAGMENT.len();
        is_found(&post(&format!("content-length: {length}"), FRAGMENT), None);
        let body = format!("{length:x}\r\n{FRAGMENT}\r\n0\r\n\r\n");
        is_found(&post("transfer-encoding: chunked", &body), None);
        // hyper closes behind these.
        for framing in [
            "content-length: x",
            "transfer-encoding: gzip",
            "content-length: 99999999999999999999",
        ] {
            is_found(&post(framing, FRAGMENT), None);
        }
        is_found(
            &post("transfer-encoding: chunked", &format!("x\r\n{FRAGMENT}")),
            None,
        );
        is_found(
            &post(
                "transfer-encoding: chunked",
                &format!("ffffffffffffffff\r\n{FRAGMENT}"),
            ),
            None,
        );
    }
}
