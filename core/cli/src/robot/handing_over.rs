//! The arm from the policy to a person and back, as the executive wants it.

use vola_planner::{Attention, HandoffTurn, RobotError, TakenOver};
use vola_recorder::Phase;
use vola_runtime::{
    HandInput, HandoffChoice, HandoffEvent, HandoffState, HoldReason, JogCommand, JogMotion,
    Options, RuntimeError, Session, TakeOverEnd, TakeOverPhase, Teleoperator, Transition,
};
use vola_types::{RunEvent, RunEventKind};

use super::{Pendant, SessionRobot, hand_frames::HandFrames};

impl SessionRobot {
    /// Lets people move the arm by hand from now on.
    pub(crate) fn hand_to(&mut self, pendant: Pendant) {
        self.pendant = Some(pendant);
    }

    /// What changed since the last call, for the log.
    pub(super) fn transitions(&mut self) -> Vec<RunEventKind> {
        let changes = self.session().handoff_transitions();
        changes.iter().map(told).collect()
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
            HandoffTurn::Asked => {
                let options = Options::offered(self.pendant.is_some());
                let timeout_ns = self.session().answer_timeout_ns();
                let asked = HandoffEvent::Asked {
                    options,
                    timeout_ns,
                };
                match self.session().handoff_state() {
                    HandoffState::Hold(_) => vec![asked],
                    _ => vec![HandoffEvent::Held(HoldReason::Stuck), asked],
                }
            }
            HandoffTurn::Continued => answered(HandoffChoice::Continue),
            HandoffTurn::Retried => answered(HandoffChoice::Retry),
            HandoffTurn::LeftOut => answered(HandoffChoice::Skip),
            HandoffTurn::TakenOver => answered(HandoffChoice::TakeOver),
            HandoffTurn::Aborted => answered(HandoffChoice::Abort),
            HandoffTurn::Unanswered => vec![HandoffEvent::TimedOut],
        }
    }

    /// A person moves the arm until it is given back.
    pub(super) fn by_hand(
        &mut self,
        attention: &mut dyn Attention,
    ) -> Result<TakenOver, RobotError> {
        let Some(pendant) = self.pendant.clone() else {
            return Ok(TakenOver::Unanswered);
        };
        let began_ns = self.began_ns();
        let taken_ns = self.session().now_ns();
        pendant.set_taken(true);
        self.set_moving(true);
        let recording = self.recording();
        let mut hand = Hand {
            pendant: &pendant,
            frames: HandFrames::new(recording, self.last_task(), Phase::Recovery),
            heard: 0,
            attention,
            began_ns,
            now_ns: began_ns,
        };
        // Nothing counts before it moves.
        hand.frames.enter(taken_ns, Phase::Recovery);
        let end = self.session().take_over(&mut hand);
        let ended_ns = self.session().now_ns();
        hand.frames.end(ended_ns);
        self.set_moving(false);
        pendant.set_taken(false);
        self.pass_on_stop();
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

/// The pendant as the session hears it.
struct Hand<'a> {
    pendant: &'a Pendant,
    frames: HandFrames,
    heard: u64,
    attention: &'a mut dyn Attention,
    began_ns: u64,
    now_ns: u64,
}

impl Hand<'_> {
    fn emit(&mut self, kind: RunEventKind) {
        self.attention.emit(at(self.began_ns, self.now_ns, kind));
    }
}

impl Teleoperator for Hand<'_> {
    fn poll(&mut self, now_ns: u64, is_still: bool) -> HandInput {
        self.now_ns = now_ns;
        let input = self.pendant.next(&mut self.heard, is_still);
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
            self.emit(told(&change));
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

/// A change as an event.
pub(super) fn told(change: &Transition) -> RunEventKind {
    RunEventKind::HandoffState {
        number: change.number,
        from: change.from.as_str().to_owned(),
        to: change.to.as_str().to_owned(),
        who: change.to.authority().as_str().to_owned(),
        cause: change.event.as_str().to_owned(),
        phase: change.to.phase().map(|phase| phase.as_str().to_owned()),
    }
}
