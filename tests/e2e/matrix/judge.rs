//! The promises, for one combination.

use std::time::Duration;

use super::case::{Body, Case};
use super::exchange::{End, Outcome};
use super::fault::Promise;
use super::origin::{Receipt, SECOND};
use super::{ATTEMPT_MS, DEADLINE_MS};
use crate::support::host::Host;

/// What the origins received of its request.
pub struct Receipts {
    pub first: Vec<Receipt>,
    pub second: Vec<Receipt>,
}

/// What came of it.
pub struct Verdict {
    /// Whether the origin with the fault had it.
    pub was_tried: bool,
    /// Which promise was broken, if any.
    pub broken: Option<String>,
}

/// Beside what the limits allow, for a busy machine.
const SLACK: Duration = Duration::from_secs(15);

pub fn judge(
    host: Host,
    case: &Case,
    outcome: &Outcome,
    receipts: &Receipts,
    is_ranked: bool,
) -> Verdict {
    let broken = check(host, case, outcome, receipts, is_ranked).err();
    Verdict {
        was_tried: !receipts.first.is_empty(),
        broken: broken.map(|why| {
            format!(
                "{why}; the client got {outcome}; the origins {:?} and {:?}",
                receipts.first, receipts.second
            )
        }),
    }
}

fn check(
    host: Host,
    case: &Case,
    outcome: &Outcome,
    receipts: &Receipts,
    is_ranked: bool,
) -> Result<(), String> {
    let Some(head) = &outcome.head else {
        return Err("no response at all".to_owned());
    };
    let most = Duration::from_millis(DEADLINE_MS) + SLACK;
    if head.elapsed > most {
        return Err(format!("the head took {:?}", head.elapsed));
    }
    is_sent_once(case, receipts)?;
    is_whole_upstream(case, receipts)?;

    let from_second = outcome.is_from_second(case, &receipts.second);
    // Between the host's limits, a body whose length is unknown goes with no method that usually has none.
    if case.body == Body::BeyondChunked && matches!(case.method, "GET" | "HEAD") {
        return expect(
            head.status == 411 && receipts.first.is_empty() && receipts.second.is_empty(),
            "411, and nothing sent",
        );
    }
    // Where targets are ranked, another origin may have been faster.
    if is_ranked && from_second {
        return Ok(());
    }
    let repeats = case.may_be_repeated();
    let local = |status: u16| outcome.is_local(status) && receipts.second.is_empty();
    match case.fault.promise_on(host, case.method) {
        Promise::Passes(status, body) => expect(
            outcome.is_from_first(case, status, body),
            "the first origin's response",
        ),
        Promise::NothingSent => expect(from_second, "the second origin's response"),
        Promise::PerhapsNothingSent if repeats && case.body.is_replayable() => {
            expect(from_second, "the second origin's response")
        }
        Promise::PerhapsNothingSent => expect(
            from_second || local(502) || local(504),
            "the second origin's response, or 502 or 504",
        ),
        Promise::NoHead(_) if repeats && case.body.is_replayable() => {
            expect(from_second, "the second origin's response")
        }
        // How much the first one took is not known.
        Promise::NoHead(status) if repeats => expect(
            from_second || local(status),
            "the second origin's response, or a local reply",
        ),
        Promise::NoHead(status) => expect(local(status), &format!("a local reply with {status}")),
        Promise::Fails(_) if repeats && case.body.is_replayable() => {
            expect(from_second, "the second origin's response")
        }
        Promise::Fails(status) => expect(
            outcome.is_from_first(case, status, "first"),
            "the failure, relayed",
        ),
        Promise::Cuts if case.method == "HEAD" => expect(
            outcome.is_from_first(case, 200, ""),
            "the first origin's head",
        ),
        Promise::Cuts => expect(
            head.status == 200
                && outcome.end != End::Whole
                && b"firstfir".starts_with(&outcome.body)
                && receipts.second.is_empty(),
            "a body that is seen to be cut",
        ),
    }
}

fn expect(holds: bool, what: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("not {what}"))
    }
}

/// What may not be repeated reaches one origin, once; and the rest none more often than a connection that was found
/// closed explains.
fn is_sent_once(case: &Case, receipts: &Receipts) -> Result<(), String> {
    let (first, second) = (receipts.first.len(), receipts.second.len());
    if case.may_be_repeated() {
        expect(first <= 2 && second <= 2, "within two attempts each")
    } else {
        expect(first + second <= 1, "sent once")
    }
}

/// An origin that has a body to its end has all of it, as the client sent it.
fn is_whole_upstream(case: &Case, receipts: &Receipts) -> Result<(), String> {
    let mut received = receipts.first.iter().chain(&receipts.second);
    let is_whole = |receipt: &Receipt| {
        !receipt.is_whole || (receipt.length == case.body.length() && !receipt.is_foreign)
    };
    expect(
        received.all(|receipt| receipt.method == case.method && is_whole(receipt)),
        "the request as it was sent",
    )
}

impl Outcome {
    fn is_from_second(&self, case: &Case, receipts: &[Receipt]) -> bool {
        let body = if case.method == "HEAD" { "" } else { SECOND };
        self.is_whole(200, body) && receipts.last().is_some_and(|receipt| receipt.is_whole)
    }

    fn is_from_first(&self, case: &Case, status: u16, body: &str) -> bool {
        self.is_whole(status, if case.method == "HEAD" { "" } else { body })
    }

    fn is_whole(&self, status: u16, body: &str) -> bool {
        self.head
            .as_ref()
            .is_some_and(|head| head.status == status && !head.is_local)
            && self.end == End::Whole
            && self.body == body.as_bytes()
    }

    /// One of the proxy's own, in time.
    fn is_local(&self, status: u16) -> bool {
        let least = if status == 504 {
            Duration::from_millis(ATTEMPT_MS / 4)
        } else {
            Duration::ZERO
        };
        self.end == End::Whole
            && self
                .head
                .as_ref()
                .is_some_and(|head| head.status == status && head.is_local && head.elapsed >= least)
    }
}
