//! What can go wrong in the simulated world.

/// A fault of the tabletop, each with what failed and what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TabletopError {
    /// An arm's URDF text does not parse or lacks a link. A fault of this crate.
    #[error("arm `{arm}`: {reason}")]
    Arm {
        /// Name of the arm.
        arm: &'static str,
        /// What is missing.
        reason: String,
    },
    /// The task JSON is not understood.
    #[error(
        "task: {0}\nhelp: for example {{\"task\":\"pick\",\"combos\":\"train\",\"start\":\"varied\"}}"
    )]
    Task(#[source] serde_json::Error),
    /// No scene could be drawn that has what the task needs.
    #[error(
        "task `{task}`, seed {seed}: no scene found in {tries} draws\nhelp: use another seed, or fewer restrictions"
    )]
    NoScene {
        /// The task's word.
        task: &'static str,
        /// The seed.
        seed: u64,
        /// Layouts tried.
        tries: usize,
    },
    /// The goal JSON is not understood.
    #[error(
        "goal: {0}\nhelp: for example {{\"op\":\"pick\",\"object\":{{\"kind\":\"block\",\"color\":\"red\"}}}}"
    )]
    Goal(#[source] serde_json::Error),
    /// The goal names something that is not in the scene.
    #[error("goal.{field}: expected an object of the scene, got {got}; the scene has {known}")]
    NoSuchObject {
        /// `object` or `target`.
        field: &'static str,
        /// What was asked for.
        got: String,
        /// What there is.
        known: String,
    },
    /// The goal's op and arguments do not go together.
    #[error("goal.{field}: {expected}, got {got}")]
    BadGoal {
        /// Key.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
        /// What was there.
        got: String,
    },
    /// A question about the goal was asked before there was one.
    #[error("no goal is set\nhelp: call `reset` with a task, or `set_goal`, first")]
    NoGoal,
    /// The op has no expert.
    #[error("op `{op}` has no expert; there is one for pick, place, push, open and close")]
    NoExpert {
        /// The op's word.
        op: &'static str,
    },
    /// A tool pose of the reset lies outside the arm's reach.
    #[error("arm `{arm}`: the tool pose {pose:?} (m, yaw in rad) is out of reach")]
    OutOfReach {
        /// Name of the arm.
        arm: &'static str,
        /// x, y, z and yaw.
        pose: [f64; 4],
    },
    /// The physics lost a body (a coordinate is not finite).
    #[error(
        "the simulation diverged at {time_ns} ns\nhelp: reset; keep physics_dt_ms at 4 or below"
    )]
    Diverged {
        /// World time (ns).
        time_ns: u64,
    },
}
