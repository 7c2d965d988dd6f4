//! What comes next, from the engine's words to the host's, and what is
//! remembered of a request in between.

use crate::event::timeout_to_host;
use crate::wit;
use function_fetch_engine::{Action, Engine, Exchange, Request, Round, Step};

/// An exchange that the host gives back, unless it is about a target that is
/// not there: no engine has handed that out.
pub fn known(engine: &Engine, exchange: wit::Exchange) -> Option<Exchange> {
    let exchange = Exchange::from_parts(exchange.since, exchange.tried, exchange.state);
    (exchange.target() < engine.settings().targets.len()).then_some(exchange)
}

/// The same, about the attempt at `target`.
pub fn known_at(engine: &Engine, exchange: wit::Exchange, target: u32) -> Option<Exchange> {
    let target = target as usize;
    let exchange = known(engine, exchange)?;
    (target < engine.settings().targets.len()).then(|| exchange.at(target))
}

/// What an unknown exchange comes to: the end.
pub fn refused(engine: &mut Engine, now: f64) -> Step {
    // A request that an engine without targets answers with the reason for
    // that, and any other as a loop.
    let request = Request {
        method: "",
        path: "",
        hops: u32::MAX,
        has_body: false,
    };
    engine.begin(&request, now)
}

pub fn exchange_to_host(exchange: Exchange) -> wit::Exchange {
    let (since, tried, state) = exchange.to_parts();
    wit::Exchange {
        since,
        tried,
        state,
    }
}

pub fn to_host(engine: &Engine, step: Step) -> wit::Step {
    wit::Step {
        exchange: exchange_to_host(step.exchange),
        action: action(step.action),
        round: step.round,
        write: step.write,
        news: engine.has_notices(),
    }
}

fn action(action: Action) -> wit::Action {
    match action {
        Action::ReadStore => wit::Action::ReadStore,
        Action::AwaitRound { timeout_ms } => wit::Action::AwaitRound(timeout_ms),
        Action::Forward(forward) => wit::Action::Forward(wit::Forward {
            target: forward.target as u32,
            timeout: forward.timeout_ms,
            on_timeout: timeout_to_host(forward.on_timeout),
            overdue: forward.overdue_ms,
            widen: forward.widen_ms,
            report: forward.report,
        }),
        Action::Relay => wit::Action::Relay,
        Action::Reply(reply) => wit::Action::Reply(wit::Reply {
            status: reply.status,
            body: reply.body,
            proxy_status: reply.proxy_status,
        }),
    }
}

pub fn round_to_host(round: Round) -> wit::Round {
    wit::Round {
        id: round.id,
        targets: round
            .targets
            .into_iter()
            .map(|target| target as u32)
            .collect(),
        concurrency: round.concurrency as u32,
        timeout: round.timeout_ms,
        read_store: round.read_store,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration;

    fn engine(targets: &str) -> Engine {
        let given = [("FETCH_TARGETS".to_owned(), targets.to_owned())];
        let limits = wit::Limits {
            store: None,
            max_probes: None,
        };
        configuration::engine(&given, &limits, 0.5)
    }

    #[test]
    fn an_exchange_comes_back_as_it_went() {
        let mut engine = engine("http://a.example http://b.example");
        let request = Request {
            method: "GET",
            path: "/",
            hops: 0,
            has_body: true,
        };
        let step = engine.begin(&request, 1e12);
        let given = exchange_to_host(step.exchange);
        assert_eq!(known(&engine, given), Some(step.exchange));
        let other = known_at(&engine, given, 1).map(|exchange| exchange.target());
        assert_eq!(other, Some(1));
    }

    #[test]
    fn what_names_no_target_is_unknown() {
        let engine = engine("http://a.example http://b.example");
        let exchange = |state| wit::Exchange {
            since: f64::NAN,
            tried: u32::MAX,
            state,
        };
        assert!(known(&engine, exchange(0)).is_some());
        assert!(known(&engine, exchange(u32::MAX)).is_none());
        assert!(known_at(&engine, exchange(0), 2).is_none());
        assert!(known_at(&engine, exchange(0), u32::MAX).is_none());
    }

    #[test]
    fn an_unknown_exchange_ends_with_the_reason() {
        for (targets, status) in [("", 500), ("http://a.example", 508)] {
            let step = refused(&mut engine(targets), 1e12);
            assert!(
                matches!(&step.action, Action::Reply(reply) if reply.status == status),
                "{step:?}"
            );
        }
    }
}
