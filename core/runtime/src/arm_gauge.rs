//! Where the arm is right now, for people who look on from any thread.
//!
//! The control loop writes single atomics after every tick: no lock, no memory,
//! nobody to wait for. A reader may see joints of two neighbouring ticks, which
//! an eye cannot tell; nothing that moves the robot reads this. Rejected: a
//! second newest-value buffer, which serves one reader only.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::control_status::{ControlMode, ControlStatus, StopCause};

/// Joints shown at most; a frame may have as many.
const MOST: usize = vola_abi::FRAME_JOINTS;
/// Codes of the modes before those of the stop causes.
const FOLLOWING: u64 = 0;
const HOLDING: u64 = 1;
const STOPPED: u64 = 2;

/// The arm at the control loop's newest tick.
#[derive(Clone, Debug, PartialEq)]
pub struct ArmGlance {
    /// Time of the tick (ns, on the runtime's clock); 0 before the first.
    pub time_ns: u64,
    /// Ticks so far. A number that stands still means that the loop does.
    pub ticks: u64,
    /// What the loop does.
    pub mode: ControlMode,
    /// No motion is commanded.
    pub at_rest: bool,
    /// Measured positions: joints base to tip (rad, m), then the gripper
    /// (0 closed to 1 open) where there is one.
    pub positions: Vec<f64>,
}

/// The atomics between the loop and who looks on.
#[derive(Debug)]
pub(crate) struct ArmGauge {
    time_ns: AtomicU64,
    ticks: AtomicU64,
    mode: AtomicU64,
    at_rest: AtomicBool,
    count: AtomicU64,
    positions: [AtomicU64; MOST],
}

impl Default for ArmGauge {
    fn default() -> Self {
        Self {
            time_ns: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            mode: AtomicU64::new(HOLDING),
            at_rest: AtomicBool::new(true),
            count: AtomicU64::new(0),
            positions: [const { AtomicU64::new(0) }; MOST],
        }
    }
}

impl ArmGauge {
    /// Shows a tick. Allocates nothing, waits for nobody.
    pub(crate) fn show(&self, status: &ControlStatus) {
        let positions = status.state.positions();
        for (slot, position) in self.positions.iter().zip(positions) {
            slot.store(position.to_bits(), Ordering::Relaxed);
        }
        let count = positions.len().min(MOST) as u64;
        self.count.store(count, Ordering::Relaxed);
        self.mode.store(code(status.mode), Ordering::Relaxed);
        self.at_rest.store(status.at_rest, Ordering::Relaxed);
        self.time_ns.store(status.time_ns, Ordering::Relaxed);
        self.ticks.store(status.ticks, Ordering::Release);
    }

    /// The newest tick.
    pub(crate) fn glance(&self) -> ArmGlance {
        let ticks = self.ticks.load(Ordering::Acquire);
        let count = usize::try_from(self.count.load(Ordering::Relaxed)).unwrap_or(0);
        let positions = self.positions.iter().take(count);
        ArmGlance {
            time_ns: self.time_ns.load(Ordering::Relaxed),
            ticks,
            mode: mode(self.mode.load(Ordering::Relaxed)),
            at_rest: self.at_rest.load(Ordering::Relaxed),
            positions: positions
                .map(|bits| f64::from_bits(bits.load(Ordering::Relaxed)))
                .collect(),
        }
    }
}

fn code(mode: ControlMode) -> u64 {
    match mode {
        ControlMode::Following => FOLLOWING,
        ControlMode::Holding => HOLDING,
        ControlMode::Stopped(cause) => {
            let place = StopCause::ALL.iter().position(|one| *one == cause);
            STOPPED + place.unwrap_or(0) as u64
        }
    }
}

fn mode(code: u64) -> ControlMode {
    match code {
        FOLLOWING => ControlMode::Following,
        HOLDING => ControlMode::Holding,
        _ => {
            let place = usize::try_from(code - STOPPED).unwrap_or(usize::MAX);
            let cause = StopCause::ALL.get(place).copied();
            ControlMode::Stopped(cause.unwrap_or(StopCause::StateFault))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_read_as_it_was_shown() {
        let gauge = ArmGauge::default();
        assert_eq!(gauge.glance().mode, ControlMode::Holding);
        let modes = StopCause::ALL.map(ControlMode::Stopped);
        let others = [ControlMode::Following, ControlMode::Holding];
        for (number, mode) in (1..).zip(modes.into_iter().chain(others)) {
            let mut status = ControlStatus {
                ticks: number,
                time_ns: number * 1_000_000,
                mode,
                at_rest: number % 2 == 0,
                ..ControlStatus::default()
            };
            status.state.position[..3].copy_from_slice(&[0.5, -1.25, 1.0]);
            status.state.count = 3;
            gauge.show(&status);
            assert_eq!(
                gauge.glance(),
                ArmGlance {
                    time_ns: number * 1_000_000,
                    ticks: number,
                    mode,
                    at_rest: number % 2 == 0,
                    positions: vec![0.5, -1.25, 1.0],
                }
            );
        }
    }
}
