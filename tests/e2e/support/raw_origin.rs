//! A server below HTTP: it keeps each request's bytes as they arrived, and answers with any bytes, or with none.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::port::Port;
use super::seen::is_probe;

/// How it handles a client's request.
#[derive(Clone)]
pub enum Act {
    /// Resets the connection once so many bytes of the body have arrived.
    Reset(usize),
    /// Reads, and never answers.
    Hang,
    /// Writes these bytes and closes.
    Say(Vec<u8>),
    /// Writes these bytes and resets.
    SayThenReset(Vec<u8>),
    /// Writes these bytes and keeps the connection, until the next request: it is read, and the connection closed.
    SayOnce(Vec<u8>),
}

impl Act {
    /// Writes a whole response and closes.
    pub fn answer(body: &str) -> Self {
        let length = body.len();
        Self::Say(
            format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .into_bytes(),
        )
    }
}

/// One request as its bytes arrived.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Request line and headers.
    pub head: String,
    /// What arrived of the body before the act began.
    pub body: Vec<u8>,
}

impl Heard {
    /// The request target, byte for byte.
    pub fn target(&self) -> &str {
        let line = self.head.lines().next().unwrap_or_default();
        line.split(' ').nth(1).unwrap_or_default()
    }

    /// The values of a header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }
}

type Ledger = Arc<Mutex<Vec<Heard>>>;

/// The server. It closes with its value.
pub struct RawOrigin {
    port: Port,
    ledger: Ledger,
    task: JoinHandle<()>,
}

impl RawOrigin {
    /// Starts one that answers probes at once, and does `act` for everything else.
    pub fn start(act: Act) -> Self {
        Self::start_with(act, true)
    }

    /// Starts one that accepts and never answers anything, probes included.
    pub fn silent() -> Self {
        Self::start_with(Act::Hang, false)
    }

    fn start_with(act: Act, healthy: bool) -> Self {
        let port = Port::hold();
        let ledger = Ledger::default();
        let task = tokio::spawn(accept(port.listen(), act, healthy, ledger.clone()));
        Self { port, ledger, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Itself as a target.
    pub fn url(&self) -> String {
        self.port.url()
    }

    /// The clients' requests that it received.
    pub fn live(&self) -> Vec<Heard> {
        self.ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The one client's request that it received.
    pub fn only(&self) -> Heard {
        let mut live = self.live();
        assert_eq!(live.len(), 1, "requests heard: {live:#?}");
        live.remove(0)
    }
}

impl Drop for RawOrigin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, act: Act, healthy: bool, ledger: Ledger) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, act.clone(), healthy, ledger.clone()));
    }
}

async fn connection(mut stream: TcpStream, act: Act, healthy: bool, ledger: Ledger) {
    let mut received = Vec::new();
    let mut said = false;
    loop {
        let Some(end) = head_end(&mut stream, &mut received).await else {
            return;
        };
        let rest = received.split_off(end);
        let mut heard = Heard {
            head: String::from_utf8_lossy(&received).into_owned(),
            body: rest,
        };
        if is_probe(heard.header("user-agent").first().map(|v| v.as_bytes())) {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhealth";
            if !healthy {
                std::future::pending::<()>().await;
            }
            if stream.write_all(answer).await.is_err() {
                return;
            }
            received = heard.body;
            continue;
        }
        if let Act::Reset(after) = act {
            while heard.body.len() < after
                && stream.read_buf(&mut heard.body).await.is_ok_and(|n| n > 0)
            {}
        }
        ledger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(heard);
        if let Act::SayOnce(bytes) = &act
            && !std::mem::replace(&mut said, true)
        {
            if stream.write_all(bytes).await.is_err() {
                return;
            }
            received = Vec::new();
            continue;
        }
        return perform(stream, act).await;
    }
}

async fn perform(mut stream: TcpStream, act: Act) {
    let reset = matches!(act, Act::Reset(_) | Act::SayThenReset(_));
    match act {
        Act::Reset(_) | Act::SayOnce(_) => {}
        Act::Hang => std::future::pending().await,
        Act::Say(bytes) | Act::SayThenReset(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
        }
    }
    if reset {
        // A lingering time of zero makes the close a RST. What was written must be sent first.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let _ = stream.set_zero_linger();
    } else {
        let _ = stream.shutdown().await;
        // Unread bytes would turn the close into a reset.
        let mut rest = Vec::new();
        while stream.read_buf(&mut rest).await.is_ok_and(|n| n > 0) {
            rest.clear();
        }
    }
}

/// Reads until a whole head is in `received` and returns where it ends.
async fn head_end(stream: &mut TcpStream, received: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(at) = received.windows(4).position(|w| w == b"\r\n\r\n") {
            return Some(at + 4);
        }
        if stream.read_buf(received).await.ok()? == 0 {
            return None;
        }
    }
}
