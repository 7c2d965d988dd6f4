//! Round robin with *outlier detection* on live answers, Envoy's with its
//! defaults
//! (<https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier>,
//! <https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/outlier_detection.proto>).
//!
//! Five errors in a row eject a host at once: 5xx, and as
//! `split_external_local_origin_errors` is false, connect failures, resets and
//! time-outs. The five gateway failures in a row are among them, and by default
//! (`enforcing_consecutive_gateway_failure: 0`) eject nothing of themselves.
//! Every 10 s hosts come back whose time is over, 30 s for each ejection in a
//! row; a host that is in at such a moment has one less to its name. Then those
//! are ejected whose success rate is an outlier, where five hosts have had 100
//! requests each.
//!
//! No more than a tenth of the hosts is out at a time, but one may be. When less
//! than half of them are in, all get requests
//! (<https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/panic_threshold>).
//! Envoy retries only what it is told to: here, as under every policy, what may
//! be sent again goes to the next host.

use crate::clock::{Micros, SECOND};
use crate::metrics::Answer;
use crate::network::Network;
use crate::policy::attempt::Outcome;
use crate::policy::{Policy, Site};
use crate::traffic::Ask;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// `consecutive_5xx`.
const ERRORS_IN_A_ROW: u32 = 5;

/// `interval`.
const INTERVAL: Micros = 10 * SECOND;

/// `base_ejection_time`.
const BASE_EJECTION: Micros = 30 * SECOND;

/// `max_ejection_time`.
const LONGEST_EJECTION: Micros = 300 * SECOND;

/// `max_ejection_percent`.
const MOST_EJECTED_PERCENT: usize = 10;

/// `success_rate_minimum_hosts`.
const RATE_HOSTS: usize = 5;

/// `success_rate_request_volume`.
const RATE_REQUESTS: u32 = 100;

/// `success_rate_stdev_factor`, over a thousand.
const RATE_DEVIATIONS: f64 = 1.9;

/// `healthy_panic_threshold`.
const PANIC_PERCENT: usize = 50;

/// A location that detects outliers.
pub struct OutlierDetection {
    site: Site,
    next: Cell<usize>,
    hosts: Rc<RefCell<Hosts>>,
}

impl OutlierDetection {
    /// Starts the sweeps at a moment of its own.
    #[must_use]
    pub fn new(site: Site) -> Self {
        let count = site.network.targets();
        let hosts = Rc::new(RefCell::new(Hosts(vec![Host::default(); count])));
        let offset = (site.dice().uniform() * INTERVAL as f64) as Micros;
        let (swept, network) = (Rc::clone(&hosts), site.network.clone());
        site.network
            .executor()
            .spawn(sweeps(swept, network, offset));
        Self {
            next: Cell::new(site.number % count),
            hosts,
            site,
        }
    }

    fn note(&self, host: usize, outcome: Outcome) {
        let now = self.site.network.executor().now();
        let good = matches!(outcome, Ok(..500));
        if self.hosts.borrow_mut().note(host, good, now) {
            self.site.network.recorder().ejection(now);
        }
    }
}

async fn sweeps(hosts: Rc<RefCell<Hosts>>, network: Network, offset: Micros) {
    let executor = network.executor();
    executor.sleep_until(offset).await;
    loop {
        let now = executor.now();
        let ejected = hosts.borrow_mut().sweep(now);
        (0..ejected).for_each(|_| network.recorder().ejection(now));
        executor.sleep_until(now + INTERVAL).await;
    }
}

impl Policy for OutlierDetection {
    async fn serve(self: Rc<Self>, ask: Ask) -> Answer {
        let count = self.site.network.targets();
        let turn = self.next.replace((self.next.get() + 1) % count);
        let order = self.hosts.borrow().order(turn);
        self.site
            .try_in_order(&ask, order, |host, outcome| self.note(host, *outcome))
            .await
    }
}

#[derive(Clone, Default)]
struct Host {
    errors_in_a_row: u32,
    ejected_at: Option<Micros>,
    /// How many ejections in a row.
    ejections: u32,
    /// Since the last sweep: requests, and good answers.
    requests: u32,
    good: u32,
}

struct Hosts(Vec<Host>);

impl Hosts {
    fn out(&self) -> usize {
        let out = |host: &&Host| host.ejected_at.is_some();
        self.0.iter().filter(out).count()
    }

    /// The hosts that may have a request, the one whose turn it is first.
    fn order(&self, turn: usize) -> Vec<usize> {
        let count = self.0.len();
        let panic = (count - self.out()) * 100 < PANIC_PERCENT * count;
        let in_turn = (0..count).map(|step| (turn + step) % count);
        in_turn
            .filter(|host| panic || self.0[*host].ejected_at.is_none())
            .collect()
    }

    /// An attempt has ended: true when it ejects its host.
    fn note(&mut self, host: usize, good: bool, now: Micros) -> bool {
        let known = &mut self.0[host];
        known.requests += 1;
        known.good += u32::from(good);
        known.errors_in_a_row = if good { 0 } else { known.errors_in_a_row + 1 };
        known.errors_in_a_row >= ERRORS_IN_A_ROW && self.eject(host, now)
    }

    fn eject(&mut self, host: usize, now: Micros) -> bool {
        let out = self.out();
        let room = out == 0 || out * 100 < MOST_EJECTED_PERCENT * self.0.len();
        let host = &mut self.0[host];
        if host.ejected_at.is_some() || !room {
            return false;
        }
        host.ejected_at = Some(now);
        host.ejections += 1;
        true
    }

    /// What is due every [`INTERVAL`]: how many hosts it ejects.
    fn sweep(&mut self, now: Micros) -> usize {
        for host in &mut self.0 {
            let longest = (BASE_EJECTION * u64::from(host.ejections)).min(LONGEST_EJECTION);
            match host.ejected_at {
                None => host.ejections = host.ejections.saturating_sub(1),
                Some(since) if since + longest <= now => {
                    host.ejected_at = None;
                    host.errors_in_a_row = 0;
                }
                Some(_) => {}
            }
        }
        let outliers = self.outliers();
        for host in &mut self.0 {
            (host.requests, host.good) = (0, 0);
        }
        outliers
            .into_iter()
            .filter(|host| self.eject(*host, now))
            .count()
    }

    fn outliers(&self) -> Vec<usize> {
        let rates: Vec<(usize, f64)> = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, host)| host.ejected_at.is_none() && host.requests >= RATE_REQUESTS)
            .map(|(index, host)| (index, f64::from(host.good) / f64::from(host.requests)))
            .collect();
        if rates.len() < RATE_HOSTS {
            return Vec::new();
        }
        let mean = |values: &dyn Fn(f64) -> f64| {
            rates.iter().map(|(_, rate)| values(*rate)).sum::<f64>() / rates.len() as f64
        };
        let middle = mean(&|rate| rate);
        let deviation = mean(&|rate| (rate - middle).powi(2)).sqrt();
        let least = middle - RATE_DEVIATIONS * deviation;
        rates
            .iter()
            .filter(|(_, rate)| *rate < least)
            .map(|(index, _)| *index)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(count: usize) -> Hosts {
        Hosts(vec![Host::default(); count])
    }

    fn fail(hosts: &mut Hosts, host: usize, now: Micros) -> bool {
        (0..ERRORS_IN_A_ROW).any(|_| hosts.note(host, false, now))
    }

    #[test]
    fn five_errors_in_a_row_eject_a_host_and_four_do_not() {
        let mut hosts = hosts(3);
        for _ in 0..20 {
            assert!((0..4).all(|_| !hosts.note(1, false, 0)));
            assert!(!hosts.note(1, true, 0));
        }
        assert!(fail(&mut hosts, 1, 0));
        assert_eq!(hosts.order(1), [2, 0]);
    }

    #[test]
    fn a_host_is_back_after_thirty_seconds_for_each_ejection_in_a_row() {
        let mut hosts = hosts(3);
        let mut now = 0;
        for ejections in 1..4 {
            assert!(fail(&mut hosts, 0, now));
            now += ejections * BASE_EJECTION;
            hosts.sweep(now - 1);
            assert_eq!(hosts.order(0), [1, 2]);
            hosts.sweep(now);
            assert_eq!(hosts.order(0), [0, 1, 2]);
        }
        // Three sweeps that find it in make it as good as new.
        for _ in 0..3 {
            now += INTERVAL;
            hosts.sweep(now);
        }
        assert!(fail(&mut hosts, 0, now));
        hosts.sweep(now + BASE_EJECTION);
        assert_eq!(hosts.order(0), [0, 1, 2]);
    }

    #[test]
    fn one_host_may_be_out_and_a_second_one_only_of_many() {
        let mut few = hosts(3);
        assert!(fail(&mut few, 0, 0));
        assert!(!fail(&mut few, 1, 0));
        let mut many = hosts(16);
        assert!(fail(&mut many, 0, 0));
        assert!(fail(&mut many, 1, 0));
        assert!(!fail(&mut many, 2, 0));
    }

    #[test]
    fn an_outlier_by_its_rate_is_ejected_where_enough_hosts_are_compared() {
        let busy = |count: usize| {
            let mut hosts = hosts(count);
            for number in 0..RATE_REQUESTS {
                for host in 0..count {
                    hosts.note(host, host != 2 || number % 3 != 0, 0);
                }
            }
            hosts
        };
        assert_eq!(busy(8).sweep(INTERVAL), 1);
        // Three, as here mostly, are too few.
        assert_eq!(busy(3).sweep(INTERVAL), 0);
    }
}
