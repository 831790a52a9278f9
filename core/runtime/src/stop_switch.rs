//! "Stop" from any thread, without a model, a lock or a queue.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A switch that any thread may throw. The control loop reads it every tick
/// and brings the arm to rest; whoever drives a primitive ends it.
#[derive(Clone, Debug, Default)]
pub struct StopSwitch {
    thrown: Arc<AtomicBool>,
    plugin_lost: Arc<AtomicBool>,
}

impl StopSwitch {
    /// Throws it: motion ends from the next tick on. Safe in a signal handler.
    pub fn throw(&self) {
        self.thrown.store(true, Ordering::Release);
    }

    /// Whether it is thrown.
    #[must_use]
    pub fn is_thrown(&self) -> bool {
        self.thrown.load(Ordering::Acquire) || self.has_lost_plugin()
    }

    /// The process of a plugin is lost: the arm comes to rest. The next
    /// primitive begins without this cause.
    pub(crate) fn lose_plugin(&self) {
        self.plugin_lost.store(true, Ordering::Release);
    }

    /// Whether a plugin's process was lost since the primitive began.
    pub(crate) fn has_lost_plugin(&self) -> bool {
        self.plugin_lost.load(Ordering::Acquire)
    }

    /// A primitive begins; whatever was lost before it is replaced in it.
    pub(crate) fn forget_lost_plugin(&self) {
        self.plugin_lost.store(false, Ordering::Release);
    }

    /// Releases it, before a new primitive. Nothing moves by that alone.
    pub fn release(&self) {
        self.thrown.store(false, Ordering::Release);
    }
}
