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
}

impl StopSwitch {
    /// Throws it: motion ends from the next tick on. Safe in a signal handler.
    pub fn throw(&self) {
        self.thrown.store(true, Ordering::Release);
    }

    /// Whether it is thrown.
    #[must_use]
    pub fn is_thrown(&self) -> bool {
        self.thrown.load(Ordering::Acquire)
    }

    /// Releases it, before a new primitive. Nothing moves by that alone.
    pub fn release(&self) {
        self.thrown.store(false, Ordering::Release);
    }
}
