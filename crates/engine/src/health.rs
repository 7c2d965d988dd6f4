//! What is known of one target: how fast its probes came back, whether it
//! fails, and until when it gets no traffic.

/// Gateway failures in a row that put a target aside.
const FAILURES_TO_EJECT: u32 = 3;

/// The first ejection; each one that follows upon it lasts twice as long.
const BACKOFF_MS: f64 = 1_000.0;

/// The longest ejection, and the most that a `Retry-After` is honoured.
pub(crate) const MAX_EJECTION_MS: f64 = 300_000.0;

/// The latency of a target's probes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Latency {
    pub(crate) ms: f64,
    pub(crate) samples: u32,
}

/// A target's state in this instance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    pub(crate) latency: Option<Latency>,
    /// Consecutive failures, of probes and of requests.
    pub(crate) failures: u32,
    /// While it is set the target gets no request, unless nothing else is left;
    /// once it has passed, one probe decides.
    pub(crate) ejected_until: Option<f64>,
    /// The last ejection: when it ended (by plan), and how long it was.
    last_ejection: Option<(f64, f64)>,
    /// Whether the host's policy was already said to forbid it.
    pub(crate) denial_told: bool,
}

impl Health {
    pub(crate) fn is_ejected(&self) -> bool {
        self.ejected_until.is_some()
    }

    /// Whether its ejection is over but for the probe that confirms it.
    pub(crate) fn awaits_probe(&self, now: f64) -> bool {
        self.ejected_until.is_some_and(|until| until <= now)
    }

    /// A probe came back healthy. Says whether that ended an ejection.
    pub(crate) fn probe_passed(&mut self, elapsed_ms: f64) -> bool {
        self.latency = Some(Latency {
            ms: elapsed_ms,
            samples: self
                .latency
                .map_or(1, |known| known.samples.saturating_add(1)),
        });
        self.failures = 0;
        self.ejected_until.take().is_some()
    }

    /// A request was answered by the target itself.
    pub(crate) fn request_passed(&mut self) {
        self.failures = 0;
    }

    /// A failure that says little alone. Says whether it was one too many.
    pub(crate) fn failed_softly(&mut self) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.failures >= FAILURES_TO_EJECT
    }

    /// Puts the target aside, for longer each time it comes soon after the
    /// last. `jitter` is from 0 to 1; `at_least_ms` is the target's own wish
    /// (`Retry-After`). Returns for how long, or `None` when it was aside
    /// already.
    pub(crate) fn eject(&mut self, now: f64, jitter: f64, at_least_ms: f64) -> Option<f64> {
        self.failures = self.failures.max(1);
        if self.ejected_until.is_some_and(|until| until > now) {
            return None;
        }
        let backoff = match self.last_ejection {
            // A target that held up for twice its last ejection starts anew.
            Some((ended, length)) if now < ended + 2.0 * length => 2.0 * length,
            _ => BACKOFF_MS,
        };
        let length = backoff.max(at_least_ms).min(MAX_EJECTION_MS);
        self.last_ejection = Some((now + length, length));
        // Instances that saw the same failure must not probe in one moment.
        let jittered = length * (0.9 + 0.2 * jitter);
        self.ejected_until = Some(now + jittered);
        Some(jittered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_five_minutes_and_starts_anew_after_peace() {
        let mut health = Health::default();
        let mut now = 0.0;
        let mut lengths = Vec::new();
        for _ in 0..12 {
            let length = health.eject(now, 0.5, 0.0).unwrap();
            lengths.push(length);
            now += length;
        }
        assert_eq!(lengths[..4], [1e3, 2e3, 4e3, 8e3]);
        assert_eq!(lengths[11], MAX_EJECTION_MS);
        health.probe_passed(5.0);
        now += 2.0 * MAX_EJECTION_MS + 1.0;
        assert_eq!(health.eject(now, 0.5, 0.0), Some(1e3));
    }

    #[test]
    fn a_second_failure_does_not_lengthen_a_running_ejection() {
        let mut health = Health::default();
        assert_eq!(health.eject(0.0, 0.5, 0.0), Some(1e3));
        assert_eq!(health.eject(500.0, 0.5, 0.0), None);
        assert_eq!(health.ejected_until, Some(1e3));
    }

    #[test]
    fn retry_after_is_honoured_up_to_five_minutes() {
        assert_eq!(Health::default().eject(0.0, 0.5, 30e3), Some(30e3));
        assert_eq!(Health::default().eject(0.0, 0.5, 1e9), Some(300e3));
    }

    #[test]
    fn three_soft_failures_in_a_row_and_only_in_a_row() {
        let mut health = Health::default();
        assert!(!health.failed_softly());
        assert!(!health.failed_softly());
        health.request_passed();
        assert!(!health.failed_softly());
        assert!(!health.failed_softly());
        assert!(health.failed_softly());
    }
}
