//! A discrete-event executor: tasks are futures, and time is what the next
//! timer says.
//!
//! Single-threaded. Tasks that are ready run in the order in which they were
//! woken; when none is, the clock jumps to the earliest timer; timers of one
//! moment fire in the order in which they were set. Nothing else decides, so a
//! run is reproducible. Dropping a future cancels it, timers included.

use crate::clock::{Micros, from_ms};
use crate::timers::{TimerId, Timers};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// A handle of the executor: clones share it.
#[derive(Clone)]
pub struct Executor(Rc<Shared>);

struct Shared {
    now: Cell<Micros>,
    timers: RefCell<Timers>,
    tasks: RefCell<Tasks>,
    ready: Ready,
}

/// `std::task::Wake` wants what it wakes to be `Send`: hence the mutex, which
/// nobody ever contends for.
type Ready = Arc<Mutex<VecDeque<u32>>>;

#[derive(Default)]
struct Tasks {
    /// A waker belongs to the place, and serves all tasks that come to it: a
    /// late call then wakes another task, which any future must bear.
    places: Vec<(Option<Work>, Waker)>,
    free: Vec<u32>,
}

struct WakeTask {
    place: u32,
    ready: Ready,
}

impl Wake for WakeTask {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        lock(&self.ready).push_back(self.place);
    }
}

fn lock(ready: &Ready) -> std::sync::MutexGuard<'_, VecDeque<u32>> {
    ready.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Executor {
    fn default() -> Self {
        Self(Rc::new(Shared {
            now: Cell::new(0),
            timers: RefCell::default(),
            tasks: RefCell::default(),
            ready: Ready::default(),
        }))
    }
}

impl Executor {
    /// The time since the start.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.0.now.get()
    }

    /// Starts a task. It is polled first when the running one yields.
    pub fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        let mut tasks = self.0.tasks.borrow_mut();
        let place = match tasks.free.pop() {
            Some(place) => {
                tasks.places[place as usize].0 = Some(Box::pin(work));
                place
            }
            None => {
                let place = tasks.places.len() as u32;
                let ready = Arc::clone(&self.0.ready);
                let waker = Waker::from(Arc::new(WakeTask { place, ready }));
                tasks.places.push((Some(Box::pin(work)), waker));
                place
            }
        };
        lock(&self.0.ready).push_back(place);
    }

    /// Resolves at a time; at once when that is not in the future.
    #[must_use]
    pub fn sleep_until(&self, at: Micros) -> Sleep {
        Sleep {
            executor: self.clone(),
            at,
            timer: None,
        }
    }

    /// Resolves after so many milliseconds.
    #[must_use]
    pub fn sleep_ms(&self, ms: f64) -> Sleep {
        self.sleep_until(self.now() + from_ms(ms))
    }

    /// Runs everything that happens up to and including `end`; tasks that want
    /// more stay as they are.
    pub fn run_until(&self, end: Micros) {
        loop {
            self.run_ready();
            let Some((at, waker)) = self.0.timers.borrow_mut().pop(end) else {
                break;
            };
            self.0.now.set(at);
            waker.wake();
        }
        self.0.now.set(end);
    }

    /// Drops all tasks, which hold handles of the executor themselves.
    pub fn clear(&self) {
        let places = std::mem::take(&mut self.0.tasks.borrow_mut().places);
        drop(places);
    }

    fn run_ready(&self) {
        loop {
            let Some(place) = lock(&self.0.ready).pop_front() else {
                return;
            };
            // Out of its place while it runs: it may spawn others.
            let (work, waker) = {
                let mut tasks = self.0.tasks.borrow_mut();
                let (work, waker) = &mut tasks.places[place as usize];
                (work.take(), waker.clone())
            };
            // Woken twice, and finished at the first.
            let Some(mut work) = work else { continue };
            let state = work.as_mut().poll(&mut Context::from_waker(&waker));
            if state.is_ready() {
                // Before the place is free, since it may hold what spawns.
                drop(work);
                self.0.tasks.borrow_mut().free.push(place);
            } else {
                self.0.tasks.borrow_mut().places[place as usize].0 = Some(work);
            }
        }
    }
}

/// See [`Executor::sleep_until`].
pub struct Sleep {
    executor: Executor,
    at: Micros,
    timer: Option<TimerId>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let shared = Rc::clone(&self.executor.0);
        if shared.now.get() >= self.at {
            return Poll::Ready(());
        }
        let mut timers = shared.timers.borrow_mut();
        match self.timer {
            Some(timer) => timers.rearm(timer, context.waker()),
            None => {
                let waker = context.waker().clone();
                self.timer = Some(timers.set(shared.now.get(), self.at, waker));
            }
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            let waker = self.executor.0.timers.borrow_mut().cancel(timer);
            // Outside the borrow: a waker may own anything.
            drop(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;

    #[derive(Clone, Default)]
    struct Log(Rc<RefCell<Vec<(u64, &'static str)>>>);

    impl Log {
        fn note(&self, executor: &Executor, what: &'static str) {
            self.0.borrow_mut().push((executor.now() / SECOND, what));
        }
    }

    fn wait(executor: &Executor, seconds: u64) -> Sleep {
        executor.sleep_until(executor.now() + seconds * SECOND)
    }

    #[test]
    fn timers_fire_by_time_and_then_in_the_order_they_were_set() {
        let (executor, log) = (Executor::default(), Log::default());
        for (seconds, name) in [(9, "d"), (3, "b"), (3, "c"), (1, "a"), (700, "e")] {
            let (inner, log) = (executor.clone(), log.clone());
            executor.spawn(async move {
                wait(&inner, seconds).await;
                log.note(&inner, name);
            });
        }
        executor.run_until(1_000 * SECOND);
        assert_eq!(
            *log.0.borrow(),
            [(1, "a"), (3, "b"), (3, "c"), (9, "d"), (700, "e")]
        );
        assert_eq!(executor.now(), 1_000 * SECOND);
    }

    #[test]
    fn a_dropped_future_never_runs_on() {
        let (executor, log) = (Executor::default(), Log::default());
        let (inner, noted) = (executor.clone(), log.clone());
        executor.spawn(async move {
            let slow = {
                let (inner, noted) = (inner.clone(), noted.clone());
                async move {
                    wait(&inner, 5).await;
                    noted.note(&inner, "slow");
                }
            };
            let quick = wait(&inner, 2);
            futures::future::select(Box::pin(slow), quick).await;
            noted.note(&inner, "quick");
        });
        executor.run_until(10 * SECOND);
        assert_eq!(*log.0.borrow(), [(2, "quick")]);
        assert_eq!(executor.0.timers.borrow().len(), 0);
    }

    #[test]
    fn a_run_stops_at_its_end_and_can_go_on() {
        let (executor, log) = (Executor::default(), Log::default());
        let (inner, noted) = (executor.clone(), log.clone());
        executor.spawn(async move {
            loop {
                wait(&inner, 4).await;
                noted.note(&inner, "tick");
            }
        });
        executor.run_until(9 * SECOND);
        assert_eq!(log.0.borrow().len(), 2);
        executor.run_until(12 * SECOND);
        assert_eq!(log.0.borrow().last(), Some(&(12, "tick")));
        executor.clear();
        assert_eq!(executor.0.timers.borrow().len(), 0);
    }

    #[test]
    fn tasks_may_spawn_tasks_at_the_same_moment() {
        let (executor, log) = (Executor::default(), Log::default());
        let (inner, noted) = (executor.clone(), log.clone());
        executor.spawn(async move {
            let (deeper, deep) = (inner.clone(), noted.clone());
            inner.spawn(async move { deep.note(&deeper, "second") });
            noted.note(&inner, "first");
        });
        executor.run_until(0);
        assert_eq!(*log.0.borrow(), [(0, "first"), (0, "second")]);
    }
}
