//! What the control loop publishes after every tick.

use vola_abi::StateFrame;
use vola_motion::{Interventions, MAX_JOINTS, Rejection};

/// What the control loop is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ControlMode {
    /// A path is followed.
    Following,
    /// The arm brakes along its limits, then stands.
    #[default]
    Holding,
    /// As holding, latched until a reset.
    Stopped(StopCause),
}

/// Why the loop stopped the arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopCause {
    /// The actuator gave no state.
    StateFault,
    /// The state has the wrong length or a value that is not finite.
    StateInvalid,
    /// The actuator did not take a command.
    CommandFault,
    /// A joint does not follow its commands.
    TrackingError,
    /// The safety filter refused for another reason.
    Filter,
}

impl StopCause {
    /// In words, for messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StateFault => "the robot gave no state",
            Self::StateInvalid => "the measured state is invalid",
            Self::CommandFault => "the robot did not take a command",
            Self::TrackingError => "a joint does not follow its commands (blocked or broken)",
            Self::Filter => "the safety filter refused to go on",
        }
    }
}

/// The newest tick. Fixed size, copied as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ControlStatus {
    pub(crate) time_ns: u64,
    pub(crate) ticks: u64,
    pub(crate) mode: ControlMode,
    pub(crate) at_rest: bool,
    pub(crate) state: StateFrame,
    pub(crate) command: [f64; MAX_JOINTS],
    pub(crate) command_count: usize,
    /// Ticks in which the filter changed a command.
    pub(crate) interventions: u64,
    pub(crate) last_interventions: Interventions,
    pub(crate) rejection: Option<Rejection>,
    /// Sum over ticks and joints of squared commanded jerk (rad²/s⁶).
    pub(crate) jerk_squared_sum: f64,
}

impl Default for ControlStatus {
    fn default() -> Self {
        Self {
            time_ns: 0,
            ticks: 0,
            mode: ControlMode::Holding,
            at_rest: true,
            state: StateFrame::default(),
            command: [0.0; MAX_JOINTS],
            command_count: 0,
            interventions: 0,
            last_interventions: Interventions::default(),
            rejection: None,
            jerk_squared_sum: 0.0,
        }
    }
}

impl ControlStatus {
    /// Last commanded positions, gripper last.
    pub(crate) fn command(&self) -> &[f64] {
        self.command.get(..self.command_count).unwrap_or(&self.command)
    }

    pub(crate) fn set_command(&mut self, positions: &[f64]) {
        for (slot, value) in self.command.iter_mut().zip(positions) {
            *slot = *value;
        }
        self.command_count = positions.len().min(MAX_JOINTS);
    }
}
