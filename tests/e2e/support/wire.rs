//! HTTP/1.1 as on the wire: read without normalising, so that a broken end can be distinguished from a proper one.

use function_fetch_engine::headers::Fields;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;

/// The reading side of a connection.
pub struct Wire {
    stream: OwnedReadHalf,
    received: Vec<u8>,
    reset: bool,
}

/// What precedes a body.
pub struct Head {
    /// Request line or status line.
    pub line: String,
    /// The header fields.
    pub fields: Fields,
}

/// A body, as far as it arrived.
#[derive(Default)]
pub struct Body {
    /// What arrived of it.
    pub bytes: Vec<u8>,
    /// The trailer fields.
    pub trailers: Fields,
    /// Whether it ended before its end.
    pub broken: bool,
}

/// How a body ends (RFC 9112 section 6.3).
#[derive(Clone, Copy)]
pub enum Framing {
    /// After so many bytes.
    Length(usize),
    /// With an empty chunk.
    Chunked,
    /// With the connection.
    UntilClosed,
}

impl Head {
    /// How the body ends; `otherwise` where the fields do not say.
    pub fn framing(&self, otherwise: Framing) -> Framing {
        let value = |name: &str| {
            let (_, value) = self
                .fields
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(value).ok()
        };
        if value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return Framing::Chunked;
        }
        match value("content-length").and_then(|length| length.parse().ok()) {
            Some(length) => Framing::Length(length),
            None => otherwise,
        }
    }
}

impl Wire {
    pub fn new(stream: OwnedReadHalf) -> Self {
        Self {
            stream,
            received: Vec::new(),
            reset: false,
        }
    }

    /// The next head. None at the end of the connection.
    pub async fn head(&mut self) -> Option<Head> {
        let text = self.until(b"\r\n\r\n").await?;
        let mut lines = text.split(|byte| *byte == b'\n');
        let line = String::from_utf8_lossy(lines.next()?).trim_end().to_owned();
        Some(Head {
            line,
            fields: lines.filter_map(field).collect(),
        })
    }

    /// The body that follows.
    pub async fn body(&mut self, framing: Framing) -> Body {
        let mut body = Body::default();
        match framing {
            Framing::Length(length) => body.broken = !self.take(length, &mut body.bytes).await,
            Framing::Chunked => body.broken = self.chunks(&mut body).await.is_none(),
            Framing::UntilClosed => {
                while self.more().await {}
                body.bytes = std::mem::take(&mut self.received);
                body.broken = self.reset;
            }
        }
        body
    }

    /// None when it breaks off.
    async fn chunks(&mut self, body: &mut Body) -> Option<()> {
        loop {
            let line = self.until(b"\r\n").await?;
            let line = String::from_utf8_lossy(&line);
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).ok()?;
            if size == 0 {
                break;
            }
            if !self.take(size, &mut body.bytes).await {
                return None;
            }
            self.until(b"\r\n").await?;
        }
        loop {
            let line = self.until(b"\r\n").await?;
            match field(&line) {
                Some(trailer) => body.trailers.push(trailer),
                None => return Some(()),
            }
        }
    }

    /// Everything up to `mark`, and without it. None when the connection ends first.
    async fn until(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        loop {
            let place = self
                .received
                .windows(mark.len())
                .position(|part| part == mark);
            if let Some(at) = place {
                let rest = self.received.split_off(at + mark.len());
                let mut text = std::mem::replace(&mut self.received, rest);
                text.truncate(at);
                return Some(text);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Moves so many bytes; false when the connection ends first.
    async fn take(&mut self, mut length: usize, into: &mut Vec<u8>) -> bool {
        loop {
            let ready = length.min(self.received.len());
            into.extend(self.received.drain(..ready));
            length -= ready;
            if length == 0 {
                return true;
            }
            if !self.more().await {
                return false;
            }
        }
    }

    async fn more(&mut self) -> bool {
        let read = self.stream.read_buf(&mut self.received).await;
        self.reset |= read.is_err();
        read.is_ok_and(|count| count > 0)
    }
}

/// A line of a head, if it is one.
fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8_lossy(&line[..colon]).into_owned();
    Some((name, line[colon + 1..].trim_ascii().to_vec()))
}

/// Fields as they are written.
pub fn field_lines(fields: &Fields) -> Vec<u8> {
    let lines = fields
        .iter()
        .flat_map(|(name, value)| [name.as_bytes(), b": ", value, b"\r\n"].concat());
    lines.collect()
}

/// A chunk as it is written. An empty one ends the body.
pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}
