//! Runs a request and its background work, over `wasi:io/poll`.
//!
//! WASI 0.2 has one way to wait: pass a list of pollables to the host and block
//! until one of them is ready. So tasks are polled until none can make progress;
//! then the host is asked about everything that they wait for, at once.

use crate::wasi::clocks::monotonic_clock;
use crate::wasi::io::poll::{Pollable, poll};
use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

thread_local! {
    static SPAWNED: RefCell<Vec<LocalBoxFuture<'static, ()>>> = const { RefCell::new(Vec::new()) };
    static WAITING: RefCell<Vec<(Rc<Entry>, Waker)>> = const { RefCell::new(Vec::new()) };
}

/// Blocks until `work`, and everything that was spawned meanwhile, is done.
pub fn run(work: impl Future<Output = ()> + 'static) {
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut tasks = FuturesUnordered::new();
    spawn(work);
    loop {
        tasks.extend(SPAWNED.take());
        woken.0.store(false, Ordering::Relaxed);
        match tasks.poll_next_unpin(&mut context) {
            Poll::Ready(Some(())) => {}
            Poll::Ready(None) if SPAWNED.with_borrow(Vec::is_empty) => return,
            Poll::Ready(None) => {}
            Poll::Pending => {
                let more = SPAWNED.with_borrow(|spawned| !spawned.is_empty());
                // Tasks also wake each other, which the host does not see.
                let awake = woken.0.load(Ordering::Relaxed);
                if !awake && !more && !wait_for_host() {
                    return;
                }
            }
        }
    }
}

/// Runs `work` concurrently with the request, and on after its response.
pub fn spawn(work: impl Future<Output = ()> + 'static) {
    SPAWNED.with_borrow_mut(|spawned| spawned.push(Box::pin(work)));
}

/// Resolves after so many nanoseconds.
pub fn sleep(ns: u64) -> Ready {
    ready(monotonic_clock::subscribe_duration(ns))
}

/// Resolves when `pollable` is ready. A pollable must not outlive its resource:
/// drop this first.
pub fn ready(pollable: Pollable) -> Ready {
    Ready(Rc::new(Entry {
        pollable,
        fired: Cell::new(false),
    }))
}

/// The future of [`ready`].
#[must_use = "futures do nothing unless polled"]
pub struct Ready(Rc<Entry>);

struct Entry {
    pollable: Pollable,
    fired: Cell<bool>,
}

impl Future for Ready {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0.fired.get() {
            return Poll::Ready(());
        }
        let waker = context.waker();
        WAITING.with_borrow_mut(|waiting| {
            match waiting
                .iter_mut()
                .find(|(entry, _)| Rc::ptr_eq(entry, &self.0))
            {
                Some((_, known)) => known.clone_from(waker),
                None => waiting.push((Rc::clone(&self.0), waker.clone())),
            }
        });
        Poll::Pending
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        WAITING.with_borrow_mut(|waiting| waiting.retain(|(entry, _)| !Rc::ptr_eq(entry, &self.0)));
    }
}

/// Blocks until one of the pollables is ready, and wakes its waiter. False when
/// there are none: then nothing can make progress.
fn wait_for_host() -> bool {
    let wakers: Vec<Waker> = WAITING.with_borrow_mut(|waiting| {
        if waiting.is_empty() {
            return Vec::new();
        }
        let pollables: Vec<&Pollable> = waiting.iter().map(|(entry, _)| &entry.pollable).collect();
        for index in poll(&pollables) {
            if let Some((entry, _)) = waiting.get(index as usize) {
                entry.fired.set(true);
            }
        }
        waiting
            .extract_if(.., |(entry, _)| entry.fired.get())
            .map(|(_, waker)| waker)
            .collect()
    });
    for waker in &wakers {
        waker.wake_by_ref();
    }
    !wakers.is_empty()
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
