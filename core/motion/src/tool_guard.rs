//! The tool's part of the safety filter: workspace box and speed.
//!
//! Like the joints, the tool is judged by what follows: not only the next
//! position, but the path of the stop from there must stay in the box and below
//! the speed limit. The stop is sampled; where bounds on the joints' travel and
//! speed already show that nothing can happen, it is not.

use nalgebra::Vector3;
use vola_types::WorkspaceBox;

use crate::joint_guard::{Candidate, PLANNED_SHARE};
use crate::{JointVec, KinematicModel, MAX_JOINTS, MotionError};

/// What the tool may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ToolLimits {
    /// Volume that the tool may not leave, in the base frame (m).
    pub workspace: WorkspaceBox,
    /// Greatest speed of the tool's origin (m/s).
    pub max_speed_m_per_s: f64,
}

/// Points of a stop that are looked at.
const SAMPLES: u32 = 8;

/// Share of the speed limit that a stop may use at the points looked at; the
/// rest covers the time between them (measured: 1.8 % at most).
const SPEED_SHARE: f64 = 0.96;

/// Distance from the faces of the box that the points looked at keep (m), for
/// the same reason (measured: 0.14 mm at most).
const BOX_MARGIN_M: f64 = 0.5e-3;

#[derive(Clone, Debug)]
pub(crate) struct ToolGuard {
    model: KinematicModel,
    workspace: WorkspaceBox,
    max_step_m: f64,
}

/// What a set of candidates would do to the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ToolVerdict {
    pub(crate) leaves_workspace: bool,
    pub(crate) too_fast: bool,
}

impl ToolVerdict {
    pub(crate) fn is_fine(self) -> bool {
        !self.leaves_workspace && !self.too_fast
    }
}

impl ToolGuard {
    pub(crate) fn new(
        model: KinematicModel,
        limits: &ToolLimits,
        period_secs: f64,
    ) -> Result<Self, MotionError> {
        let speed = limits.max_speed_m_per_s;
        if !(speed.is_finite() && speed > 0.0) {
            return Err(MotionError::BadSetting {
                what: "max_speed_m_per_s",
                expected: "a finite number > 0",
                got: speed,
            });
        }
        for (min, max) in limits.workspace.min.iter().zip(&limits.workspace.max) {
            if !(min.is_finite() && max.is_finite() && min < max) {
                return Err(MotionError::BadSetting {
                    what: "workspace.max",
                    expected: "finite and more than workspace.min",
                    got: *max,
                });
            }
        }
        Ok(Self {
            model,
            workspace: limits.workspace,
            max_step_m: PLANNED_SHARE * speed * period_secs,
        })
    }

    pub(crate) fn arm_joints(&self) -> usize {
        self.model.joint_count()
    }

    /// Judges the next tick and the stop after it. `now` holds the joint
    /// positions of this tick.
    pub(crate) fn judge(&self, now: &[f64], candidates: &[Candidate; MAX_JOINTS]) -> ToolVerdict {
        let joints = self.arm_joints();
        let arm = || candidates.iter().take(joints);
        let here = self.position(now.iter().copied());
        let next = self.position(arm().map(|candidate| candidate.next.q));
        // Outside already: only further out is refused.
        let allowed = self.outside(&here).max(0.0) + 1e-9;
        let mut verdict = ToolVerdict {
            leaves_workspace: self.outside(&next) > allowed,
            too_fast: (next - here).norm() > self.max_step_m,
        };
        let reach = || self.model.max_tool_travel_per_joint().iter();
        let travel: f64 = arm()
            .zip(reach())
            .map(|(candidate, reach)| {
                let extent = &candidate.extent;
                reach * (extent.q_max - candidate.next.q).max(candidate.next.q - extent.q_min)
            })
            .sum();
        let speed: f64 = arm()
            .zip(reach())
            .map(|(candidate, reach)| reach * candidate.extent.speed())
            .sum();
        let box_in_doubt = self.outside(&next) + travel > allowed;
        let speed_in_doubt = speed > SPEED_SHARE * self.max_step_m;
        if !verdict.is_fine() || !(box_in_doubt || speed_in_doubt) {
            return verdict;
        }
        let ticks = arm()
            .map(|candidate| candidate.plan.ticks())
            .fold(0.0, f64::max);
        for sample in 0..=SAMPLES {
            // Denser at first, where joints may still be speeding up.
            let share = f64::from(sample) / f64::from(SAMPLES);
            let at = (ticks * share * share).round();
            let (mut q, mut v) = (JointVec::zeros(joints), JointVec::zeros(joints));
            for (candidate, (q, v)) in arm().zip(q.iter_mut().zip(v.iter_mut())) {
                let motion = candidate.plan.at(candidate.next, at);
                (*q, *v) = (motion.q, motion.v);
            }
            if !speed_in_doubt {
                // Where it is alone costs a third.
                verdict.leaves_workspace |=
                    self.outside(&self.position(q.iter().copied())) > allowed;
                if verdict.is_fine() {
                    continue;
                }
                break;
            }
            let Ok((tool, jacobian)) = self.model.tool_and_jacobian(&q) else {
                return ToolVerdict {
                    leaves_workspace: true,
                    too_fast: true,
                };
            };
            let step = jacobian.tool_velocity(&v).fixed_rows::<3>(0).norm();
            verdict.leaves_workspace |= self.outside(&tool.translation.vector) > allowed;
            verdict.too_fast |= step > SPEED_SHARE * self.max_step_m;
            if !verdict.is_fine() {
                break;
            }
        }
        verdict
    }

    fn position(&self, q: impl Iterator<Item = f64>) -> Vector3<f64> {
        let q: JointVec = q.collect();
        self.model.tool_unchecked(&q).translation.vector
    }

    /// How far a point is outside the box less its margin (m); negative inside.
    fn outside(&self, point: &Vector3<f64>) -> f64 {
        let faces = point
            .iter()
            .zip(self.workspace.min.iter().zip(&self.workspace.max));
        faces
            .map(|(value, (min, max))| (min - value).max(value - max))
            .fold(f64::NEG_INFINITY, f64::max)
            + BOX_MARGIN_M
    }
}
