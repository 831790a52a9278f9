//! Pausing, going on and leaving out.

use vola_types::{Outcome, RunEventKind, RunOutcome, Scene, Step};

use super::{Course, Decision, Ended, Stepper, Tried, needs_person};
use crate::executive::Cast;
use crate::executive::attention::Wish;
use crate::executive::choices::{Choice, WHEN_NEEDED};
use crate::executive::interjection::{Interjection, RunQuestion};
use crate::executive::plan_parts::{Rest, without};
use crate::postcondition::{is_held, is_placed};
use crate::request::Dialogue;
use crate::verifier::SymbolicWorld;

/// Why a paused run waits.
const SAID_SO: &str = "You said that I shall wait.";

impl Stepper<'_> {
    /// Holds until the person says to go on. The arm is at rest already.
    pub(super) async fn pause(
        &mut self,
        scene: &mut Scene,
        dialogue: &mut Dialogue,
        cast: &mut Cast<'_>,
    ) -> Course {
        cast.robot.stop().await?;
        cast.emit(RunEventKind::Paused {
            index: self.next,
            reason: SAID_SO.to_owned(),
        });
        loop {
            let line = match cast.wishes.pop_front() {
                Some(wish) => Some(wish.line),
                None => cast.operator.listen().await,
            };
            if self.executive.is_stopped(cast) {
                return Ok(Some(self.stop_at(cast).await));
            }
            let Some(line) = line else {
                return Ok(Some(needs_person("I am paused.")));
            };
            let end = match Interjection::read(&line) {
                Some(Interjection::Resume) => return self.resume(scene, dialogue, cast).await,
                Some(Interjection::Stop) => Some(self.stop_at(cast).await),
                Some(Interjection::Skip) => {
                    let wish = Wish {
                        line,
                        meaning: Interjection::Skip,
                        at: self.next,
                    };
                    self.skip(&wish, scene, dialogue, cast).await?
                }
                Some(Interjection::TakeOver)
                    if cast.robot.can_be_taken_over() && self.next < self.steps.len() =>
                {
                    cast.emit(RunEventKind::Resumed { index: self.next });
                    return self.hand_over(&line, scene, dialogue, cast).await;
                }
                // It says why not, and the robot stays as it is.
                Some(Interjection::TakeOver) => {
                    self.hand_over(&line, scene, dialogue, cast).await?
                }
                Some(Interjection::Edit(edit)) => {
                    self.edit(&line, &edit, (scene, dialogue), cast).await?
                }
                Some(Interjection::Ask(question)) => answer(line, question, cast),
                Some(Interjection::Pause) => answer(line, RunQuestion::Doing, cast),
                None => None,
            };
            if end.is_some() {
                return Ok(end);
            }
        }
    }

    /// Goes on from what is now true.
    async fn resume(
        &mut self,
        scene: &mut Scene,
        dialogue: &mut Dialogue,
        cast: &mut Cast<'_>,
    ) -> Course {
        cast.emit(RunEventKind::Resumed { index: self.next });
        *scene = self.look(cast).await?;
        self.go_on_from(scene, dialogue, cast).await
    }

    /// Goes on from a scene that was just looked at, whoever made it so.
    pub(super) async fn go_on_from(
        &mut self,
        scene: &mut Scene,
        dialogue: &mut Dialogue,
        cast: &mut Cast<'_>,
    ) -> Course {
        while let Some(step) = self.steps.get(self.next).cloned()
            && is_so(&step, scene)
        {
            self.finish_step(&step, Outcome::Done, None, cast);
            self.advance(dialogue);
        }
        let Some(step) = self.steps.get(self.next) else {
            return Ok(None);
        };
        let capabilities = cast.robot.capabilities();
        match SymbolicWorld::new(scene.clone(), &capabilities).apply(step) {
            Ok(()) => Ok(None),
            Err(error) => {
                let impossible = Tried::Failed(error.say(scene));
                self.after_try(impossible, scene, dialogue, cast).await
            }
        }
    }

    /// Leaves out the step that was being done when it was said.
    pub(super) async fn skip(
        &mut self,
        wish: &Wish,
        scene: &mut Scene,
        dialogue: &mut Dialogue,
        cast: &mut Cast<'_>,
    ) -> Course {
        let refuse = |reason: &str, cast: &mut Cast<'_>| {
            cast.emit(RunEventKind::EditRefused {
                sentence: wish.line.clone(),
                reason: reason.to_owned(),
            });
            Ok(None)
        };
        if wish.at != self.next {
            return refuse("That step was just done.", cast);
        }
        if self.next >= self.steps.len() {
            return refuse("Nothing is left that I could skip.", cast);
        }
        cast.robot.stop().await?;
        *scene = self.look(cast).await?;
        Ok(self.leave_out_step(scene, dialogue, cast).await)
    }

    /// Goes to the next step, if the rest can be done without this one; else the
    /// person decides. `Some` ends the run.
    pub(super) async fn leave_out_step(
        &mut self,
        scene: &Scene,
        dialogue: &mut Dialogue,
        cast: &mut Cast<'_>,
    ) -> Option<Ended> {
        let step = self.steps.get(self.next)?.clone();
        let capabilities = cast.robot.capabilities();
        let rest = &self.steps[self.next + 1..];
        let rest = match without(&step, rest, scene, &capabilities) {
            Rest::Possible(rest) => rest,
            Rest::Needed(rest) => {
                self.handoffs += 1;
                let words = vola_types::step_sentence(&step, scene);
                let reason = format!("What comes after it needs that I {words}.");
                match self.decide(&reason, None, WHEN_NEEDED, cast).await {
                    Decision::Choice(Choice::DoIt) | Decision::Wished => return None,
                    Decision::Choice(Choice::LeaveOut) => rest,
                    Decision::Choice(_) => {
                        return Some(Ended::new(RunOutcome::Aborted, Some(reason)));
                    }
                    Decision::Stopped => return Some(self.stop_at(cast).await),
                    Decision::Nobody => return Some(needs_person(&reason)),
                }
            }
        };
        cast.emit(RunEventKind::Skipped {
            index: self.next,
            step,
            steps: rest.clone(),
        });
        self.left_out.push(self.next);
        self.next += 1;
        self.continue_with(rest, dialogue);
        None
    }
}

fn answer(line: String, question: RunQuestion, cast: &mut Cast<'_>) -> Option<Ended> {
    let say = cast.journal.answer(question);
    cast.emit(RunEventKind::Answered {
        question: line,
        say,
    });
    None
}

/// Whether a step's end is already so.
fn is_so(step: &Step, scene: &Scene) -> bool {
    match step {
        Step::Pick { object } => is_held(object, scene),
        Step::Place {
            object,
            target,
            relation,
        } => is_placed(object, target, *relation, scene),
        Step::Open { object } => scene.object(object).is_some_and(|o| o.open == Some(true)),
        Step::Close { object } => scene.object(object).is_some_and(|o| o.open == Some(false)),
        _ => false,
    }
}
