//! A person shows what a sentence means: the arm is in the person's hand from the
//! first moment, and what is kept is an episode of the recording.
//!
//! It is a handoff like any other: the same authority, the same dead-man, the same
//! stop when nobody is there. Only what ends it differs: the person keeps what was
//! shown, or throws it away; whatever else ends it throws it away too.

use vola_planner::EventSink;
use vola_recorder::Phase;
use vola_runtime::{
    HandInput, HandoffChoice, HandoffEvent, HoldReason, Options, RuntimeError, Session,
    TakeOverEnd, Teleoperator,
};
use vola_types::RunEventKind;

use super::{
    Pendant, SessionRobot,
    hand_frames::HandFrames,
    handing_over::{at, jog_refused, moves, told},
    pendant::LessonWord,
};
use crate::recording::Recording;

/// What is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lesson {
    /// What the person said.
    pub(crate) sentence: String,
    /// The sentences of its primitives, in order; at least one.
    pub(crate) steps: Vec<String>,
}

/// Where a lesson is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LessonPlace {
    /// What the person said.
    pub(crate) sentence: String,
    /// The step that is shown now.
    pub(crate) step: String,
    /// The step after it.
    pub(crate) next: Option<String>,
}

/// How a lesson ended; the arm is at rest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LessonEnd {
    /// It is an episode now.
    Kept {
        /// Steps that were shown.
        steps: usize,
        /// Time in which the arm moved (s).
        seconds: f64,
    },
    /// Nothing of it is left, and why.
    Discarded(String),
}

impl SessionRobot {
    /// Whether a person can show something: where runs are recorded and somebody can
    /// take the arm.
    pub(crate) fn can_be_taught(&self) -> bool {
        self.pendant.is_some() && self.recording().is_some()
    }

    /// Gives the arm to a person until the lesson ends.
    ///
    /// # Errors
    /// When the runtime fails for another reason than a stop.
    pub(crate) fn teach(
        &mut self,
        lesson: &Lesson,
        events: &mut dyn EventSink,
    ) -> Result<LessonEnd, RuntimeError> {
        let (Some(pendant), Some(recording)) = (self.pendant.clone(), self.recording()) else {
            return Ok(LessonEnd::Discarded("nothing is recorded here".to_owned()));
        };
        self.session().begin_anew()?;
        recording.begin(self.session().now_ns(), &lesson.sentence);
        let end = self.show(lesson, (&pendant, &recording), events);
        pendant.set_lesson(None);
        let now_ns = self.session().now_ns();
        if matches!(end, Ok(LessonEnd::Kept { .. })) {
            if recording.keep(now_ns, "taught") {
                return end;
            }
            return Ok(LessonEnd::Discarded("it could not be recorded".to_owned()));
        }
        recording.discard();
        end
    }

    fn show(
        &mut self,
        lesson: &Lesson,
        (pendant, recording): (&Pendant, &Recording),
        events: &mut dyn EventSink,
    ) -> Result<LessonEnd, RuntimeError> {
        let began_ns = self.began_ns();
        let asked = HandoffEvent::Asked {
            options: Options::offered(true),
            timeout_ns: self.session().answer_timeout_ns(),
        };
        // Said already: nobody is asked who has asked for it.
        for event in [
            HandoffEvent::Held(HoldReason::Taught),
            asked,
            HandoffEvent::Answered(HandoffChoice::TakeOver),
            HandoffEvent::Recovered,
        ] {
            self.session().hand(event)?;
        }
        let first = lesson.steps.first().map_or("", String::as_str);
        let mut hand = LessonHand {
            pendant,
            lesson,
            frames: HandFrames::new(Some(recording.clone()), first, Phase::Correction),
            events,
            step: 0,
            steps_shown: 0,
            moved: Moved::default(),
            verdict: None,
            heard: 0,
            began_ns,
            now_ns: self.session().now_ns(),
        };
        hand.tell_place();
        pendant.set_taken(true);
        self.set_moving(true);
        let end = self.session().take_over(&mut hand);
        let now_ns = self.session().now_ns();
        hand.frames.end(now_ns);
        let (verdict, moved, steps) = (hand.verdict, hand.moved, hand.steps_shown);
        self.set_moving(false);
        pendant.set_taken(false);
        self.pass_on_stop();
        let discarded = |why: &str| Ok(LessonEnd::Discarded(why.to_owned()));
        match end {
            Ok(TakeOverEnd::GivenBack) => match verdict {
                Some(LessonWord::Discard) => discarded("you threw it away"),
                None | Some(LessonWord::Next) => discarded("it was given back, and not kept"),
                Some(LessonWord::Keep) if !moved.is_any() => {
                    discarded("nothing was shown: the arm did not move")
                }
                Some(LessonWord::Keep) => Ok(LessonEnd::Kept {
                    steps,
                    seconds: moved.seconds(),
                }),
            },
            Ok(TakeOverEnd::GivenUp) => discarded("you ended it"),
            Ok(TakeOverEnd::Unanswered) => discarded("nobody was there any more"),
            Ok(TakeOverEnd::Stopped) => discarded("it was stopped"),
            Err(RuntimeError::Stopped { reason }) => {
                discarded(&format!("the safety layer stopped it: {reason}"))
            }
            Err(error) => Err(error),
        }
    }
}

/// For how long the arm moved.
#[derive(Clone, Copy, Debug, Default)]
struct Moved {
    since_ns: Option<u64>,
    total_ns: u64,
}

impl Moved {
    fn see(&mut self, now_ns: u64, is_moving: bool) {
        if let Some(since_ns) = self.since_ns.take() {
            self.total_ns += now_ns.saturating_sub(since_ns);
        }
        self.since_ns = is_moving.then_some(now_ns);
    }

    fn is_any(&self) -> bool {
        self.total_ns > 0
    }

    fn seconds(&self) -> f64 {
        std::time::Duration::from_nanos(self.total_ns).as_secs_f64()
    }
}

/// The person as the session hears one who teaches.
struct LessonHand<'a> {
    pendant: &'a Pendant,
    lesson: &'a Lesson,
    frames: HandFrames,
    events: &'a mut dyn EventSink,
    /// Number of the step that is shown.
    step: usize,
    /// Steps in which the arm has moved, from the first on.
    steps_shown: usize,
    moved: Moved,
    verdict: Option<LessonWord>,
    heard: u64,
    began_ns: u64,
    now_ns: u64,
}

impl LessonHand<'_> {
    fn emit(&mut self, kind: RunEventKind) {
        self.events.emit(at(self.began_ns, self.now_ns, kind));
    }

    fn step_at(&self, step: usize) -> Option<&String> {
        self.lesson.steps.get(step)
    }

    fn tell_place(&self) {
        self.pendant.set_lesson(Some(LessonPlace {
            sentence: self.lesson.sentence.clone(),
            step: self.step_at(self.step).cloned().unwrap_or_default(),
            next: self.step_at(self.step + 1).cloned(),
        }));
    }

    /// The next step is shown from now on, where there is one.
    fn turn(&mut self) {
        let Some(next) = self.step_at(self.step + 1).cloned() else {
            self.refused("every step was shown: keep it, or discard it");
            return;
        };
        self.step += 1;
        self.frames.turn_to(self.now_ns, &next);
        self.tell_place();
    }
}

impl Teleoperator for LessonHand<'_> {
    fn poll(&mut self, now_ns: u64, is_still: bool) -> HandInput {
        self.now_ns = now_ns;
        match self.pendant.lesson_word(is_still) {
            Some(LessonWord::Next) => {
                self.turn();
                return HandInput::Alive;
            }
            Some(word) => {
                self.verdict = Some(word);
                return HandInput::GiveBack;
            }
            None => {}
        }
        let input = self.pendant.next(&mut self.heard, is_still);
        let is_wished = matches!(&input, HandInput::Jog(command) if moves(command));
        self.frames.see(now_ns, is_wished || !is_still);
        self.moved.see(now_ns, !is_still);
        if !is_still {
            self.steps_shown = self.step + 1;
        }
        match input {
            // All of it is to be learned from.
            HandInput::Recovered => HandInput::Alive,
            input => input,
        }
    }

    fn refused(&mut self, reason: &str) {
        self.emit(jog_refused(reason));
    }

    fn changed(&mut self, session: &mut Session) {
        self.now_ns = session.now_ns();
        for change in session.handoff_transitions() {
            self.emit(told(&change, self.began_ns));
        }
        // What was told names a person in control; nothing counts before it moves.
        self.frames.enter(self.now_ns, Phase::Correction);
    }
}
