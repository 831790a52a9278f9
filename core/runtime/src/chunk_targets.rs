//! From an action chunk to joint targets at the chunk's own row times.
//!
//! Every space ends in joints here, so that the safety filter, which works on
//! joints, is always last. A row that cannot be reached, or that would need a
//! jump over the velocity limit, refuses the whole chunk: following a part of
//! it would be a motion that nobody asked for.

use nalgebra::{Isometry3, Quaternion, Translation3, UnitQuaternion, Vector3};
use vola_bundle::ActionChunk;
use vola_types::ActionSpace;

use crate::{arm_model::ArmModel, proprioception::Proprioception};

/// Joint velocity that a row may ask for, as a multiple of the limit. The
/// tracker keeps the limit itself; far beyond it a row is a jump, not a motion.
const JUMP_FACTOR: f64 = 2.5;

/// Why a chunk is not followed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ChunkRefusal {
    /// The tool cannot get there.
    #[error("row {row}: the tool cannot reach ({:.3}, {:.3}, {:.3}) m: {reason}", target[0], target[1], target[2])]
    Unreachable {
        /// Row of the chunk.
        row: usize,
        /// Where the tool should be (m, base frame).
        target: [f64; 3],
        /// What the solver said.
        reason: String,
    },
    /// The joints would jump.
    #[error(
        "row {row}: joint {joint} would have to move at {velocity:.2}/s, its limit is {limit:.2}/s"
    )]
    Jump {
        /// Row of the chunk.
        row: usize,
        /// Joint, from 0.
        joint: usize,
        /// Velocity asked for.
        velocity: f64,
        /// The joint's limit.
        limit: f64,
    },
    /// All rows lie in the past.
    #[error("every row is already past: the chunk came {late_ms:.0} ms after its last row")]
    Late {
        /// How late (ms).
        late_ms: f64,
    },
    /// The path through the rows asks for more than the arm can do.
    #[error(
        "its path asks for {asked:.1} times the greatest {what}; at most {most:.1} times can be smoothed"
    )]
    Demand {
        /// Of which limit.
        what: &'static str,
        /// Asked for, as a multiple of the limit.
        asked: f64,
        /// Still accepted, as a multiple of the limit.
        most: f64,
    },
    /// There is no path through the rows.
    #[error(transparent)]
    Path(#[from] vola_motion::MotionError),
    /// A space this arm does not take.
    #[error("action space `{0}` cannot be followed by this arm")]
    Space(ActionSpace),
}

/// Where the joints shall be, and when.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JointTarget {
    pub(crate) time_ns: u64,
    /// Joints, then gripper.
    pub(crate) position: Vec<f64>,
}

/// What a chunk is converted from.
pub(crate) struct ChunkOrigin<'a> {
    /// The observation that made the chunk.
    pub(crate) observed: &'a Proprioception,
    /// The last command: seed of the inverse kinematics.
    pub(crate) command: &'a [f64],
    /// Rows at or before this time are dropped.
    pub(crate) now_ns: u64,
    /// How much later than planned the rows begin: where an arm stands and
    /// waits for them, all of them are still to be done. A chunk that is older
    /// than its own length is late all the same: what it saw is past.
    pub(crate) delay_ns: u64,
    /// Velocity limit of every joint, gripper included.
    pub(crate) max_velocity: &'a [f64],
}

/// Converts the rows that are still to come.
pub(crate) fn joint_targets(
    model: &ArmModel,
    chunk: &ActionChunk,
    origin: &ChunkOrigin<'_>,
) -> Result<Vec<JointTarget>, ChunkRefusal> {
    let period_ns = chunk.period_ns();
    let mut seed: Vec<f64> = model.arm(origin.command).to_vec();
    let mut targets = Vec::with_capacity(chunk.len());
    let begin_ns = chunk.observation_time_ns() + origin.delay_ns;
    let mut last_ns = begin_ns;
    for (index, row) in chunk.rows().enumerate() {
        last_ns = begin_ns + period_ns * (index as u64 + 1);
        let Some(mut position) = row_in_joints(model, chunk.space(), row, index, origin, &seed)?
        else {
            return Err(ChunkRefusal::Space(chunk.space()));
        };
        let period = period_ns as f64 * 1e-9;
        // The first row starts from a command that lags the observation's time;
        // its jump is the tracker's to smooth.
        if index > 0 {
            check_jump(index, &seed, &position, origin.max_velocity, period)?;
        }
        seed.clear();
        seed.extend_from_slice(&position);
        if model.has_gripper() {
            position.push(gripper_value(row, origin));
        }
        if last_ns > origin.now_ns {
            targets.push(JointTarget {
                time_ns: last_ns,
                position,
            });
        }
    }
    let planned_ns = last_ns - origin.delay_ns;
    if targets.is_empty() || planned_ns <= origin.now_ns {
        let late_ms = origin.now_ns.saturating_sub(planned_ns) as f64 * 1e-6;
        return Err(ChunkRefusal::Late { late_ms });
    }
    Ok(targets)
}

fn gripper_value(row: &[f64], origin: &ChunkOrigin<'_>) -> f64 {
    row.last()
        .copied()
        .unwrap_or(origin.observed.gripper_command)
        .clamp(0.0, 1.0)
}

fn row_in_joints(
    model: &ArmModel,
    space: ActionSpace,
    row: &[f64],
    index: usize,
    origin: &ChunkOrigin<'_>,
    seed: &[f64],
) -> Result<Option<Vec<f64>>, ChunkRefusal> {
    let joints = model.arm_joints();
    match (space, row) {
        (ActionSpace::JointPosition, row) => Ok(row.get(..joints).map(<[f64]>::to_vec)),
        (ActionSpace::JointDelta, row) => {
            let measured = model.arm(&origin.observed.position);
            Ok(row
                .get(..joints)
                .map(|row| row.iter().zip(measured).map(|(d, q)| d + q).collect()))
        }
        (ActionSpace::ToolDelta, &[dx, dy, dz, rx, ry, rz, ..]) => {
            let from = &origin.observed.tool_in_base;
            let translation = from.translation.vector + Vector3::new(dx, dy, dz);
            let turn = UnitQuaternion::from_scaled_axis(Vector3::new(rx, ry, rz));
            let target =
                Isometry3::from_parts(Translation3::from(translation), turn * from.rotation);
            solve(model, &target, seed, index).map(Some)
        }
        (ActionSpace::ToolPose, &[x, y, z, qx, qy, qz, qw, ..]) => {
            let rotation = UnitQuaternion::from_quaternion(Quaternion::new(qw, qx, qy, qz));
            let target = Isometry3::from_parts(Translation3::new(x, y, z), rotation);
            solve(model, &target, seed, index).map(Some)
        }
        _ => Ok(None),
    }
}

/// Joints that put the tool at `target`, near `seed`.
fn solve(
    model: &ArmModel,
    target: &Isometry3<f64>,
    seed: &[f64],
    row: usize,
) -> Result<Vec<f64>, ChunkRefusal> {
    match model.inverse().solve(model.kinematics(), target, seed) {
        Ok(solution) => Ok(solution.q.to_vec()),
        Err(error) => {
            let t = target.translation.vector;
            Err(ChunkRefusal::Unreachable {
                row,
                target: [t.x, t.y, t.z],
                reason: error.to_string(),
            })
        }
    }
}

fn check_jump(
    row: usize,
    from: &[f64],
    to: &[f64],
    limits: &[f64],
    period_s: f64,
) -> Result<(), ChunkRefusal> {
    for (joint, ((from, to), limit)) in from.iter().zip(to).zip(limits).enumerate() {
        let velocity = (to - from).abs() / period_s;
        if !(velocity <= limit * JUMP_FACTOR) {
            return Err(ChunkRefusal::Jump {
                row,
                joint,
                velocity,
                limit: *limit,
            });
        }
    }
    Ok(())
}
