//! What comes next, from the engine to the host.

use crate::{event, request_state, wit};
use function_fetch_engine::{Action, Engine, LocalReply, Request, Round, Step, Timestamp};

/// What an unknown request comes to: the end.
pub fn refused(engine: &mut Engine, now: Timestamp) -> Step {
    // A request that an engine without targets answers with the reason for
    // that, and any other as a loop.
    let request = Request {
        hops: u32::MAX,
        ..Request::new("", "")
    };
    engine.begin(&request, now)
}

pub fn to_host(engine: &Engine, step: Step) -> wit::Step {
    wit::Step {
        state: request_state::to_host(step.state),
        action: action(step.action),
        wake_after: step.wake_after.0,
        wake_on_round: step.wake_on_round,
        round: step.round,
        write: step.write,
        notices: engine.has_notices(),
    }
}

fn action(action: Action) -> wit::Action {
    match action {
        Action::ReadStore => wit::Action::ReadStore,
        Action::AwaitRound => wit::Action::AwaitRound,
        Action::Send(attempt) => wit::Action::Send(wit::Attempt {
            target: attempt.target as u32,
            report: attempt.report,
        }),
        Action::Cancel { target, failure } => wit::Action::Cancel(wit::Cancelled {
            target: target as u32,
            failure: event::cancelled_for(failure),
        }),
        Action::Wait => wit::Action::Wait,
        Action::Relay => wit::Action::Relay,
        Action::Reply(reply) => wit::Action::Reply(reply_to_host(reply)),
    }
}

pub fn reply_to_host(reply: LocalReply) -> wit::LocalReply {
    let fields = reply.fields.into_iter();
    wit::LocalReply {
        status: reply.status,
        fields: fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        body: reply.body,
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
        timeout: round.timeout.whole(),
        read_store: round.read_store,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::engine_of as engine;

    #[test]
    fn an_unknown_request_ends_with_the_reason() {
        for (targets, status) in [("", 500), ("http://a.example", 508)] {
            let step = refused(&mut engine(targets), Timestamp(1e12));
            assert!(
                matches!(&step.action, Action::Reply(reply) if reply.status == status),
                "{step:?}"
            );
        }
    }
}
