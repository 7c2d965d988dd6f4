//! A cell: some locations that are simulated together, with their clients,
//! under one policy.

use crate::clock::{Micros, from_ms};
use crate::executor::Executor;
use crate::metrics::Recorder;
use crate::network::{Network, World};
use crate::policy::{Policy, Site};
use crate::random::{Purpose, Stream};
use crate::traffic::Traffic;
use std::cell;
use std::rc::Rc;
use std::sync::Arc;

/// A cell at work, for as long as it is not dropped.
pub struct Cell {
    executor: Executor,
    network: Network,
}

impl Cell {
    /// The policy of each of `count` locations from `first` on, and their
    /// clients.
    pub fn start<P: Policy>(
        world: &Arc<World>,
        recorder: &Recorder,
        first: usize,
        count: usize,
        make: impl Fn(Site) -> P,
    ) -> Self {
        let executor = Executor::default();
        let network = Network::new(&executor, world, recorder, first, count);
        for location in 0..count {
            let site = Site {
                network: network.clone(),
                location,
                number: first + location,
                seed: world.seed,
            };
            let policy = Rc::new(make(site.clone()));
            for clients in clients(&site) {
                executor.spawn(arrivals(site.clone(), Rc::clone(&policy), clients));
            }
        }
        Self { executor, network }
    }

    /// What time passes in.
    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    /// Its networks.
    pub fn network(&self) -> &Network {
        &self.network
    }
}

impl Drop for Cell {
    /// The tasks hold the executor, and it holds them.
    fn drop(&mut self) {
        self.executor.clear();
    }
}

/// Some clients of a location.
struct Clients {
    traffic: Traffic,
    from: Micros,
    to: Micros,
    /// How many requests the location has had, of all its clients.
    count: Rc<cell::Cell<u64>>,
}

/// A location's clients: the usual ones, and its guests.
fn clients(site: &Site) -> Vec<Clients> {
    let scenario = site.network.scenario();
    let stream = |purpose| Stream::new(site.seed, purpose, site.number as u64);
    let count = Rc::new(cell::Cell::new(0));
    let usual = Clients {
        traffic: Traffic::new(
            stream(Purpose::Traffic),
            scenario.rate,
            scenario.posts,
            scenario.endpoints,
        ),
        from: 0,
        to: scenario.length,
        count: Rc::clone(&count),
    };
    let guests = scenario.guests.map(|guests| {
        let traffic = Traffic::new(stream(Purpose::Guests), guests.rate, 0.0, guests.endpoints);
        Clients {
            traffic: if guests.count {
                traffic
            } else {
                traffic.uncounted()
            },
            from: guests.from,
            to: guests.to.min(scenario.length),
            count,
        }
    });
    std::iter::once(usual).chain(guests).collect()
}

/// Some clients' requests, each in a task of its own, as they come.
async fn arrivals<P: Policy>(site: Site, policy: Rc<P>, mut clients: Clients) {
    let executor = site.network.executor();
    let mut last = clients.from;
    loop {
        let (gap_ms, mut ask) = clients.traffic.draw();
        let at = last + from_ms(gap_ms);
        if at >= clients.to {
            return;
        }
        executor.sleep_until(at).await;
        last = at;
        clients.count.set(clients.count.get() + 1);
        ask.number = clients.count.get();
        if ask.counts {
            site.network.recorder().arrival();
        }
        let (site, policy) = (site.clone(), Rc::clone(&policy));
        executor.spawn(async move {
            let answer = policy.serve(ask).await;
            let (recorder, now) = (site.network.recorder(), site.network.executor().now());
            if ask.counts {
                recorder.request(site.location, &ask, at, now, &answer);
            }
        });
    }
}
