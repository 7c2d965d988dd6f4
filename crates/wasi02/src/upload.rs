//! The client's request body on its way to a target, and to the next one when
//! that fails.
//!
//! It streams: a chunk is read from the client when the host has taken the
//! last. What was taken is kept for another attempt as long as it fits the
//! replay buffer; what was read and not taken is never lost.

use crate::body::{Incoming, Trailers, trailers};
use crate::executor::{self, sleep};
use crate::fields::to_wasi;
use crate::platform::monotonic_ms;
use crate::stream::{self, End, HungUp};
use crate::wasi::http::types::{FutureTrailers, IncomingBody, OutgoingBody};
use crate::wasi::io::streams::OutputStream;
use function_fetch_component::FIRST_BYTES_NS;
use function_fetch_component::replay::Replay;
use function_fetch_engine::Failure;
use function_fetch_engine::attempt::Body;
use futures::channel::oneshot;
use futures::future::{Either, select};
use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;

/// Hosts take a few chunks before they have a connection. Small ones, so that
/// these few are kept at little cost.
const CHUNK_BYTES: u64 = 16 * 1024;

/// What a host may take before it has a connection. wasmtime and Spin take two
/// chunks.
const HOLD_BYTES: usize = 128 * 1024;

/// The body of a client's request.
pub struct ClientBody {
    /// Shared with the pump.
    replay: Rc<RefCell<Replay>>,
    /// When the host last took some of it, by the monotonic clock, ms; infinite
    /// while the client is waited for.
    progress: Rc<Cell<f64>>,
    source: Source,
    found: Option<usize>,
}

/// Where the client's end of the body is.
enum Source {
    /// No attempt reads from it.
    Here(Box<ClientEnd>),
    /// A pump does; it gives it back after `stop`.
    Pumping {
        stop: oneshot::Sender<()>,
        back: oneshot::Receiver<Box<ClientEnd>>,
    },
    /// There is no body.
    Nowhere,
}

/// What the client sends: first the one, then the other.
struct ClientEnd {
    bytes: Option<Incoming>,
    coming: Option<FutureTrailers>,
    trailers: Option<Trailers>,
}

impl ClientBody {
    /// `length` is the request's `Content-Length`; where there is none and the
    /// method `needs_length`, the body is read to its end to know it.
    pub async fn new(
        body: Option<IncomingBody>,
        length: Option<u64>,
        needs_length: bool,
        limit: usize,
    ) -> Result<Self, Failure> {
        let mut replay = Replay::new(limit, HOLD_BYTES);
        let mut found = None;
        let mut end = None;
        match body.and_then(Incoming::new) {
            Some(bytes) if length.is_none() => {
                let measured = ClientEnd::measure(bytes, &mut replay, needs_length, limit).await?;
                found = measured.1;
                end = Some(measured.0);
            }
            Some(bytes) => end = Some(ClientEnd::of(bytes)),
            None => {}
        }
        let is_empty = length == Some(0) || found == Some(0);
        let end = end.filter(|_| !is_empty);
        Ok(Self {
            replay: Rc::new(RefCell::new(replay)),
            progress: Rc::default(),
            source: end.map_or(Source::Nowhere, |end| Source::Here(Box::new(end))),
            found,
        })
    }

    /// Whether the request has a body to send.
    pub fn is_some(&self) -> bool {
        !matches!(self.source, Source::Nowhere)
    }

    /// How long it was found to be, where its end was looked for; 0 for none.
    pub fn found_length(&self) -> Option<usize> {
        self.found
    }

    pub fn progress(&self) -> Rc<Cell<f64>> {
        Rc::clone(&self.progress)
    }

    /// For an attempt that fails before anything of it was sent.
    pub fn replay(&self) -> Rc<RefCell<Replay>> {
        Rc::clone(&self.replay)
    }

    pub fn state(&self) -> Body {
        match &self.source {
            Source::Here(end) if matches!(end.trailers, Some(Err(_))) => Body::Broken,
            _ => self.replay.borrow().state(),
        }
    }

    /// Stops the attempt that reads, takes back what it did not send, and says
    /// what has become of the body.
    pub async fn reclaim(&mut self) -> Body {
        self.source = match std::mem::replace(&mut self.source, Source::Nowhere) {
            Source::Pumping { stop, back } => {
                // A pump that has ended by itself does not hear it.
                let _ = stop.send(());
                back.await.map_or(Source::Nowhere, Source::Here)
            }
            still => still,
        };
        self.state()
    }

    /// Sends the whole body into `target`, beside the attempt. Call
    /// [`Self::reclaim`] first.
    pub fn pump_into(&mut self, target: OutgoingBody) {
        let Source::Here(mut end) = std::mem::replace(&mut self.source, Source::Nowhere) else {
            return;
        };
        self.replay.borrow_mut().rewind();
        let (stop, stopped) = oneshot::channel();
        let (give_back, back) = oneshot::channel();
        let replay = Rc::clone(&self.replay);
        let progress = Rc::clone(&self.progress);
        executor::spawn(async move {
            // Only a word stops it. When the request is relayed, nobody is left to say it, and the upload goes on beside
            // the response.
            let stopped = async move {
                if stopped.await.is_err() {
                    std::future::pending().await
                }
            };
            // Whatever it waits for, it can be dropped there: nothing is taken from one side and not given to the other.
            let sending = send(&replay, &progress, &mut end, target);
            select(pin!(sending), pin!(stopped)).await;
            progress.set(monotonic_ms());
            let _ = give_back.send(end);
        });
        self.source = Source::Pumping { stop, back };
    }
}

impl ClientEnd {
    fn of(bytes: Incoming) -> Self {
        Self {
            bytes: Some(bytes),
            coming: None,
            trailers: None,
        }
    }

    /// How long a body is whose head does not say, if its end comes at once or
    /// must be waited for.
    async fn measure(
        bytes: Incoming,
        replay: &mut Replay,
        to_the_end: bool,
        limit: usize,
    ) -> Result<(Self, Option<usize>), Failure> {
        // A chunked body is announced by a header that hosts keep to
        // themselves. To send every GET on as chunked would be worse than
        // to look for the end, which is there at once without a body.
        let mut next = {
            let first = pin!(stream::read(&bytes.stream, CHUNK_BYTES));
            match select(first, sleep(FIRST_BYTES_NS)).await {
                Either::Left((read, _)) => Some(read),
                Either::Right(_) => None,
            }
        };
        loop {
            match next {
                Some(Ok(bytes)) => replay.read(&bytes),
                Some(Err(End::Complete)) => break,
                Some(Err(End::Broken)) => return Err(Failure::HttpRequestIncomplete),
                None => {}
            }
            if !to_the_end {
                return Ok((Self::of(bytes), None));
            }
            if replay.unsent().len() > limit {
                return Err(Failure::HttpRequestLengthRequired);
            }
            next = Some(stream::read(&bytes.stream, CHUNK_BYTES).await);
        }
        let length = replay.unsent().len();
        let trailers = trailers(&bytes.into_trailers()).await;
        let fields = trailers
            .as_ref()
            .map_err(|_| Failure::HttpRequestIncomplete)?;
        let has_trailers = fields.as_ref().is_some_and(|fields| !fields.is_empty());
        if to_the_end && length > 0 && has_trailers {
            // They come after chunks only.
            return Err(Failure::HttpRequestLengthRequired);
        }
        let is_all = to_the_end || (length == 0 && !has_trailers);
        let end = Self {
            bytes: None,
            coming: None,
            trailers: Some(trailers),
        };
        Ok((end, is_all.then_some(length)))
    }
}

/// Sends the body until it has ended or the host takes no more. A target that
/// did not get all of it gets it as broken, since it is dropped unfinished.
async fn send(
    replay: &RefCell<Replay>,
    progress: &Cell<f64>,
    end: &mut ClientEnd,
    target: OutgoingBody,
) {
    let Ok(output) = target.write() else {
        return;
    };
    if send_bytes(replay, progress, end, &output).await.is_err() {
        return;
    }
    drop(output);
    if let Some(coming) = &end.coming {
        end.trailers = Some(trailers(coming).await);
        end.coming = None;
    }
    // Trailers that the host does not take leave the body unfinished.
    if let Some(Ok(fields)) = &end.trailers
        && let Ok(fields) = fields.as_deref().map(to_wasi).transpose()
    {
        // The target may have hung up; then nobody wants them.
        let _ = OutgoingBody::finish(target, fields);
    }
}

async fn send_bytes(
    replay: &RefCell<Replay>,
    progress: &Cell<f64>,
    end: &mut ClientEnd,
    output: &OutputStream,
) -> Result<(), HungUp> {
    loop {
        while !replay.borrow().unsent().is_empty() {
            let room = stream::room(output).await?.min(CHUNK_BYTES);
            let mut replay = replay.borrow_mut();
            let unsent = replay.unsent();
            let count = usize::try_from(room).map_or(unsent.len(), |room| room.min(unsent.len()));
            output.write(&unsent[..count]).map_err(|_| HungUp)?;
            replay.took(count);
            progress.set(monotonic_ms());
        }
        let Some(bytes) = &end.bytes else {
            return stream::flush(output).await;
        };
        // While it is the client that is waited for, no time-out runs.
        progress.set(f64::INFINITY);
        let read = stream::read(&bytes.stream, CHUNK_BYTES).await;
        progress.set(monotonic_ms());
        match read {
            Ok(bytes) => replay.borrow_mut().read(&bytes),
            Err(End::Complete) => end.coming = end.bytes.take().map(Incoming::into_trailers),
            Err(End::Broken) => {
                end.bytes = None;
                end.trailers = Some(Err(End::Broken));
            }
        }
    }
}
