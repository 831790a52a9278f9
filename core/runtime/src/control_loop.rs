//! One tick of control, the same code in virtual and in real time.
//!
//! # Responsibilities
//! Reads the state, follows the reference path through the tracker, passes every
//! command through the safety filter, sends it. Decides, in [`ControlLoop::tick`]
//! alone, between going on, holding and stopping; the default is to stop. The
//! watchdogs over ticks, state, chunks and signs of life are asked here, with
//! the tick's own time.
//!
//! # Glossary
//! *Following*: a path is followed. *Holding*: the arm brakes along its limits and
//! stands; a new path may start once it is at rest. *Stopped*: as holding, but
//! latched: only a reset leaves it, and the arm then holds where it was measured.
//!
//! # Stops
//! By analogy to IEC 60204-1: holding is category 2; a stop is a controlled stop
//! after which the drives are disabled (category 1); category 0, power cut, is
//! asked for when a person demands it, or the arm moves on after a stop or cannot be
//! seen to stand. A robot that does not take a stop is asked again until it does.
//!
//! # Timing
//! A tick allocates nothing, takes no lock and waits for nobody.

mod lap;
mod stopping;
#[cfg(test)]
mod tests;
mod watching;

use std::sync::{Arc, atomic::Ordering};

use rtrb::Consumer;
use vola_abi::{CommandFrame, StateFrame};
use vola_bundle::{ControlSettings, Deadlines};
use vola_motion::{
    Decision, FilterSettings, Interventions, Limits, ReferencePath, Rejection, SafetyFilter,
    ToolLimits, Tracker,
};
use vola_types::EmbodimentDescription;

use self::{
    lap::Lap,
    watching::{Watch, watch_over},
};
use crate::{
    RuntimeError, StopSwitch,
    arm_model::ArmModel,
    authority::{AuthorityWord, Mandate},
    camera_pulse::{CameraPulses, PulseWatch},
    contact_watch::ContactWatch,
    control_event::{ControlEvent, ControlEventKind, EventSender, event_ring},
    control_inputs::{InputReader, InputTap, Sent, Signals, TickRecord, input_ring},
    control_status::{ControlMode, ControlStatus, HoldCause, StopCause},
    heartbeat::{HeartbeatKind, Heartbeats},
    robot::ActuatorPort,
    safety_setup::SafetySetup,
    stop_switch::StopLevel,
    telemetry::ControlTelemetry,
};

/// Length of a control tick (ns).
pub(crate) const TICK_NS: u64 = 1_000_000;

/// Period of the proprioception that policies see (ns): 100 Hz.
pub(crate) const PROPRIOCEPTION_NS: u64 = 10 * TICK_NS;

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
    Follow {
        path: ReferencePath,
        /// Hold unless the next path has come by then (ns); `u64::MAX` for a
        /// path that is meant to be run to its end.
        fresh_by_ns: u64,
        /// Of whoever ordered it; taken while its term runs.
        mandate: Mandate,
    },
    /// Brake and hold.
    Hold,
    /// Stop for a reason that was found outside of the loop; latched.
    Stop(StopCause),
    /// As hold; the world behind the robot is being rebuilt and gives no new
    /// state until the reset that follows, which may find the arm anywhere.
    NewWorld,
    /// Leave a latched stop: hold the measured pose. Refused while the arm moves.
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
    fresh_by_ns: u64,
    /// In whose term the path was ordered.
    mandate: Mandate,
    authority: AuthorityWord,
    stop_switch: StopSwitch,
    heartbeats: Heartbeats,
    contact: ContactWatch,
    cameras: PulseWatch,
    state: StateFrame,
    command: CommandFrame,
    status: ControlStatus,
    watch: Watch,
    events: EventSender,
    telemetry: Arc<ControlTelemetry>,
    /// Takes down what the loop takes in.
    inputs: Option<InputTap>,
    /// Reads time for the telemetry; none in virtual time.
    stopwatch: Option<fn() -> u64>,
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
    pub(crate) authority: AuthorityWord,
    pub(crate) heartbeats: Heartbeats,
    /// Cameras that a policy moves the arm by.
    pub(crate) cameras: CameraPulses,
    pub(crate) deadlines: Deadlines,
    pub(crate) settings: ControlSettings,
}

impl ControlLoop {
    /// Builds the loop around the pose that the arm stands in. What it has to
    /// tell comes out of the second part.
    pub(crate) fn new(
        setup: ControlSetup<'_>,
    ) -> Result<(Self, Consumer<ControlEvent>), RuntimeError> {
        let ControlSetup {
            mut actuator,
            model,
            description,
            limits,
            tool_limits,
            safety,
            stop_switch,
            authority,
            heartbeats,
            cameras,
            deadlines,
            settings,
        } = setup;
        let mut state = StateFrame::default();
        actuator.state(&mut state)?;
        model.check_state(&state)?;
        let filter_settings = FilterSettings {
            period_ns: TICK_NS,
            gripper: description.gripper,
            ..FilterSettings::default()
        };
        let filter = SafetyFilter::new(limits.clone(), filter_settings, state.positions())?
            .with_tool_limits(model.kinematics().clone(), &tool_limits)?;
        let filter = safety.complete(filter, filter_settings, &model)?;
        let telemetry = ControlTelemetry::default();
        let pairs = u64::try_from(filter.clearance_pairs()).unwrap_or(u64::MAX);
        telemetry.clearance_pairs.store(pairs, Ordering::Relaxed);
        let contact = safety.contact_watch(&model, &state)?;
        let tracker = Tracker::new(&limits.scaled(TRACKER_PART)?, TICK_NS, state.positions())?;
        let mut status = ControlStatus {
            state,
            proprioception: state,
            ..ControlStatus::default()
        };
        status.set_command(state.positions());
        let (events, told) = event_ring();
        let control = Self {
            actuator,
            model,
            filter,
            tracker,
            path: None,
            fresh_by_ns: u64::MAX,
            mandate: authority.mandate(),
            authority,
            stop_switch,
            heartbeats,
            contact,
            cameras: watch_over(cameras, deadlines, description.stamp_clock),
            state,
            command: CommandFrame::default(),
            status,
            watch: Watch::new(settings.missed_ticks(), deadlines, description.stamp_clock),
            events,
            telemetry: Arc::new(telemetry),
            inputs: None,
            stopwatch: None,
            last_velocity: [0.0; vola_motion::MAX_JOINTS],
            last_acceleration: [0.0; vola_motion::MAX_JOINTS],
        };
        Ok((control, told))
    }

    /// What the last tick saw and did.
    pub(crate) fn status(&self) -> &ControlStatus {
        &self.status
    }

    /// What the last tick sent.
    pub(crate) fn command_frame(&self) -> &CommandFrame {
        &self.command
    }

    /// The loop's counters.
    pub(crate) fn telemetry(&self) -> Arc<ControlTelemetry> {
        Arc::clone(&self.telemetry)
    }

    /// Measures the parts of a tick with this clock from now on.
    pub(crate) fn measure_with(&mut self, clock: fn() -> u64) {
        self.stopwatch = Some(clock);
    }

    /// Takes down what the loop takes in from now on; to be called before the
    /// first tick and the first order.
    pub(crate) fn record_inputs(&mut self) -> InputReader {
        let (mut tap, reader) = input_ring();
        tap.state(Some(&self.state));
        self.inputs = Some(tap);
        reader
    }

    /// Locks the rings of events and of inputs in memory; the bytes locked.
    pub(crate) fn lock_rings(&mut self) -> std::io::Result<usize> {
        let inputs = self.inputs.as_mut().map_or(Ok(0), InputTap::lock_memory)?;
        Ok(inputs + self.events.lock_memory()?)
    }

    /// Takes an order; it has effect from the next tick on. A path is refused
    /// (and dropped) while the loop is stopped or still braking, and always when
    /// the authority that ordered it has passed on.
    pub(crate) fn order(&mut self, order: ControlOrder) {
        if let ControlOrder::Follow { mandate, .. } = &order
            && !self.may_order(*mandate)
        {
            return;
        }
        if let Some(inputs) = &mut self.inputs {
            inputs.order(&order);
        }
        match order {
            ControlOrder::Follow {
                path,
                fresh_by_ns,
                mandate,
            } => match self.status.mode {
                ControlMode::Following => self.follow(path, fresh_by_ns),
                // No state is watched while the world is rebuilt.
                ControlMode::Holding if self.filter.is_at_rest() && !self.watch.is_paused => {
                    self.mandate = mandate;
                    self.follow(path, fresh_by_ns);
                    self.status.mode = ControlMode::Following;
                }
                ControlMode::Holding | ControlMode::Stopped(_) => {}
            },
            ControlOrder::Hold => self.hold(),
            ControlOrder::Stop(cause) => self.stop(cause, None),
            ControlOrder::NewWorld => {
                self.hold();
                self.watch.is_paused = true;
            }
            ControlOrder::Reset => self.reset(),
        }
    }

    /// Whether this mandate's term runs; another term's motion begins at rest.
    fn may_order(&self, mandate: Mandate) -> bool {
        let is_its_own = mandate == self.mandate || self.status.mode != ControlMode::Following;
        is_its_own && self.authority.confirms(mandate)
    }

    /// One tick. `now_ns` is when the command takes effect: a whole number of
    /// ticks, later than the last.
    pub(crate) fn tick(&mut self, now_ns: u64) {
        self.tick_with(now_ns, None);
    }

    /// The same with what was demanded from outside in a recorded tick.
    pub(crate) fn tick_with(&mut self, now_ns: u64, recorded: Option<Signals>) {
        let mut lap = Lap::begin(self.stopwatch);
        self.status.time_ns = now_ns;
        self.watch_pace(now_ns);
        if recorded.is_none() {
            self.watch_cameras(now_ns);
        }
        self.measure(now_ns);
        lap.end(&self.telemetry.state);
        if let Some(cause) = self.contact.look(now_ns, &self.status.state) {
            self.stop(cause, None);
        }
        let signals = recorded.unwrap_or_else(|| self.signals(now_ns));
        self.obey(now_ns, signals);
        let (positions, velocities) = self.checked_command(now_ns);
        lap.end(&self.telemetry.filter);
        let count = positions.len();
        self.command.time_ns = now_ns;
        self.command.count = u32::try_from(count).unwrap_or(0);
        copy(&mut self.command.position, &positions);
        copy(&mut self.command.velocity, &velocities);
        self.measure_jerk(&velocities);
        self.status.set_command(&positions);
        let answer = self.actuator.try_command(&self.command);
        if let Some(inputs) = &mut self.inputs {
            inputs.tick(TickRecord {
                now_ns,
                signals,
                is_taken: answer.is_ok(),
                sent: Sent::of(&self.command),
            });
        }
        if let Err(fault) = answer {
            self.stop(StopCause::CommandFault, Some(fault));
        }
        lap.end(&self.telemetry.command);
        self.status.ticks = self.status.ticks.wrapping_add(1);
        self.status.at_rest = self.filter.is_at_rest();
        self.status.stands = self.status.at_rest && !self.moves(&self.status.state);
        self.telemetry.arm.show(&self.status);
        self.telemetry.ticks.fetch_add(1, Ordering::Relaxed);
    }

    /// What is demanded from outside now.
    fn signals(&mut self, now_ns: u64) -> Signals {
        Signals {
            level: self.stop_switch.level(),
            has_lost_plugin: self.stop_switch.has_lost_plugin(),
            silent: self.heartbeats.silent(now_ns),
            is_revoked: self.status.mode == ControlMode::Following
                && !self.authority.confirms(self.mandate),
        }
    }

    /// Stops and holds that are demanded from outside, or follow from silence.
    fn obey(&mut self, now_ns: u64, signals: Signals) {
        match signals.level {
            StopLevel::None => {}
            StopLevel::Hold if signals.has_lost_plugin => {
                self.hold_for(HoldCause::PluginLost, None);
            }
            StopLevel::Hold => self.hold_for(HoldCause::Demanded, None),
            StopLevel::ControlledStop => {
                self.stop(StopCause::Demanded, None);
                self.stop_switch.obeyed(StopLevel::ControlledStop);
            }
            StopLevel::CutPower => {
                self.stop(StopCause::PowerCutDemanded, None);
                if !self.watch.cut_power {
                    self.cut_power();
                }
                self.stop_switch.obeyed(StopLevel::CutPower);
            }
        }
        match signals.silent {
            Some(HeartbeatKind::Operator) => self.stop(StopCause::OperatorSilent, None),
            Some(HeartbeatKind::Planner) => self.hold_for(HoldCause::PlannerSilent, None),
            Some(HeartbeatKind::Jog) => self.hold_for(HoldCause::JogSilent, None),
            None => {}
        }
        if signals.is_revoked {
            self.hold_for(HoldCause::AuthorityPassed, None);
        }
        if now_ns >= self.fresh_by_ns {
            self.hold_for(HoldCause::ChunkLate, None);
        }
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
                        self.hold_for(HoldCause::Filter, verdict.rejection);
                    }
                    Decision::SafeStop => {
                        self.status.rejection = verdict.rejection;
                        self.stop(cause(verdict.rejection), None);
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

    fn follow(&mut self, path: ReferencePath, fresh_by_ns: u64) {
        self.path = Some(path);
        self.fresh_by_ns = fresh_by_ns;
    }

    fn hold(&mut self) {
        if self.status.mode == ControlMode::Following {
            self.status.mode = ControlMode::Holding;
        }
        self.path = None;
        self.fresh_by_ns = u64::MAX;
    }

    /// Holds for a reason of the loop's own, which is told.
    fn hold_for(&mut self, cause: HoldCause, rejection: Option<Rejection>) {
        if self.status.mode == ControlMode::Following {
            self.tell(ControlEventKind::Held { cause, rejection });
        }
        self.hold();
    }

    fn tell(&mut self, kind: ControlEventKind) {
        self.events.tell(self.status.time_ns, kind);
        self.telemetry
            .lost_events
            .store(self.events.lost(), Ordering::Relaxed);
    }

    fn count(&mut self, interventions: &Interventions) {
        if !interventions.is_empty() {
            self.status.interventions.add(interventions);
            self.telemetry.intervened(&self.status.interventions);
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
