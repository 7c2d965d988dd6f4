//! Who decides where requests go: Function Fetch, and what it is compared with.
//!
//! All policies run in the same executor, over the same network, and meet the
//! same requests at the same moments.

mod accrual;
mod attempt;
mod cache_the_fastest;
pub mod fleet;
mod listed;
mod oracle;
pub mod ours;
mod outlier;
mod p2c;
mod url_test;

use crate::metrics::Answer;
use crate::network::Network;
use crate::random::{Purpose, Stream};
use crate::traffic::Ask;
pub use accrual::Rule;
use cache_the_fastest::CacheTheFastest;
pub use cache_the_fastest::Renewal;
use listed::{RoundRobin, StaticOrder};
use oracle::Oracle;
use ours::Ours;
pub use ours::Variant;
use outlier::OutlierDetection;
use p2c::P2c;
use std::future::Future;
use std::rc::Rc;
use url_test::UrlTest;

/// Decides for one location.
pub trait Policy: 'static {
    /// Serves one request.
    fn serve(self: Rc<Self>, ask: Ask) -> impl Future<Output = Answer> + 'static;
}

/// Where a policy is at work.
#[derive(Clone)]
pub struct Site {
    /// The network.
    pub network: Network,
    /// The location, counted within its cell.
    pub location: usize,
    /// Counted among all; names the dice.
    pub number: usize,
    /// The seed of everything.
    pub seed: u64,
}

impl Site {
    /// The policy's own dice.
    #[must_use]
    pub fn dice(&self) -> Stream {
        Stream::new(self.seed, Purpose::Policy, self.number as u64)
    }
}

/// A policy by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each one's module documents it")]
pub enum Kind {
    Ours(Variant),
    CacheTheFastest(Renewal),
    StaticOrder,
    RoundRobin,
    P2c(Rule),
    UrlTest,
    OutlierDetection,
    Oracle,
}

/// All policies, ours first.
pub const ALL: [Kind; 13] = [
    Kind::Ours(Variant::Default),
    Kind::Ours(Variant::Spread),
    Kind::Ours(Variant::Hedge),
    Kind::Ours(Variant::Race),
    Kind::CacheTheFastest(Renewal::Always),
    Kind::CacheTheFastest(Renewal::Never),
    Kind::StaticOrder,
    Kind::RoundRobin,
    Kind::P2c(Rule::InARow),
    Kind::UrlTest,
    Kind::OutlierDetection,
    Kind::P2c(Rule::InARowOrRate),
    Kind::Oracle,
];

impl Kind {
    /// Its name on the command line and in the reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours(Variant::Default) => "ours",
            Self::Ours(Variant::Spread) => "ours-spread",
            Self::Ours(Variant::Hedge) => "ours-hedge",
            Self::Ours(Variant::Race) => "ours-race",
            Self::CacheTheFastest(Renewal::Always) => "cache-the-fastest",
            Self::CacheTheFastest(Renewal::Never) => "cache-for-a-ttl",
            Self::StaticOrder => "static-order",
            Self::RoundRobin => "round-robin",
            Self::P2c(Rule::InARow) => "p2c-peak-ewma",
            Self::P2c(Rule::InARowOrRate) => "failure-accrual",
            Self::UrlTest => "url-test",
            Self::OutlierDetection => "outlier-detection",
            Self::Oracle => "oracle",
        }
    }

    /// The policy of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Does something with a policy's type: what a match on [`Kind`] leads to.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Called with how to make one for a location.
    fn visit<P: Policy>(self, make: impl Fn(Site) -> P) -> Self::Output;
}

impl Kind {
    /// Calls the visitor with the type of this policy.
    pub fn visit<V: Visitor>(self, visitor: V) -> V::Output {
        match self {
            Self::Ours(variant) => visitor.visit(move |site| Ours::new(site, variant)),
            Self::CacheTheFastest(renewal) => {
                visitor.visit(move |site| CacheTheFastest::new(site, renewal))
            }
            Self::StaticOrder => visitor.visit(StaticOrder::new),
            Self::RoundRobin => visitor.visit(RoundRobin::new),
            Self::P2c(rule) => visitor.visit(move |site| P2c::new(site, rule)),
            Self::UrlTest => visitor.visit(UrlTest::new),
            Self::OutlierDetection => visitor.visit(OutlierDetection::new),
            Self::Oracle => visitor.visit(Oracle::new),
        }
    }
}
