//! What the robot at hand can do.
//!
//! An embodiment declares its operations; an operation it did not declare is
//! infeasible, however well the sentence was understood. Sizes that depend on
//! the hand (which kinds it can grasp) live here too, so that the verifier
//! holds no numbers of one robot.

use serde::{Deserialize, Serialize};
use vola_types::Op;

/// Operations and reach of one embodiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Operations the embodiment declared.
    pub ops: Vec<Op>,
    /// Where the gripper can work.
    pub workspace: Workspace,
    /// Kinds that do not fit the gripper; every other kind does.
    pub ungraspable_kinds: Vec<String>,
    /// Kinds that must not be pushed.
    pub unpushable_kinds: Vec<String>,
    /// Kinds that things can be put into.
    pub container_kinds: Vec<String>,
    /// Kinds with an open and a closed state.
    pub openable_kinds: Vec<String>,
    /// Most blocks in a tower, the lowest included.
    pub max_stack: usize,
}

/// A box over the table in which objects can be handled, in metres, base frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Workspace {
    /// Near and far limit.
    pub x: [f64; 2],
    /// Right and left limit.
    pub y: [f64; 2],
}

impl Workspace {
    /// Whether a table point lies inside; NaN does not.
    #[must_use]
    pub fn contains(&self, x: f64, y: f64) -> bool {
        x >= self.x[0] && x <= self.x[1] && y >= self.y[0] && y <= self.y[1]
    }
}

impl Default for Capabilities {
    fn default() -> Self {
        Self::with_ops(&Op::ALL)
    }
}

impl Capabilities {
    /// The default tabletop hand with these operations.
    #[must_use]
    pub fn with_ops(ops: &[Op]) -> Self {
        let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect();
        Self {
            ops: ops.to_vec(),
            workspace: Workspace {
                x: [0.20, 0.75],
                y: [-0.45, 0.45],
            },
            ungraspable_kinds: words(&["bowl", "drawer"]),
            unpushable_kinds: words(&["drawer"]),
            container_kinds: words(&["bowl", "drawer"]),
            openable_kinds: words(&["drawer"]),
            max_stack: 4,
        }
    }

    /// Whether the operation was declared.
    #[must_use]
    pub fn can(&self, op: Op) -> bool {
        self.ops.contains(&op)
    }

    /// Whether things of this kind fit the gripper.
    #[must_use]
    pub fn can_grasp(&self, kind: &str) -> bool {
        !self.ungraspable_kinds.iter().any(|k| k == kind)
    }

    /// Whether things of this kind may be pushed.
    #[must_use]
    pub fn can_push(&self, kind: &str) -> bool {
        !self.unpushable_kinds.iter().any(|k| k == kind)
    }

    /// Whether things can be put into this kind.
    #[must_use]
    pub fn is_container(&self, kind: &str) -> bool {
        self.container_kinds.iter().any(|k| k == kind)
    }

    /// Whether this kind opens and closes.
    #[must_use]
    pub fn is_openable(&self, kind: &str) -> bool {
        self.openable_kinds.iter().any(|k| k == kind)
    }
}
