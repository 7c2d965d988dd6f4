//! The connections that a location keeps open to a target: a request on a
//! fresh one pays a handshake first.

use crate::clock::{Micros, SECOND};

/// How long an unused connection stays open. Between the 4 s that hyper's
/// neighbours keep and nginx's 60 s (`keepalive_timeout`): the busy path stays
/// warm, the probed one does not.
const IDLE: Micros = 60 * SECOND;

/// Since when each idle connection is idle, the latest last.
#[derive(Clone, Debug, Default)]
pub struct Pool(Vec<Micros>);

impl Pool {
    /// Takes the connection that was used last. False: there is none.
    pub fn take(&mut self, now: Micros) -> bool {
        match self.0.pop() {
            Some(since) if now - since <= IDLE => true,
            // The others are idle for even longer.
            _ => {
                self.0.clear();
                false
            }
        }
    }

    /// Gives a connection back.
    pub fn put(&mut self, now: Micros) {
        self.0.push(now);
    }

    /// The other end is gone, and every connection with it.
    pub fn reset(&mut self) {
        self.0.clear();
    }
}
