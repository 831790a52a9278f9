//! "Stop" from any thread, without a model, a lock or a queue.

use crate::sync::{Arc, AtomicBool, AtomicU8, Ordering};

/// How a robot is brought to rest, by analogy to the stop categories of
/// IEC 60204-1. A later one includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum StopLevel {
    /// No stop.
    #[default]
    None = 0,
    /// Brake along the limits and stand under power (category 2).
    Hold = 1,
    /// A controlled stop, then the drives are disabled (category 1); latched.
    ControlledStop = 2,
    /// Power is cut at once (category 0); latched. A request: what the robot
    /// does is its own controller's, and a hardware emergency stop stays required.
    CutPower = 3,
}

impl StopLevel {
    pub(crate) fn of_code(code: u8) -> Self {
        match code & !OBEYED {
            0 => Self::None,
            1 => Self::Hold,
            2 => Self::ControlledStop,
            _ => Self::CutPower,
        }
    }
}

/// Beside a level: the control loop has obeyed it.
const OBEYED: u8 = 0x80;

/// A switch that any thread may throw. The control loop reads it every tick
/// and brings the arm to rest; whoever drives a primitive ends it.
#[derive(Clone, Debug)]
pub struct StopSwitch {
    level: Arc<AtomicU8>,
    plugin_lost: Arc<AtomicBool>,
}

impl Default for StopSwitch {
    fn default() -> Self {
        Self {
            level: Arc::new(AtomicU8::new(StopLevel::None as u8)),
            plugin_lost: Arc::new(AtomicBool::new(false)),
        }
    }
}

impl StopSwitch {
    /// Throws it: motion ends from the next tick on, and the arm holds. Safe in
    /// a signal handler.
    pub fn throw(&self) {
        self.demand(StopLevel::Hold);
    }

    /// Demands a stop of at least this level; a stronger one that is already
    /// demanded stays. Safe in a signal handler.
    pub fn demand(&self, level: StopLevel) {
        let stronger = |code: u8| Some(StopLevel::of_code(code).max(level) as u8);
        // It always gives a value, so it always succeeds.
        let _ = self
            .level
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, stronger);
    }

    /// The control loop has latched this level. A demand that came meanwhile
    /// is not taken for it.
    pub(crate) fn obeyed(&self, level: StopLevel) {
        let code = level as u8;
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        // Another value is another demand, and waits for its own turn.
        let _ = self
            .level
            .compare_exchange(code, code | OBEYED, success, failure);
    }

    /// What is demanded; a lost plugin demands a hold.
    #[must_use]
    pub fn level(&self) -> StopLevel {
        match StopLevel::of_code(self.level.load(Ordering::Acquire)) {
            StopLevel::None if self.has_lost_plugin() => StopLevel::Hold,
            level => level,
        }
    }

    /// Whether any stop is demanded.
    #[must_use]
    pub fn is_thrown(&self) -> bool {
        self.level() != StopLevel::None
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

    /// Releases it, before a new primitive; whether it is released. Nothing moves
    /// by that alone: a stop that the control loop has latched stays until its
    /// reset, and one that it has not seen yet is not released.
    pub fn release(&self) -> bool {
        let leave = |code: u8| {
            let is_latched = StopLevel::of_code(code) >= StopLevel::ControlledStop;
            (!is_latched || code & OBEYED != 0).then_some(StopLevel::None as u8)
        };
        // Kept: somebody demands a stop that is about to be obeyed.
        self.level
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, leave)
            .is_ok()
    }
}
