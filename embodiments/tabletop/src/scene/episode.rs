//! The JSON that `reset` answers and `set_goal` reads.

use serde::{Deserialize, Serialize};
use vola_types::{Direction, Op, Relation};

use super::{DrawnJson, TaskKind};
use crate::catalog::{Color, Kind};

/// What the evaluator may know of an episode. The first step is repeated on
/// the top level.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EpisodeJson {
    /// The task's word.
    pub(crate) task: TaskKind,
    /// The seed.
    pub(crate) seed: u64,
    /// The arm.
    pub(crate) arm: String,
    /// First step: what is done; none in free scenes.
    pub(crate) op: Option<Op>,
    /// First step: how the object comes to stand to the target.
    pub(crate) relation: Option<Relation>,
    /// First step: the object acted on.
    pub(crate) object: Option<ObjectRef>,
    /// First step: where it goes.
    pub(crate) target: Option<TargetRef>,
    /// All steps in order.
    pub(crate) steps: Vec<GoalJson>,
    /// Index in `objects` of what the gripper holds at the start.
    pub(crate) holding: Option<usize>,
    /// Ground truth, for the evaluator only.
    pub(crate) objects: Vec<ObjectJson>,
    /// What is wrong on purpose, and how much.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) perturbations: Vec<DrawnJson>,
}

/// One goal: an op with its arguments. `set_goal` takes the same form.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GoalJson {
    /// What is done: pick, place, push, open or close.
    pub(crate) op: Op,
    /// For place: how the object comes to stand to the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) relation: Option<Relation>,
    /// The object acted on; for place what the gripper holds by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<ObjectRef>,
    /// For place and push: where to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<TargetRef>,
}

/// An object by kind, colour and, where several fit, the nearest position.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectRef {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its colour; a drawer has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) color: Option<Color>,
    /// Where it was seen (m).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<[f64; 3]>,
}

/// A target: an object, a region (or `table`), or a direction.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetRef {
    /// What the target object is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<Kind>,
    /// The target object's colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) color: Option<Color>,
    /// Where the target object was seen (m).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<[f64; 3]>,
    /// One of the nine regions, or `table`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// Direction of a push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) direction: Option<Direction>,
    /// Where the acted-on object's centre is to come (m). In `set_goal` it
    /// overrides the world's own choice; it may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) point: Option<[f64; 3]>,
}

/// One object of the ground truth.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ObjectJson {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its colour; a drawer has none.
    pub(crate) color: Option<Color>,
    /// Centre (m); of a drawer the middle of its bar.
    pub(crate) position: [f64; 3],
    /// Turn about z (rad).
    pub(crate) yaw: f64,
    /// Of a drawer: opening, 0 closed … 1 open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) open: Option<f64>,
}
