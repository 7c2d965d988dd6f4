//! The replay buffer: what is kept of a request's body for another target.

use function_fetch_engine::ReplayState;

/// The bytes that may be sent again, and those that were not sent yet. No byte
/// that was read from the client is dropped before it is known that no target
/// will need it.
#[derive(Debug)]
pub struct Replay {
    limit: usize,
    host_buffer: usize,
    /// All that the target of this attempt took, in order, while it is kept.
    taken: Vec<u8>,
    /// Read from the client, not yet taken by the target.
    unsent: Vec<u8>,
    touched: bool,
    touched_before: bool,
    lost: bool,
}

impl Replay {
    /// Keeps `limit` bytes for another attempt. `host_buffer` is what a host may buffer
    /// before it has a connection to send it on: so much is kept in addition
    /// until [`Self::nothing_was_sent`] or the end of the attempt.
    #[must_use]
    pub fn new(limit: usize, host_buffer: usize) -> Self {
        Self {
            limit,
            host_buffer,
            taken: Vec::new(),
            unsent: Vec::new(),
            touched: false,
            touched_before: false,
            lost: false,
        }
    }

    /// More of the body, from the client.
    pub fn read(&mut self, mut bytes: Vec<u8>) {
        if self.unsent.is_empty() {
            // A host reads into a buffer that is larger than most bodies.
            bytes.shrink_to_fit();
            self.unsent = bytes;
        } else {
            self.unsent.extend_from_slice(&bytes);
        }
    }

    /// Whether what was not sent yet could be sent again.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.unsent.len() <= self.limit
    }

    /// The bytes to offer the target next.
    #[must_use]
    pub fn unsent(&self) -> &[u8] {
        &self.unsent
    }

    /// The target took the first `count` bytes of [`Self::unsent`].
    pub fn took(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        self.touched = true;
        if self.lost || self.taken.len() + count > self.limit.max(self.host_buffer) {
            self.lost = true;
            self.taken = Vec::new();
            self.unsent.drain(..count);
        } else if self.taken.is_empty() && count == self.unsent.len() {
            self.taken = std::mem::take(&mut self.unsent);
        } else {
            // Not `extend` with what is drained: in WebAssembly, that is a loop over the bytes.
            self.taken.extend_from_slice(&self.unsent[..count]);
            self.unsent.drain(..count);
        }
    }

    /// Takes [`Self::unsent`] for a host that needs ownership; what the target
    /// leaves goes to [`Self::give_back`]. Not a copy where nothing is kept any
    /// more.
    pub fn lend(&mut self) -> Vec<u8> {
        if self.lost {
            std::mem::take(&mut self.unsent)
        } else {
            self.unsent.clone()
        }
    }

    /// The target did not take these of the `lent` bytes.
    pub fn give_back(&mut self, lent: usize, left: Vec<u8>) {
        let count = lent - left.len();
        if self.unsent.is_empty() {
            self.touched |= count > 0;
            self.unsent = left;
        } else {
            self.took(count);
        }
    }

    /// The attempt failed before anything was sent: no target got what the host
    /// took of the body.
    pub fn nothing_was_sent(&mut self) {
        if !self.lost {
            self.touched = self.touched_before;
            self.put_back();
        }
    }

    /// Another attempt begins, from the first byte.
    pub fn rewind(&mut self) {
        self.touched_before = self.touched;
        self.put_back();
    }

    fn put_back(&mut self) {
        let mut all = std::mem::take(&mut self.taken);
        all.append(&mut self.unsent);
        self.unsent = all;
    }

    /// The replay state of the body.
    #[must_use]
    pub fn state(&self) -> ReplayState {
        if !self.touched {
            ReplayState::Unsent
        } else if self.lost || self.taken.len() > self.limit {
            ReplayState::Consumed
        } else {
            ReplayState::Replayable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body that was offered to the target in full, of which it took `count`
    /// bytes.
    fn took(limit: usize, host_buffer: usize, count: usize) -> Replay {
        let mut replay = Replay::new(limit, host_buffer);
        replay.read(b"0123456789".to_vec());
        replay.took(count);
        replay
    }

    #[test]
    fn a_body_that_fits_is_sent_again_from_the_first_byte() {
        let mut replay = took(4, 0, 4);
        assert_eq!(replay.state(), ReplayState::Replayable);
        replay.rewind();
        assert_eq!(replay.unsent(), b"0123456789");
        assert_eq!(replay.state(), ReplayState::Replayable);
    }

    #[test]
    fn one_byte_beyond_the_limit_cannot_be_replayed() {
        let mut replay = took(4, 0, 5);
        assert_eq!(replay.state(), ReplayState::Consumed);
        assert_eq!(replay.unsent(), b"56789");
        replay.nothing_was_sent();
        assert_eq!(replay.state(), ReplayState::Consumed);
    }

    #[test]
    fn what_only_the_host_buffered_counts_as_untouched() {
        let mut replay = took(0, 8, 8);
        assert_eq!(replay.state(), ReplayState::Consumed);
        replay.nothing_was_sent();
        assert_eq!(replay.state(), ReplayState::Unsent);
        assert_eq!(replay.unsent(), b"0123456789");
    }

    #[test]
    fn what_an_earlier_target_took_still_counts() {
        let mut replay = took(4, 8, 3);
        replay.rewind();
        replay.took(8);
        assert_eq!(replay.state(), ReplayState::Consumed);
        replay.nothing_was_sent();
        assert_eq!(replay.state(), ReplayState::Replayable);
        assert_eq!(replay.unsent(), b"0123456789");
    }

    #[test]
    fn lent_bytes_are_given_back_or_taken() {
        let mut replay = took(4, 0, 0);
        for (count, unsent) in [(3, &b"3456789"[..]), (4, b"789"), (2, b"9"), (1, b"")] {
            let mut lent = replay.lend();
            let left = lent.split_off(count);
            replay.give_back(count + left.len(), left);
            assert_eq!(replay.unsent(), unsent);
        }
        assert_eq!(replay.state(), ReplayState::Consumed);
    }

    #[test]
    fn nothing_taken_is_untouched() {
        let replay = took(0, 0, 0);
        assert_eq!(replay.state(), ReplayState::Unsent);
        assert_eq!(replay.unsent(), b"0123456789");
    }
}
