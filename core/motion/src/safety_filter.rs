//! The last station of every command: what leaves it is within every limit.
//!
//! The filter knows nothing of where a command comes from. Its own last output
//! is its state; position, velocity, acceleration and jerk are the backward
//! differences of its outputs at the control period, which is what a robot's
//! own controller checks. For each joint it keeps a verified stop
//! (`joint_guard`); for the tool and for what the arm must keep away from it
//! looks along that stop (`tool_guard`, `clearance_guard`), and slows all joints
//! together where that is not enough (`surroundings`).
//! Rejected: projecting commands with a quadratic program, which needs 0.2 ms
//! and allocates, and clamping each derivative by itself, which runs into
//! position limits.

use crate::clearance_guard::ClearanceGuard;
use crate::interventions::Interventions;
use crate::joint_guard::{Candidate, JointGuard, TickLimits};
use crate::joint_vec::check_finite;
use crate::surroundings::{Judgement, Surroundings};
use crate::tool_guard::ToolGuard;
use crate::{
    ClearanceLimits, Decision, FilterSettings, JointVec, KinematicModel, Limits, MAX_JOINTS,
    MotionError, Rejection, ToolLimits,
};

/// A command within every limit. Only this module makes one, and the control
/// loop sends nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SafeCommand {
    positions: JointVec,
    velocities: JointVec,
}

impl SafeCommand {
    /// Position of each joint at the end of this tick (rad, m), gripper last.
    #[must_use]
    pub fn positions(&self) -> &[f64] {
        &self.positions
    }

    /// Mean velocity of each joint over this tick (rad/s, m/s, 1/s).
    #[must_use]
    pub fn velocities(&self) -> &[f64] {
        &self.velocities
    }
}

/// Result of one tick of the filter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// What to send now.
    pub command: SafeCommand,
    /// What the control loop must do.
    pub decision: Decision,
    /// What was changed in the raw command.
    pub interventions: Interventions,
    /// Why the raw command was not followed at all.
    pub rejection: Option<Rejection>,
}

/// Checks and, where needed, changes every command of one arm.
///
/// # Timing
/// [`Self::step`] and [`Self::hold`] allocate nothing, never block and never
/// fail. One tick of seven joints costs a few microseconds; where tool or
/// surroundings are in the way, up to a hundred.
#[derive(Clone, Debug)]
pub struct SafetyFilter {
    limits: Limits,
    settings: FilterSettings,
    period_secs: f64,
    tool: Option<ToolGuard>,
    clearance: Option<ClearanceGuard>,
    guards: [JointGuard; MAX_JOINTS],
    speed_scale: f64,
    started: bool,
    stopped: bool,
}

impl SafetyFilter {
    /// A filter for an arm that stands still at `measured`.
    ///
    /// # Errors
    /// A setting out of its range; `measured` of the wrong length, not finite,
    /// or outside the limits by more than the tolerance.
    pub fn new(
        limits: Limits,
        settings: FilterSettings,
        measured: &[f64],
    ) -> Result<Self, MotionError> {
        settings.check()?;
        let unused = TickLimits {
            q_min: 0.0,
            q_max: 0.0,
            v: 1.0,
            a: 1.0,
            j: 1.0,
        };
        let mut filter = Self {
            limits,
            settings,
            period_secs: settings.period_ns as f64 * 1e-9,
            tool: None,
            clearance: None,
            guards: [JointGuard::at_rest(unused, 0.0); MAX_JOINTS],
            speed_scale: 1.0,
            started: false,
            stopped: false,
        };
        filter.reset_to(measured)?;
        Ok(filter)
    }

    /// Adds the limits of the tool, which need the arm's kinematics.
    ///
    /// # Errors
    /// A limit that is not usable, or kinematics of another number of joints.
    pub fn with_tool_limits(
        mut self,
        model: KinematicModel,
        limits: &ToolLimits,
    ) -> Result<Self, MotionError> {
        self.check_model(&model)?;
        self.tool = Some(ToolGuard::new(model, limits, self.period_secs)?);
        Ok(self)
    }

    /// Adds distances that the arm keeps from itself and from forbidden boxes.
    /// A pair that is nearer where the arm now stands may only come apart.
    ///
    /// # Errors
    /// A shape, box, margin or home pose that is not usable, a box that the
    /// home pose is not clear of, or kinematics of another number of joints.
    pub fn with_clearance(
        mut self,
        model: KinematicModel,
        limits: &ClearanceLimits,
    ) -> Result<Self, MotionError> {
        self.check_model(&model)?;
        let mut guard = ClearanceGuard::new(model, limits)?;
        guard.begin_at(&self.arm_positions());
        self.clearance = Some(guard);
        Ok(self)
    }

    /// Pairs of shapes whose distance is kept.
    #[must_use]
    pub fn clearance_pairs(&self) -> usize {
        self.clearance
            .as_ref()
            .map_or(0, ClearanceGuard::pair_count)
    }

    fn check_model(&self, model: &KinematicModel) -> Result<(), MotionError> {
        let expected = self.arm_joints();
        if model.joint_count() == expected {
            return Ok(());
        }
        Err(MotionError::Length {
            what: "joints of the kinematic model",
            expected,
            got: model.joint_count(),
        })
    }

    /// Joints without the gripper.
    fn arm_joints(&self) -> usize {
        let joints = self.limits.joint_count();
        joints - self.settings.gripper.values().min(joints)
    }

    fn arm_positions(&self) -> JointVec {
        let arm = self.guards.iter().take(self.arm_joints());
        arm.map(|guard| guard.now().q).collect()
    }

    /// Starts afresh from where the arm stands still; ends a safe stop.
    ///
    /// # Errors
    /// Wrong length, not finite, or outside the limits by more than the
    /// tolerance; then nothing changes.
    pub fn reset_to(&mut self, measured: &[f64]) -> Result<(), MotionError> {
        check_finite("measured", measured, self.limits.joint_count())?;
        let tolerance = self.settings.start_tolerance;
        for (index, (q, joint)) in measured.iter().zip(self.limits.joints()).enumerate() {
            let (min, max) = (joint.position_min, joint.position_max);
            if !(*q >= min - tolerance && *q <= max + tolerance) {
                let joint = self.limits.name(index).to_owned();
                return Err(MotionError::StartsOutsideLimits {
                    joint,
                    position: *q,
                    min,
                    max,
                    tolerance,
                });
            }
        }
        for ((guard, limits), q) in self
            .guards
            .iter_mut()
            .zip(self.limits.joints())
            .zip(measured)
        {
            *guard = JointGuard::at_rest(TickLimits::new(limits, self.period_secs), *q);
        }
        let at = self.arm_positions();
        if let Some(clearance) = &mut self.clearance {
            clearance.begin_at(&at);
        }
        self.started = false;
        self.stopped = false;
        Ok(())
    }

    /// Whether [`Self::reset_to`] would take this pose up.
    #[must_use]
    pub fn can_start_at(&self, measured: &[f64]) -> bool {
        let tolerance = self.settings.start_tolerance;
        let joints = self.limits.joints();
        measured.len() == self.limits.joint_count()
            && measured.iter().zip(joints).all(|(q, joint)| {
                *q >= joint.position_min - tolerance && *q <= joint.position_max + tolerance
            })
    }

    /// The first arm joint that is measured too far from its last command, if
    /// there is one. [`Self::step`] asks by itself; [`Self::hold`] sees no
    /// measurement.
    #[must_use]
    pub fn tracking_error(&self, measured: &[f64]) -> Option<Rejection> {
        self.farther(measured, self.settings.max_tracking_error)
            .map(|(joint, distance)| Rejection::TrackingError { joint, distance })
    }

    /// Slows the arm to a share of its velocity limits (0 stops it), from the
    /// next tick on; a value that is not in 0 … 1 counts as 0.
    pub fn set_speed_scale(&mut self, scale: f64) {
        self.speed_scale = if (0.0..=1.0).contains(&scale) {
            scale
        } else {
            0.0
        };
    }

    /// The limits this filter holds.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether every joint's last command repeats the one before.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.joints().all(JointGuard::is_at_rest)
    }

    /// Positions last sent, or those of the last reset.
    #[must_use]
    pub fn positions(&self) -> JointVec {
        self.joints().map(|guard| guard.now().q).collect()
    }

    /// Checks one raw command (positions, gripper last) and returns what to
    /// send in this tick. To be called once a period, with the newest measured
    /// positions.
    pub fn step(&mut self, raw: &[f64], measured: &[f64]) -> Verdict {
        let (decision, rejection) = match self.rejected(raw, measured) {
            None => {
                self.started = true;
                let (command, interventions) = self.follow(raw);
                return Verdict {
                    command,
                    decision: Decision::Continue,
                    interventions,
                    rejection: None,
                };
            }
            Some(
                why @ (Rejection::Length { .. }
                | Rejection::NotFinite { .. }
                | Rejection::FirstJump { .. }),
            ) => (Decision::Hold, why),
            Some(why) => (Decision::SafeStop, why),
        };
        self.stopped |= decision == Decision::SafeStop;
        Verdict {
            command: self.hold(),
            decision,
            interventions: Interventions::default(),
            rejection: Some(rejection),
        }
    }

    /// One tick of the controlled stop: the fastest that the limits allow,
    /// then standing still. To be called once a period instead of
    /// [`Self::step`].
    pub fn hold(&mut self) -> SafeCommand {
        let joints = self.limits.joint_count();
        for guard in self.guards.iter_mut().take(joints) {
            let candidate = guard.braking();
            guard.forget_goal();
            guard.commit(&candidate);
        }
        self.command()
    }

    fn joints(&self) -> impl Iterator<Item = &JointGuard> {
        self.guards.iter().take(self.limits.joint_count())
    }

    fn command(&self) -> SafeCommand {
        SafeCommand {
            positions: self.joints().map(|guard| guard.now().q).collect(),
            velocities: self
                .joints()
                .map(|guard| guard.now().v / self.period_secs)
                .collect(),
        }
    }

    /// Why the command may not be followed, if so.
    fn rejected(&self, raw: &[f64], measured: &[f64]) -> Option<Rejection> {
        let joints = self.limits.joint_count();
        if self.stopped {
            return Some(Rejection::Stopped);
        }
        if measured.len() != joints || !measured.iter().all(|value| value.is_finite()) {
            return Some(Rejection::BadMeasurement);
        }
        if let Some(error) = self.tracking_error(measured) {
            return Some(error);
        }
        if raw.len() != joints {
            return Some(Rejection::Length {
                expected: joints,
                got: raw.len(),
            });
        }
        if let Some(joint) = raw.iter().position(|value| !value.is_finite()) {
            return Some(Rejection::NotFinite { joint });
        }
        if self.started {
            return None;
        }
        self.farther(raw, self.settings.max_first_jump)
            .map(|(joint, distance)| Rejection::FirstJump { joint, distance })
    }

    /// The first arm joint that is farther than this from its last command.
    fn farther(&self, values: &[f64], limit: f64) -> Option<(usize, f64)> {
        let distances = values
            .iter()
            .zip(self.joints())
            .take(self.arm_joints())
            .map(|(value, guard)| (value - guard.now().q).abs());
        // Finite values at both ends; an overflow is infinite, not NaN.
        distances
            .enumerate()
            .find(|(_, distance)| *distance > limit)
    }

    /// Moves towards a checked command.
    fn follow(&mut self, raw: &[f64]) -> (SafeCommand, Interventions) {
        let scale = self.speed_scale;
        let mut candidates = [Candidate::default(); MAX_JOINTS];
        let mut interventions = Interventions::default();
        let joints = self.limits.joint_count();
        for ((candidate, guard), goal) in candidates
            .iter_mut()
            .zip(self.guards.iter_mut().take(joints))
            .zip(raw)
        {
            *candidate = guard.propose(*goal, scale);
        }
        let judgement = self.heed_surroundings(raw, &mut candidates);
        interventions.workspace = judgement.leaves_workspace;
        interventions.tool_speed = judgement.too_fast;
        interventions.clearance = judgement.too_near;
        for (slot, candidate) in interventions
            .joints
            .iter_mut()
            .zip(&candidates)
            .take(joints)
        {
            *slot = candidate.touched;
        }
        for (guard, candidate) in self.guards.iter_mut().zip(&candidates).take(joints) {
            guard.commit(candidate);
        }
        (self.command(), interventions)
    }

    /// Slows all arm joints as far as tool and surroundings need it; what was
    /// wrong with the candidates given.
    fn heed_surroundings(
        &mut self,
        raw: &[f64],
        candidates: &mut [Candidate; MAX_JOINTS],
    ) -> Judgement {
        let now = self.arm_positions();
        if let Some(clearance) = &mut self.clearance {
            clearance.begin_tick(&now);
        }
        let mut surroundings = Surroundings {
            tool: self.tool.as_ref(),
            clearance: self.clearance.as_mut(),
            now,
        };
        let judgement = surroundings.judge(candidates);
        if judgement.is_fine() {
            return judgement;
        }
        let slowed = surroundings.slow_down(&self.guards, raw, candidates);
        let arm = now.len();
        for (slot, slow) in candidates.iter_mut().zip(&slowed).take(arm) {
            *slot = *slow;
        }
        for guard in self.guards.iter_mut().take(arm) {
            guard.lose_goal();
        }
        judgement
    }
}
