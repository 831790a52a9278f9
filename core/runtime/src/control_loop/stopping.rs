//! Into a stop and out of it.
//!
//! A stop is latched. A reset takes the arm up where it is measured, at no
//! velocity; so it is refused until the arm stands, by what is commanded and by
//! what is measured. Otherwise the next command were a step of velocity.

use vola_abi::{FaultAbi, StateFrame, StopCategory};

use super::{ControlLoop, reset_tracker, watching::pressed};
use crate::{
    control_event::ControlEventKind,
    control_status::{ControlMode, StopCause},
};

/// Time after a stop in which the arm must have come to rest (ns): more than
/// twice what a stop from full speed takes.
const REST_NS: u64 = 1_000_000_000;
/// Measured speed (rad/s, m/s) that still counts as rest.
const REST_VELOCITY: f64 = 0.1;

impl ControlLoop {
    /// An arm that moves on after a stop: power is asked to be cut, once.
    pub(super) fn watch_rest(&mut self, now_ns: u64) {
        let is_due = now_ns.saturating_sub(self.watch.stopped_ns) > REST_NS;
        if is_due && self.moves(&self.state) && !self.watch.cut_power {
            self.tell(ControlEventKind::NotAtRest);
            self.cut_power();
        }
    }

    pub(super) fn stop(&mut self, cause: StopCause, fault: Option<FaultAbi>) {
        if !matches!(self.status.mode, ControlMode::Stopped(_)) {
            self.status.mode = ControlMode::Stopped(cause);
            self.watch.stopped_ns = self.status.time_ns;
            self.watch.cut_power = cause.cuts_power();
            let is_filter_s = matches!(
                cause,
                StopCause::Filter | StopCause::TrackingError | StopCause::StateInvalid
            );
            let rejection = self.status.rejection.filter(|_| is_filter_s);
            let kind = ControlEventKind::Stopped { cause, rejection };
            self.events.tell_fault(self.status.time_ns, kind, fault);
            // The filter's braking commands still go out; a robot that no longer
            // takes them has its own time-out.
            self.ask_to_stop(cause.category());
        } else if let Some(fault) = fault {
            self.events.give_away(self.status.time_ns, fault);
        }
        self.path = None;
        self.fresh_by_ns = u64::MAX;
    }

    pub(super) fn cut_power(&mut self) {
        self.watch.cut_power = true;
        self.ask_to_stop(StopCategory::Zero);
    }

    fn ask_to_stop(&mut self, category: StopCategory) {
        if let Err(fault) = self.actuator.try_stop(category) {
            let kind = ControlEventKind::StopRefused;
            self.events
                .tell_fault(self.status.time_ns, kind, Some(fault));
        }
    }

    /// Leaves a stop, unless the arm moves or the robot is not ready: then nothing
    /// changes, and it is told.
    pub(super) fn reset(&mut self) {
        if !self.may_reset() {
            self.tell(ControlEventKind::ResetTooEarly);
            self.note_reset(false);
            return;
        }
        let answer = self.actuator.try_reset();
        let is_taken = answer.is_ok();
        if let Err(fault) = answer {
            self.note_reset(is_taken);
            let kind = ControlEventKind::ResetRefused;
            self.events
                .tell_fault(self.status.time_ns, kind, Some(fault));
            return;
        }
        let is_read = self.read_state().is_ok();
        self.note_reset(is_taken);
        let is_ready = is_read
            && self.model.is_valid_state(&self.state)
            && pressed(&self.state).is_none()
            && self.filter.reset_to(self.state.positions()).is_ok();
        if !is_ready {
            self.tell(ControlEventKind::ResetRefused);
            return;
        }
        reset_tracker(&mut self.tracker, self.state.positions());
        self.path = None;
        self.fresh_by_ns = u64::MAX;
        self.watch.restart();
        self.cameras.restart();
        self.contact.restart();
        self.status.state = self.state;
        self.status.proprioception = self.state;
        self.status.set_command(self.state.positions());
        self.status.rejection = None;
        if matches!(self.status.mode, ControlMode::Stopped(_)) {
            self.tell(ControlEventKind::Reset);
        }
        self.status.mode = ControlMode::Holding;
    }

    fn note_reset(&mut self, is_taken: bool) {
        if let Some(inputs) = &mut self.inputs {
            inputs.reset(is_taken);
        }
    }

    /// Whether the arm stands, so that its pose can be taken up at no velocity.
    /// Asked of a state that is read for it: the tick's may be old. A robot that
    /// gives none is judged by the reset itself. In a world that is rebuilt the
    /// arm is put where it shall begin.
    fn may_reset(&mut self) -> bool {
        if self.watch.is_paused {
            return true;
        }
        let is_known = self.read_state().is_ok() && self.model.is_valid_state(&self.state);
        self.filter.is_at_rest() && !(is_known && self.moves(&self.state))
    }

    /// Whether an arm joint moves in this state.
    pub(super) fn moves(&self, state: &StateFrame) -> bool {
        let arm = self.model.arm(state.velocities());
        arm.iter().any(|velocity| velocity.abs() > REST_VELOCITY)
    }
}
