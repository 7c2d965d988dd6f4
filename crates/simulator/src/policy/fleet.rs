//! The instances of a location: who serves the next request.

use crate::clock::{Micros, SECOND};
use crate::network::Network;
use crate::scenario::Lifetime;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Spin's and wasmtime's defaults (`crates/host/src/bin/function-fetch/cli.rs` names them too).
const REQUESTS: u32 = 128;
const AT_A_TIME: u32 = 16;
const IDLE: Micros = SECOND;

/// Instances of what a policy keeps in memory.
pub struct Fleet<T> {
    network: Network,
    members: RefCell<Vec<Rc<Member<T>>>>,
}

struct Member<T> {
    memory: T,
    served: Cell<u32>,
    working: Cell<u32>,
    idle_since: Cell<Micros>,
}

/// A request's hold on its instance.
pub struct Lease<T> {
    network: Network,
    member: Rc<Member<T>>,
}

impl<T> Fleet<T> {
    /// No instance yet.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        Self {
            network: network.clone(),
            members: RefCell::default(),
        }
    }

    /// The instance for the next request; a new one where none has room.
    pub fn lease(&self, start: impl FnOnce() -> T) -> Lease<T> {
        let now = self.network.executor().now();
        let mut members = self.members.borrow_mut();
        let short = matches!(self.network.scenario().instances, Lifetime::Short);
        if short {
            members.retain(|member| {
                let idle = member.working.get() == 0 && now - member.idle_since.get() > IDLE;
                member.served.get() < REQUESTS && !idle
            });
        }
        let with_room = members
            .iter()
            .rev()
            .find(|member| !short || member.working.get() < AT_A_TIME);
        let member = match with_room {
            Some(member) => Rc::clone(member),
            None => {
                self.network.recorder().instance();
                let member = Rc::new(Member {
                    memory: start(),
                    served: Cell::new(0),
                    working: Cell::new(0),
                    idle_since: Cell::new(now),
                });
                members.push(Rc::clone(&member));
                member
            }
        };
        member.served.set(member.served.get() + 1);
        member.working.set(member.working.get() + 1);
        Lease {
            network: self.network.clone(),
            member,
        }
    }
}

impl<T> Lease<T> {
    /// What the instance remembers.
    pub fn memory(&self) -> &T {
        &self.member.memory
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        let member = &self.member;
        member.working.set(member.working.get() - 1);
        member.idle_since.set(self.network.executor().now());
    }
}
