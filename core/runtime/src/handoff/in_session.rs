//! The handoff of a running session: events in, authority and stops out.

use vola_bundle::SafeStop;

use super::{HandoffEnd, HandoffEvent, HandoffState, RefusedEvent, Transition};
use crate::{
    RuntimeError, Session,
    control_loop::{ControlOrder, TICK_NS},
    control_status::StopCause,
};

impl Session {
    /// Who has the arm, and why.
    #[must_use]
    pub fn handoff_state(&self) -> HandoffState {
        self.handoff.state()
    }

    /// How long an answer is awaited (ns), by the deployment.
    #[must_use]
    pub fn answer_timeout_ns(&self) -> u64 {
        self.settings.hand.timeout_ns
    }

    /// Changes of the handoff since the last call, for the run's log.
    pub fn handoff_transitions(&mut self) -> Vec<Transition> {
        self.handoff.transitions()
    }

    /// Takes an event of the handoff. The authority over the arm has passed on when
    /// it returns; where nobody answered, the deployment's safe stop has begun.
    ///
    /// # Errors
    /// When this may not happen in this state, or the arm does not come to rest.
    pub fn hand(&mut self, event: HandoffEvent) -> Result<(), RuntimeError> {
        let before = self.handoff.state();
        self.handoff.take(event, self.body.now_ns())?;
        let after = self.handoff.state();
        match after {
            HandoffState::Over(HandoffEnd::Unanswered(stop)) if before != after => {
                self.stop_safely(stop)
            }
            _ => Ok(()),
        }
    }

    /// Questions that were asked so far count no more: what an evaluator measures next
    /// has nothing to do with what it measured before.
    pub fn forget_questions(&mut self) {
        self.confidence.budget.begin_anew();
    }

    /// A person, or an evaluator, begins anew, whatever was held before.
    ///
    /// # Errors
    /// None that a session can be in; see [`hand`](Self::hand).
    pub fn begin_anew(&mut self) -> Result<(), RuntimeError> {
        if self.handoff.state() != HandoffState::Auto {
            self.hand(HandoffEvent::Stopped)?;
        }
        self.hand(HandoffEvent::Begun)
    }

    /// Lets time pass while nobody has the arm, as a person takes it to think.
    ///
    /// # Errors
    /// When the safety layer stopped the robot meanwhile.
    ///
    /// # Timing
    /// In real time it waits for so long.
    pub fn let_pass(&mut self, duration_ns: u64) -> Result<(), RuntimeError> {
        let now_ns = self.body.now_ns();
        self.advance_to(now_ns.saturating_add(duration_ns))
    }

    /// A primitive begins. One that nobody answered for is not passed by.
    pub(crate) fn begin_by_handoff(&mut self) -> Result<(), RuntimeError> {
        let state = self.handoff.state();
        let event = HandoffEvent::Begun;
        if let HandoffState::Over(HandoffEnd::Unanswered(_)) = state {
            return Err(RefusedEvent { state, event }.into());
        }
        self.hand(event)
    }

    fn stop_safely(&mut self, stop: SafeStop) -> Result<(), RuntimeError> {
        let cause = match stop {
            SafeStop::Hold => return self.settle(),
            SafeStop::ControlledStop => StopCause::Unanswered,
            SafeStop::PowerOff => StopCause::UnansweredPowerOff,
        };
        self.path = None;
        self.body.order(ControlOrder::Stop(cause))?;
        let now_ns = self.body.now_ns();
        self.body.advance_to(now_ns + 2 * TICK_NS)
    }
}
