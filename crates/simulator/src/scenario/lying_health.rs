//! Targets whose health path says what their other paths do not: probes find
//! the fastest target well and fast all the time, and requests do not.

use super::catalogue::{FROM, TO, primary_with};
use super::{Guests, Scenario, TargetModel};
use crate::clock::SECOND;
use crate::network::fault::{Fault, FaultKind};
use crate::traffic::{CHEAP_AND_EXPENSIVE, Endpoint};

/// Each way to lie, nothing wrong where it looks so, and one broken endpoint.
pub(super) fn all() -> [Scenario; 9] {
    [
        lying(
            "lying-health-500",
            "the best target answers requests with 500 and probes with 200 from minute 22.5 to 42.5",
            FaultKind::Answer(500, 1.0),
        ),
        lying(
            "lying-health-503",
            "the best target answers 30 % of requests with 503 and probes with 200",
            FaultKind::Answer(503, 0.3),
        ),
        Scenario {
            settings: vec![("FETCH_RETRY_STATUSES", "429 500 502-504 506-599")],
            ..lying(
                "lying-health-429",
                "the best target answers requests with 429 and probes with 200; \
                 FETCH_RETRY_STATUSES has 429",
                FaultKind::Answer(429, 1.0),
            )
        },
        lying(
            "lying-health-slow",
            "the best target takes ten times as long for requests, and not for probes",
            FaultKind::Slow(10.0),
        ),
        lying(
            "lying-health-hang",
            "the best target never answers requests, and probes as ever",
            FaultKind::Stall,
        ),
        Scenario {
            endpoints: CHEAP_AND_EXPENSIVE,
            ..world(
                "lying-health-control",
                "nothing is wrong: one request in five is for an endpoint of 400 ms, the others for one of 3 ms",
                Scenario::default().targets,
            )
        },
        Scenario {
            guests: Some(Guests {
                rate: 5.0,
                endpoints: &CHEAP_AND_EXPENSIVE[1..],
                from: FROM,
                to: TO,
                count: true,
            }),
            endpoints: CHEAP_AND_EXPENSIVE,
            ..world(
                "lying-health-control-reports",
                "nothing is wrong: from minute 22.5 to 42.5 come five requests a second more for the endpoint of 400 ms",
                Scenario::default().targets,
            )
        },
        one_endpoint(
            "lying-health-one-endpoint-500",
            "one client asks twice a second for an endpoint that is 500 on every target; the figures are the others'",
            FaultKind::Answer(500, 1.0),
        ),
        one_endpoint(
            "lying-health-one-endpoint-hang",
            "one client asks twice a second for an endpoint that hangs on every target; the figures are the others'",
            FaultKind::Stall,
        ),
    ]
}

fn lying(name: &'static str, about: &'static str, kind: FaultKind) -> Scenario {
    world(
        name,
        about,
        primary_with(Fault::new(kind, FROM, TO).on_requests()),
    )
}

/// What one client asks for, again and again.
const BROKEN: &[Endpoint] = &[Endpoint {
    path: "/broken",
    share: 1.0,
    cost_ms: 3.0,
}];

fn one_endpoint(name: &'static str, about: &'static str, kind: FaultKind) -> Scenario {
    let fault = Fault::new(kind, FROM, TO).on_path(BROKEN[0].path);
    let targets = Scenario::default().targets.into_iter();
    let targets = targets.map(|target| target.with(fault));
    Scenario {
        guests: Some(Guests {
            rate: 2.0,
            endpoints: BROKEN,
            from: FROM,
            to: TO,
            count: false,
        }),
        ..world(name, about, targets.collect())
    }
}

fn world(name: &'static str, about: &'static str, targets: Vec<TargetModel>) -> Scenario {
    Scenario {
        name,
        about,
        targets,
        // Bounds of 10, 30 and 60 s are to be seen.
        bucket: 5 * SECOND,
        trouble: Some((FROM, TO)),
        ..Scenario::default()
    }
}
