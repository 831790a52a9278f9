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
/// A stop that the robot did not take is repeated after so long (ns).
const ASK_AGAIN_NS: u64 = 10_000_000;
/// Measured speed (rad/s, m/s) that still counts as rest.
const REST_VELOCITY: f64 = 0.1;

impl ControlLoop {
    /// An arm that moves on after a stop, or leaves where it came to stand: power is
    /// asked to be cut, once. No speed need be measured for that.
    pub(super) fn watch_rest(&mut self, now_ns: u64) {
        if !self.is_rest_due(now_ns) {
            return;
        }
        let moves = self.moves(&self.state);
        let arm = self.model.arm(self.state.positions());
        let drifts = self.watch.drift.look(now_ns, arm, moves).is_some();
        if (moves || drifts) && !self.watch.cut_power {
            self.tell(ControlEventKind::NotAtRest);
            self.cut_power();
        }
    }

    /// An arm that nobody sees after a stop: it may move on.
    pub(super) fn watch_unseen(&mut self, now_ns: u64) {
        let is_unseen = now_ns.saturating_sub(self.watch.seen_ns) > REST_NS;
        let is_watched = !self.watch.is_paused && !self.watch.cut_power;
        if is_watched && is_unseen && self.is_rest_due(now_ns) {
            self.tell(ControlEventKind::NotSeenAtRest);
            self.cut_power();
        }
    }

    fn is_rest_due(&self, now_ns: u64) -> bool {
        now_ns.saturating_sub(self.watch.stopped_ns) > REST_NS
    }

    pub(super) fn stop(&mut self, cause: StopCause, fault: Option<FaultAbi>) {
        if !matches!(self.status.mode, ControlMode::Stopped(_)) {
            self.status.mode = ControlMode::Stopped(cause);
            self.watch.stopped_ns = self.status.time_ns;
            self.watch.cut_power = cause.cuts_power();
            self.watch.drift.restart();
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

    /// Asks the robot to stop; one that does not take it is asked again.
    fn ask_to_stop(&mut self, category: StopCategory) {
        self.watch.asked_ns = self.status.time_ns;
        match self.actuator.try_stop(category) {
            Ok(()) => self.watch.unheard = None,
            Err(fault) => {
                self.watch.unheard = Some(category);
                let kind = ControlEventKind::StopRefused;
                self.events
                    .tell_fault(self.status.time_ns, kind, Some(fault));
            }
        }
    }

    /// Repeats a stop that the robot did not take, until it does. It was told.
    pub(super) fn ask_again(&mut self, now_ns: u64) {
        let Some(category) = self.watch.unheard else {
            return;
        };
        if now_ns.saturating_sub(self.watch.asked_ns) < ASK_AGAIN_NS {
            return;
        }
        self.watch.asked_ns = now_ns;
        match self.actuator.try_stop(category) {
            Ok(()) => self.watch.unheard = None,
            Err(fault) => self.events.give_away(now_ns, fault),
        }
    }

    /// Leaves a stop, unless the arm moves or the robot is not ready: then nothing
    /// changes, and it is told. What can be known before the robot is asked is
    /// looked at before; one that took the reset and then turns out not to be ready
    /// is stopped again, because commands would move it to where it stood before.
    pub(super) fn reset(&mut self) {
        if let Err(why) = self.may_reset() {
            self.tell(why);
            self.note_reset(false);
            return;
        }
        let answer = self.actuator.try_reset();
        let is_taken = answer.is_ok();
        let ready = if is_taken {
            self.take_up()
        } else {
            Err(StopCause::CommandFault)
        };
        self.note_reset(is_taken);
        if let Err(cause) = ready {
            self.refuse_reset(cause, answer.err());
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

    /// Puts the filter where the robot now is; else why it cannot.
    fn take_up(&mut self) -> Result<(), StopCause> {
        if self.read_state().is_err() {
            return Err(StopCause::StateFault);
        }
        if !self.model.is_valid_state(&self.state) {
            return Err(StopCause::StateInvalid);
        }
        if let Some(cause) = pressed(&self.state) {
            return Err(cause);
        }
        // Not known before, where the robot gave no state until it was reset.
        if !self.watch.is_paused && self.moves(&self.state) {
            return Err(StopCause::TrackingError);
        }
        let taken = self.filter.reset_to(self.state.positions());
        taken.map_err(|_outside| StopCause::Filter)
    }

    /// The robot was asked, and is not ready. Even one that gave a fault may have
    /// left its stop.
    fn refuse_reset(&mut self, cause: StopCause, fault: Option<FaultAbi>) {
        let kind = ControlEventKind::ResetRefused;
        self.events.tell_fault(self.status.time_ns, kind, fault);
        // No state was awaited for the sake of this reset.
        self.watch.is_paused = false;
        self.watch.drift.restart();
        match self.status.mode {
            ControlMode::Stopped(_) if self.watch.cut_power => self.ask_to_stop(StopCategory::Zero),
            ControlMode::Stopped(first) => self.ask_to_stop(first.category()),
            ControlMode::Following | ControlMode::Holding => self.stop(cause, None),
        }
    }

    fn note_reset(&mut self, is_taken: bool) {
        if let Some(inputs) = &mut self.inputs {
            inputs.reset(is_taken);
        }
    }

    /// Whether the arm stands, so that its pose can be taken up at no velocity, and
    /// nothing keeps it stopped; else what to tell. Asked of a state that is read for
    /// it: the tick's may be old. A robot that gives none is judged by the reset
    /// itself. In a world that is rebuilt the arm is put where it shall begin.
    fn may_reset(&mut self) -> Result<(), ControlEventKind> {
        if self.watch.is_paused {
            return Ok(());
        }
        let is_known = self.read_state().is_ok() && self.model.is_valid_state(&self.state);
        // A state that stands still may be from before the arm braked.
        let is_old = self
            .watch
            .is_old(self.status.time_ns, self.state.capture_time_ns);
        let may_move = is_known && (is_old || self.moves(&self.state));
        if !self.filter.is_at_rest() || may_move {
            return Err(ControlEventKind::ResetTooEarly);
        }
        let is_ready =
            pressed(&self.state).is_none() && self.filter.can_start_at(self.state.positions());
        if is_known && !is_ready {
            return Err(ControlEventKind::ResetRefused);
        }
        Ok(())
    }

    /// Whether an arm joint moves in this state.
    pub(super) fn moves(&self, state: &StateFrame) -> bool {
        let arm = self.model.arm(state.velocities());
        arm.iter().any(|velocity| velocity.abs() > REST_VELOCITY)
    }
}
