//! The client's request body on its way to a target, and to the next one when
//! that fails.
//!
//! It streams: a chunk is read from the client when a target has taken the
//! last. What targets took is kept for another attempt as long as it fits the
//! replay buffer; what was read and not taken is never lost.

use crate::platform::monotonic_ms;
use function_fetch_component::FIRST_BYTES_NS;
use function_fetch_component::replay::Replay;
use function_fetch_engine::Failure;
use function_fetch_engine::attempt::Body;
use futures::channel::oneshot;
use futures::future::{Either, select};
use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::rc::Rc;
use wasip3::clocks::monotonic_clock;
use wasip3::http::types::{ErrorCode, Trailers};
use wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};

type TrailersResult = Result<Option<Trailers>, ErrorCode>;

const CHUNK_BYTES: usize = 64 * 1024;

/// The body of a client's request.
pub struct ClientBody {
    /// Shared with the pump, which runs in the same component-model task.
    kept: Rc<RefCell<Replay>>,
    /// When a target last took some of it, by the monotonic clock, ms; infinite
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

struct ClientEnd {
    stream: StreamReader<u8>,
    trailers: ClientTrailers,
    ended: bool,
}

enum ClientTrailers {
    Coming(FutureReader<TrailersResult>),
    Known(TrailersResult),
}

impl ClientBody {
    /// `length` is the request's `Content-Length`; where there is none and the
    /// method `needs_length`, the body is read to its end to know it.
    pub async fn new(
        stream: StreamReader<u8>,
        trailers: FutureReader<TrailersResult>,
        length: Option<u64>,
        needs_length: bool,
        limit: usize,
    ) -> Result<Self, Failure> {
        let mut kept = Replay::new(limit, 0);
        let mut end = ClientEnd {
            stream,
            trailers: ClientTrailers::Coming(trailers),
            ended: false,
        };
        let mut found = None;
        if length.is_none() {
            (end, found) = end.measure(&mut kept, needs_length, limit).await?;
        }
        let is_empty = length == Some(0) || found == Some(0);
        Ok(Self {
            kept: Rc::new(RefCell::new(kept)),
            progress: Rc::default(),
            source: if is_empty {
                Source::Nowhere
            } else {
                Source::Here(Box::new(end))
            },
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

    pub fn state(&self) -> Body {
        match &self.source {
            Source::Here(end) if matches!(end.trailers, ClientTrailers::Known(Err(_))) => {
                Body::Broken
            }
            _ => self.kept.borrow().state(),
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
    pub fn pump_into(&mut self, target: StreamWriter<u8>, trailers: FutureWriter<TrailersResult>) {
        let Source::Here(end) = std::mem::replace(&mut self.source, Source::Nowhere) else {
            return;
        };
        self.kept.borrow_mut().rewind();
        let (stop, stopped) = oneshot::channel();
        let (give_back, back) = oneshot::channel();
        let kept = Rc::clone(&self.kept);
        let progress = Rc::clone(&self.progress);
        // Only a word stops the pump. When the request is relayed, nobody is left to say it, and the upload goes on beside
        // the response.
        let stopped = async move {
            if stopped.await.is_err() {
                pending().await
            }
        };
        wasip3::spawn(async move {
            let end = pump(&kept, &progress, end, target, trailers, pin!(stopped)).await;
            let _ = give_back.send(end);
        });
        self.source = Source::Pumping { stop, back };
    }
}

impl ClientEnd {
    /// How long a body is whose head does not say, if its end comes at once or
    /// must be waited for.
    async fn measure(
        mut self,
        kept: &mut Replay,
        to_the_end: bool,
        limit: usize,
    ) -> Result<(Self, Option<usize>), Failure> {
        // A chunked body is announced by a header that hosts keep to
        // themselves. To send every GET on as chunked would be worse than
        // to look for the end, which is there at once without a body.
        let mut patience = pin!(monotonic_clock::wait_for(FIRST_BYTES_NS));
        kept.read(&self.receive(&mut patience).await.0);
        while to_the_end && !self.ended && kept.unsent().len() <= limit {
            kept.read(&self.receive(&mut pending()).await.0);
        }
        let length = kept.unsent().len();
        if to_the_end && length > limit {
            return Err(Failure::HttpRequestLengthRequired);
        }
        if !self.ended {
            return Ok((self, None));
        }
        // Only here is it said whether that was the end, or the client broke off.
        let trailers = match self.trailers {
            ClientTrailers::Known(known) => known,
            ClientTrailers::Coming(coming) => coming.await,
        };
        let fields = trailers
            .as_ref()
            .map_err(|_| Failure::HttpRequestIncomplete)?;
        let has_trailers = fields
            .as_ref()
            .is_some_and(|fields| !fields.copy_all().is_empty());
        if to_the_end && length > 0 && has_trailers {
            // They come after chunks only.
            return Err(Failure::HttpRequestLengthRequired);
        }
        let is_all = to_the_end || (length == 0 && !has_trailers);
        self.trailers = ClientTrailers::Known(trailers);
        Ok((self, is_all.then_some(length)))
    }

    /// A chunk from the client, and whether to go on: not when it was `stopped`.
    async fn receive(
        &mut self,
        stopped: &mut (impl Future<Output = ()> + Unpin),
    ) -> (Vec<u8>, bool) {
        let mut read = pin!(self.stream.read(Vec::with_capacity(CHUNK_BYTES)));
        let (result, bytes, go_on) = match select(read.as_mut(), stopped).await {
            Either::Left(((result, bytes), _)) => (result, bytes, true),
            Either::Right(_) => {
                let (result, bytes) = read.as_mut().cancel();
                (result, bytes, false)
            }
        };
        self.ended = result == StreamResult::Dropped;
        (bytes, go_on)
    }
}

/// Moves the body until it has ended, the target hangs up, or `stopped`.
async fn pump(
    kept: &RefCell<Replay>,
    progress: &Cell<f64>,
    mut end: Box<ClientEnd>,
    mut target: StreamWriter<u8>,
    trailers: FutureWriter<TrailersResult>,
    mut stopped: Pin<&mut impl Future<Output = ()>>,
) -> Box<ClientEnd> {
    loop {
        let unsent = kept.borrow_mut().lend();
        if !unsent.is_empty() {
            if !send(kept, unsent, &mut target, &mut stopped).await {
                return end;
            }
            progress.set(monotonic_ms());
        } else if end.ended {
            break;
        } else {
            // While it is the client that is waited for, no time-out runs.
            progress.set(f64::INFINITY);
            let (bytes, go_on) = end.receive(&mut stopped).await;
            kept.borrow_mut().read(&bytes);
            progress.set(monotonic_ms());
            if !go_on {
                return end;
            }
        }
    }
    drop(target);
    end.trailers = match end.trailers {
        ClientTrailers::Known(known) => ClientTrailers::Known(known),
        ClientTrailers::Coming(coming) => {
            let mut read = pin!(coming.into_future());
            match select(read.as_mut(), &mut stopped).await {
                Either::Left((known, _)) => ClientTrailers::Known(known),
                // The next attempt awaits them.
                Either::Right(_) => match read.as_mut().cancel() {
                    Ok(known) => ClientTrailers::Known(known),
                    Err(coming) => {
                        end.trailers = ClientTrailers::Coming(coming);
                        return end;
                    }
                },
            }
        }
    };
    if let ClientTrailers::Known(known) = &end.trailers {
        let copy = match known {
            Ok(fields) => Ok(fields.as_ref().map(Trailers::clone)),
            Err(code) => Err(code.clone()),
        };
        // The target may have hung up; then nobody wants them.
        let _ = trailers.write(copy).await;
    }
    end
}

/// Offers a chunk to the target. False when it hung up, or on a stop.
async fn send(
    kept: &RefCell<Replay>,
    bytes: Vec<u8>,
    target: &mut StreamWriter<u8>,
    stopped: &mut Pin<&mut impl Future<Output = ()>>,
) -> bool {
    let lent = bytes.len();
    let mut write = pin!(target.write(bytes));
    let (result, left, go_on) = match select(write.as_mut(), stopped).await {
        Either::Left(((result, left), _)) => (result, left, true),
        Either::Right(_) => {
            let (result, left) = write.as_mut().cancel();
            (result, left, false)
        }
    };
    kept.borrow_mut().give_back(lent, left.into_vec());
    go_on && result != StreamResult::Dropped
}
