//! What can be broken, and what must follow.

use serde::Serialize;

/// The part that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Broken {
    /// The wire to the robot.
    RobotLink,
    /// What the robot measures of itself.
    Proprioception,
    /// The camera that the policy looks through.
    Camera,
    /// The stage that gives the action chunk.
    Policy,
    /// The control loop's own time.
    ControlLoop,
    /// The person, or the planner, behind the robot.
    Person,
    /// The process of an isolated plugin.
    Process,
}

/// What must follow a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A stop by one of these watchdogs or limits, latched until a reset.
    Stop(&'static [&'static str]),
    /// The arm comes to rest, not latched; told under this name.
    Hold(&'static str),
    /// The primitive ends as failed, with the arm at rest; told under this name.
    Failure(&'static str),
    /// Nothing: the motion goes on.
    Bridged,
}

/// One way to break a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Reading the state is an error.
    StateError,
    /// The last state is given again and again, with its old stamp.
    StateStale,
    /// The same for 15 ms, or 5 ms less than a shorter deadline.
    StateGap,
    /// States come 10 ms later than the deadline.
    StateDelayed,
    /// Every other state comes after the one that follows it.
    StateReordered,
    /// Commands are refused.
    CommandError,
    /// Both at once.
    LinkLost,
    /// Neither states nor commands come through for 1 ms.
    LinkGap1,
    /// The same for 10 ms.
    LinkGap10,
    /// The same for as long as must be bridged: 19 ms, or 2 ms less than a
    /// shorter deadline.
    LinkGapLongest,
    /// No new states for 3 ms more than the deadline; then all is well again.
    LinkGapTooLong,
    /// The same for 300 ms.
    LinkGap300,
    /// The same for 1000 ms.
    LinkGap1000,
    /// Every state comes twice.
    StateDuplicated,
    /// Every command reaches the robot twice.
    CommandDuplicated,
    /// The last joint values are given again with new stamps.
    StateFrozen,
    /// A position is not a number.
    StateNan,
    /// A velocity is infinite.
    StateInfinite,
    /// One joint is missing.
    StateShort,
    /// A measured joint leaps by 0.5 rad.
    StateLeap,
    /// A joint stands still whatever it is told.
    JointBlocked,
    /// The robot's clock leaps one hour back.
    ClockBack,
    /// The robot's clock leaps one hour ahead.
    ClockAhead,
    /// The same picture again and again, with new stamps.
    CameraFrozen,
    /// The same picture again and again, with its old stamp.
    CameraSilent,
    /// Pictures come 350 ms late.
    CameraDelayed,
    /// Grabbing a picture is an error.
    CameraError,
    /// One value of the action is not a number.
    ActionNan,
    /// One value of the action is infinite.
    ActionInfinite,
    /// One value of the action is huge.
    ActionHuge,
    /// The action has a row too few.
    ActionShort,
    /// The action says it has another element type.
    ActionType,
    /// The action has another name.
    ActionMissing,
    /// The stage returns an error.
    StageError,
    /// A decision takes twice its time.
    InferenceTwice,
    /// A decision takes ten times its time.
    InferenceTenfold,
    /// A decision takes anything up to ten times its time.
    InferenceJitter,
    /// A decision takes longer than the path before it may run.
    InferenceLate,
    /// The control loop misses one tick fewer in a row than stops the arm.
    TicksLate,
    /// The control loop misses as many as stop the arm.
    TicksMissed,
    /// The person at the controls lets go.
    OperatorSilent,
    /// The planner gives no sign of life.
    PlannerSilent,
    /// Somebody throws the stop switch.
    StopThrown,
    /// Somebody demands a controlled stop.
    StopDemanded,
    /// Somebody demands that power be cut.
    PowerCutDemanded,
    /// A reset is asked for as soon as a demanded stop is told.
    ResetEarly,
    /// Somebody presses the emergency stop at the robot.
    EmergencyStop,
    /// The tool meets something harder than the limit allows.
    Contact,
    /// The process of the isolated action stage is killed.
    StageKilled,
    /// The process of the isolated action stage stands still.
    StageHung,
    /// The process of the isolated robot is killed.
    RobotKilled,
}

/// How soon the cause must be told after it could first be known (ms).
pub(crate) const TOLD_MS: f64 = 100.0;

impl Fault {
    /// Every fault, by part.
    pub const ALL: [Self; 51] = [
        Self::StateError,
        Self::StateStale,
        Self::StateGap,
        Self::StateDelayed,
        Self::StateReordered,
        Self::CommandError,
        Self::LinkLost,
        Self::LinkGap1,
        Self::LinkGap10,
        Self::LinkGapLongest,
        Self::LinkGapTooLong,
        Self::LinkGap300,
        Self::LinkGap1000,
        Self::StateDuplicated,
        Self::CommandDuplicated,
        Self::StateFrozen,
        Self::StateNan,
        Self::StateInfinite,
        Self::StateShort,
        Self::StateLeap,
        Self::JointBlocked,
        Self::ClockBack,
        Self::ClockAhead,
        Self::CameraFrozen,
        Self::CameraSilent,
        Self::CameraDelayed,
        Self::CameraError,
        Self::ActionNan,
        Self::ActionInfinite,
        Self::ActionHuge,
        Self::ActionShort,
        Self::ActionType,
        Self::ActionMissing,
        Self::StageError,
        Self::InferenceTwice,
        Self::InferenceTenfold,
        Self::InferenceJitter,
        Self::InferenceLate,
        Self::TicksLate,
        Self::TicksMissed,
        Self::OperatorSilent,
        Self::PlannerSilent,
        Self::StopThrown,
        Self::StopDemanded,
        Self::PowerCutDemanded,
        Self::ResetEarly,
        Self::EmergencyStop,
        Self::Contact,
        Self::StageKilled,
        Self::StageHung,
        Self::RobotKilled,
    ];

    /// Its name, for arguments and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// What is done, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        self.row().1
    }

    /// The part that is broken.
    #[must_use]
    pub fn broken(self) -> Broken {
        self.row().2
    }

    /// What must follow.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        self.row().3
    }

    /// The fault with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// Whether what must follow depends on the deadline of the state or on the
    /// number of missed ticks that a deployment may set.
    #[must_use]
    pub fn depends_on_deadlines(self) -> bool {
        matches!(
            self,
            Self::StateStale
                | Self::StateGap
                | Self::StateDelayed
                | Self::StateReordered
                | Self::StateDuplicated
                | Self::LinkGap1
                | Self::LinkGap10
                | Self::LinkGapLongest
                | Self::LinkGapTooLong
                | Self::LinkGap300
                | Self::LinkGap1000
                | Self::StateFrozen
                | Self::ClockBack
                | Self::ClockAhead
                | Self::TicksLate
                | Self::TicksMissed
        )
    }

    #[rustfmt::skip]
    fn row(self) -> (&'static str, &'static str, Broken, Outcome) {
        use Broken::{Camera, ControlLoop, Person, Policy, Process, Proprioception, RobotLink};
        use Outcome::{Bridged, Failure, Hold, Stop};
        match self {
            Self::StateError => ("state_error", "reading the state fails", RobotLink, Stop(&["robot_link"])),
            // A fast arm is far from an old state before that is too old.
            Self::StateStale => ("state_stale", "the last state again, old stamp", RobotLink, Stop(&["robot_link", "tracking"])),
            Self::StateGap => ("state_gap", "no new state for 15 ms", RobotLink, Bridged),
            Self::StateDelayed => ("state_delayed", "states 10 ms later than the deadline", RobotLink, Stop(&["robot_link", "tracking"])),
            Self::StateReordered => ("state_reordered", "states swap places in pairs", RobotLink, Bridged),
            Self::CommandError => ("command_error", "commands are refused", RobotLink, Stop(&["robot_link"])),
            Self::LinkLost => ("link_lost", "neither state nor commands", RobotLink, Stop(&["robot_link"])),
            Self::LinkGap1 => ("link_gap_1", "the link is dead for 1 ms", RobotLink, Bridged),
            Self::LinkGap10 => ("link_gap_10", "the link is dead for 10 ms", RobotLink, Bridged),
            Self::LinkGapLongest => ("link_gap_longest", "the link is dead for 19 ms", RobotLink, Bridged),
            Self::LinkGapTooLong => ("link_gap_too_long", "no states for 3 ms over the deadline", RobotLink, Stop(&["robot_link", "tracking"])),
            Self::LinkGap300 => ("link_gap_300", "no states for 300 ms", RobotLink, Stop(&["robot_link", "tracking"])),
            Self::LinkGap1000 => ("link_gap_1000", "no states for 1000 ms", RobotLink, Stop(&["robot_link", "tracking"])),
            Self::StateDuplicated => ("state_duplicated", "every state comes twice", RobotLink, Bridged),
            Self::CommandDuplicated => ("command_duplicated", "every command comes twice", RobotLink, Bridged),
            Self::StateFrozen => ("state_frozen", "the last joints again, new stamps", Proprioception, Stop(&["proprioception", "tracking"])),
            Self::StateNan => ("state_nan", "a position is not a number", Proprioception, Stop(&["proprioception"])),
            Self::StateInfinite => ("state_infinite", "a velocity is infinite", Proprioception, Stop(&["proprioception"])),
            Self::StateShort => ("state_short", "a joint is missing", Proprioception, Stop(&["proprioception"])),
            Self::StateLeap => ("state_leap", "a joint leaps by 0.5 rad", Proprioception, Stop(&["tracking"])),
            Self::JointBlocked => ("joint_blocked", "a joint stands whatever it is told", Proprioception, Stop(&["tracking"])),
            Self::ClockBack => ("clock_back", "the robot's clock leaps 1 h back", Proprioception, Stop(&["robot_link"])),
            Self::ClockAhead => ("clock_ahead", "the robot's clock leaps 1 h ahead", Proprioception, Stop(&["robot_link"])),
            Self::CameraFrozen => ("camera_frozen", "the last picture again, new stamps", Camera, Stop(&["camera"])),
            Self::CameraSilent => ("camera_silent", "the last picture again, old stamp", Camera, Stop(&["camera"])),
            Self::CameraDelayed => ("camera_delayed", "pictures come 350 ms late", Camera, Stop(&["camera"])),
            Self::CameraError => ("camera_error", "taking a picture fails", Camera, Stop(&["camera"])),
            Self::ActionNan => ("action_nan", "an action value is not a number", Policy, Failure("action chunk")),
            Self::ActionInfinite => ("action_infinite", "an action value is infinite", Policy, Failure("action chunk")),
            Self::ActionHuge => ("action_huge", "an action value is 1e30", Policy, Failure("action chunk")),
            Self::ActionShort => ("action_short", "the action is a row short", Policy, Failure("action chunk")),
            Self::ActionType => ("action_type", "the action claims another type", Policy, Failure("action chunk")),
            Self::ActionMissing => ("action_missing", "the action has another name", Policy, Failure("action chunk")),
            Self::StageError => ("stage_error", "the stage returns an error", Policy, Failure("policy")),
            Self::InferenceTwice => ("inference_twice", "decisions take twice their time", Policy, Bridged),
            Self::InferenceTenfold => ("inference_tenfold", "decisions take ten times their time", Policy, Bridged),
            Self::InferenceJitter => ("inference_jitter", "decisions take up to ten times their time", Policy, Bridged),
            Self::InferenceLate => ("inference_late", "decisions outlast the path before them", Policy, Hold("inference_deadline")),
            Self::TicksLate => ("ticks_late", "one missed tick fewer than stops", ControlLoop, Bridged),
            Self::TicksMissed => ("ticks_missed", "as many missed ticks as stop", ControlLoop, Stop(&["control_ticks"])),
            Self::OperatorSilent => ("operator_silent", "no sign of life for 100 ms", Person, Stop(&["operator_heartbeat"])),
            Self::PlannerSilent => ("planner_silent", "no sign of life for 100 ms", Person, Hold("planner_heartbeat")),
            Self::StopThrown => ("stop_thrown", "the stop switch is thrown", Person, Hold("stop_switch")),
            Self::StopDemanded => ("stop_demanded", "a controlled stop is demanded", Person, Stop(&["stop_switch"])),
            Self::PowerCutDemanded => ("power_cut_demanded", "a power cut is demanded", Person, Stop(&["stop_switch"])),
            Self::ResetEarly => ("reset_early", "a stop is demanded and reset at once", Person, Stop(&["stop_switch"])),
            Self::EmergencyStop => ("emergency_stop", "the robot's emergency stop is pressed", Person, Stop(&["emergency_stop"])),
            Self::Contact => ("contact", "the tool is pushed with 100 N", Proprioception, Stop(&["contact_force"])),
            Self::StageKilled => ("stage_killed", "the action stage's process is killed", Process, Failure("plugin")),
            Self::StageHung => ("stage_hung", "the action stage's process stands", Process, Failure("plugin")),
            Self::RobotKilled => ("robot_killed", "the robot's process is killed", Process, Stop(&["robot_link"])),
        }
    }
}
