//! One try of one step: start, wait, measure.

use vola_types::{Outcome, PrimitiveGoal, RunEventKind, RunOutcome, Scene, Step, step_sentence};

use super::{Decision, Ended, Stepper, Tried, needs_person};
use crate::executive::alternative::Alternative;
use crate::executive::choices::{Choice, ON_HOLD, ON_HOLD_BY_HAND};
use crate::executive::operator::Heed;
use crate::executive::{Cast, PrimitiveEnd, RobotError};
use crate::geometry;
use crate::postcondition;

/// Why a step is interrupted for something that was said.
const CALLED: &str = "A person said something.";

impl Stepper<'_> {
    /// One try. Leaves the newest scene in `scene`.
    pub(super) async fn try_step(
        &mut self,
        step: &Step,
        scene: &mut Scene,
        cast: &mut Cast<'_>,
    ) -> Result<Tried, RobotError> {
        let capabilities = cast.robot.capabilities();
        let way = Alternative::of_try(step, self.attempt, scene, &capabilities);
        cast.emit(RunEventKind::StepStarted {
            index: self.next,
            step: step.clone(),
            task: step_sentence(step, scene),
            attempt: self.attempt,
            alternative: way.map(|way| way.words().to_owned()),
        });
        if let Some(before) = way.and_then(|way| way.before(step))
            && let Some(tried) = self.prepare(step, &before, scene, cast).await?
        {
            return Ok(tried);
        }
        let goal = match self.goal(step, scene) {
            Ok(goal) => goal,
            Err(reason) => {
                self.finish_step(step, Outcome::Failed, Some(reason.clone()), cast);
                return Ok(Tried::Failed(reason));
            }
        };
        let before = scene.clone();
        let began = cast.robot.seconds();
        let mut end = run_primitive(step, &goal, cast).await?;
        loop {
            let (reason, score, threshold) = match end {
                PrimitiveEnd::Finished { outcome, reason } => {
                    self.note_try(step, &goal, cast.robot.seconds() - began);
                    return self
                        .measure(step, (outcome, reason), (&before, scene), cast)
                        .await;
                }
                PrimitiveEnd::SafetyStopped { limit } => {
                    return Ok(self.safety_stopped(step, &limit, cast));
                }
                PrimitiveEnd::Held {
                    reason,
                    score,
                    threshold,
                } => (reason, score, threshold),
            };
            // What was said while it came to rest goes before a question.
            if let Some(wish) = cast.next_wish() {
                cast.wishes.push_front(wish);
                return self.leave_held(step, &reason, scene, cast).await;
            }
            self.handoffs += 1;
            let confidence = score.zip(threshold);
            let choices = if cast.robot.can_be_taken_over() {
                ON_HOLD_BY_HAND
            } else {
                ON_HOLD
            };
            match self.decide(&reason, confidence, choices, cast).await {
                Decision::Choice(Choice::Continue) => end = continue_primitive(cast).await?,
                Decision::Choice(Choice::TakeOver) => {
                    return self
                        .held_step_by_hand(step, &reason, (&before, scene), cast)
                        .await;
                }
                decision => {
                    let called = self.leave_held(step, &reason, scene, cast).await?;
                    return Ok(after_hold(&reason, &decision, called));
                }
            }
        }
    }

    /// Where the step happens in this try.
    fn goal(&self, step: &Step, scene: &Scene) -> Result<PrimitiveGoal, String> {
        let mut goal = geometry::resolve_elsewhere(step, scene, &self.tried_spots)
            .map_err(|error| error.to_string())?;
        if let Some(seconds) = &mut goal.seconds {
            *seconds = (*seconds - self.waited).max(0.0);
        }
        Ok(goal)
    }

    /// What the next try of the same step must know of this one.
    fn note_try(&mut self, step: &Step, goal: &PrimitiveGoal, seconds: f64) {
        if let (Step::Place { .. }, Some(target)) = (step, goal.target) {
            self.tried_spots.push(target);
        }
        self.waited += seconds;
    }

    /// The motion before an alternative try, and a look after it; `Some` when the
    /// step ends here. That it does not work is no reason not to try.
    async fn prepare(
        &mut self,
        step: &Step,
        before: &Step,
        scene: &mut Scene,
        cast: &mut Cast<'_>,
    ) -> Result<Option<Tried>, RobotError> {
        let Ok(goal) = geometry::resolve(before, scene) else {
            return Ok(None);
        };
        match run_primitive(before, &goal, cast).await? {
            PrimitiveEnd::SafetyStopped { limit } => {
                return Ok(Some(self.safety_stopped(step, &limit, cast)));
            }
            PrimitiveEnd::Held { .. } => cast.robot.stop().await?,
            PrimitiveEnd::Finished { .. } => {}
        }
        *scene = self.look(cast).await?;
        if self.executive.is_stopped(cast) || !cast.wishes.is_empty() {
            let reason = Some(CALLED.to_owned());
            self.finish_step(step, Outcome::Interrupted, reason, cast);
            return Ok(Some(Tried::Called));
        }
        Ok(None)
    }

    pub(super) fn safety_stopped(&self, step: &Step, limit: &str, cast: &mut Cast<'_>) -> Tried {
        let reason = format!("The safety layer stopped the robot: {limit}.");
        self.finish_step(step, Outcome::Interrupted, Some(reason.clone()), cast);
        Tried::Over(Ended::new(RunOutcome::SafetyStop, Some(reason)))
    }

    /// Forgets the held primitive, at rest.
    pub(super) async fn leave_held(
        &mut self,
        step: &Step,
        reason: &str,
        scene: &mut Scene,
        cast: &mut Cast<'_>,
    ) -> Result<Tried, RobotError> {
        cast.robot.stop().await?;
        self.finish_step(step, Outcome::Interrupted, Some(reason.to_owned()), cast);
        *scene = cast.robot.scene().await?;
        Ok(Tried::Called)
    }

    /// Reads the scene and tells it.
    pub(super) async fn look(&self, cast: &mut Cast<'_>) -> Result<Scene, RobotError> {
        let scene = cast.robot.scene().await?;
        cast.emit(RunEventKind::Scene {
            scene: scene.clone(),
        });
        Ok(scene)
    }

    /// Reads the scene and compares what the robot claims with what is there.
    pub(super) async fn measure(
        &mut self,
        step: &Step,
        (claimed, reason): (Outcome, Option<String>),
        (before, scene): (&Scene, &mut Scene),
        cast: &mut Cast<'_>,
    ) -> Result<Tried, RobotError> {
        *scene = self.look(cast).await?;
        if claimed == Outcome::Interrupted {
            let wish = !cast.wishes.is_empty();
            let reason = if wish {
                Some(CALLED.to_owned())
            } else {
                reason
            };
            self.finish_step(step, claimed, reason.clone(), cast);
            if self.executive.is_stopped(cast) {
                return Ok(Tried::Over(self.stop_at(cast).await));
            }
            if wish {
                return Ok(Tried::Called);
            }
            return Ok(Tried::Failed(
                reason.unwrap_or_else(|| "The step was interrupted.".to_owned()),
            ));
        }
        // Only what can be measured outweighs the robot's own failure.
        let measurable = step.op().is_policy();
        match postcondition::check(step, before, scene) {
            Ok(()) if measurable || claimed == Outcome::Done => {
                self.finish_step(step, Outcome::Done, None, cast);
                Ok(Tried::Done)
            }
            Ok(()) => {
                let reason = reason.unwrap_or_else(|| "The robot says that it failed.".to_owned());
                self.finish_step(step, claimed, Some(reason.clone()), cast);
                Ok(Tried::Failed(reason))
            }
            Err(unmet) => {
                let outcome = if claimed == Outcome::Done {
                    Outcome::Failed
                } else {
                    claimed
                };
                let reason = match reason {
                    Some(own) => format!("{} ({own})", unmet.reason),
                    None => unmet.reason,
                };
                self.finish_step(step, outcome, Some(reason.clone()), cast);
                Ok(Tried::Failed(reason))
            }
        }
    }

    pub(super) fn finish_step(
        &self,
        step: &Step,
        outcome: Outcome,
        reason: Option<String>,
        cast: &mut Cast<'_>,
    ) {
        cast.emit(RunEventKind::StepFinished {
            index: self.next,
            step: step.clone(),
            outcome,
            reason,
        });
    }
}

pub(super) fn ended_by_a_person() -> Ended {
    Ended::new(RunOutcome::Aborted, Some("Ended by a person.".to_owned()))
}

/// What an answer to a hold leads to, any but "continue".
fn after_hold(reason: &str, decision: &Decision, called: Tried) -> Tried {
    match decision {
        Decision::Choice(Choice::Retry) => Tried::Retry,
        Decision::Choice(Choice::Skip) => Tried::Skip,
        Decision::Choice(_) => Tried::Over(ended_by_a_person()),
        // The stop, or the wish, is met between primitives.
        Decision::Wished | Decision::Stopped => called,
        Decision::Nobody => Tried::Over(needs_person(reason)),
    }
}

/// Runs a primitive; what is said meanwhile is answered or becomes a wish.
async fn run_primitive(
    step: &Step,
    goal: &PrimitiveGoal,
    cast: &mut Cast<'_>,
) -> Result<PrimitiveEnd, RobotError> {
    let (robot, mut attending) = cast.split(Heed::All);
    let end = robot.run_primitive(step, goal, &mut attending).await;
    let wish = attending.wish;
    cast.wishes.extend(wish);
    end
}

async fn continue_primitive(cast: &mut Cast<'_>) -> Result<PrimitiveEnd, RobotError> {
    let (robot, mut attending) = cast.split(Heed::All);
    let end = robot.continue_primitive(&mut attending).await;
    let wish = attending.wish;
    cast.wishes.extend(wish);
    end
}
