//! What goes wrong with a target, and when.

use crate::clock::Micros;
use crate::network::Message;
use crate::network::geography::Region;

/// A span of time in which a target is not itself.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// From here,
    pub from: Micros,
    /// up to, not including, here;
    pub to: Micros,
    /// where it flaps, only in every other span of this length.
    pub flaps: Option<Micros>,
    /// As seen from here only.
    pub region: Option<Region>,
    /// What meets it.
    pub scope: Scope,
    /// What it is.
    pub kind: FaultKind,
}

/// What meets a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Whatever is sent.
    Everything,
    /// Requests: probes find the target well.
    Requests,
    /// Requests for this path.
    Path(&'static str),
}

/// A way to go wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultKind {
    /// A brown-out: everything takes this many times as long. Where probes do
    /// not meet it, it is the application that is slow: connections stand as
    /// quickly as ever.
    Slow(f64),
    /// Connections are refused.
    Refuse,
    /// Packets vanish: new connections time out, and what is sent on old ones
    /// is never answered.
    Hang,
    /// Connections stand, and what is sent on them is never answered.
    Stall,
    /// A gateway that has lost its origin: a status, after so many ms.
    Status(u16, f64),
    /// This share of the answers, at random, has this status; they take as long
    /// as others.
    Answer(u16, f64),
}

impl FaultKind {
    /// Whether what is sent is lost.
    #[must_use]
    pub fn is_dead(self) -> bool {
        matches!(self, Self::Refuse | Self::Hang | Self::Stall)
    }
}

impl Fault {
    /// Everywhere, all the time from `from` to `to`.
    #[must_use]
    pub fn new(kind: FaultKind, from: Micros, to: Micros) -> Self {
        Self {
            from,
            to,
            flaps: None,
            region: None,
            scope: Scope::Everything,
            kind,
        }
    }

    /// The same, but half of the time well, in spans of `period`.
    #[must_use]
    pub fn flapping(self, period: Micros) -> Self {
        Self {
            flaps: Some(period),
            ..self
        }
    }

    /// The same, as seen from `region` only.
    #[must_use]
    pub fn in_region(self, region: Region) -> Self {
        Self {
            region: Some(region),
            ..self
        }
    }

    /// The same, but probes do not meet it.
    #[must_use]
    pub fn on_requests(self) -> Self {
        Self {
            scope: Scope::Requests,
            ..self
        }
    }

    /// The same, on requests for one path.
    #[must_use]
    pub fn on_path(self, path: &'static str) -> Self {
        Self {
            scope: Scope::Path(path),
            ..self
        }
    }

    /// Whether a message from a location in `region` meets it at `now`.
    #[must_use]
    pub fn strikes(&self, region: Region, now: Micros, message: Message) -> bool {
        let meant = match (self.scope, message) {
            (Scope::Everything, _) | (Scope::Requests, Message::Request(_)) => true,
            (Scope::Path(path), Message::Request(ask)) => path == ask.path,
            (Scope::Requests | Scope::Path(_), Message::Probe) => false,
        };
        let inside = self.from <= now && now < self.to;
        let here = self.region.is_none_or(|only| only == region);
        let down = self
            .flaps
            .is_none_or(|period| ((now.saturating_sub(self.from)) / period).is_multiple_of(2));
        meant && inside && here && down
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;
    use crate::traffic::Ask;

    #[test]
    fn flapping_is_down_every_other_span() {
        let fault = Fault::new(FaultKind::Refuse, 10 * SECOND, 40 * SECOND).flapping(5 * SECOND);
        let down: Vec<u64> = (0..50)
            .filter(|second| fault.strikes(Region::Europe, second * SECOND, Message::Probe))
            .collect();
        let wanted: Vec<u64> = (10..15).chain(20..25).chain(30..35).collect();
        assert_eq!(down, wanted);
    }

    #[test]
    fn a_regional_fault_stays_in_its_region() {
        let fault = Fault::new(FaultKind::Hang, 0, SECOND).in_region(Region::Asia);
        assert!(fault.strikes(Region::Asia, 0, Message::Probe));
        assert!(!fault.strikes(Region::Europe, 0, Message::Probe));
    }

    #[test]
    fn a_fault_of_requests_leaves_probes_alone_and_one_of_a_path_leaves_others_alone() {
        let strikes =
            |fault: &Fault| MESSAGES.map(|message| fault.strikes(Region::Europe, 0, message));
        let fault = Fault::new(FaultKind::Stall, 0, SECOND);
        assert_eq!(strikes(&fault), [true, true, true]);
        assert_eq!(strikes(&fault.on_requests()), [false, true, true]);
        assert_eq!(strikes(&fault.on_path("/broken")), [false, false, true]);
    }

    const MESSAGES: [Message; 3] = [Message::Probe, request("/"), request("/broken")];

    const fn request(path: &'static str) -> Message {
        Message::Request(Ask {
            number: 1,
            post: false,
            path,
            cost_ms: 1.0,
            counts: true,
        })
    }
}
