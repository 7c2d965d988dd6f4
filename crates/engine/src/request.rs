//! A request, and its state between two steps.

use crate::time::Timestamp;

/// A client's request, as far as decisions need it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, in upper case as it came.
    pub method: &'a str,
    /// The path as it came, perhaps with its query. Only its dot segments
    /// matter: a path without any may be passed as an empty one.
    pub path: &'a str,
    /// How many Function Fetches it has passed: [`crate::headers::hops`].
    pub hops: u32,
    /// Whether it has a body.
    pub has_body: bool,
    /// Whether the host reuses connections and does not tell when one was found
    /// closed: then the request may be sent to the same target once more.
    pub may_meet_closed_connection: bool,
}

impl<'a> Request<'a> {
    /// One without a body that has passed no Function Fetch yet.
    #[must_use]
    pub fn new(method: &'a str, path: &'a str) -> Self {
        Self {
            method,
            path,
            hops: 0,
            has_body: false,
            may_meet_closed_connection: false,
        }
    }
}

/// The state of a request between two steps. Plain values: a host keeps them, or
/// packs them, and gives them back unchanged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestState {
    /// When it began.
    pub began: Timestamp,
    /// When its last attempt was sent.
    pub sent: Timestamp,
    /// The targets that it was sent to.
    pub tried: TargetSet,
    /// Those of them whose response head has not come yet.
    pub running: TargetSet,
    /// The target of the last response; of the attempt that runs, before there
    /// is one.
    pub responder: usize,
    /// Those that failed where another may not: once it is over, they are to blame,
    /// or the request is.
    pub failed: TargetSet,
    /// Which action is owed.
    pub stage: Stage,
    /// It may be sent again even if a target may have received it
    /// (`FETCH_RETRY_METHODS`).
    pub retryable: bool,
    /// It has a body.
    pub has_body: bool,
    /// It is a cold start that is sent to several targets at once.
    pub racing: bool,
    /// It has read the store, or tried to.
    pub store_read: bool,
    /// It has waited for the round.
    pub waited: bool,
    /// The host holds a real response, to fall back on.
    pub has_response: bool,
    /// The next attempt may start beside the one that runs.
    pub may_hedge: bool,
    /// An attempt's answer is overdue: a probe checks its target.
    pub overdue: bool,
    /// It may be sent to the same target once more.
    pub may_resend: bool,
    /// It may go to another target beside, since its answer is overdue.
    pub may_rescue: bool,
    /// The target that it went to beside for that reason.
    pub rescuer: Option<usize>,
    /// Its first attempt is a trial of a target that others do not go to.
    pub trial: bool,
    /// Its method's place in [`crate::stats::METHODS`].
    pub method: u8,
}

/// A set of targets, one bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TargetSet(pub u32);

impl TargetSet {
    /// Whether the target is one of them.
    #[must_use]
    pub fn contains(self, target: usize) -> bool {
        target < crate::MAX_TARGETS && self.0 & (1 << target) != 0
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Says whether it was not one of them.
    pub(crate) fn insert(&mut self, target: usize) -> bool {
        let is_new = !self.contains(target);
        self.0 |= 1 << target;
        is_new
    }

    pub(crate) fn remove(&mut self, target: usize) {
        self.0 &= !(1 << target);
    }
}

impl FromIterator<usize> for TargetSet {
    fn from_iter<I: IntoIterator<Item = usize>>(targets: I) -> Self {
        let mut set = Self::default();
        for target in targets {
            set.insert(target);
        }
        set
    }
}

/// Which action is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// [`crate::Action::ReadStore`].
    Store,
    /// [`crate::Action::AwaitRound`].
    Round,
    /// [`crate::Action::Send`], [`crate::Action::Cancel`] or
    /// [`crate::Action::Wait`].
    Attempt,
    /// None: the request has its response.
    Over,
}

impl RequestState {
    pub(crate) fn new(request: &Request<'_>, retryable: bool, now: Timestamp) -> Self {
        Self {
            began: now,
            sent: now,
            tried: TargetSet::default(),
            running: TargetSet::default(),
            failed: TargetSet::default(),
            responder: 0,
            stage: Stage::Store,
            retryable,
            has_body: request.has_body,
            racing: false,
            store_read: false,
            waited: false,
            has_response: false,
            may_hedge: false,
            overdue: false,
            may_resend: retryable && request.may_meet_closed_connection,
            may_rescue: retryable && !request.has_body,
            rescuer: None,
            trial: false,
            method: crate::stats::method(request.method),
        }
    }

    /// How many targets it was sent to.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.tried.count()
    }

    /// Whether it may be sent to two targets at once: a body is read only once.
    pub(crate) fn may_run_twice(&self) -> bool {
        self.retryable && !self.has_body
    }

    /// Whether the time to its response head measures the target: with a body, it
    /// is mostly the client's upload that takes the time.
    pub(crate) fn times_target(&self) -> bool {
        !self.has_body
    }

    /// Notes that it was sent to `target`.
    pub(crate) fn sent_to(&mut self, target: usize, may_hedge: bool, now: Timestamp) {
        self.tried.insert(target);
        self.running.insert(target);
        self.sent = now;
        self.may_hedge = may_hedge;
        self.overdue = false;
        if !self.has_response {
            self.responder = target;
        }
    }

    /// Notes that `target` has answered.
    pub(crate) fn answered_by(&mut self, target: usize) {
        self.running.remove(target);
        self.responder = target;
        self.has_response = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_TARGETS;

    #[test]
    fn a_set_has_what_was_put_in_and_not_taken_out() {
        let mut set: TargetSet = [0, 31].into_iter().collect();
        assert!(set.contains(0) && set.contains(31) && !set.contains(1));
        assert!(!set.contains(MAX_TARGETS), "there is no such target");
        assert!(!set.insert(31) && set.insert(5));
        assert_eq!(set.count(), 3);
        set.remove(31);
        set.remove(1);
        assert!(!set.contains(31) && set.contains(0) && set.contains(5));
        assert!(!set.is_empty() && TargetSet::default().is_empty());
    }
}
