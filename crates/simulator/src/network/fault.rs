//! What goes wrong with a target, and when.

use crate::clock::Micros;
use crate::network::geography::Region;

/// A span of time in which a target is not itself.
#[derive(Clone, Debug)]
pub struct Fault {
    /// From here,
    pub from: Micros,
    /// up to, not including, here;
    pub to: Micros,
    /// where it flaps, only in every other span of this length.
    pub flaps: Option<Micros>,
    /// As seen from here only.
    pub region: Option<Region>,
    /// What it is.
    pub kind: FaultKind,
}

/// A way to go wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultKind {
    /// A brown-out: everything takes this many times as long.
    Slow(f64),
    /// Connections are refused.
    Refuse,
    /// Packets vanish: new connections time out, and what is sent on old ones
    /// is never answered.
    Hang,
    /// A gateway that has lost its origin: a status, after so many ms.
    Status(u16, f64),
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

    /// What a location in `region` meets at `now`, if anything.
    #[must_use]
    pub fn strikes(&self, region: Region, now: Micros) -> Option<FaultKind> {
        let inside = self.from <= now && now < self.to;
        let here = self.region.is_none_or(|only| only == region);
        let down = self
            .flaps
            .is_none_or(|period| ((now.saturating_sub(self.from)) / period).is_multiple_of(2));
        (inside && here && down).then_some(self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;

    #[test]
    fn flapping_is_down_every_other_span() {
        let fault = Fault::new(FaultKind::Refuse, 10 * SECOND, 40 * SECOND).flapping(5 * SECOND);
        let down: Vec<u64> = (0..50)
            .filter(|second| fault.strikes(Region::Europe, second * SECOND).is_some())
            .collect();
        let wanted: Vec<u64> = (10..15).chain(20..25).chain(30..35).collect();
        assert_eq!(down, wanted);
    }

    #[test]
    fn a_regional_fault_stays_in_its_region() {
        let fault = Fault::new(FaultKind::Hang, 0, SECOND).in_region(Region::Asia);
        assert!(fault.strikes(Region::Asia, 0).is_some());
        assert!(fault.strikes(Region::Europe, 0).is_none());
    }
}
