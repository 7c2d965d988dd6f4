//! An origin that reads with [`strict`] and keeps everything that does not pass, too. Unless a row says otherwise it
//! responds with the request's target, so that a response that reaches the wrong request shows.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::strict::{self, Read, Request};
use crate::support::port::Port;

/// The target of a request that follows each row on its connection, if that is still open. It always gets the usual
/// response: if anything else comes back, the row has left something behind.
pub const AFTER: &str = "/after";

/// A field of most rows, with their number.
pub const ROW: &str = "x-row";

/// How it responds.
#[derive(Clone, Default)]
pub struct Reply {
    /// The bytes; the usual response if there are none.
    pub bytes: Vec<u8>,
    /// It responds at the end of the head, and does not wait for the body.
    pub early: bool,
    /// It closes after the response.
    pub closes: bool,
}

/// What a connection brought.
#[derive(Clone, Debug)]
pub enum Heard {
    /// A request.
    Whole(Request),
    /// A request that broke off; what is known of it.
    Broken(Option<Request>),
    /// Anything else.
    Malformed(&'static str, Vec<u8>),
}

#[derive(Default)]
struct State {
    /// The number of the row that is played.
    row: String,
    reply: Reply,
    heard: Vec<Heard>,
    connections: usize,
}

/// The server. It closes with its value.
pub struct Tap {
    port: Port,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Tap {
    /// Starts it.
    pub fn start() -> Self {
        let port = Port::hold();
        let state = Arc::default();
        let task = tokio::spawn(accept(port.listen(), Arc::clone(&state)));
        Self { port, state, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Responds so from now on, and forgets what it has heard. What comes late of another row than this one is ignored.
    pub fn expect(&self, row: &str, reply: Reply) {
        let mut state = lock(&self.state);
        row.clone_into(&mut state.row);
        state.reply = reply;
        state.heard.clear();
    }

    /// What it has heard.
    pub fn heard(&self) -> Vec<Heard> {
        lock(&self.state).heard.clone()
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> usize {
        lock(&self.state).connections
    }
}

impl State {
    fn hear(&mut self, heard: Heard) {
        let late = match &heard {
            Heard::Whole(request) | Heard::Broken(Some(request)) => {
                let row = request.values(ROW);
                !(row.is_empty() || row.contains(&self.row.as_bytes()))
            }
            // A host that gives a request up may do so in its head.
            Heard::Broken(None) => true,
            Heard::Malformed(..) => false,
        };
        if !late {
            self.heard.push(heard);
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        lock(&state).connections += 1;
        connections.spawn(serve(stream, state.clone()));
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let _ = stream.set_nodelay(true);
    let mut received = Vec::new();
    let mut replied = false;
    loop {
        match strict::read(&received) {
            Read::Whole(request, used) => {
                received.drain(..used);
                let reply = reply_to(&request, &state);
                let bytes = bytes_for(&request, &reply);
                lock(&state).hear(Heard::Whole(request));
                let written = replied || stream.write_all(&bytes).await.is_ok();
                replied = false;
                if !written || reply.closes {
                    return close(stream).await;
                }
            }
            Read::Start(known) => {
                let reply = lock(&state).reply.clone();
                if let (Some(request), true, false) = (&known, reply.early, replied) {
                    replied = true;
                    let written = stream.write_all(&bytes_for(request, &reply)).await;
                    if written.is_err() || reply.closes {
                        lock(&state).hear(Heard::Broken(known));
                        return close(stream).await;
                    }
                }
                if !stream.read_buf(&mut received).await.is_ok_and(|n| n > 0) {
                    if !received.is_empty() {
                        lock(&state).hear(Heard::Broken(known));
                    }
                    return;
                }
            }
            Read::Malformed(why) => {
                lock(&state).hear(Heard::Malformed(why, received));
                let refusal =
                    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
                let _ = stream.write_all(refusal).await;
                return close(stream).await;
            }
        }
    }
}

fn reply_to(request: &Request, state: &Mutex<State>) -> Reply {
    if request.target == AFTER.as_bytes() {
        Reply::default()
    } else {
        lock(state).reply.clone()
    }
}

/// A response to HEAD is a head alone.
fn bytes_for(request: &Request, reply: &Reply) -> Vec<u8> {
    let mut bytes = if reply.bytes.is_empty() {
        let length = request.target.len();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        [head.as_bytes(), &request.target].concat()
    } else {
        reply.bytes.clone()
    };
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    if let ("HEAD", Some(end)) = (request.method.as_str(), end) {
        bytes.truncate(end + 4);
    }
    bytes
}

/// Unread bytes would turn the close into a reset.
async fn close(mut stream: TcpStream) {
    let _ = stream.shutdown().await;
    let mut rest = Vec::new();
    while stream.read_buf(&mut rest).await.is_ok_and(|n| n > 0) {
        rest.clear();
    }
}
