//! The arm in a person's hand, because the robot asked for it or the person did.
//!
//! What a hand leaves behind is measured, never taken from anybody's word: the step
//! is done, or the plan goes on from what is there.

use vola_types::{Outcome, RunEventKind, Scene, Step, step_sentence};

use super::trying::ended_by_a_person;
use super::{Course, Stepper, Tried, needs_person};
use crate::executive::operator::Heed;
use crate::executive::{Cast, HandoffTurn, RobotError, TakenOver};
use crate::postcondition;
use crate::request::Dialogue;

/// Why the arm is not handed over.
pub(super) const NOT_BY_HAND: &str = "Nobody can move the arm by hand here.";

/// Why a step that a person's hand did not finish is looked at again.
const BY_HAND: &str = "a person moved the arm";

/// Why a person who took the arm unasked is needed again.
const HAND_GONE: &str = "Whoever took the arm is gone.";

impl Stepper<'_> {
    /// A person takes over the step that the robot holds in.
    pub(super) async fn held_step_by_hand(
        &mut self,
        step: &Step,
        reason: &str,
        (before, scene): (&Scene, &mut Scene),
        cast: &mut Cast<'_>,
    ) -> Result<Tried, RobotError> {
        match in_hand(step, cast).await? {
            TakenOver::GivenBack => {
                let claimed = (Outcome::Failed, Some(BY_HAND.to_owned()));
                self.measure(step, claimed, (before, scene), cast).await
            }
            end => self.not_given_back(step, end, (reason, scene), cast).await,
        }
    }

    /// A person does what the robot cannot: one more try, by hand.
    pub(super) async fn stuck_step_by_hand(
        &mut self,
        reason: &str,
        scene: &mut Scene,
        cast: &mut Cast<'_>,
    ) -> Result<Tried, RobotError> {
        let Some(step) = self.steps.get(self.next).cloned() else {
            return Ok(Tried::Called);
        };
        self.attempt += 1;
        self.begin_by_hand(&step, scene, cast);
        let before = scene.clone();
        self.held_step_by_hand(&step, reason, (&before, scene), cast)
            .await
    }

    /// The person takes the arm unasked, at rest between two primitives; afterwards
    /// the plan goes on from what is there. `Some` ends the run.
    pub(super) async fn hand_over(
        &mut self,
        line: &str,
        scene: &mut Scene,
        dialogue: &mut Dialogue,
        cast: &mut Cast<'_>,
    ) -> Course {
        let step = match self.steps.get(self.next) {
            Some(step) if cast.robot.can_be_taken_over() => step.clone(),
            next => {
                let reason = next.map_or("Nothing is left that you could do.", |_| NOT_BY_HAND);
                cast.emit(RunEventKind::EditRefused {
                    sentence: line.to_owned(),
                    reason: reason.to_owned(),
                });
                return Ok(None);
            }
        };
        cast.robot.stop().await?;
        self.handoffs += 1;
        let before = scene.clone();
        cast.hand_off(HandoffTurn::Demanded);
        self.begin_by_hand(&step, scene, cast);
        match in_hand(&step, cast).await? {
            TakenOver::GivenBack => {
                *scene = self.look(cast).await?;
                // What the runtime makes itself is done again: it costs little.
                let is_done =
                    step.op().is_policy() && postcondition::check(&step, &before, scene).is_ok();
                if is_done {
                    self.finish_step(&step, Outcome::Done, None, cast);
                    self.advance(dialogue);
                } else {
                    let reason = Some(BY_HAND.to_owned());
                    self.finish_step(&step, Outcome::Interrupted, reason, cast);
                }
                self.go_on_from(scene, dialogue, cast).await
            }
            end => {
                let why = (HAND_GONE, &mut *scene);
                let tried = self.not_given_back(&step, end, why, cast).await?;
                self.after_try(tried, scene, dialogue, cast).await
            }
        }
    }

    fn begin_by_hand(&self, step: &Step, scene: &Scene, cast: &mut Cast<'_>) {
        cast.emit(RunEventKind::StepStarted {
            index: self.next,
            step: step.clone(),
            task: step_sentence(step, scene),
            attempt: self.attempt,
            alternative: Some("by hand".to_owned()),
        });
    }

    /// The person's time with the arm ended otherwise than by giving it back.
    async fn not_given_back(
        &mut self,
        step: &Step,
        end: TakenOver,
        (reason, scene): (&str, &mut Scene),
        cast: &mut Cast<'_>,
    ) -> Result<Tried, RobotError> {
        if let TakenOver::SafetyStopped { limit } = &end {
            return Ok(self.safety_stopped(step, limit, cast));
        }
        let called = self.leave_held(step, reason, scene, cast).await?;
        Ok(match end {
            TakenOver::GivenUp => Tried::Over(ended_by_a_person()),
            TakenOver::Unanswered => Tried::Over(needs_person(reason)),
            // A stop is met between primitives.
            _ => called,
        })
    }
}

/// The person moves the arm; how that ended.
async fn in_hand(step: &Step, cast: &mut Cast<'_>) -> Result<TakenOver, RobotError> {
    let (robot, mut attending) = cast.split(Heed::Urgent);
    let taken = robot.take_over(step, &mut attending).await;
    let wish = attending.wish;
    cast.wishes.extend(wish);
    taken
}
