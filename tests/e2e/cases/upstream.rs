//! A case's upstream: a real HTTP/1.1 server that responds as the table says, and can die and come back on its
//! port.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use function_fetch_cases::{Answer, Behaviour, Fault, Seen};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinHandle;

use crate::support::accepting::accept;
use crate::support::port::Port;
use crate::support::wire::{Framing, Head, Wire, chunk, field_lines};

/// Between a part of a response and the reset after it: the part should arrive.
const BEFORE_RESET: Duration = Duration::from_millis(50);

/// The server. It closes with its value.
pub struct Upstream {
    port: Port,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    name: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    health_path: String,
    behaviour: Behaviour,
    answered: usize,
    probes: Vec<Seen>,
    seen: Vec<Seen>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upstream {
    /// Reserves a free port, and listens once its behaviour is set.
    pub fn new(name: &str) -> Self {
        Self {
            port: Port::hold(),
            shared: Arc::new(Shared {
                name: name.to_owned(),
                state: Mutex::default(),
            }),
            listening: None,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Which requests are probes, below any base path.
    pub fn probed_at(&self, health_path: &str) {
        self.shared.lock().health_path = health_path.to_owned();
    }

    /// Changes its behaviour.
    pub async fn behave(&mut self, behaviour: &Behaviour) {
        {
            let mut state = self.shared.lock();
            state.behaviour = behaviour.clone();
            state.answered = 0;
        }
        if behaviour.dead {
            if let Some(task) = self.listening.take() {
                task.abort();
                let _ = task.await;
            }
        } else if self.listening.is_none() {
            let shared = self.shared.clone();
            let serve = move |stream| serve(stream, shared.clone());
            let accepting = accept(self.port.listen(), pending::<()>(), serve);
            self.listening = Some(tokio::spawn(accepting));
        }
    }

    /// The probes that came.
    pub fn probes(&self) -> Vec<Seen> {
        self.shared.lock().probes.clone()
    }

    /// The other requests.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.lock().seen.clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some(task) = &self.listening {
            task.abort();
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let (reader, mut writer) = stream.into_split();
    let mut wire = Wire::new(reader);
    while let Some(head) = wire.head().await {
        if exchange(head, &mut wire, &mut writer, &shared)
            .await
            .is_none()
        {
            return;
        }
    }
}

/// None when the connection cannot be used any more.
async fn exchange(
    head: Head,
    wire: &mut Wire,
    writer: &mut OwnedWriteHalf,
    shared: &Shared,
) -> Option<()> {
    let (answer, place, method) = arrive(&head, shared)?;
    let framing = head.framing(Framing::Length(0));
    if let Some(fault) = answer.fault {
        fail(fault, &answer, writer, shared).await;
        return None;
    }
    if answer.read_body {
        read_body(wire, framing, place, shared).await?;
    }
    tokio::time::sleep(Duration::from_millis(answer.delay_ms)).await;
    let body = if method == "HEAD" {
        Vec::new()
    } else {
        framed(&answer, &shared.name)
    };
    let line = format!("HTTP/1.1 {} Whatever\r\n", answer.status);
    let fields = field_lines(&answer.fields(&shared.name));
    let bytes = [line.as_bytes(), &fields, b"\r\n", &body].concat();
    writer.write_all(&bytes).await.ok()?;
    if !answer.read_body {
        read_body(wire, framing, place, shared).await?;
    }
    Some(())
}

/// Records a request, and returns its response: by its index in the list unless it is a probe.
fn arrive(head: &Head, shared: &Shared) -> Option<(Answer, Option<usize>, String)> {
    let mut words = head.line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut state = shared.lock();
    let is_probe = path.ends_with(&state.health_path);
    let seen = Seen {
        method: method.clone(),
        path,
        fields: head.fields.clone(),
        body: Vec::new(),
    };
    if is_probe {
        state.probes.push(seen);
        return Some((state.behaviour.health.clone(), None, method));
    }
    let answer = state.behaviour.answer(state.answered);
    state.answered += 1;
    state.seen.push(seen);
    Some((answer, Some(state.seen.len() - 1), method))
}

async fn read_body(
    wire: &mut Wire,
    framing: Framing,
    place: Option<usize>,
    shared: &Shared,
) -> Option<()> {
    let body = wire.body(framing).await;
    if let Some(place) = place {
        shared.lock().seen[place].body = body.bytes;
    }
    (!body.broken).then_some(())
}

/// The body as it is sent after the head.
fn framed(answer: &Answer, name: &str) -> Vec<u8> {
    let content = answer.content(name);
    if !answer.is_chunked() {
        return content;
    }
    let mut bytes = Vec::new();
    if !content.is_empty() {
        bytes = chunk(&content);
    }
    bytes.extend_from_slice(b"0\r\n");
    bytes.extend(field_lines(&answer.trailers.to_raw()));
    bytes.extend_from_slice(b"\r\n");
    bytes
}

async fn fail(fault: Fault, answer: &Answer, writer: &mut OwnedWriteHalf, shared: &Shared) {
    match fault {
        Fault::Silent => std::future::pending().await,
        Fault::Garbage => {
            let _ = writer.write_all(b"\x00\x01 this is no HTTP\r\n\r\n").await;
            let _ = writer.shutdown().await;
            tokio::time::sleep(BEFORE_RESET).await;
        }
        Fault::Short => {
            let fields = field_lines(&answer.fields(&shared.name));
            let head = [b"HTTP/1.1 200 OK\r\n", &*fields, b"\r\n"].concat();
            let _ = writer
                .write_all(&[&head, Answer::short_body()].concat())
                .await;
            tokio::time::sleep(BEFORE_RESET).await;
            reset(writer);
        }
        Fault::Reset => reset(writer),
    }
}

/// A lingering time of zero makes the close a RST.
fn reset(writer: &OwnedWriteHalf) {
    let _ = writer.as_ref().set_zero_linger();
}
