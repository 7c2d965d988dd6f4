//! Where connections are served: on the caller's runtime, or on threads of the server's own.
//!
//! A thread has everything that a request needs: a runtime, instances, and connections to upstreams. So a request stays
//! on its core from the first byte to the last; on a runtime that shares its tasks among threads it moves between them
//! several times, and each time one thread has to wake another. Connections are dealt out as they are accepted, each to
//! the thread that has the fewest. That keeps threads as evenly busy as a listener for each of them would not, and an
//! address in use stays an error, which it is not with `SO_REUSEPORT`.

use crate::instances::Instances;
use crate::server::Accepted;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::warn;

/// The lanes of one server.
pub(crate) struct Lanes(Vec<Lane>);

impl Lanes {
    /// On the runtime that [`crate::Server::run`] is called on.
    pub(crate) fn on_caller(each: Vec<Arc<Instances>>) -> Self {
        Self(each.into_iter().map(Lane::Caller).collect())
    }

    /// On one thread for each of these.
    pub(crate) fn on_threads(each: Vec<Arc<Instances>>) -> io::Result<Self> {
        let lanes = each.into_iter().enumerate();
        let lanes = lanes.map(|(nth, instances)| Thread::start(nth, instances).map(Lane::Thread));
        lanes.collect::<io::Result<_>>().map(Self)
    }

    /// Serves a connection.
    pub(crate) fn take(&self, connection: Accepted) {
        // The first of those with the fewest: a client that connects again meets the same instances.
        match self.0.iter().min_by_key(|lane| lane.connections()) {
            Some(Lane::Caller(instances)) => {
                tokio::spawn(connection.serve(instances.clone()));
            }
            Some(Lane::Thread(thread)) => thread.take(connection),
            None => {}
        }
    }
}

enum Lane {
    Caller(Arc<Instances>),
    Thread(Thread),
}

impl Lane {
    fn connections(&self) -> usize {
        match self {
            Self::Caller(_) => 0,
            Self::Thread(thread) => thread.connections.load(Relaxed),
        }
    }
}

struct Thread {
    queue: UnboundedSender<Dealt>,
    connections: Arc<AtomicUsize>,
}

/// A connection for a thread, which has to register the socket with a runtime of its own.
struct Dealt {
    connection: Accepted<std::net::TcpStream>,
    counted: Counted,
}

/// Counts a connection as its thread's until it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Thread {
    fn start(nth: usize, instances: Arc<Instances>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (queue, dealt) = unbounded_channel();
        // When the server ends, what the thread still runs ends with its runtime.
        std::thread::Builder::new()
            .name(format!("function-fetch-{nth}"))
            .spawn(move || runtime.block_on(serve(dealt, instances)))?;
        Ok(Self {
            queue,
            connections: Arc::default(),
        })
    }

    fn take(&self, connection: Accepted) {
        self.connections.fetch_add(1, Relaxed);
        let counted = Counted(self.connections.clone());
        match connection.try_map(TcpStream::into_std) {
            Ok(connection) => {
                // The thread ends only after this.
                let _ = self.queue.send(Dealt {
                    connection,
                    counted,
                });
            }
            Err(error) => warn!(%error, "cannot pass a connection to its thread"),
        }
    }
}

async fn serve(mut queue: UnboundedReceiver<Dealt>, instances: Arc<Instances>) {
    while let Some(Dealt {
        connection,
        counted,
    }) = queue.recv().await
    {
        match connection.try_map(TcpStream::from_std) {
            Ok(connection) => {
                let serving = connection.serve(instances.clone());
                tokio::spawn(async move {
                    serving.await;
                    drop(counted);
                });
            }
            Err(error) => warn!(%error, "cannot serve a connection"),
        }
    }
}
