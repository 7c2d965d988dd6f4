//! What a message meets at a target with a fault: the network alone, without a
//! policy.

use function_fetch_engine::Failure;
use function_fetch_simulator::clock::{MINUTE, Micros, SECOND, to_ms};
use function_fetch_simulator::executor::Executor;
use function_fetch_simulator::metrics::Recorder;
use function_fetch_simulator::network::fault::{Fault, FaultKind};
use function_fetch_simulator::network::{Message, Network, World};
use function_fetch_simulator::scenario::{Noise, Scenario, TargetModel};
use function_fetch_simulator::traffic::Ask;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// An answer, and after how many ms it was there.
type Answer = (Result<u16, Failure>, f64);

const FROM: Micros = 10 * SECOND;

/// Sends to a target 40 ms away, one message a second from `from` on; `None`
/// where there was no answer within a minute.
fn send(fault: Fault, from: Micros, messages: Vec<Message>) -> Vec<Option<Answer>> {
    let scenario = Scenario {
        locations: 1,
        targets: vec![TargetModel::at_ms(40.0).with(fault)],
        noise: Noise {
            sigma: 0.0,
            tail: 0.0,
            tail_index: 1.5,
        },
        spread: 0.0,
        ..Scenario::default()
    };
    let executor = Executor::default();
    let recorder = Recorder::new(&scenario, 1);
    let world = Arc::new(World::new(scenario, 1));
    let network = Network::new(&executor, &world, &recorder, 0, 1);
    let answers = Rc::new(RefCell::new(vec![None; messages.len()]));
    let end = from + messages.len() as Micros * SECOND + MINUTE;
    for (place, message) in messages.into_iter().enumerate() {
        let (network, answers) = (network.clone(), Rc::clone(&answers));
        executor.spawn(async move {
            let executor = network.executor();
            let at = from + place as Micros * SECOND;
            executor.sleep_until(at).await;
            let answer = network.send(0, 0, message, f64::INFINITY).await;
            answers.borrow_mut()[place] = Some((answer, to_ms(executor.now() - at)));
        });
    }
    executor.run_until(end);
    executor.clear();
    answers.take()
}

fn request(post: bool, path: &'static str) -> Message {
    Message::Request(Ask {
        number: 1,
        post,
        path,
        cost_ms: 10.0,
        counts: true,
    })
}

/// A probe, a GET, a POST.
fn all_kinds() -> Vec<Message> {
    vec![Message::Probe, request(false, "/"), request(true, "/")]
}

#[test]
fn a_fault_of_requests_leaves_probes_alone_whatever_its_kind() {
    for kind in [
        FaultKind::Answer(500, 1.0),
        FaultKind::Answer(429, 1.0),
        FaultKind::Slow(10.0),
        FaultKind::Stall,
        FaultKind::Refuse,
        FaultKind::Hang,
    ] {
        let fault = Fault::new(kind, FROM, Micros::MAX).on_requests();
        let answers = send(fault, FROM, all_kinds());
        let (probe, took) = answers[0].expect("an answer");
        assert_eq!(probe, Ok(200), "{kind:?}");
        // A handshake, the way there and back, and a cheap path.
        assert!(took < 85.0, "{kind:?}: {took} ms");
        for request in &answers[1..] {
            match (kind, *request) {
                (FaultKind::Answer(wanted, _), Some((Ok(status), took))) => {
                    assert!(status == wanted && took < 95.0, "{status} after {took} ms");
                }
                (FaultKind::Slow(_), Some((Ok(200), took))) => {
                    assert!((500.0..545.0).contains(&took), "{took} ms");
                }
                (FaultKind::Refuse, Some((Err(Failure::ConnectionRefused), _)))
                | (FaultKind::Stall | FaultKind::Hang, None) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_fault_of_everything_strikes_probes_too() {
    for kind in [FaultKind::Answer(500, 1.0), FaultKind::Stall] {
        let fault = Fault::new(kind, FROM, Micros::MAX);
        for answer in send(fault, FROM, all_kinds()) {
            assert!(!matches!(answer, Some((Ok(200), _))), "{kind:?}");
        }
    }
}

#[test]
fn a_slow_application_accepts_connections_as_quickly_as_ever() {
    let slow = Fault::new(FaultKind::Slow(10.0), FROM, Micros::MAX);
    let took = |fault: Fault| {
        let answers = send(fault, FROM, vec![request(false, "/")]);
        answers[0].expect("an answer").1
    };
    // A handshake of 40 ms, then 40 + 10 ms.
    let near = |ms: f64, wanted: f64| (ms - wanted).abs() < 0.01;
    assert!(near(took(slow), 900.0));
    assert!(near(took(slow.on_requests()), 540.0));
}

#[test]
fn some_answers_have_the_status_and_the_others_are_good() {
    let fault = Fault::new(FaultKind::Answer(503, 0.3), FROM, Micros::MAX).on_requests();
    let answers = send(fault, FROM, vec![request(false, "/"); 3_000]);
    let with = |wanted| {
        let answers = answers.iter().flatten();
        answers.filter(|(answer, _)| *answer == Ok(wanted)).count()
    };
    assert_eq!(with(503) + with(200), 3_000);
    assert!((840..960).contains(&with(503)), "{}", with(503));
}

#[test]
fn one_path_may_be_broken_and_no_other_is() {
    let fault = Fault::new(FaultKind::Answer(500, 1.0), FROM, Micros::MAX).on_path("/broken");
    let messages = vec![request(false, "/broken"), request(false, "/")];
    let answers = send(fault, FROM, messages);
    let statuses: Vec<_> = answers
        .into_iter()
        .map(|one| one.map(|one| one.0))
        .collect();
    assert_eq!(statuses, [Some(Ok(500)), Some(Ok(200))]);
}

#[test]
fn what_is_under_way_when_a_target_stalls_is_lost_but_for_probes() {
    let fault = Fault::new(FaultKind::Stall, FROM, Micros::MAX).on_requests();
    for (message, wanted) in all_kinds().into_iter().zip([true, false, false]) {
        // Back after 80 ms; it stalls after 30.
        let answers = send(fault, FROM - 30_000, vec![message]);
        assert_eq!(answers[0].is_some(), wanted, "{message:?}");
    }
}

#[test]
fn a_fault_of_requests_ends() {
    let fault = Fault::new(FaultKind::Stall, 0, FROM).on_requests();
    for answer in send(fault, FROM, all_kinds()) {
        assert_eq!(answer.map(|one| one.0), Some(Ok(200)));
    }
}
