//! What a connection is doing, and since when: the clock that closes it when it makes no progress.
//!
//! The connection's parts record timestamps here; one timer per connection checks them. No timer is armed or reset per
//! request, so that a busy connection costs only a few stores.

use crate::client_limits::ClientLimits;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;

/// How long a connection that is asked to close may continue without a request: for a GOAWAY, and for a request that
/// was already on its way.
const FAREWELL: Duration = Duration::from_secs(1);

/// The timestamps of one connection.
pub(crate) struct Activity {
    opened: Instant,
    /// Requests whose body or response is not complete.
    exchanges: AtomicUsize,
    /// When the last exchange ended, or the connection was opened.
    quiet: Mark,
    /// When the first byte of an incomplete request head arrived.
    head: Mark,
    /// Since when the client has read nothing.
    blocked: Mark,
    /// When it was asked to close.
    farewell: Mark,
    http2: AtomicBool,
    /// Whether what is written answers a request that reached the service, not one that hyper refused.
    answering: AtomicBool,
    /// Whether the client has unread bytes of its last request to send.
    unread: AtomicBool,
    /// How many whole request heads have arrived.
    begun: AtomicU64,
    /// Which of them is the first whose target has a fragment; 0: none so far.
    fragment: AtomicU64,
}

/// A moment, in milliseconds after the connection was opened, plus one; or none, as 0.
#[derive(Default)]
struct Mark(AtomicU64);

impl Mark {
    fn set(&self, opened: Instant) {
        let elapsed = u64::try_from(opened.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.0.store(elapsed + 1, Relaxed);
    }

    fn clear(&self) {
        self.0.store(0, Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Relaxed) != 0
    }

    fn get(&self, opened: Instant) -> Option<Instant> {
        let elapsed = self.0.load(Relaxed).checked_sub(1)?;
        Some(opened + Duration::from_millis(elapsed))
    }
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expired {
    /// No request was under way for the idle time-out.
    Idle,
    /// A request head took longer than the header time-out.
    Head,
    /// The client read nothing for the write time-out.
    Write,
    /// It was asked to close, and did not.
    Farewell,
}

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        let opened = Instant::now();
        let quiet = Mark::default();
        quiet.set(opened);
        Arc::new(Self {
            opened,
            exchanges: AtomicUsize::new(0),
            quiet,
            head: Mark::default(),
            blocked: Mark::default(),
            farewell: Mark::default(),
            http2: AtomicBool::new(false),
            answering: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            fragment: AtomicU64::new(0),
        })
    }

    /// Bytes arrived. On HTTP/2 they may be anything, so that only whole requests count there.
    pub(crate) fn read(&self) {
        if self.exchanges.load(Relaxed) == 0 && !self.head.is_set() && !self.is_http2() {
            self.answering.store(false, Relaxed);
            self.head.set(self.opened);
        }
    }

    pub(crate) fn speaks_http2(&self) {
        self.http2.store(true, Relaxed);
        self.head.clear();
        self.quiet.set(self.opened);
    }

    pub(crate) fn is_http2(&self) -> bool {
        self.http2.load(Relaxed)
    }

    /// Whether the client took what was written.
    pub(crate) fn wrote(&self, taken: bool) {
        if taken {
            if self.blocked.is_set() {
                self.blocked.clear();
            }
        } else if !self.blocked.is_set() {
            self.blocked.set(self.opened);
        }
    }

    /// A whole request head arrived.
    pub(crate) fn begin(self: &Arc<Self>) -> Exchange {
        self.head.clear();
        self.answering.store(true, Relaxed);
        self.set_unread(false);
        self.begun.fetch_add(1, Relaxed);
        self.exchanges.fetch_add(1, Relaxed);
        Exchange(self.clone())
    }

    /// The target of this request of the connection, counted from 1, has a fragment, which hyper drops.
    pub(crate) fn found_fragment(&self, request: u64) {
        if self.fragment.load(Relaxed) == 0 {
            self.fragment.store(request, Relaxed);
        }
    }

    /// Whether the target of the last request that began had a fragment.
    pub(crate) fn has_fragment(&self) -> bool {
        let fragment = self.fragment.load(Relaxed);
        fragment != 0 && fragment == self.begun.load(Relaxed)
    }

    /// Whether what hyper writes answers a request that it refused itself.
    pub(crate) fn is_refusing(&self) -> bool {
        !self.answering.load(Relaxed) && !self.is_http2()
    }

    /// Whether there is more of the request to be read.
    pub(crate) fn set_unread(&self, unread: bool) {
        self.unread.store(unread, Relaxed);
    }

    /// Whether an HTTP/1.1 connection closes now with bytes unread: it can take no other request, and closing it at
    /// once would reset it and destroy the response before the client reads it.
    pub(crate) fn is_unread(&self) -> bool {
        self.unread.load(Relaxed)
    }

    /// The connection accepts no further request.
    pub(crate) fn part(&self) {
        self.farewell.set(self.opened);
    }

    /// Returns when the connection is over.
    pub(crate) async fn expired(&self, limits: &ClientLimits) -> Expired {
        // Whatever begins during this sleep has a time-out at least as long.
        let mut tick = limits
            .header_timeout
            .min(limits.idle_timeout)
            .min(limits.write_timeout);
        if self.farewell.is_set() {
            tick = tick.min(FAREWELL);
        }
        loop {
            let now = Instant::now();
            let wake = match self.deadline(limits) {
                Some((deadline, expired)) if deadline <= now => return expired,
                Some((deadline, _)) => deadline.min(now + tick),
                None => now + tick,
            };
            tokio::time::sleep_until(wake).await;
        }
    }

    /// What closes it next if nothing changes.
    fn deadline(&self, limits: &ClientLimits) -> Option<(Instant, Expired)> {
        let after = |mark: &Mark, timeout, expired| {
            let since = mark.get(self.opened)?;
            Some((since + timeout, expired))
        };
        let blocked = after(&self.blocked, limits.write_timeout, Expired::Write);
        if self.exchanges.load(Relaxed) > 0 {
            return blocked;
        }
        let waiting = after(&self.head, limits.header_timeout, Expired::Head)
            .or_else(|| after(&self.quiet, limits.idle_timeout, Expired::Idle));
        // The end of the response may still be on its way when the connection is asked to close.
        let farewell = after(&self.farewell, FAREWELL, Expired::Farewell).map(|(at, expired)| {
            let quiet = self.quiet.get(self.opened).unwrap_or(at);
            (at.max(quiet + FAREWELL), expired)
        });
        let waiting = farewell.or(waiting);
        [blocked, waiting]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }
}

/// A request under way, until its last holder is dropped: its body and its response.
pub(crate) struct Exchange(Arc<Activity>);

impl Exchange {
    pub(crate) fn activity(&self) -> &Activity {
        &self.0
    }
}

impl Clone for Exchange {
    fn clone(&self) -> Self {
        self.0.exchanges.fetch_add(1, Relaxed);
        Self(self.0.clone())
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        // Before the counter, which makes it visible.
        self.0.quiet.set(self.0.opened);
        self.0.exchanges.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn limits() -> ClientLimits {
        ClientLimits {
            header_timeout: 200 * MS,
            idle_timeout: 500 * MS,
            write_timeout: 300 * MS,
            ..ClientLimits::default()
        }
    }

    /// Why it closes, and after how many milliseconds.
    async fn end(activity: &Activity) -> (Expired, u128) {
        let started = Instant::now();
        let limits = limits();
        let expired = activity.expired(&limits).await;
        (expired, started.elapsed().as_millis())
    }

    async fn wait(ms: u32) {
        tokio::time::sleep(ms * MS).await;
    }

    /// Not before, and not much later even on a busy machine.
    fn about(took: u128, ms: u128) -> bool {
        (ms - 5..ms + 2000).contains(&took)
    }

    #[tokio::test]
    async fn a_silent_connection_is_idle_and_a_half_sent_head_has_its_own_timeout() {
        let activity = Activity::new();
        let (expired, took) = end(&activity).await;
        assert!(expired == Expired::Idle && about(took, 500), "{took}");

        let activity = Activity::new();
        let head = async {
            wait(100).await;
            activity.read();
            wait(150).await;
            activity.read();
        };
        let ((expired, took), ()) = tokio::join!(end(&activity), head);
        assert!(expired == Expired::Head && about(took, 300), "{took}");
    }

    #[tokio::test]
    async fn an_exchange_is_not_idle_whatever_it_takes_and_the_idle_time_starts_at_its_end() {
        let activity = Activity::new();
        let exchange = activity.begin();
        let body = exchange.clone();
        let work = async {
            wait(600).await;
            drop(exchange);
            wait(600).await;
            drop(body);
        };
        let ((expired, took), ()) = tokio::join!(end(&activity), work);
        assert!(expired == Expired::Idle && about(took, 1700), "{took}");
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_ends_even_an_exchange() {
        let activity = Activity::new();
        let _exchange = activity.begin();
        let writes = async {
            activity.wrote(false);
            wait(200).await;
            activity.wrote(true);
            activity.wrote(false);
        };
        let ((expired, took), ()) = tokio::join!(end(&activity), writes);
        assert!(expired == Expired::Write && about(took, 500), "{took}");
    }

    #[tokio::test]
    async fn bytes_of_http2_do_not_keep_it_and_a_goaway_has_little_time() {
        let activity = Activity::new();
        activity.read();
        activity.speaks_http2();
        let pings = async {
            for _ in 0..4 {
                wait(100).await;
                activity.read();
            }
        };
        let ((expired, took), ()) = tokio::join!(end(&activity), pings);
        assert!(expired == Expired::Idle && about(took, 500), "{took}");

        let activity = Activity::new();
        activity.read();
        activity.part();
        let exchange = activity.begin();
        let work = async {
            wait(1500).await;
            drop(exchange);
        };
        let ((expired, took), ()) = tokio::join!(end(&activity), work);
        assert!(expired == Expired::Farewell && about(took, 2500), "{took}");
    }
}
