//! The connections that a location keeps open to a target: a request on a
//! fresh one pays a handshake first.

use crate::clock::{Micros, SECOND};

/// How long an unused connection stays open: nginx's `keepalive_timeout` to
/// upstreams (<https://nginx.org/en/docs/http/ngx_http_upstream_module.html>).
/// The busy path stays warm; one that is only probed, each TTL, does not.
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
