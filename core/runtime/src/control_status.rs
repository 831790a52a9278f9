//! What the control loop publishes after every tick.

use vola_abi::{StateFrame, StopCategory};
use vola_motion::{Interventions, Limit, MAX_JOINTS, Rejection};

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

/// Why the loop stopped the arm. Latched until a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopCause {
    /// The actuator gave no state.
    StateFault,
    /// The state has the wrong length or a value that is not finite.
    StateInvalid,
    /// No new state within the deadline: the link to the robot is gone.
    StateStale,
    /// The same state again and again while the arm is commanded to move.
    StateFrozen,
    /// The actuator did not take a command.
    CommandFault,
    /// A joint does not follow its commands.
    TrackingError,
    /// Force or torque at the tool is above its limit.
    Contact,
    /// The safety filter refused for another reason.
    Filter,
    /// Too many periods in a row without a tick.
    TicksMissed,
    /// A camera has been silent for too long.
    CameraSilent,
    /// A camera shows the same picture while the arm moves.
    CameraFrozen,
    /// The person at the controls gave no sign of life.
    OperatorSilent,
    /// A person demanded a controlled stop.
    Demanded,
    /// A person demanded that power be cut.
    PowerCutDemanded,
    /// An emergency stop at the robot is pressed.
    EmergencyStop,
    /// The robot's hold-to-run device is not held.
    HoldReleased,
    /// The gripper presses harder than it may.
    GripForce,
    /// Nobody answered a question of the holding robot.
    Unanswered,
    /// The same, where the deployment wants power to be cut.
    UnansweredPowerOff,
}

impl StopCause {
    /// Every cause. Recordings name them by their place: add at the end.
    pub(crate) const ALL: [Self; 19] = [
        Self::StateFault,
        Self::StateInvalid,
        Self::StateStale,
        Self::StateFrozen,
        Self::CommandFault,
        Self::TrackingError,
        Self::Contact,
        Self::Filter,
        Self::TicksMissed,
        Self::CameraSilent,
        Self::CameraFrozen,
        Self::OperatorSilent,
        Self::Demanded,
        Self::PowerCutDemanded,
        Self::EmergencyStop,
        Self::HoldReleased,
        Self::GripForce,
        Self::Unanswered,
        Self::UnansweredPowerOff,
    ];

    /// In words, for messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StateFault => "the robot gave no state",
            Self::StateInvalid => "the measured state is invalid",
            Self::StateStale => "the robot gave no new state within its deadline",
            Self::StateFrozen => {
                "the measured state is frozen: it repeats itself while the arm is commanded to move"
            }
            Self::CommandFault => "the robot did not take a command",
            Self::TrackingError => "a joint does not follow its commands (blocked or broken)",
            Self::Contact => {
                "the arm pushes against something harder than `safety.force_stop_n` or `safety.torque_stop_nm` allows"
            }
            Self::Filter => "the safety filter refused to go on",
            Self::TicksMissed => "the control loop missed too many ticks in a row",
            Self::CameraSilent => "a camera gave no new picture within its deadline",
            Self::CameraFrozen => "a camera shows the same picture while the arm moves",
            Self::OperatorSilent => "the person at the controls gave no sign of life",
            Self::Demanded => "a person demanded it",
            Self::PowerCutDemanded => "a person demanded that power be cut",
            Self::EmergencyStop => "an emergency stop at the robot is pressed",
            Self::GripForce => "the gripper presses harder than `safety.gripper_force_n` allows",
            Self::HoldReleased => "the robot's hold-to-run device is not held",
            Self::Unanswered => "nobody answered within `handoff.timeout_s`",
            Self::UnansweredPowerOff => {
                "nobody answered within `handoff.timeout_s`; power shall be cut"
            }
        }
    }

    /// The watchdog or limit, as one word for logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::StateFault | Self::StateStale | Self::CommandFault => "robot_link",
            Self::StateInvalid | Self::StateFrozen => "proprioception",
            Self::TrackingError => "tracking",
            Self::Contact => "contact_force",
            Self::Filter => "safety_filter",
            Self::TicksMissed => "control_ticks",
            Self::CameraSilent | Self::CameraFrozen => "camera",
            Self::OperatorSilent => "operator_heartbeat",
            Self::Demanded | Self::PowerCutDemanded => "stop_switch",
            Self::EmergencyStop => "emergency_stop",
            Self::HoldReleased => "hold_to_run",
            Self::GripForce => "gripper_force",
            Self::Unanswered | Self::UnansweredPowerOff => "handoff",
        }
    }

    /// The stop that follows, by analogy to IEC 60204-1: a controlled stop and
    /// then disabled drives, or power cut at once.
    pub(crate) fn category(self) -> StopCategory {
        if self.cuts_power() {
            StopCategory::Zero
        } else {
            StopCategory::One
        }
    }

    pub(crate) fn cuts_power(self) -> bool {
        matches!(
            self,
            Self::PowerCutDemanded | Self::EmergencyStop | Self::UnansweredPowerOff
        )
    }

    pub(crate) fn category_number(self) -> u8 {
        u8::from(!self.cuts_power())
    }
}

/// Why the loop holds the arm by itself. Not latched: a new path may follow
/// once the arm is at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldCause {
    /// No fresh chunk came in time.
    ChunkLate,
    /// The safety filter refused the command.
    Filter,
    /// The planner gave no sign of life.
    PlannerSilent,
    /// A person threw the stop switch.
    Demanded,
    /// The process of a plugin is gone.
    PluginLost,
    /// The authority over the arm passed on.
    AuthorityPassed,
    /// The person who moves the arm by hand gave no sign of life.
    JogSilent,
}

impl HoldCause {
    /// In words, for messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChunkLate => "no fresh chunk within the deadline",
            Self::Filter => "the safety filter refused a command",
            Self::PlannerSilent => "the planner gave no sign of life",
            Self::Demanded => "a person demanded it",
            Self::PluginLost => "the process of a plugin is gone",
            Self::AuthorityPassed => "the authority over the arm passed on",
            Self::JogSilent => "the person who moves the arm gave no sign of life",
        }
    }

    /// The watchdog or limit, as one word for logs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ChunkLate => "inference_deadline",
            Self::Filter => "safety_filter",
            Self::PlannerSilent => "planner_heartbeat",
            Self::Demanded => "stop_switch",
            Self::PluginLost => "plugin",
            Self::AuthorityPassed => "authority",
            Self::JogSilent => "jog_heartbeat",
        }
    }
}

/// The newest tick. Fixed size, copied as a whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ControlStatus {
    pub(crate) time_ns: u64,
    pub(crate) ticks: u64,
    pub(crate) mode: ControlMode,
    /// No motion is commanded.
    pub(crate) at_rest: bool,
    /// No motion is commanded and none is measured.
    pub(crate) stands: bool,
    pub(crate) state: StateFrame,
    /// The state as policies see it, at 100 Hz, and the end of the tick that
    /// read it (ns).
    pub(crate) proprioception: StateFrame,
    pub(crate) proprioception_ns: u64,
    pub(crate) command: [f64; MAX_JOINTS],
    pub(crate) command_count: usize,
    /// Ticks in which the filter changed a command, by what changed it.
    pub(crate) interventions: InterventionCounts,
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
            stands: true,
            state: StateFrame::default(),
            proprioception: StateFrame::default(),
            proprioception_ns: 0,
            command: [0.0; MAX_JOINTS],
            command_count: 0,
            interventions: InterventionCounts::default(),
            rejection: None,
            jerk_squared_sum: 0.0,
        }
    }
}

impl ControlStatus {
    /// Last commanded positions, gripper last.
    pub(crate) fn command(&self) -> &[f64] {
        self.command
            .get(..self.command_count)
            .unwrap_or(&self.command)
    }

    pub(crate) fn set_command(&mut self, positions: &[f64]) {
        for (slot, value) in self.command.iter_mut().zip(positions) {
            *slot = *value;
        }
        self.command_count = positions.len().min(MAX_JOINTS);
    }
}

/// Ticks in which the safety filter changed a command, by limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct InterventionCounts {
    /// By [`Limit`], over all joints.
    joints: [u64; Limit::ALL.len()],
    workspace: u64,
    tool_speed: u64,
    clearance: u64,
}

impl InterventionCounts {
    pub(crate) fn add(&mut self, interventions: &Interventions) {
        for (limit, count) in Limit::ALL.into_iter().zip(&mut self.joints) {
            let any = (0..MAX_JOINTS).any(|joint| interventions.joint(joint).contains(limit));
            *count += u64::from(any);
        }
        self.workspace += u64::from(interventions.workspace);
        self.tool_speed += u64::from(interventions.tool_speed);
        self.clearance += u64::from(interventions.clearance);
    }

    /// Limits with more ticks than before, in words, and how many.
    pub(crate) fn since(&self, before: &Self) -> Vec<(&'static str, u64)> {
        let pairs = self.by_limit().into_iter().zip(before.by_limit());
        pairs
            .map(|((limit, now), (_, then))| (limit, now.saturating_sub(then)))
            .filter(|(_, ticks)| *ticks > 0)
            .collect()
    }

    /// Every limit in words, and its ticks.
    pub(crate) fn by_limit(&self) -> [(&'static str, u64); LIMIT_WORDS] {
        let mut list = [("", 0); LIMIT_WORDS];
        let joints = Limit::ALL.into_iter().map(limit_word).zip(self.joints);
        let whole = [
            ("workspace", self.workspace),
            ("tool_speed", self.tool_speed),
            ("clearance", self.clearance),
        ];
        for (slot, pair) in list.iter_mut().zip(joints.chain(whole)) {
            *slot = pair;
        }
        list
    }
}

/// Limits that the safety filter counts by: the joints', workspace, tool speed,
/// clearance.
pub(crate) const LIMIT_WORDS: usize = Limit::ALL.len() + 3;

fn limit_word(limit: Limit) -> &'static str {
    match limit {
        Limit::Position => "joint_position",
        Limit::Velocity => "joint_velocity",
        Limit::Acceleration => "joint_acceleration",
        Limit::Jerk => "joint_jerk",
        Limit::StoppingDistance => "stopping_distance",
        Limit::SpeedScale => "speed_scale",
    }
}
