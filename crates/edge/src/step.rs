//! What comes next, from the engine's words to the host's.

use crate::event::timeout_to_host;
use crate::{exchange, wit};
use function_fetch_engine::{Action, Engine, Request, Round, Step};

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

pub fn to_host(engine: &Engine, step: Step) -> wit::Step {
    wit::Step {
        exchange: exchange::to_host(step.exchange),
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
    use crate::configuration::engine_of as engine;

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
