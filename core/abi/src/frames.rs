//! Fixed-size frames of the control thread and the camera buffer.
//!
//! Frames are owned by the caller and reused, so that a control tick allocates
//! nothing.

use abi_stable::{StableAbi, std_types::RSliceMut};

/// Most values in one frame: arm joints, then the gripper.
pub const FRAME_JOINTS: usize = 64;

/// What the robot measured at one instant.
///
/// # Units
/// Positions rad or m, velocities per second, efforts N·m or N; the gripper
/// value last, 0 closed … 1 open. Only the first `count` entries hold.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub struct StateFrame {
    /// When it was measured, on the runtime's clock (ns).
    pub capture_time_ns: u64,
    /// Values that hold.
    pub count: u32,
    /// What else is known, as flags: [`WRENCH`](Self::WRENCH),
    /// [`EMERGENCY_STOP`](Self::EMERGENCY_STOP),
    /// [`HOLD_RELEASED`](Self::HOLD_RELEASED). The name is from when it held the
    /// first alone, as 0 or 1, and is part of the interface.
    pub has_wrench: u32,
    /// Measured positions.
    pub position: [f64; FRAME_JOINTS],
    /// Measured velocities.
    pub velocity: [f64; FRAME_JOINTS],
    /// Measured efforts; zero where not measured.
    pub effort: [f64; FRAME_JOINTS],
    /// Force (N) and torque (N·m) at the tool, base axes.
    pub wrench: [f64; 6],
}

impl Default for StateFrame {
    fn default() -> Self {
        Self {
            capture_time_ns: 0,
            count: 0,
            has_wrench: 0,
            position: [0.0; FRAME_JOINTS],
            velocity: [0.0; FRAME_JOINTS],
            effort: [0.0; FRAME_JOINTS],
            wrench: [0.0; 6],
        }
    }
}

impl StateFrame {
    /// Flag: `wrench` was measured.
    pub const WRENCH: u32 = 1;
    /// Flag: an emergency stop at the robot is pressed. The runtime stops, asks for
    /// power to be cut, and is not reset while it is pressed.
    pub const EMERGENCY_STOP: u32 = 2;
    /// Flag: the robot's hold-to-run (enabling) device is not held. The runtime
    /// stops, and is not reset before it is held.
    pub const HOLD_RELEASED: u32 = 4;

    /// Whether a flag is set.
    #[must_use]
    pub fn has(&self, flag: u32) -> bool {
        self.has_wrench & flag != 0
    }

    /// The positions that hold.
    #[must_use]
    pub fn positions(&self) -> &[f64] {
        self.position
            .get(..self.count as usize)
            .unwrap_or(&self.position)
    }

    /// The velocities that hold.
    #[must_use]
    pub fn velocities(&self) -> &[f64] {
        self.velocity
            .get(..self.count as usize)
            .unwrap_or(&self.velocity)
    }
}

/// What the robot is told for one tick. Made only from a checked command.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq)]
pub struct CommandFrame {
    /// The tick's time on the runtime's clock (ns).
    pub time_ns: u64,
    /// Values that hold.
    pub count: u32,
    /// Unused; zero.
    pub reserved: u32,
    /// Commanded positions (rad, m; gripper 0..1 last).
    pub position: [f64; FRAME_JOINTS],
    /// Velocities of the same reference, as feed-forward.
    pub velocity: [f64; FRAME_JOINTS],
}

impl Default for CommandFrame {
    fn default() -> Self {
        Self {
            time_ns: 0,
            count: 0,
            reserved: 0,
            position: [0.0; FRAME_JOINTS],
            velocity: [0.0; FRAME_JOINTS],
        }
    }
}

impl CommandFrame {
    /// The positions that hold.
    #[must_use]
    pub fn positions(&self) -> &[f64] {
        self.position
            .get(..self.count as usize)
            .unwrap_or(&self.position)
    }
}

/// How a robot is brought to rest, by analogy to IEC 60204-1.
#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopCategory {
    /// Cut power at once.
    Zero,
    /// Controlled stop, then disable.
    One,
    /// Controlled stop, then hold with power.
    Two,
}

/// A camera's pixels, written in place by the plugin.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct ImageBufferAbi<'a> {
    /// Columns the caller expects (px).
    pub width: u32,
    /// Rows the caller expects (px).
    pub height: u32,
    /// Set by the camera: when the picture was taken, on the runtime's clock (ns).
    pub capture_time_ns: u64,
    /// u8 `[height, width, 3]`, row-major, in the described colour order.
    pub data: RSliceMut<'a, u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lying_count_never_reads_past_the_frame_and_flags_are_bits() {
        let frame = StateFrame {
            count: u32::MAX,
            ..StateFrame::default()
        };
        assert_eq!(frame.positions().len(), FRAME_JOINTS);
        assert_eq!(StateFrame { count: 7, ..frame }.velocities().len(), 7);
        let flags = StateFrame {
            has_wrench: StateFrame::WRENCH | StateFrame::EMERGENCY_STOP,
            ..StateFrame::default()
        };
        assert!(flags.has(StateFrame::WRENCH) && !flags.has(StateFrame::HOLD_RELEASED));
        let command = CommandFrame {
            count: 65,
            ..CommandFrame::default()
        };
        assert_eq!(command.positions().len(), FRAME_JOINTS);
    }
}
