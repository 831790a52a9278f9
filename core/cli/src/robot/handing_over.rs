//! The arm from the policy to a person and back, as the executive wants it.

use vola_planner::{Attention, HandoffTurn, RobotError, TakenOver};
use vola_recorder::Phase;
use vola_runtime::{
    HandInput, HandoffChoice, HandoffEnd, HandoffEvent, HandoffState, HoldReason, JogCommand,
    JogMotion, Options, RuntimeError, Session, TakeOverEnd, TakeOverPhase, Teleoperator,
    Transition,
};
use vola_types::{RunEvent, RunEventKind, Step};

use super::{Pendant, SessionRobot, hand_frames::HandFrames};

impl SessionRobot {
    /// Lets people move the arm by hand from now on.
    pub(crate) fn hand_to(&mut self, pendant: Pendant) {
        self.pendant = Some(pendant);
    }

    /// What changed since the last call, for the log.
    pub(super) fn transitions(&mut self) -> Vec<RunEventKind> {
        let began_ns = self.began_ns();
        let changes = self.session().handoff_transitions();
        changes
            .iter()
            .map(|change| told(change, began_ns))
            .collect()
    }

    /// Passes a turn of the executive on to the session.
    pub(super) fn turn(&mut self, turn: HandoffTurn) -> Vec<RunEventKind> {
        for event in self.events_of(turn) {
            if let Err(error) = self.session().hand(event) {
                // A stop that came meanwhile has ended the handoff already.
                tracing::debug!(%error, "the handoff did not take a turn");
            }
        }
        self.transitions()
    }

    fn events_of(&mut self, turn: HandoffTurn) -> Vec<HandoffEvent> {
        let answered = |choice| vec![HandoffEvent::Answered(choice)];
        match turn {
            HandoffTurn::Asked => self.holding(HoldReason::Stuck),
            HandoffTurn::Demanded => {
                // Said already: nobody is asked who has asked for it.
                let mut events = self.holding(HoldReason::Demanded);
                events.push(HandoffEvent::Answered(HandoffChoice::TakeOver));
                events
            }
            HandoffTurn::Continued => answered(HandoffChoice::Continue),
            HandoffTurn::Retried => answered(HandoffChoice::Retry),
            HandoffTurn::LeftOut => answered(HandoffChoice::Skip),
            HandoffTurn::TakenOver => answered(HandoffChoice::TakeOver),
            HandoffTurn::Aborted => answered(HandoffChoice::Abort),
            HandoffTurn::Unanswered => vec![HandoffEvent::TimedOut],
        }
    }

    /// From whatever a primitive left to a question; `reason` where nothing holds yet.
    fn holding(&mut self, reason: HoldReason) -> Vec<HandoffEvent> {
        let asked = HandoffEvent::Asked {
            options: Options::offered(self.is_in_reach()),
            timeout_ns: self.session().answer_timeout_ns(),
        };
        let held = HandoffEvent::Held(reason);
        match self.session().handoff_state() {
            HandoffState::Hold(_) => vec![asked],
            // A primitive that was left at rest: the run goes on with this question.
            HandoffState::Over(HandoffEnd::Dropped) => vec![HandoffEvent::Begun, held, asked],
            _ => vec![held, asked],
        }
    }

    /// A person moves the arm with the pendant, until it is given back.
    pub(super) fn by_pendant(
        &mut self,
        step: &Step,
        attention: &mut dyn Attention,
    ) -> Result<TakenOver, RobotError> {
        let Some(pendant) = self.pendant.clone() else {
            return Ok(TakenOver::Unanswered);
        };
        let mut hand = PendantHand {
            pendant: pendant.clone(),
            heard: 0,
        };
        pendant.set_taken(true);
        self.set_moving(true);
        let end = self.by_hand(step, &mut hand, attention);
        self.set_moving(false);
        pendant.set_taken(false);
        self.pass_on_stop();
        if matches!(end, Ok(TakenOver::GivenBack)) {
            self.judge_step(step);
            self.trust_for_a_while();
        }
        end
    }

    /// A hand moves the arm to do this step, until it is given back.
    ///
    /// # Errors
    /// When the machine cannot go on.
    pub(crate) fn by_hand(
        &mut self,
        step: &Step,
        hand: &mut dyn ArmHand,
        attention: &mut dyn Attention,
    ) -> Result<TakenOver, RobotError> {
        // The goal of a step that was begun is named already.
        if self.forget_held().is_none() {
            self.name_goal(step);
        }
        let began_ns = self.began_ns();
        let taken_ns = self.session().now_ns();
        let recording = self.recording();
        let task = self.task_of(step);
        let mut person = Person {
            hand,
            frames: HandFrames::new(recording, &task, Phase::Recovery),
            attention,
            began_ns,
            now_ns: taken_ns,
        };
        // Nothing counts before it moves.
        person.frames.enter(taken_ns, Phase::Recovery);
        let end = self.session().take_over(&mut person);
        let ended_ns = self.session().now_ns();
        person.frames.end(ended_ns);
        match end {
            Ok(TakeOverEnd::GivenBack) => {
                self.trust_for_a_while();
                Ok(TakenOver::GivenBack)
            }
            Ok(TakeOverEnd::GivenUp) => Ok(TakenOver::GivenUp),
            Ok(TakeOverEnd::Unanswered) => Ok(TakenOver::Unanswered),
            Ok(TakeOverEnd::Stopped) => Ok(TakenOver::Stopped),
            Err(RuntimeError::Stopped { reason }) => Ok(TakenOver::SafetyStopped { limit: reason }),
            Err(error) => Err(RobotError::Machine {
                detail: error.to_string(),
            }),
        }
    }
}

/// What moves the arm in a person's place or by a person's hand.
pub(crate) trait ArmHand {
    /// A glance at the robot and, where one is simulated, at its world; lets no time
    /// pass.
    ///
    /// # Errors
    /// When there is nothing to be seen; the arm then comes to rest, and the hand's
    /// time is over.
    fn look(&mut self, session: &mut Session) -> Result<(), RuntimeError> {
        let _ = session;
        Ok(())
    }

    /// What is wished since the last call. `is_still`: the arm neither moves nor shall.
    ///
    /// # Units
    /// `now_ns` is the runtime's clock (ns).
    fn next(&mut self, now_ns: u64, is_still: bool) -> HandInput;
}

/// The hand of whoever holds the pendant.
struct PendantHand {
    pendant: Pendant,
    heard: u64,
}

impl ArmHand for PendantHand {
    fn next(&mut self, _now_ns: u64, is_still: bool) -> HandInput {
        self.pendant.next(&mut self.heard, is_still)
    }
}

/// An event by the run's own clock.
pub(super) fn at(began_ns: u64, now_ns: u64, kind: RunEventKind) -> RunEvent {
    let since = now_ns.saturating_sub(began_ns);
    let t = std::time::Duration::from_nanos(since).as_secs_f64();
    RunEvent { t, kind }
}

/// A wish of the hand was not followed.
pub(super) fn jog_refused(reason: &str) -> RunEventKind {
    RunEventKind::Safety {
        limit: "jog".to_owned(),
        action: reason.to_owned(),
    }
}

/// A hand as the session hears it, with what is told and recorded of it.
struct Person<'a> {
    hand: &'a mut dyn ArmHand,
    frames: HandFrames,
    attention: &'a mut dyn Attention,
    began_ns: u64,
    now_ns: u64,
}

impl Person<'_> {
    fn emit(&mut self, kind: RunEventKind) {
        self.attention.emit(at(self.began_ns, self.now_ns, kind));
    }
}

impl Teleoperator for Person<'_> {
    fn look(&mut self, session: &mut Session) -> Result<(), RuntimeError> {
        self.hand.look(session)
    }

    fn poll(&mut self, now_ns: u64, is_still: bool) -> HandInput {
        self.now_ns = now_ns;
        let input = self.hand.next(now_ns, is_still);
        let is_wished = matches!(&input, HandInput::Jog(command) if moves(command));
        self.frames.see(now_ns, is_wished || !is_still);
        input
    }

    fn refused(&mut self, reason: &str) {
        self.emit(jog_refused(reason));
    }

    fn changed(&mut self, session: &mut Session) {
        self.now_ns = session.now_ns();
        for change in session.handoff_transitions() {
            self.emit(told(&change, self.began_ns));
            if let Some(phase) = change.to.phase() {
                self.frames.enter(self.now_ns, recorded(phase));
            }
        }
        // Where the hand has brought it.
        if let Ok(state) = session.arm_state() {
            let (names, positions) = state.joints.into_iter().unzip();
            self.emit(RunEventKind::State {
                names,
                positions,
                gripper: state.gripper,
                tool: state.tool_position,
            });
        }
    }
}

/// Whether a wish is one to move.
pub(super) fn moves(command: &JogCommand) -> bool {
    command.motion != JogMotion::Still || command.gripper.is_some()
}

fn recorded(phase: TakeOverPhase) -> Phase {
    match phase {
        TakeOverPhase::Recovery => Phase::Recovery,
        TakeOverPhase::Correction => Phase::Correction,
    }
}

/// A change as an event of a run whose clock began then.
pub(super) fn told(change: &Transition, began_ns: u64) -> RunEventKind {
    let since = change.time_ns.saturating_sub(began_ns);
    RunEventKind::HandoffState {
        number: change.number,
        from: change.from.as_str().to_owned(),
        to: change.to.as_str().to_owned(),
        who: change.to.authority().as_str().to_owned(),
        cause: change.event.as_str().to_owned(),
        at: Some(std::time::Duration::from_nanos(since).as_secs_f64()),
        phase: change.to.phase().map(|phase| phase.as_str().to_owned()),
    }
}
