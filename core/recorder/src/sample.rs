//! What a recorder is given: measured instants, pictures, and who is in control.

use serde::{Deserialize, Serialize};

/// Who gives the arm its motion. Exactly one at any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The learned policy.
    Policy,
    /// A person: jogging, or a leader arm.
    Human,
    /// The runtime on the planner's behalf: home, gripper, wait, rest.
    #[default]
    Planner,
    /// The scripted expert of a simulated world.
    Expert,
}

impl Who {
    /// The word in recordings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Human => "human",
            Self::Planner => "planner",
            Self::Expert => "expert",
        }
    }
}

/// What part of a handoff the arm is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It does what was asked.
    Auto,
    /// It stands and waits.
    #[default]
    Hold,
    /// A person brings it back to where the task can go on.
    Recovery,
    /// A person shows what should have been done.
    Correction,
}

impl Phase {
    /// The word in recordings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Hold => "hold",
            Self::Recovery => "recovery",
            Self::Correction => "correction",
        }
    }
}

/// A pose in the base frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Position (m).
    pub position: [f64; 3],
    /// Unit quaternion x, y, z, w.
    pub orientation: [f64; 4],
}

impl Default for Pose {
    fn default() -> Self {
        Self {
            position: [0.0; 3],
            orientation: [0.0, 0.0, 0.0, 1.0],
        }
    }
}

/// One measured instant, at 100 Hz.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MotionSample {
    /// When (ns, on the runtime's clock).
    pub time_ns: u64,
    /// Measured positions of the layout's joints (rad, m), gripper last (0..1).
    pub position: Vec<f64>,
    /// Measured velocities, in the same order.
    pub velocity: Vec<f64>,
    /// Commanded positions, in the same order.
    pub command: Vec<f64>,
    /// The layout's state values, in its order.
    pub state: Vec<f64>,
    /// Measured tool pose.
    pub tool: Pose,
    /// Commanded tool pose.
    pub tool_command: Pose,
}

/// What the confidence gate said of one decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Higher is surer.
    pub score: f64,
    /// Below it the arm holds.
    pub threshold: f64,
    /// Whether the arm must hold now.
    pub low: bool,
    /// Raw signals by name.
    pub signals: Vec<(String, f64)>,
    /// Probabilities of (done, failing), where a progress head gives them.
    pub progress: Option<(f64, f64)>,
    /// Duration of the decision (ms); 0 in virtual time.
    pub millis: f64,
}

/// An 8-bit RGB picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pixels {
    /// Columns (px).
    pub width: u32,
    /// Rows (px).
    pub height: u32,
    /// `[height, width, 3]`, row-major.
    pub rgb: Vec<u8>,
}

/// How an episode ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpisodeEnd {
    /// Whether its goal was reached, as measured.
    pub success: bool,
    /// In one word: `done`, `failed`, `aborted`, `interrupted` …
    pub outcome: String,
}
