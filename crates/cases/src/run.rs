//! Runs the steps of a case on any [`Stage`].

use crate::behaviour::Behaviour;
use crate::expectation::{FieldRules, ProbesRule, StoreRule};
use crate::matching::{self, Differences};
use crate::notices;
use crate::observed::{Response, Seen};
use crate::plan::Plan;
use crate::setup::Setup;
use crate::step::{ByUpstream, Exchange, Kind, Request, Step};
use std::collections::BTreeMap;
use std::future::Future;

/// How long background work may take to become visible, ms.
const BEHIND_MS: u64 = 2_000;
/// How long to wait for probes, ms.
const PROBES_MS: u64 = 30_000;
/// How long a write may take to reach the store, ms.
const STORE_MS: u64 = 5_000;
/// After this time the results of probes have been processed, and what was not
/// written will not be, ms.
const SETTLED_MS: u64 = 300;
/// The polling interval while waiting, ms.
const LOOK_MS: u64 = 10;

/// A proxy with its upstreams, and a clock.
pub trait Stage {
    /// Sends a request and reads the whole response; the error says why there
    /// is none.
    fn ask(&mut self, request: &Request) -> impl Future<Output = Result<Response, String>>;

    /// Changes an upstream's behaviour; its responses start again from the
    /// first.
    fn behave(&mut self, upstream: &str, behaviour: &Behaviour) -> impl Future<Output = ()>;

    /// The probes that an upstream has had, in order.
    fn probes(&self, upstream: &str) -> Vec<Seen>;

    /// The other requests that it has had, in order.
    fn seen(&self, upstream: &str) -> Vec<Seen>;

    /// The content of the store under the case's key.
    fn stored(&self) -> impl Future<Output = Option<Vec<u8>>>;

    /// Waits for so many milliseconds.
    fn sleep(&self, ms: u64) -> impl Future<Output = ()>;
}

/// Runs a case.
///
/// # Errors
///
/// The differences from what the case expects, and at which step.
pub async fn run<S: Stage>(plan: &Plan, setup: &Setup, stage: &mut S) -> Result<(), String> {
    for (name, behaviour) in &plan.upstreams {
        stage.behave(name, behaviour).await;
    }
    for (index, Step(kind)) in plan.steps.iter().enumerate() {
        step(plan, kind, stage)
            .await
            .map_err(|what| format!("step {}: {what}", index + 1))?;
    }
    match &plan.store_after {
        None => Ok(()),
        Some(rule) => check_store(rule, setup, stage).await,
    }
}

/// Compares what the operator was told with what the case expects: every line
/// that the proxy has written, once it has stopped.
///
/// # Errors
///
/// The differences.
pub fn check_notices(plan: &Plan, lines: &[String]) -> Result<(), String> {
    insist(&notices::differences(&plan.notices, lines))
}

async fn step<S: Stage>(plan: &Plan, kind: &Kind, stage: &mut S) -> Result<(), String> {
    match kind {
        Kind::Ask(exchange) => ask(plan, exchange, stage).await,
        Kind::Wait(probes) => wait(probes, stage).await,
        Kind::Behave(upstreams) => {
            for (name, behaviour) in upstreams {
                stage.behave(name, behaviour).await;
            }
            Ok(())
        }
        Kind::Probes(rules) => insist(&probe_differences(rules, stage)),
        Kind::Sleep(ms) => {
            stage.sleep(*ms).await;
            Ok(())
        }
    }
}

async fn ask<S: Stage>(plan: &Plan, exchange: &Exchange, stage: &mut S) -> Result<(), String> {
    let before: BTreeMap<&String, usize> = plan
        .upstreams
        .keys()
        .map(|name| (name, stage.seen(name).len()))
        .collect();
    let got = stage.ask(&exchange.request).await?;
    let mut found = Differences::new();
    if let Some(rule) = &exchange.response {
        found = matching::response(rule, &got);
    }
    if let Some(rules) = &exchange.seen {
        // A body may still be on its way when the response is here.
        let look = async |stage: &S| {
            let each = before.iter().flat_map(|(name, count)| {
                let rules = rules.get(*name).map_or(&[][..], Vec::as_slice);
                matching::seen(name, rules, &stage.seen(name)[*count..])
            });
            each.collect()
        };
        found.extend(soon_none(stage, BEHIND_MS, look).await);
    }
    insist(&found).map_err(|what| {
        let fields: Vec<String> = got
            .fields
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
            .collect();
        let start = &got.body[..got.body.len().min(200)];
        format!(
            "{what}\n  the answer: {} {fields:?} {:?}",
            got.status,
            String::from_utf8_lossy(start)
        )
    })
}

async fn wait<S: Stage>(probes: &ByUpstream<usize>, stage: &S) -> Result<(), String> {
    let rules = probes
        .iter()
        .map(|(name, count)| {
            let rule = ProbesRule::AtLeast {
                at_least: *count,
                headers: FieldRules::default(),
            };
            (name.clone(), rule)
        })
        .collect();
    let left = soon_none(stage, PROBES_MS, async |stage: &S| {
        probe_differences(&rules, stage)
    })
    .await;
    insist(&left)?;
    stage.sleep(SETTLED_MS).await;
    Ok(())
}

fn probe_differences<S: Stage>(rules: &ByUpstream<ProbesRule>, stage: &S) -> Differences {
    let each = rules
        .iter()
        .flat_map(|(name, rule)| matching::probes(name, rule, &stage.probes(name)));
    each.collect()
}

async fn check_store<S: Stage>(rule: &StoreRule, setup: &Setup, stage: &S) -> Result<(), String> {
    let look = async |stage: &S| {
        let difference = setup.store_difference(rule, stage.stored().await.as_deref());
        Differences::from_iter(difference)
    };
    if matches!(rule, StoreRule::Empty(_)) {
        stage.sleep(SETTLED_MS).await;
        return insist(&look(stage).await);
    }
    insist(&soon_none(stage, STORE_MS, look).await)
}

/// The differences that remain after a while.
async fn soon_none<S: Stage>(
    stage: &S,
    within_ms: u64,
    look: impl AsyncFn(&S) -> Differences,
) -> Differences {
    for _ in 0..within_ms / LOOK_MS {
        if look(stage).await.is_empty() {
            break;
        }
        stage.sleep(LOOK_MS).await;
    }
    look(stage).await
}

fn insist(found: &[String]) -> Result<(), String> {
    if found.is_empty() {
        Ok(())
    } else {
        Err(found.join("; "))
    }
}
