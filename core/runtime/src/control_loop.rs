//! One tick of control, the same code in virtual and in real time.
//!
//! # Responsibilities
//! Reads the state, follows the reference path through the tracker, passes every
//! command through the safety filter, sends it. Decides, in [`ControlLoop::tick`]
//! alone, between going on, holding and stopping; the default is to stop.
//!
//! # Glossary
//! *Following*: a path is followed. *Holding*: the arm brakes along its limits and
//! stands; a new path may start once it is at rest. *Stopped*: as holding, but
//! latched: only a reset leaves it.
//!
//! # Timing
//! A tick allocates nothing, takes no lock and waits for nobody.

use std::sync::Arc;

use vola_abi::{CommandFrame, StateFrame, StopCategory};
use vola_motion::{
    Decision, FilterSettings, Interventions, Limits, ReferencePath, Rejection, SafetyFilter,
    ToolLimits, Tracker,
};
use vola_types::EmbodimentDescription;

use crate::{
    RuntimeError, StopSwitch,
    arm_model::ArmModel,
    contact_watch::ContactWatch,
    control_status::{ControlMode, ControlStatus, StopCause},
    robot::ActuatorPort,
    safety_setup::SafetySetup,
};

/// Length of a control tick (ns).
pub(crate) const TICK_NS: u64 = 1_000_000;

/// Part of the limits that the tracker plans with, so that the filter behind it
/// stays out of its way.
const TRACKER_PART: f64 = 0.98;

/// What the policy thread may order.
#[allow(
    clippy::large_enum_variant,
    reason = "moved by value through a preallocated queue: a box would be freed on the control thread"
)]
pub(crate) enum ControlOrder {
    /// Follow this path from now on.
    Follow(ReferencePath),
    /// Brake and hold.
    Hold,
    /// Leave a latched stop: hold the measured pose.
    Reset,
}

/// The control loop of one arm. Owned by the control thread, or by the virtual
/// scheduler.
pub(crate) struct ControlLoop {
    actuator: ActuatorPort,
    model: Arc<ArmModel>,
    filter: SafetyFilter,
    tracker: Tracker,
    path: Option<ReferencePath>,
    stop_switch: StopSwitch,
    contact: ContactWatch,
    state: StateFrame,
    command: CommandFrame,
    status: ControlStatus,
    last_velocity: [f64; vola_motion::MAX_JOINTS],
    last_acceleration: [f64; vola_motion::MAX_JOINTS],
}

/// What a control loop is built from.
pub(crate) struct ControlSetup<'a> {
    pub(crate) actuator: ActuatorPort,
    pub(crate) model: Arc<ArmModel>,
    pub(crate) description: &'a EmbodimentDescription,
    pub(crate) limits: Limits,
    pub(crate) tool_limits: ToolLimits,
    pub(crate) safety: SafetySetup,
    pub(crate) stop_switch: StopSwitch,
}

impl ControlLoop {
    /// Builds the loop around the pose that the arm stands in.
    pub(crate) fn new(setup: ControlSetup<'_>) -> Result<Self, RuntimeError> {
        let ControlSetup {
            mut actuator,
            model,
            description,
            limits,
            tool_limits,
            safety,
            stop_switch,
        } = setup;
        let mut state = StateFrame::default();
        actuator.state(&mut state)?;
        model.check_state(&state)?;
        let settings = FilterSettings {
            period_ns: TICK_NS,
            gripper: description.gripper,
            ..FilterSettings::default()
        };
        let filter = SafetyFilter::new(limits.clone(), settings, state.positions())?
            .with_tool_limits(model.kinematics().clone(), &tool_limits)?;
        let filter = safety.complete(filter, settings, &model)?;
        let contact = safety.contact_watch(model.id(), &state)?;
        let tracker = Tracker::new(&limits.scaled(TRACKER_PART)?, TICK_NS, state.positions())?;
        let mut status = ControlStatus {
            state,
            ..ControlStatus::default()
        };
        status.set_command(state.positions());
        Ok(Self {
            actuator,
            model,
            filter,
            tracker,
            path: None,
            stop_switch,
            contact,
            state,
            command: CommandFrame::default(),
            status,
            last_velocity: [0.0; vola_motion::MAX_JOINTS],
            last_acceleration: [0.0; vola_motion::MAX_JOINTS],
        })
    }

    /// What the last tick saw and did.
    pub(crate) fn status(&self) -> &ControlStatus {
        &self.status
    }

    /// Takes an order; it has effect from the next tick on. A path is refused
    /// (and dropped) while the loop is stopped or still braking.
    pub(crate) fn order(&mut self, order: ControlOrder) {
        match order {
            ControlOrder::Follow(path) => match self.status.mode {
                ControlMode::Following => self.path = Some(path),
                ControlMode::Holding if self.filter.is_at_rest() => {
                    self.path = Some(path);
                    self.status.mode = ControlMode::Following;
                }
                ControlMode::Holding | ControlMode::Stopped(_) => {}
            },
            ControlOrder::Hold => self.hold(),
            ControlOrder::Reset => self.reset(),
        }
    }

    /// One tick. `now_ns` is when the command takes effect.
    pub(crate) fn tick(&mut self, now_ns: u64) {
        if self.actuator.state(&mut self.state).is_err() {
            self.stop(StopCause::StateFault);
        } else if self.model.check_state(&self.state).is_err() {
            self.stop(StopCause::StateInvalid);
        } else {
            self.status.state = self.state;
        }
        if let Some(cause) = self.contact.look(&self.status.state) {
            self.stop(cause);
        }
        if self.stop_switch.is_thrown() {
            self.hold();
        }
        let (positions, velocities) = self.checked_command(now_ns);
        let count = positions.len();
        self.command.time_ns = now_ns;
        self.command.count = u32::try_from(count).unwrap_or(0);
        copy(&mut self.command.position, &positions);
        copy(&mut self.command.velocity, &velocities);
        self.measure_jerk(&velocities);
        self.status.set_command(&positions);
        if self.actuator.command(&self.command).is_err() {
            self.stop(StopCause::CommandFault);
        }
        self.status.time_ns = now_ns;
        self.status.ticks = self.status.ticks.wrapping_add(1);
        self.status.at_rest = self.filter.is_at_rest();
    }

    /// The one place that decides between continue, hold and stop.
    fn checked_command(&mut self, now_ns: u64) -> (vola_motion::JointVec, vola_motion::JointVec) {
        let safe = match (self.status.mode, self.path.as_ref()) {
            (ControlMode::Following, Some(path)) => {
                // Where the arm shall be when this tick ends.
                let reference = path.sample(now_ns + TICK_NS);
                let raw = self.tracker.step(&reference);
                let verdict = self.filter.step(&raw.q, self.status.state.positions());
                self.count(&verdict.interventions);
                match verdict.decision {
                    Decision::Continue => {}
                    Decision::Hold => {
                        self.status.rejection = verdict.rejection;
                        self.hold();
                    }
                    Decision::SafeStop => {
                        self.status.rejection = verdict.rejection;
                        self.stop(cause(verdict.rejection));
                    }
                }
                verdict.command
            }
            _ => {
                let command = self.filter.hold();
                if self.filter.is_at_rest() {
                    reset_tracker(&mut self.tracker, command.positions());
                }
                command
            }
        };
        (
            to_joint_vec(safe.positions()),
            to_joint_vec(safe.velocities()),
        )
    }

    fn hold(&mut self) {
        if self.status.mode == ControlMode::Following {
            self.status.mode = ControlMode::Holding;
        }
        self.path = None;
    }

    fn stop(&mut self, cause: StopCause) {
        if !matches!(self.status.mode, ControlMode::Stopped(_)) {
            self.status.mode = ControlMode::Stopped(cause);
            // The filter's braking commands still go out; a robot that no longer
            // takes them has its own time-out.
            let _ = self.actuator.stop(StopCategory::Two);
        }
        self.path = None;
    }

    fn reset(&mut self) {
        if self.actuator.reset().is_err() || self.actuator.state(&mut self.state).is_err() {
            return;
        }
        let measured = self.state.positions();
        if self.model.check_state(&self.state).is_err() || self.filter.reset_to(measured).is_err() {
            return;
        }
        reset_tracker(&mut self.tracker, measured);
        self.path = None;
        self.status.state = self.state;
        self.status.rejection = None;
        self.status.mode = ControlMode::Holding;
    }

    fn count(&mut self, interventions: &Interventions) {
        if !interventions.is_empty() {
            self.status.interventions.add(interventions);
        }
    }

    /// Sum of squared jerk of the commanded arm joints, for the smoothness figure.
    fn measure_jerk(&mut self, velocities: &[f64]) {
        let period = TICK_NS as f64 * 1e-9;
        let arm = self.model.arm(velocities);
        for ((velocity, last_v), last_a) in arm
            .iter()
            .zip(&mut self.last_velocity)
            .zip(&mut self.last_acceleration)
        {
            let acceleration = (velocity - *last_v) / period;
            let jerk = (acceleration - *last_a) / period;
            self.status.jerk_squared_sum += jerk * jerk;
            *last_v = *velocity;
            *last_a = acceleration;
        }
    }
}

fn cause(rejection: Option<Rejection>) -> StopCause {
    match rejection {
        Some(Rejection::BadMeasurement) => StopCause::StateInvalid,
        Some(Rejection::TrackingError { .. }) => StopCause::TrackingError,
        _ => StopCause::Filter,
    }
}

/// Puts the tracker where the filter stands. The positions come from the filter,
/// so their number and finiteness are right; were they not, the tracker would
/// keep its old place and the filter's first-jump check would refuse it.
fn reset_tracker(tracker: &mut Tracker, positions: &[f64]) {
    let _ = tracker.reset(positions);
}

fn to_joint_vec(values: &[f64]) -> vola_motion::JointVec {
    values.iter().copied().collect()
}

fn copy(frame: &mut [f64], values: &[f64]) {
    for (slot, value) in frame.iter_mut().zip(values) {
        *slot = *value;
    }
}
