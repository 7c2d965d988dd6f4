//! Which instance serves which request: reuse, concurrency, idling and the limit on instances.
//!
//! wasmtime's `ProxyHandler` keeps the instances and passes requests to them; this file decides when to create, use and
//! drop one. It has no limit on instances, so the limit is here: creating an instance fails at the limit, which returns
//! the request, and the request waits for capacity.

use crate::component::Loaded;
use crate::drain::{Drain, DrainGuard};
use crate::error::one_line;
use crate::guest_limits::Stretch;
use crate::instance::{Environment, InstanceState};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use tracing::{debug, error};
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut, format_err};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, InstantiationError, ProxyHandler, ProxyPre, Request, Response,
    ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

/// How long a request that found all instances full waits before it checks again, unless it is notified of capacity
/// earlier. Capacity can appear without a notification: an instance has it only after the turn in which a response was
/// sent.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A thread with fewer instances would let requests wait while others had some to spare.
const LEAST_PER_THREAD: usize = 16;

/// How instances are reused.
#[derive(Debug, Clone)]
pub struct InstanceLimits {
    /// Requests that an instance serves before it is replaced. Default: 128 for a WASI 0.3 component; 1 for WASI 0.2,
    /// where most hosts reuse none.
    pub reuse: Option<usize>,
    /// Requests that an instance serves at the same time, until their response heads. Default: 16 for a WASI 0.3
    /// component, 1 for WASI 0.2.
    pub concurrent_reuse: Option<usize>,
    /// How long an idle instance is kept. Default: 1 s.
    pub idle_timeout: Duration,
    /// Instances that may exist at the same time; requests beyond their capacity wait. Default: 256 for a WASI 0.3
    /// component; 1024 for WASI 0.2, where each request has one; and no less than 16 for each thread.
    pub max_instances: Option<usize>,
    /// Requests that may wait for an instance; the next one gets 503 with `Retry-After`. Default: 1024.
    pub max_waiting: usize,
    /// Bytes of memory that an instance may have; one that needs more is ended. Default: 128 MiB.
    pub max_memory_bytes: usize,
    /// How long the code of an instance may run without a pause, that is, without waiting for anything; then the instance
    /// is ended. Default: 5 s.
    pub compute_timeout: Duration,
    /// How long a request waits for an instance before it gets 503 with `Retry-After`. Default: 10 s.
    pub wait_timeout: Duration,
}

impl Default for InstanceLimits {
    fn default() -> Self {
        Self {
            reuse: None,
            concurrent_reuse: None,
            idle_timeout: Duration::from_secs(1),
            max_instances: None,
            max_waiting: 1024,
            max_memory_bytes: 128 * 1024 * 1024,
            compute_timeout: Duration::from_secs(5),
            wait_timeout: Duration::from_secs(10),
        }
    }
}

/// The instances of a server, or of one of its threads.
pub(crate) struct Instances {
    handler: ProxyHandler<Maker>,
    /// As many requests as instances can serve; the others queue here in order of arrival. Only those contend for
    /// instances.
    turns: Semaphore,
    /// Capacity of the queue, of all threads together.
    waiting: Arc<Semaphore>,
    wait_timeout: Duration,
    most: Most,
}

/// How many there may be.
#[derive(Clone, Copy)]
struct Most {
    instances: usize,
    turns: usize,
    waiting: usize,
}

/// There was no capacity for a request in time.
#[derive(Debug, thiserror::Error)]
#[error("no instance has capacity for the request")]
pub(crate) struct Busy;

impl Instances {
    /// Those of `threads` threads, which have no instance in common; of fewer where they would have too few.
    pub(crate) fn new(
        loaded: Loaded,
        environment: &Environment,
        limits: &InstanceLimits,
        threads: usize,
        drain: &Drain,
    ) -> Vec<Arc<Self>> {
        let (reuse, concurrent_reuse, max_instances) = match loaded.pre {
            ProxyPre::P3(_) => (128, 16, 256),
            ProxyPre::P2(_) => (1, 1, 1024),
        };
        let max_instances = limits
            .max_instances
            .unwrap_or_else(|| max_instances.max(threads.saturating_mul(LEAST_PER_THREAD)));
        let threads = threads.min(max_instances / LEAST_PER_THREAD).max(1);
        let semaphore = |permits: usize| Semaphore::new(permits.min(Semaphore::MAX_PERMITS));
        let capacity = Capacity {
            reuse: limits.reuse.unwrap_or(reuse).max(1),
            concurrent: limits.concurrent_reuse.unwrap_or(concurrent_reuse).max(1),
        };
        let loaded = Arc::new(loaded);
        let waiting = Arc::new(semaphore(limits.max_waiting));
        let permits = |count: usize| count.min(Semaphore::MAX_PERMITS);
        let shares = (0..threads)
            .map(|nth| max_instances / threads + usize::from(nth < max_instances % threads));
        shares
            .map(|share| {
                Arc::new(Self {
                    handler: ProxyHandler::new(Maker {
                        loaded: loaded.clone(),
                        environment: environment.for_thread(),
                        capacity,
                        idle_timeout: limits.idle_timeout,
                        compute_timeout: limits.compute_timeout,
                        slots: Arc::new(semaphore(share)),
                        room: Arc::new(Notify::new()),
                        drain: drain.clone(),
                    }),
                    turns: semaphore(share.saturating_mul(capacity.concurrent)),
                    waiting: waiting.clone(),
                    wait_timeout: limits.wait_timeout,
                    most: Most {
                        instances: permits(share),
                        turns: permits(share.saturating_mul(capacity.concurrent)),
                        waiting: permits(limits.max_waiting),
                    },
                })
            })
            .collect()
    }

    /// Instances that exist.
    pub(crate) fn count(&self) -> usize {
        let free = self.handler.state().slots.available_permits();
        self.most.instances.saturating_sub(free)
    }

    /// Requests that an instance serves, until their response heads.
    pub(crate) fn in_flight(&self) -> usize {
        self.most
            .turns
            .saturating_sub(self.turns.available_permits())
    }

    /// Requests that wait for an instance, on all threads.
    pub(crate) fn waiting(&self) -> usize {
        self.most
            .waiting
            .saturating_sub(self.waiting.available_permits())
    }

    /// Lets an instance serve `request`, or fails with [`Busy`].
    pub(crate) async fn handle(&self, mut request: Request) -> wasmtime::Result<Response> {
        let mut give_up = None;
        let _turn = match self.turns.try_acquire() {
            Ok(turn) => turn,
            Err(_) => {
                let _place = self.waiting.try_acquire().map_err(|_| Busy)?;
                let until = *give_up.insert(self.give_up());
                tokio::time::timeout_at(until, self.turns.acquire())
                    .await
                    .map_err(|_| Busy)??
            }
        };
        let room = &self.handler.state().room;
        loop {
            let mut heard = pin!(room.notified());
            heard.as_mut().enable();
            let error = match self.handler.handle((), request).await {
                Ok(response) => {
                    room.notify_waiters();
                    return Ok(response);
                }
                Err(error) => error.downcast::<InstantiationError<()>>()?,
            };
            if !error.error.is::<InstanceLimitReached>() {
                return Err(format_err!("cannot create an instance: {:#}", error.error));
            }
            // No other request has this turn, and still no instance has capacity: each is busy beyond its response
            // head.
            if *give_up.get_or_insert_with(|| self.give_up()) <= tokio::time::Instant::now() {
                return Err(Busy.into());
            }
            request = error
                .request
                .into_inner()
                .expect("nothing panics while it holds a request");
            let _ = tokio::time::timeout(LOOK_AGAIN, heard).await;
        }
    }

    /// The deadline of a request that waits from now on.
    fn give_up(&self) -> tokio::time::Instant {
        tokio::time::Instant::now() + self.wait_timeout
    }
}

/// Returned inside [`InstantiationError`] when the limit on instances is reached.
#[derive(Debug, thiserror::Error)]
#[error("the limit on instances is reached")]
struct InstanceLimitReached;

/// The permit of one instance.
pub(crate) struct InstanceSlot(
    #[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit,
);

#[derive(Clone, Copy)]
struct Capacity {
    reuse: usize,
    concurrent: usize,
}

/// Creates instances.
struct Maker {
    loaded: Arc<Loaded>,
    environment: Environment,
    capacity: Capacity,
    idle_timeout: Duration,
    compute_timeout: Duration,
    slots: Arc<Semaphore>,
    room: Arc<Notify>,
    drain: Drain,
}

impl HandlerState for Maker {
    type StoreData = InstanceState;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<InstanceState, Expiration, Worker>> {
        let slot = self
            .slots
            .clone()
            .try_acquire_owned()
            .map_err(|_| InstanceLimitReached)?;
        let state = InstanceState::new(&self.environment, InstanceSlot(slot), self.drain.guard());
        let mut store = Store::new(&self.loaded.engine, state);
        store.limiter(|state| &mut state.memory);
        let stretch = Stretch::new(self.compute_timeout);
        stretch.limit(&mut store);
        let proxy = self.loaded.pre.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy,
            view: InstanceState::http,
            expiration: Expiration::new(self.idle_timeout, self.drain.guard(), stretch),
            state: Worker {
                capacity: self.capacity,
                room: self.room.clone(),
            },
        })
    }
}

/// Decides how many requests one instance takes.
struct Worker {
    capacity: Capacity,
    room: Arc<Notify>,
}

impl WorkerState for Worker {
    type StoreData = InstanceState;
    type RequestData = ();

    fn should_accept_request(&self, concurrent_count: usize, total_count: usize) -> ShouldAccept {
        if total_count >= self.capacity.reuse {
            ShouldAccept::Never
        } else if concurrent_count >= self.capacity.concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    /// A request has no time limit here: the guest has its own, and a proxied stream may last for hours.
    fn on_request_start(
        &self,
        _store: StoreContextMut<'_, InstanceState>,
        _data: (),
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        Box::pin(std::future::pending())
    }

    fn drop(&self, store: Store<InstanceState>, result: Result<(), wasmtime::Error>) {
        match result {
            Ok(()) => debug!("instance ended"),
            Err(failure) => error!(
                reason = one_line(&format!("{failure:#}")),
                "instance failed"
            ),
        }
        // The permit goes first: whoever is notified of capacity must find it.
        drop(store);
        self.room.notify_waiters();
    }
}

/// Ends an instance that has been idle for a while, or at once when the server shuts down. Never one that is busy with
/// a request, a body or background work.
struct Expiration {
    idle_timeout: Duration,
    idle_until: Pin<Box<Sleep>>,
    draining: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    stretch: Stretch,
}

impl Expiration {
    fn new(idle_timeout: Duration, mut guard: DrainGuard, stretch: Stretch) -> Self {
        Self {
            idle_timeout,
            idle_until: Box::pin(tokio::time::sleep(idle_timeout)),
            draining: Box::pin(async move { guard.started().await }),
            stretch,
        }
    }
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        state: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        // Whenever the instance's task stops, this is called.
        self.stretch.stopped();
        if state != WorkerStatus::Idle {
            return Poll::Pending;
        }
        if self.draining.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let deadline = (start + self.idle_timeout).into();
        if self.idle_until.deadline() != deadline {
            self.idle_until.as_mut().reset(deadline);
        }
        self.idle_until.as_mut().poll(cx)
    }
}
