//! Graceful shutdown: one switch that says "finish what you have", and the wait until everything has finished.

use tokio::sync::watch;

/// The switch. Clones are the same switch.
#[derive(Clone)]
pub(crate) struct Drain(watch::Sender<bool>);

/// Held by whatever the shutdown has to wait for: a connection, an instance.
#[derive(Clone)]
pub(crate) struct DrainGuard(watch::Receiver<bool>);

impl Drain {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn guard(&self) -> DrainGuard {
        DrainGuard(self.0.subscribe())
    }

    /// Tells every guard that no new work arrives.
    pub(crate) fn start(&self) {
        self.0.send_replace(true);
    }

    /// Returns when the last guard is dropped.
    pub(crate) async fn finished(&self) {
        self.0.closed().await;
    }
}

impl DrainGuard {
    /// Returns when the switch has been set.
    pub(crate) async fn started(&mut self) {
        // An error means that the switch itself was dropped, which is a shutdown too.
        let _ = self.0.wait_for(|draining| *draining).await;
    }
}
