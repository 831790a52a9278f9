//! Action chunks from one action a frame.
//!
//! # What is stored
//! The action of frame k is the target for the next frame as a displacement from the tool pose
//! measured in frame k: `d` (m) and the rotation vector `r` (rad), in base axes.
//!
//! # What is made
//! Row i of the chunk of frame t is the target of frame k = t + stride·(i + 1) − 1, as a displacement
//! from the pose measured in frame t. Positions add: `(p_k − p_t) + d_k`. Rotations compose:
//! `exp(r_k) · R_k · R_tᵀ`, written as a rotation vector. The gripper's goal is taken as it is. Rows
//! beyond the end of the episode repeat the target of its last frame.
//!
//! Adding up the actions instead would count the arm's lag behind its targets once for every frame.
//! Measured positions are in the state. The measured turn `R_k · R_tᵀ` needs a whole rotation matrix:
//! where the state has `tool.r31` and `tool.r32` besides the policy's own values it is exact; else it is
//! put together from the actions between, `exp(r_{k−1}) · … · exp(r_t)`, and lag in turning is counted.

use nalgebra::{Matrix3, Rotation3, UnitQuaternion, Vector3};

/// Largest part of an action: metres, or radians (a little above π).
const MAX_MOVE_M: f32 = 1.0;
const MAX_TURN: f32 = 3.15;
/// Largest coordinate of the tool (m).
const MAX_POSITION_M: f32 = 10.0;
/// The gripper may be wrong by so much.
const GRIPPER_SLACK: f32 = 1e-3;
/// Values of a row.
pub(super) const WIDTH: usize = 7;

/// Where the tool is in one frame, and where it shall go next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Motion {
    position: Vector3<f64>,
    /// How the tool is turned, where the whole of it is known.
    rotation: Option<UnitQuaternion<f64>>,
    way: Vector3<f64>,
    turn: UnitQuaternion<f64>,
    gripper: f32,
}

impl Motion {
    /// From the policy's state (`tool.x … tool.r22 …`), the bottom row `r31`, `r32` if it is known,
    /// and the action `dx … gripper`.
    ///
    /// # Errors
    /// In words: the value out of range.
    pub(super) fn new(
        state: &[f32],
        bottom: Option<[f32; 2]>,
        action: &[f32],
    ) -> Result<Self, String> {
        let &[x, y, z, r11, r21, r12, r22, ..] = state else {
            return Err(format!("expected a tool pose, got {} values", state.len()));
        };
        let &[dx, dy, dz, rx, ry, rz, gripper] = action else {
            return Err(format!("expected {WIDTH} values, got {}", action.len()));
        };
        // Positive tests, so that NaN fails.
        let within = |what: &str, values: &[f32], most: f32| match values
            .iter()
            .find(|value| !(value.abs() <= most))
        {
            Some(bad) => Err(format!("{what}: expected -{most} to {most}, got {bad}")),
            None => Ok(()),
        };
        within("tool.x, tool.y, tool.z", &[x, y, z], MAX_POSITION_M)?;
        within("tool.r11, r21, r12, r22", &[r11, r21, r12, r22], 1.01)?;
        within("dx, dy, dz", &[dx, dy, dz], MAX_MOVE_M)?;
        within("rx, ry, rz", &[rx, ry, rz], MAX_TURN)?;
        if !(-GRIPPER_SLACK..=1.0 + GRIPPER_SLACK).contains(&gripper) {
            return Err(format!(
                "gripper: expected 0 (closed) to 1 (open), got {gripper}"
            ));
        }
        let vector = |v: [f32; 3]| Vector3::from(v.map(f64::from));
        let rotation = match bottom {
            Some([r31, r32]) => Some(rotation(vector([r11, r21, r31]), vector([r12, r22, r32]))?),
            None => None,
        };
        Ok(Self {
            position: vector([x, y, z]),
            rotation,
            way: vector([dx, dy, dz]),
            turn: UnitQuaternion::from_scaled_axis(vector([rx, ry, rz])),
            gripper,
        })
    }
}

/// A rotation from its first two columns, which must be nearly of length 1 and at right angles.
fn rotation(a: Vector3<f64>, b: Vector3<f64>) -> Result<UnitQuaternion<f64>, String> {
    let fits = (a.norm() - 1.0).abs() < 0.02 && (b.norm() - 1.0).abs() < 0.02;
    if !(fits && a.dot(&b).abs() < 0.02) {
        return Err(format!(
            "tool.r11 … r32: expected two columns of a rotation matrix, got {:?} and {:?}",
            a.as_slice(),
            b.as_slice()
        ));
    }
    let first = a.normalize();
    let second = (b - first * first.dot(&b)).normalize();
    let matrix = Matrix3::from_columns(&[first, second, first.cross(&second)]);
    let rotation = Rotation3::from_matrix_unchecked(matrix);
    Ok(UnitQuaternion::from_rotation_matrix(&rotation))
}

/// The chunks of every frame of one episode, `[frames, horizon, 7]` flat. `stride` is at least 1.
pub(super) fn chunks(frames: &[Motion], horizon: usize, stride: usize) -> Vec<f32> {
    let mut all = Vec::with_capacity(frames.len() * horizon * WIDTH);
    for (t, now) in frames.iter().enumerate() {
        // The turn from frame t to frame k by the actions between, kept up as k goes on.
        let (mut k, mut turned) = (t, UnitQuaternion::identity());
        for row in 0..horizon {
            let goal = (t + stride * (row + 1) - 1).min(frames.len() - 1);
            for passed in &frames[k..goal] {
                turned = passed.turn * turned;
            }
            k = goal;
            let then = &frames[k];
            let translation = then.position - now.position + then.way;
            let measured = match (now.rotation, then.rotation) {
                (Some(now), Some(then)) => then * now.inverse(),
                _ => turned,
            };
            let rotation = (then.turn * measured).scaled_axis();
            all.extend(translation.iter().chain(&rotation).map(|x| *x as f32));
            all.push(then.gripper.clamp(0.0, 1.0));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    type Target = (Vector3<f64>, UnitQuaternion<f64>);

    /// An arm that follows its targets with a lag: frames, and each frame's true target.
    fn lagging(with_bottom: bool) -> (Vec<Motion>, Vec<Target>) {
        let start = UnitQuaternion::from_scaled_axis(Vector3::new(3.0, 0.2, 0.1));
        let (mut p, mut q) = (Vector3::new(0.4, 0.0, 0.2), start);
        let (mut frames, mut targets) = (Vec::new(), Vec::new());
        for i in 0..6 {
            let i = f64::from(i);
            let target_p = p + Vector3::new(0.03, -0.01 * i, 0.005);
            let turn = UnitQuaternion::from_scaled_axis(Vector3::new(0.1, 0.05 * i, -0.2));
            let target_q = turn * q;
            let m = q.to_rotation_matrix();
            let state = [
                p.x,
                p.y,
                p.z,
                m[(0, 0)],
                m[(1, 0)],
                m[(0, 1)],
                m[(1, 1)],
                0.5,
                0.5,
            ];
            let (d, r) = (target_p - p, turn.scaled_axis());
            let action = [d.x, d.y, d.z, r.x, r.y, r.z, i / 6.0];
            let bottom = with_bottom.then(|| [m[(2, 0)] as f32, m[(2, 1)] as f32]);
            let motion = Motion::new(&state.map(|x| x as f32), bottom, &action.map(|x| x as f32));
            frames.push(motion.unwrap());
            targets.push((target_p, target_q));
            // Only nine tenths of the way are reached.
            p += d * 0.9;
            q = UnitQuaternion::from_scaled_axis(r * 0.9) * q;
        }
        (frames, targets)
    }

    #[test]
    fn rows_are_the_true_targets_seen_from_the_frame() {
        let (frames, targets) = lagging(true);
        for stride in [1, 2] {
            let all = chunks(&frames, 4, stride);
            for (t, rows) in all.chunks(4 * WIDTH).enumerate() {
                for (i, row) in rows.chunks(WIDTH).enumerate() {
                    let k = (t + stride * (i + 1) - 1).min(5);
                    let (p, q) = targets[k];
                    let (
                        Motion {
                            position, rotation, ..
                        },
                        row,
                    ) = (frames[t], row);
                    let here = rotation.unwrap();
                    let reached = position + Vector3::new(row[0], row[1], row[2]).cast::<f64>();
                    let turn = Vector3::new(row[3], row[4], row[5]).cast::<f64>();
                    let turned = UnitQuaternion::from_scaled_axis(turn) * here;
                    assert!((reached - p).norm() < 1e-6, "{t} {i}");
                    assert!(turned.angle_to(&q) < 1e-5, "{t} {i}");
                    assert!((f64::from(row[6]) - k as f64 / 6.0).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn without_the_bottom_row_turns_are_composed_in_order() {
        let (frames, _) = lagging(false);
        let all = chunks(&frames, 3, 1);
        let turn = |i: usize| frames[i].turn;
        let expected = (turn(2) * turn(1) * turn(0)).scaled_axis();
        let row = &all[2 * WIDTH..3 * WIDTH];
        for (got, expected) in row[3..6].iter().zip(expected.iter()) {
            assert!((f64::from(*got) - expected).abs() < 1e-6);
        }
        // Not the plain sum: the axes differ.
        let sum: Vector3<f64> = (0..3).map(|i| turn(i).scaled_axis()).sum();
        assert!((sum - expected).norm() > 1e-3);
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let state = [0.4, 0.0, 0.2, 1.0, 0.0, 0.0, -1.0, 0.5, 0.5];
        let action = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        assert!(Motion::new(&state, Some([0.0, 0.0]), &action).is_ok());
        for (place, value, word) in [(6, -1.0, "gripper"), (0, 30.0, "dx"), (5, f32::NAN, "rx")] {
            let mut wrong = action;
            wrong[place] = value;
            let error = Motion::new(&state, None, &wrong).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        let error = Motion::new(&state, Some([0.7, 0.0]), &action).unwrap_err();
        assert!(error.contains("rotation matrix"), "{error}");
    }
}
