//! The two origins: the one with faults, and the one that answers.

use std::collections::HashMap;
use std::future::pending;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::fault::{Act, EXCHANGE_FAULTS, End, Fault};
use crate::support::accepting::accept;
use crate::support::pattern;
use crate::support::port::Port;
use crate::support::tls::Authority;

/// What the origin that answers says.
pub const SECOND: &str = "second";

/// How much longer its probes take, so that the other one is the first choice.
const SLOWER: Duration = Duration::from_millis(60);

/// A request that an origin received.
#[derive(Clone, Debug)]
pub struct Receipt {
    pub method: String,
    /// Whether its body came to its end.
    pub is_whole: bool,
    pub length: usize,
    /// Whether its body has bytes that the client did not send there.
    pub is_foreign: bool,
}

#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<HashMap<usize, Vec<Receipt>>>>);

impl Ledger {
    fn note(&self, number: usize, method: &str) -> usize {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let receipts = all.entry(number).or_default();
        receipts.push(Receipt {
            method: method.to_owned(),
            is_whole: false,
            length: 0,
            is_foreign: false,
        });
        receipts.len() - 1
    }

    fn complete(&self, number: usize, index: usize, body: &[u8]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(receipt) = all.get_mut(&number).and_then(|of| of.get_mut(index)) {
            receipt.is_whole = true;
            receipt.length = body.len();
            receipt.is_foreign = !pattern::matches(0, body);
        }
    }

    fn of(&self, number: usize) -> Vec<Receipt> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&number).cloned().unwrap_or_default()
    }
}

/// What is done with a connection before there is a request on it.
#[derive(Clone)]
enum Greeting {
    /// Nothing: requests are read from it.
    Reads,
    /// TLS first.
    Tls(TlsAcceptor),
    Holds,
    Closes,
    Resets,
}

/// An origin that does what each request's path says, or that cannot be connected to.
pub struct FaultOrigin {
    port: Port,
    scheme: &'static str,
    ledger: Ledger,
    authority: Option<Authority>,
    task: Option<JoinHandle<()>>,
}

impl FaultOrigin {
    /// One with this fault, or, if it is one of an exchange, with all of those.
    pub fn start(fault: &Fault) -> Self {
        let scheme = if fault.name.starts_with("tls-") {
            "https"
        } else {
            "http"
        };
        let authority = Authority::new();
        let greeting = match fault.name {
            "refuse" => None,
            "hang-at-accept" | "tls-hang" => Some(Greeting::Holds),
            "close-at-accept" | "tls-close" => Some(Greeting::Closes),
            "reset-at-accept" => Some(Greeting::Resets),
            "tls-expired" => Some(Greeting::Tls(authority.expired())),
            "tls-wrong-name" => Some(Greeting::Tls(authority.of_another_name())),
            // Of an authority that the host does not know.
            "tls-self-signed" => Some(Greeting::Tls(Authority::new().acceptor(&[]))),
            _ => Some(Greeting::Reads),
        };
        let port = Port::hold();
        let ledger = Ledger::default();
        let task = greeting.map(|greeting| {
            tokio::spawn(listen(
                port.listen(),
                greeting,
                ledger.clone(),
                Duration::ZERO,
                true,
            ))
        });
        Self {
            port,
            scheme,
            ledger,
            authority: (scheme == "https").then_some(authority),
            task,
        }
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.port.address())
    }

    /// The authority that the host is to trust, in a file.
    pub fn authority(&self) -> Option<PathBuf> {
        Some(self.authority.as_ref()?.file().to_owned())
    }

    /// What it received of the request with this number.
    pub fn received(&self, number: usize) -> Vec<Receipt> {
        self.ledger.of(number)
    }
}

impl Drop for FaultOrigin {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The origin that answers.
pub struct Fallback {
    port: Port,
    ledger: Ledger,
    task: JoinHandle<()>,
}

impl Fallback {
    pub fn start() -> Self {
        let port = Port::hold();
        let ledger = Ledger::default();
        let task = tokio::spawn(listen(
            port.listen(),
            Greeting::Reads,
            ledger.clone(),
            SLOWER,
            false,
        ));
        Self { port, ledger, task }
    }

    pub fn url(&self) -> String {
        self.port.url()
    }

    pub fn received(&self, number: usize) -> Vec<Receipt> {
        self.ledger.of(number)
    }
}

impl Drop for Fallback {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(
    listener: TcpListener,
    greeting: Greeting,
    ledger: Ledger,
    probed_in: Duration,
    has_faults: bool,
) {
    let serve = |stream| {
        let (greeting, ledger) = (greeting.clone(), ledger.clone());
        async move { greet(stream, greeting, &ledger, probed_in, has_faults).await }
    };
    accept(listener, pending::<()>(), serve).await;
}

async fn greet(
    stream: TcpStream,
    greeting: Greeting,
    ledger: &Ledger,
    probed_in: Duration,
    has_faults: bool,
) {
    let _ = stream.set_nodelay(true);
    match greeting {
        Greeting::Reads => serve(stream, ledger, probed_in, has_faults).await,
        Greeting::Tls(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, ledger, probed_in, has_faults).await;
            }
        }
        Greeting::Holds => pending().await,
        Greeting::Closes => {}
        Greeting::Resets => drop(stream.set_zero_linger()),
    }
}

/// A stream that can be reset.
trait Resettable {
    fn reset(&self);
}

impl Resettable for TcpStream {
    fn reset(&self) {
        let _ = self.set_zero_linger();
    }
}

impl Resettable for tokio_rustls::server::TlsStream<TcpStream> {
    fn reset(&self) {
        self.get_ref().0.reset();
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Resettable + Unpin,
    ledger: &Ledger,
    probed_in: Duration,
    has_faults: bool,
) {
    let mut received = Vec::new();
    loop {
        let Some(end) = find(&mut stream, &mut received, b"\r\n\r\n", 0).await else {
            return;
        };
        let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
        let line = String::from_utf8_lossy(&received[..end]);
        let mut words = line.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let path = words.next().unwrap_or_default().to_owned();
        let mut parts = path.trim_start_matches('/').split('/');
        let name = parts.next().unwrap_or_default().to_owned();
        let Some(number) = parts.next().and_then(|number| number.parse().ok()) else {
            // A probe.
            tokio::time::sleep(probed_in).await;
            if stream
                .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
                .await
                .is_err()
            {
                return;
            }
            received.drain(..end);
            continue;
        };
        received.drain(..end);
        let index = ledger.note(number, &method);
        let Some(body) = body(&mut stream, &mut received, &head).await else {
            return;
        };
        ledger.complete(number, index, &body);
        let fault = EXCHANGE_FAULTS.iter().find(|fault| fault.name == name);
        if let Some(fault) = fault.filter(|_| has_faults) {
            return act(stream, fault.act, &method).await;
        }
        let body = if method == "HEAD" { "" } else { SECOND };
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
            SECOND.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Reads until `wanted` is in what comes after `from`; where it ends.
async fn find(
    stream: &mut (impl AsyncRead + Unpin),
    received: &mut Vec<u8>,
    wanted: &[u8],
    from: usize,
) -> Option<usize> {
    loop {
        let place = received
            .get(from..)?
            .windows(wanted.len())
            .position(|bytes| bytes == wanted);
        if let Some(place) = place {
            return Some(from + place + wanted.len());
        }
        if stream.read_buf(received).await.ok()? == 0 {
            return None;
        }
    }
}

/// The whole body, unless it is broken off.
async fn body(
    stream: &mut (impl AsyncRead + Unpin),
    received: &mut Vec<u8>,
    head: &str,
) -> Option<Vec<u8>> {
    if head.contains("\r\ntransfer-encoding: chunked") {
        return chunks(stream, received).await;
    }
    let length = head
        .split("\r\ncontent-length:")
        .nth(1)
        .map_or("0", |rest| rest.lines().next().unwrap_or("0"));
    let length: usize = length.trim().parse().ok()?;
    while received.len() < length {
        if stream.read_buf(received).await.ok()? == 0 {
            return None;
        }
    }
    Some(received.drain(..length).collect())
}

async fn chunks(stream: &mut (impl AsyncRead + Unpin), received: &mut Vec<u8>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = find(stream, received, b"\r\n", 0).await?;
        let size = std::str::from_utf8(&received[..end - 2]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        received.drain(..end);
        while received.len() < size + 2 {
            if stream.read_buf(received).await.ok()? == 0 {
                return None;
            }
        }
        body.extend_from_slice(&received[..size]);
        received.drain(..size + 2);
        if size == 0 {
            return Some(body);
        }
    }
}

const END_OF_HEAD: &str = "\r\n\r\n";

/// A response to HEAD ends with its head.
fn for_method<'a>(text: &'a str, method: &str) -> &'a str {
    let last = text.rfind("HTTP/1.1 ").unwrap_or(0);
    match text[last..].find(END_OF_HEAD) {
        Some(head) if method == "HEAD" => &text[..last + head + END_OF_HEAD.len()],
        _ => text,
    }
}

async fn act(mut stream: impl AsyncRead + AsyncWrite + Resettable + Unpin, act: Act, method: &str) {
    let end = match act {
        Act::Says(text, end) => {
            // There is nothing to break off. Kept, the connection would carry the fault to another request.
            let end = if method == "HEAD" && text.contains(END_OF_HEAD) {
                End::Closes
            } else {
                end
            };
            if stream
                .write_all(for_method(text, method).as_bytes())
                .await
                .is_err()
            {
                return;
            }
            end
        }
        Act::Drips(text) => return drip(&mut stream, text).await,
        Act::SaysThenDrips(text, rest) => {
            let _ = stream.write_all(for_method(text, method).as_bytes()).await;
            if method != "HEAD" {
                drip(&mut stream, rest).await;
            }
            End::Closes
        }
        Act::Floods => {
            let field = format!("x-fill: {}\r\n", "x".repeat(8_000));
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
            for _ in 0..128 {
                if stream.write_all(field.as_bytes()).await.is_err() {
                    return;
                }
            }
            let _ = stream.write_all(b"content-length: 5\r\n\r\nfirst").await;
            End::Closes
        }
        Act::Nothing => End::Closes,
    };
    let _ = stream.flush().await;
    match end {
        End::Hangs => pending().await,
        End::Resets => {
            // What was written must be sent first.
            tokio::time::sleep(Duration::from_millis(50)).await;
            stream.reset();
        }
        End::Closes => drop(stream.shutdown().await),
    }
}

async fn drip(stream: &mut (impl AsyncWrite + Unpin), text: &str) {
    for byte in text.bytes() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if stream.write_all(&[byte]).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}
