//! What is remembered of a request between two calls, packed into numbers:
//! fields of their own would each be lifted and lowered with every call.

use crate::wit;
use function_fetch_engine::{Engine, Exchange, Stage};

/// The stage in two bits, the target in five, and the flags.
const STAGE: u32 = 3;
const TARGET_FROM: u32 = 2;
const TARGET: u32 = 31;
const REPEATABLE: u32 = 1 << 7;
const HAS_BODY: u32 = 1 << 8;
const RACING: u32 = 1 << 9;
const STORE_READ: u32 = 1 << 10;
const WAITED: u32 = 1 << 11;
const HAS_RESPONSE: u32 = 1 << 12;

pub fn to_host(exchange: Exchange) -> wit::Exchange {
    let flags = [
        (exchange.repeatable, REPEATABLE),
        (exchange.has_body, HAS_BODY),
        (exchange.racing, RACING),
        (exchange.store_read, STORE_READ),
        (exchange.waited, WAITED),
        (exchange.has_response, HAS_RESPONSE),
    ];
    let state = (exchange.stage as u32) | ((exchange.target as u32 & TARGET) << TARGET_FROM);
    wit::Exchange {
        since: exchange.since,
        tried: exchange.tried,
        state: flags
            .iter()
            .filter(|(is_set, _)| *is_set)
            .fold(state, |state, (_, flag)| state | flag),
    }
}

/// Any numbers make some exchange.
fn from_host(given: wit::Exchange) -> Exchange {
    let is = |flag| given.state & flag != 0;
    Exchange {
        since: given.since,
        tried: given.tried,
        target: (given.state >> TARGET_FROM & TARGET) as usize,
        stage: match given.state & STAGE {
            0 => Stage::Store,
            1 => Stage::Round,
            2 => Stage::Attempt,
            _ => Stage::Over,
        },
        repeatable: is(REPEATABLE),
        has_body: is(HAS_BODY),
        racing: is(RACING),
        store_read: is(STORE_READ),
        waited: is(WAITED),
        has_response: is(HAS_RESPONSE),
    }
}

/// An exchange that the host gives back, unless it is about a target that is
/// not there: no engine has handed that out.
pub fn known(engine: &Engine, given: wit::Exchange) -> Option<Exchange> {
    let exchange = from_host(given);
    (exchange.target < engine.settings().targets.len()).then_some(exchange)
}

/// The same, about the attempt at `target`.
pub fn known_at(engine: &Engine, given: wit::Exchange, target: u32) -> Option<Exchange> {
    let target = target as usize;
    let exchange = known(engine, given)?;
    (target < engine.settings().targets.len()).then(|| exchange.at(target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::engine_of as engine;
    use function_fetch_engine::attempt::Body;
    use function_fetch_engine::{Event, Failure, Request};

    #[test]
    fn an_exchange_comes_back_as_it_went() {
        let mut engine = engine("http://a.example http://b.example http://c.example");
        for has_body in [true, false] {
            let request = Request {
                method: "GET",
                path: "/",
                hops: 0,
                has_body,
            };
            let mut step = engine.begin(&request, 1e12);
            if step.exchange.stage == Stage::Round {
                step = engine.settle(step.exchange, Event::RoundReady, 1e12);
            }
            for attempts in 1..=3 {
                assert_eq!(step.exchange.attempts(), attempts);
                let given = to_host(step.exchange);
                assert_eq!(known(&engine, given), Some(step.exchange));
                let other = known_at(&engine, given, 1).map(|exchange| exchange.target);
                assert_eq!(other, Some(1));
                let failed = Event::Failed {
                    failure: Failure::ConnectionRefused,
                    body: Body::Untouched,
                };
                step = engine.settle(step.exchange, failed, 1e12);
            }
            assert_eq!(
                known(&engine, to_host(step.exchange)),
                Some(step.exchange),
                "it is over"
            );
        }
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
}
