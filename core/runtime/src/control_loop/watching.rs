//! What a tick watches over: its own pace, and the state that the robot measures.

use std::sync::atomic::Ordering;

use vola_abi::{FaultAbi, StateFrame, StopCategory};
use vola_bundle::Deadlines;
use vola_motion::Rejection;
use vola_types::StampClock;

use super::{ControlLoop, ControlOrder, PROPRIOCEPTION_NS, TICK_NS};
use crate::{
    authority::Authority,
    camera_pulse::{CameraPulses, PulseWatch},
    control_event::ControlEventKind,
    control_status::{ControlMode, StopCause},
    drift_watch::DriftWatch,
    tick_clock::TickPace,
    watchdog::{AgeWatch, FrozenStateWatch},
};

/// Periods missed at once that are worth a line in the log.
const MISSED_TOLD: u64 = 10;
/// Success rate below which it is told, and above which it is told again.
const SUCCESS_LOW: f64 = 0.90;
const SUCCESS_FINE: f64 = 0.95;

/// The loop's watchdogs and what they remember.
pub(super) struct Watch {
    pace: TickPace,
    max_missed: u64,
    success_told: bool,
    age: AgeWatch,
    frozen: FrozenStateWatch,
    /// Over an arm that holds or is stopped.
    pub(super) drift: DriftWatch,
    /// When a state last was whole, and another than the one before (ns), and its stamp.
    pub(super) seen_ns: u64,
    pub(super) seen_stamp_ns: u64,
    /// No state is expected: the world is being rebuilt.
    pub(super) is_paused: bool,
    proprioception_period: u64,
    pub(super) stopped_ns: u64,
    pub(super) cut_power: bool,
    /// A stop that the robot did not take, and when it was last asked (ns).
    pub(super) unheard: Option<StopCategory>,
    pub(super) asked_ns: u64,
}

impl Watch {
    pub(super) fn new(max_missed: u64, deadlines: Deadlines, clock: StampClock) -> Self {
        let state_ns = u64::try_from(deadlines.state.as_nanos()).unwrap_or(u64::MAX);
        Self {
            pace: TickPace::new(TICK_NS),
            max_missed,
            success_told: false,
            age: AgeWatch::new(state_ns, clock),
            frozen: FrozenStateWatch::new(state_ns),
            drift: DriftWatch::new(state_ns),
            seen_ns: 0,
            seen_stamp_ns: u64::MAX,
            is_paused: false,
            proprioception_period: u64::MAX,
            stopped_ns: 0,
            cut_power: false,
            unheard: None,
            asked_ns: 0,
        }
    }

    /// A whole state with this stamp; the same one again shows nothing.
    fn see(&mut self, now_ns: u64, stamp_ns: u64) {
        if self.is_paused || stamp_ns != self.seen_stamp_ns {
            (self.seen_ns, self.seen_stamp_ns) = (now_ns, stamp_ns);
        }
    }

    /// Whether a state with this stamp, read now, may be the newest for too long.
    pub(super) fn is_old(&self, now_ns: u64, stamp_ns: u64) -> bool {
        stamp_ns == self.seen_stamp_ns && self.age.is_stale(now_ns.saturating_sub(self.seen_ns))
    }

    /// After a reset everything counts as seen for the first time.
    pub(super) fn restart(&mut self) {
        self.age.restart();
        self.frozen.restart();
        self.drift.restart();
        self.is_paused = false;
        self.proprioception_period = u64::MAX;
        self.cut_power = false;
        self.unheard = None;
    }
}

impl ControlLoop {
    /// Counts the periods without a tick; too many in a row stop a moving arm.
    /// One that stands has nothing to stop, and its path cannot have run on.
    pub(super) fn watch_pace(&mut self, now_ns: u64) {
        let missed = self.watch.pace.tick(now_ns);
        let rate = self.watch.pace.success_rate();
        let percent = (rate * 100.0).round() as u8;
        self.telemetry
            .success_percent
            .store(u64::from(percent), Ordering::Relaxed);
        if rate > SUCCESS_FINE {
            self.watch.success_told = false;
        }
        if missed == 0 {
            return;
        }
        self.telemetry
            .missed_ticks
            .fetch_add(missed, Ordering::Relaxed);
        // The state could not be looked at either.
        let missed_ns = missed.saturating_mul(TICK_NS);
        self.watch.age.excuse(missed_ns);
        self.watch.drift.excuse(missed_ns);
        self.watch.seen_ns = self.watch.seen_ns.saturating_add(missed_ns);
        self.cameras.excuse(missed_ns);
        if missed >= MISSED_TOLD {
            self.tell(ControlEventKind::TicksMissed { missed });
        }
        if rate < SUCCESS_LOW && !self.watch.success_told {
            self.watch.success_told = true;
            self.tell(ControlEventKind::SuccessRate { percent });
        }
        let moves = self.status.mode == ControlMode::Following || !self.filter.is_at_rest();
        if missed >= self.watch.max_missed && moves {
            self.stop(StopCause::TicksMissed, None);
        }
    }

    /// Looks, as often as policies see the state, whether the cameras are alive that
    /// the arm moves by. A person who moves it by hand may have to bring it away
    /// from a broken one, and is awaited by other signs.
    pub(super) fn watch_cameras(&mut self, now_ns: u64) {
        let is_due = now_ns.is_multiple_of(PROPRIOCEPTION_NS);
        if !is_due || self.watch.is_paused || !self.cameras.is_needed() {
            return;
        }
        let measured = self.model.arm(self.status.state.positions());
        let Ok(tool) = self.model.kinematics().tool_in_base(measured) else {
            // A state that cannot be used stops the arm by itself.
            return;
        };
        let cause = self.cameras.look(now_ns, tool.translation.vector.into());
        let is_followed = self.status.mode == ControlMode::Following
            && self.mandate.authority() == Authority::Policy;
        if let Some(cause) = cause.filter(|_| is_followed) {
            // As an order, so that a recording of what the loop takes in has it.
            self.order(ControlOrder::Stop(cause));
        }
    }

    /// Reads the state and asks whether it is whole, new and alive.
    pub(super) fn measure(&mut self, now_ns: u64) {
        self.ask_again(now_ns);
        if let Err(fault) = self.read_state() {
            self.stop(StopCause::StateFault, Some(fault));
            self.watch_unseen(now_ns);
            return;
        }
        if !self.model.is_valid_state(&self.state) {
            self.stop(StopCause::StateInvalid, None);
            self.watch_unseen(now_ns);
            return;
        }
        self.watch.see(now_ns, self.state.capture_time_ns);
        self.status.state = self.state;
        if let Some(cause) = pressed(&self.state) {
            self.stop(cause, None);
        }
        let end_ns = now_ns + TICK_NS;
        let period = end_ns / PROPRIOCEPTION_NS;
        if period != self.watch.proprioception_period {
            self.watch.proprioception_period = period;
            self.status.proprioception = self.state;
            self.status.proprioception_ns = end_ns;
        }
        if self.watch.is_paused {
            return;
        }
        match self.status.mode {
            ControlMode::Stopped(_) => {
                self.watch_rest(now_ns);
                self.watch_unseen(now_ns);
                return;
            }
            ControlMode::Holding => self.watch_hold(now_ns),
            ControlMode::Following => self.watch.drift.restart(),
        }
        let silent_ns = self.watch.age.look(now_ns, self.state.capture_time_ns);
        let is_frozen = self.watch.frozen.look(
            now_ns,
            self.model.arm(self.state.positions()),
            self.model.arm(self.status.command()),
        );
        if self.watch.age.is_stale(silent_ns) {
            self.stop(StopCause::StateStale, None);
        } else if is_frozen {
            self.stop(StopCause::StateFrozen, None);
        }
    }

    /// An arm that holds must brake with its commands, and then stay where it came
    /// to stand. While it brakes it may lag behind as far as when it follows.
    fn watch_hold(&mut self, now_ns: u64) {
        let measured = self.state.positions();
        let mut error = self.filter.tracking_error(measured);
        if !self.filter.is_at_rest() {
            self.watch.drift.restart();
        } else if error.is_none() {
            let moves = self.moves(&self.state);
            let drift = &mut self.watch.drift;
            error = drift
                .look(now_ns, self.model.arm(self.state.positions()), moves)
                .map(|(joint, distance)| Rejection::TrackingError { joint, distance });
        }
        if error.is_some() {
            self.status.rejection = error;
            self.stop(StopCause::TrackingError, None);
        }
    }

    /// Reads the robot's state into the loop's own frame.
    pub(super) fn read_state(&mut self) -> Result<(), FaultAbi> {
        let answer = self.actuator.try_state(&mut self.state);
        if let Some(inputs) = &mut self.inputs {
            inputs.state(answer.is_ok().then_some(&self.state));
        }
        answer
    }
}

/// The watch over these cameras.
pub(super) fn watch_over(
    cameras: CameraPulses,
    deadlines: Deadlines,
    clock: StampClock,
) -> PulseWatch {
    let ns = |deadline: std::time::Duration| u64::try_from(deadline.as_nanos()).unwrap_or(u64::MAX);
    let deadlines = (ns(deadlines.camera), ns(deadlines.camera_stop));
    PulseWatch::new(cameras, deadlines, clock)
}

/// Why a person at the robot wants it to stand, if one does.
pub(super) fn pressed(state: &StateFrame) -> Option<StopCause> {
    if state.has(StateFrame::EMERGENCY_STOP) {
        Some(StopCause::EmergencyStop)
    } else if state.has(StateFrame::HOLD_RELEASED) {
        Some(StopCause::HoldReleased)
    } else {
        None
    }
}
