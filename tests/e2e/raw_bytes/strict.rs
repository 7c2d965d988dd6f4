//! The strictest reader of HTTP/1.1 requests: what RFC 9112 lets a sender write, and nothing that it lets a recipient
//! forgive. What passes here has one meaning only, so that no origin can read another one from it.

use function_fetch_engine::headers::Fields;

/// A request that has one meaning.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub target: Vec<u8>,
    pub fields: Fields,
    pub body: Vec<u8>,
    pub trailers: Fields,
}

/// What some bytes are.
pub enum Read {
    /// A request, and how many of the bytes it takes.
    Whole(Request, usize),
    /// The start of one. What is known of it, once its head is complete.
    Start(Option<Request>),
    /// Anything that readers may disagree about.
    Malformed(&'static str),
}

/// Reads the first request of `bytes`.
pub fn read(bytes: &[u8]) -> Read {
    match head(bytes) {
        Ok(Some((request, used))) => match body(request, &bytes[used..]) {
            Ok((request, Some(length))) => Read::Whole(request, used + length),
            Ok((request, None)) => Read::Start(Some(request)),
            Err(why) => Read::Malformed(why),
        },
        Ok(None) => Read::Start(None),
        Err(why) => Read::Malformed(why),
    }
}

/// Reads all of `bytes`; none unless they are whole requests and nothing else.
pub fn read_all(mut bytes: &[u8]) -> Option<Vec<Request>> {
    let mut requests = Vec::new();
    while !bytes.is_empty() {
        let Read::Whole(request, used) = read(bytes) else {
            return None;
        };
        requests.push(request);
        bytes = &bytes[used..];
    }
    Some(requests)
}

type Known<T> = Result<T, &'static str>;

/// A line without its end, and what follows it. None if it has no end yet.
fn line(bytes: &[u8]) -> Known<Option<(&[u8], &[u8])>> {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return Ok(None);
    };
    let line = bytes[..end].strip_suffix(b"\r").ok_or("a bare LF")?;
    Ok(Some((line, &bytes[end + 1..])))
}

fn head(bytes: &[u8]) -> Known<Option<(Request, usize)>> {
    let Some((start, mut rest)) = line(bytes)? else {
        return Ok(None);
    };
    let mut words = start.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(b"HTTP/1.1"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("a request line that is not three words");
    };
    if !is_token(method) || target.is_empty() || target.iter().any(|byte| is_control(*byte)) {
        return Err("an invalid method or target");
    }
    let mut request = Request {
        method: String::from_utf8_lossy(method).into_owned(),
        target: target.to_vec(),
        ..Request::default()
    };
    loop {
        let Some((field_line, after)) = line(rest)? else {
            return Ok(None);
        };
        rest = after;
        if field_line.is_empty() {
            break;
        }
        request.fields.push(field(field_line)?);
    }
    if request.values("host").len() != 1 {
        return Err("no Host, or more than one");
    }
    Ok(Some((request, bytes.len() - rest.len())))
}

fn field(line: &[u8]) -> Known<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':');
    let (name, value) = line.split_at(colon.ok_or("a field without a colon")?);
    if !is_token(name) {
        return Err("an invalid field name");
    }
    if value.iter().any(|byte| is_control(*byte) && *byte != b'\t') {
        return Err("a control character in a field");
    }
    let name = String::from_utf8_lossy(name).into_owned();
    Ok((name, value[1..].trim_ascii().to_vec()))
}

/// With its body, as far as it is there; and its length in bytes once it is complete.
fn body(mut request: Request, bytes: &[u8]) -> Known<(Request, Option<usize>)> {
    let lengths = request.values("content-length");
    let codings = request.values("transfer-encoding");
    let length = match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => 0,
        ([length], []) => {
            if length.is_empty() || !length.iter().all(u8::is_ascii_digit) {
                return Err("a length that is not a number");
            }
            let length = std::str::from_utf8(length).ok();
            length
                .and_then(|length| length.parse().ok())
                .ok_or("a length beyond bounds")?
        }
        ([], [coding]) if coding.eq_ignore_ascii_case(b"chunked") => {
            let whole = chunks(&mut request, bytes)?;
            return Ok((request, whole));
        }
        _ => return Err("lengths or codings that contradict or repeat each other"),
    };
    let there = length.min(bytes.len());
    request.body = bytes[..there].to_vec();
    Ok((request, (there == length).then_some(length)))
}

fn chunks(request: &mut Request, bytes: &[u8]) -> Known<Option<usize>> {
    let mut rest = bytes;
    loop {
        let Some((size, after)) = line(rest)? else {
            return Ok(None);
        };
        if size.is_empty() || size.len() > 8 || !size.iter().all(u8::is_ascii_hexdigit) {
            return Err("a chunk size that is not a number");
        }
        let size = std::str::from_utf8(size).unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(|_| "a chunk beyond bounds")?;
        rest = after;
        if size == 0 {
            break;
        }
        let there = size.min(rest.len());
        request.body.extend(&rest[..there]);
        rest = &rest[there..];
        match rest {
            [b'\r', b'\n', after @ ..] => rest = after,
            [] | [b'\r'] => return Ok(None),
            _ => return Err("a chunk longer than its size"),
        }
    }
    loop {
        let Some((trailer, after)) = line(rest)? else {
            return Ok(None);
        };
        rest = after;
        if trailer.is_empty() {
            return Ok(Some(bytes.len() - rest.len()));
        }
        request.trailers.push(field(trailer)?);
    }
}

fn is_token(name: &[u8]) -> bool {
    let in_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty() && name.iter().all(in_token)
}

fn is_control(byte: u8) -> bool {
    byte < b' ' || byte == 0x7f
}

impl Request {
    /// The values of a field.
    pub fn values(&self, name: &str) -> Vec<&[u8]> {
        self.fields
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
            .collect()
    }
}
