//! What the wrapped parts share: which fault, whether it is there yet, and the
//! record of what was commanded and measured.
//!
//! A trial is one scheduler on one thread; the atomics and the lock only make
//! the parts `Send`, nobody ever waits.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use vola_abi::{CommandFrame, StateFrame};

use crate::{
    Fault,
    motion::{Motion, Tick},
};

/// Joint speed (rad/s) above which the arm is fast enough to be worth stopping.
const FAST_RAD_PER_S: f64 = 0.25;
/// A time that never comes.
const NEVER: u64 = u64::MAX;

/// One fault in one trial.
#[derive(Debug)]
pub(crate) struct Injection {
    fault: Fault,
    /// Arm joints; the gripper comes after them.
    arm_joints: AtomicUsize,
    /// Not before this time (ns).
    armed_ns: AtomicU64,
    began_ns: AtomicU64,
    is_over: AtomicBool,
    now_ns: AtomicU64,
    motion: Mutex<Motion>,
}

impl Injection {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            fault,
            arm_joints: AtomicUsize::new(0),
            armed_ns: AtomicU64::new(NEVER),
            began_ns: AtomicU64::new(NEVER),
            is_over: AtomicBool::new(false),
            now_ns: AtomicU64::new(0),
            motion: Mutex::default(),
        }
    }

    /// Tells how many of a frame's values are the arm's.
    pub(crate) fn set_arm_joints(&self, count: usize) {
        self.arm_joints.store(count, Ordering::Relaxed);
    }

    /// The fault begins when the arm is fast, from this time on. The record
    /// begins anew.
    pub(crate) fn arm(&self, from_ns: u64) {
        self.armed_ns.store(from_ns, Ordering::Relaxed);
        *self.motion() = Motion::default();
    }

    /// The part is mended.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    pub(crate) fn fault(&self) -> Fault {
        self.fault
    }

    /// The fault, while it is there.
    pub(crate) fn active(&self) -> Option<Fault> {
        let is_there = self.began_ns().is_some() && !self.is_over.load(Ordering::Relaxed);
        is_there.then_some(self.fault)
    }

    /// When the fault began (ns), if it did.
    pub(crate) fn began_ns(&self) -> Option<u64> {
        Some(self.began_ns.load(Ordering::Relaxed)).filter(|began| *began != NEVER)
    }

    /// Time since the fault began (ns).
    pub(crate) fn age_ns(&self) -> u64 {
        let now_ns = self.now_ns.load(Ordering::Relaxed);
        now_ns.saturating_sub(self.began_ns().unwrap_or(now_ns))
    }

    /// A command is on its way. The first fast one after the arming is the last
    /// of a whole robot.
    pub(crate) fn see_command(&self, frame: &CommandFrame) {
        self.now_ns.store(frame.time_ns, Ordering::Relaxed);
        self.motion().command(frame);
        let is_armed = frame.time_ns >= self.armed_ns.load(Ordering::Relaxed);
        if is_armed && self.began_ns().is_none() && self.is_fast(frame) {
            self.began_ns.store(frame.time_ns, Ordering::Relaxed);
        }
    }

    /// What the robot really measures, before it is spoiled.
    pub(crate) fn see_state(&self, frame: &StateFrame) {
        self.motion().state(frame);
    }

    /// Ends the record; what it holds.
    pub(crate) fn take_ticks(&self) -> Vec<Tick> {
        std::mem::take(&mut *self.motion()).into_ticks()
    }

    fn is_fast(&self, frame: &CommandFrame) -> bool {
        frame
            .velocity
            .iter()
            .take(self.arm_joints.load(Ordering::Relaxed))
            .any(|velocity| velocity.abs() >= FAST_RAD_PER_S)
    }

    fn motion(&self) -> MutexGuard<'_, Motion> {
        self.motion.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
