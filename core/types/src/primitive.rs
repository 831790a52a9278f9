//! Primitives: the unit in which the planner commands the robot.

use serde::{Deserialize, Serialize};

use crate::Op;

/// What one primitive is to do, with its geometry resolved.
///
/// The policy receives `task` and the points; the executor uses the points for
/// the ops that it generates itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrimitiveGoal {
    /// What to do.
    pub op: Op,
    /// The sentence given to the policy, made from the op.
    pub task: String,
    /// Where the object to act on was seen (m, base frame).
    #[serde(default)]
    pub object: Option<[f64; 3]>,
    /// Where to bring it, or where to go (m, base frame).
    #[serde(default)]
    pub target: Option<[f64; 3]>,
    /// For `wait`: how long (s).
    #[serde(default)]
    pub seconds: Option<f64>,
}

/// How a primitive ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The progress head and the op's own check agree that it is done.
    Done,
    /// The failing output stayed high, or a check failed.
    Failed,
    /// Its time ran out.
    TimedOut,
    /// A person or the safety layer stopped it.
    Interrupted,
}

impl Outcome {
    /// The word in JSON and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Interrupted => "interrupted",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
