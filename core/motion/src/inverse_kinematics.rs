//! Inverse kinematics by damped least squares from a seed.
//!
//! Each iteration solves a 6×6 system, so redundancy costs nothing. The damping
//! grows with the remaining error (Levenberg–Marquardt after Sugihara, 2011):
//! far from the target or near a singularity the step is short and sure, near
//! the target convergence is quadratic. Analytic solvers were not chosen: they
//! exist for one arm each, and a policy's targets lie a few centimetres from
//! the seed.

use nalgebra::{Isometry3, Matrix6, Vector3, Vector6};

use crate::joint_vec::check_finite;
use crate::{JointVec, KinematicModel, MotionError};

/// How [`InverseKinematics`] searches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IkSettings {
    /// Position error accepted (m).
    pub position_tolerance_m: f64,
    /// Rotation error accepted (rad).
    pub rotation_tolerance_rad: f64,
    /// Iterations at most; each costs about one Jacobian and a 6×6 solve.
    pub max_iterations: u32,
    /// Greatest change of any joint in one iteration (rad, m).
    pub max_step: f64,
    /// Weight of a radian against a metre in the error (m/rad): the radius at
    /// which a rotation error counts like a position error.
    pub rotation_weight_m_per_rad: f64,
    /// Damping that stays at zero error, squared (m²); keeps the solve finite
    /// at a singularity.
    pub min_damping_squared: f64,
    /// Share of the way to the rest posture moved in the null space each
    /// iteration (0 … 1); 0 turns it off.
    pub rest_gain: f64,
}

impl Default for IkSettings {
    /// 0.1 mm and 1 mrad within 100 iterations of 0.2 rad.
    fn default() -> Self {
        Self {
            position_tolerance_m: 1e-4,
            rotation_tolerance_rad: 1e-3,
            max_iterations: 100,
            max_step: 0.2,
            rotation_weight_m_per_rad: 0.3,
            min_damping_squared: 1e-6,
            rest_gain: 0.0,
        }
    }
}

/// Joint positions that bring the tool to the target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IkSolution {
    /// One position a joint (rad, m), inside the limits.
    pub q: JointVec,
    /// Distance left (m).
    pub position_error_m: f64,
    /// Angle left (rad).
    pub rotation_error_rad: f64,
    /// Iterations used.
    pub iterations: u32,
}

/// Solver for one arm within one set of position limits.
///
/// # Timing
/// [`Self::solve`] is allocation-free unless it returns an error, and bounded
/// by `max_iterations`.
#[derive(Clone, Debug)]
pub struct InverseKinematics {
    settings: IkSettings,
    position_min: JointVec,
    position_max: JointVec,
    rest: Option<JointVec>,
}

impl InverseKinematics {
    /// Solver within the URDF's position limits.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn new(model: &KinematicModel, settings: IkSettings) -> Result<Self, MotionError> {
        let positive = [
            ("position_tolerance_m", settings.position_tolerance_m),
            ("rotation_tolerance_rad", settings.rotation_tolerance_rad),
            ("max_iterations", f64::from(settings.max_iterations)),
            ("max_step", settings.max_step),
            (
                "rotation_weight_m_per_rad",
                settings.rotation_weight_m_per_rad,
            ),
            ("min_damping_squared", settings.min_damping_squared),
        ];
        if let Some((what, got)) = positive
            .into_iter()
            .find(|(_, v)| !(v.is_finite() && *v > 0.0))
        {
            return Err(MotionError::BadSetting {
                what,
                expected: "a finite number > 0",
                got,
            });
        }
        if !(settings.rest_gain >= 0.0 && settings.rest_gain <= 1.0) {
            return Err(MotionError::BadSetting {
                what: "rest_gain",
                expected: "0 to 1",
                got: settings.rest_gain,
            });
        }
        Ok(Self {
            settings,
            position_min: model
                .urdf_limits()
                .map(|limits| limits.position_min)
                .collect(),
            position_max: model
                .urdf_limits()
                .map(|limits| limits.position_max)
                .collect(),
            rest: None,
        })
    }

    /// Narrows the position limits (rad, m), for instance by a margin; a wider
    /// value than the URDF's has no effect.
    ///
    /// # Errors
    /// Wrong length, NaN, or a joint left without room.
    pub fn with_position_limits(mut self, min: &[f64], max: &[f64]) -> Result<Self, MotionError> {
        for (what, given) in [("position_min", min), ("position_max", max)] {
            if given.len() != self.position_min.len() {
                return Err(MotionError::Length {
                    what,
                    expected: self.position_min.len(),
                    got: given.len(),
                });
            }
        }
        let own = self
            .position_min
            .iter_mut()
            .zip(self.position_max.iter_mut());
        for ((own_min, own_max), (&min, &max)) in own.zip(min.iter().zip(max)) {
            *own_min = own_min.max(min);
            *own_max = own_max.min(max);
            if !(min < max && own_min < own_max) {
                return Err(MotionError::BadSetting {
                    what: "position_max",
                    expected: "more than position_min",
                    got: max,
                });
            }
        }
        Ok(self)
    }

    /// Sets the posture that a redundant arm is drawn to (rad, m); used with a
    /// `rest_gain` above zero.
    ///
    /// # Errors
    /// Wrong length, or a value that is not finite.
    pub fn with_rest_posture(mut self, rest: &[f64]) -> Result<Self, MotionError> {
        check_finite("rest posture", rest, self.position_min.len())?;
        self.rest = Some(JointVec::from_slice("rest posture", rest)?);
        Ok(self)
    }

    /// Finds joint positions for a tool pose in the base frame, starting at
    /// `seed` (clamped into the limits).
    ///
    /// # Errors
    /// [`MotionError::Unreachable`] with the best errors found, or a seed of
    /// the wrong length or not finite, or a target that is not finite.
    pub fn solve(
        &self,
        model: &KinematicModel,
        target: &Isometry3<f64>,
        seed: &[f64],
    ) -> Result<IkSolution, MotionError> {
        check_finite("seed", seed, self.position_min.len())?;
        check_finite("target position", target.translation.vector.as_slice(), 3)?;
        check_finite("target orientation", target.rotation.coords.as_slice(), 4)?;
        let mut q: JointVec = self.clamped(seed.iter().copied());
        let mut best = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
        for iterations in 0..=self.settings.max_iterations {
            let (tool, jacobian) = model.tool_and_jacobian(&q)?;
            let (linear, angular) = pose_error(&tool, target);
            let (position_error_m, rotation_error_rad) = (linear.norm(), angular.norm());
            if position_error_m <= self.settings.position_tolerance_m
                && rotation_error_rad <= self.settings.rotation_tolerance_rad
            {
                return Ok(IkSolution {
                    q,
                    position_error_m,
                    rotation_error_rad,
                    iterations,
                });
            }
            let weight = self.settings.rotation_weight_m_per_rad;
            let cost = position_error_m.hypot(weight * rotation_error_rad);
            if cost < best.0 {
                best = (cost, position_error_m, rotation_error_rad);
            }
            let mut columns = WeightedColumns::new(jacobian.columns(), weight);
            let error = weighted(&stack(&linear, &angular), weight);
            let step = self.step(&mut columns, &error, &q);
            let next = self.clamped(
                q.iter()
                    .zip(step.iter())
                    .map(|(value, change)| value + change),
            );
            q = next;
        }
        Err(MotionError::Unreachable {
            position_error_m: best.1,
            rotation_error_rad: best.2,
            iterations: self.settings.max_iterations,
        })
    }

    fn clamped(&self, values: impl Iterator<Item = f64>) -> JointVec {
        let limits = self.position_min.iter().zip(self.position_max.iter());
        values
            .zip(limits)
            .map(|(value, (min, max))| value.clamp(*min, *max))
            .collect()
    }

    /// One joint step. A joint that stands at a limit and would be pushed
    /// through it is taken out and the rest solved again, so that the others
    /// take over its share.
    fn step(&self, columns: &mut WeightedColumns, error: &Vector6<f64>, q: &JointVec) -> JointVec {
        let mut step = JointVec::zeros(q.len());
        for _ in 0..q.len() {
            step = self.unconstrained_step(columns, error, q);
            let mut frozen = false;
            let limits = self.position_min.iter().zip(self.position_max.iter());
            for (((column, change), value), (min, max)) in columns
                .iter_mut()
                .zip(step.iter_mut())
                .zip(q.iter())
                .zip(limits)
            {
                let outward =
                    (*value <= *min && *change < 0.0) || (*value >= *max && *change > 0.0);
                if outward {
                    frozen |= column.norm_squared() > 0.0;
                    *column = Vector6::zeros();
                    *change = 0.0;
                }
            }
            if !frozen {
                break;
            }
        }
        let largest = step
            .iter()
            .fold(0.0_f64, |most, change| most.max(change.abs()));
        if largest > self.settings.max_step {
            let scale = self.settings.max_step / largest;
            step.iter_mut().for_each(|change| *change *= scale);
        }
        step
    }

    fn unconstrained_step(
        &self,
        columns: &WeightedColumns,
        error: &Vector6<f64>,
        q: &JointVec,
    ) -> JointVec {
        let damping = self.settings.min_damping_squared + 0.5 * error.norm_squared();
        let mut gram = Matrix6::from_diagonal_element(damping);
        for column in columns.iter() {
            gram += column * column.transpose();
        }
        // The damped Gram matrix is positive definite; without a factor there
        // is no step, and the iteration ends as unreachable.
        let Some(factor) = gram.cholesky() else {
            return JointVec::zeros(q.len());
        };
        let dual = factor.solve(error);
        let mut step: JointVec = columns.iter().map(|column| column.dot(&dual)).collect();
        if let (Some(rest), true) = (&self.rest, self.settings.rest_gain > 0.0) {
            let pull: JointVec = rest
                .iter()
                .zip(q.iter())
                .map(|(r, v)| self.settings.rest_gain * (r - v))
                .collect();
            let tool_motion: Vector6<f64> =
                columns.iter().zip(pull.iter()).map(|(c, p)| c * *p).sum();
            let undo = factor.solve(&tool_motion);
            for ((change, column), pull) in step.iter_mut().zip(columns.iter()).zip(pull.iter()) {
                *change += pull - column.dot(&undo);
            }
        }
        step
    }
}

/// Jacobian columns with the rotation rows scaled to metres.
struct WeightedColumns {
    columns: [Vector6<f64>; crate::MAX_JOINTS],
    joints: usize,
}

impl WeightedColumns {
    fn new(columns: &[Vector6<f64>], weight: f64) -> Self {
        let mut out = Self {
            columns: [Vector6::zeros(); crate::MAX_JOINTS],
            joints: columns.len(),
        };
        for (slot, column) in out.columns.iter_mut().zip(columns) {
            *slot = weighted(column, weight);
        }
        out
    }

    fn iter(&self) -> impl Iterator<Item = &Vector6<f64>> {
        self.columns.iter().take(self.joints)
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Vector6<f64>> {
        self.columns.iter_mut().take(self.joints)
    }
}

fn stack(linear: &Vector3<f64>, angular: &Vector3<f64>) -> Vector6<f64> {
    Vector6::new(
        linear.x, linear.y, linear.z, angular.x, angular.y, angular.z,
    )
}

fn weighted(twist: &Vector6<f64>, weight: f64) -> Vector6<f64> {
    twist.component_mul(&Vector6::new(1.0, 1.0, 1.0, weight, weight, weight))
}

/// Translation and rotation vector, in base axes, that carry `tool` to `target`.
#[must_use]
pub fn pose_error(tool: &Isometry3<f64>, target: &Isometry3<f64>) -> (Vector3<f64>, Vector3<f64>) {
    let linear = target.translation.vector - tool.translation.vector;
    let angular = (target.rotation * tool.rotation.inverse()).scaled_axis();
    (linear, angular)
}
