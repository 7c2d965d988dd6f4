//! Whether a store works, and one line in the log for each change of that.

use super::RedisUrl;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::{info, warn};

/// One operation that a store can do or fail to do. It is assumed to work until it fails.
pub(super) struct Availability {
    label: String,
    url: RedisUrl,
    /// Completes "the key-value store can …".
    ability: &'static str,
    failing: AtomicBool,
}

impl Availability {
    pub(super) fn new(label: &str, url: &RedisUrl, ability: &'static str) -> Self {
        Self {
            label: label.to_owned(),
            url: url.clone(),
            ability,
            failing: AtomicBool::new(false),
        }
    }

    pub(super) fn works(&self) {
        if self.failing.swap(false, Ordering::Relaxed) {
            let Self { label, url, .. } = self;
            info!(store = label, %url, "the key-value store can {} again", self.ability);
        }
    }

    pub(super) fn fails(&self, reason: &str) {
        if !self.failing.swap(true, Ordering::Relaxed) {
            let Self { label, url, .. } = self;
            warn!(store = label, %url, reason, "the key-value store cannot {}: serving without it", self.ability);
        }
    }
}
