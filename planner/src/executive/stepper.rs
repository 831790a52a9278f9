//! Runs steps in order, with retries, new plans and questions.

mod deciding;
mod editing;
mod interrupting;
mod taking_over;
mod trying;

use vola_types::{RunEventKind, RunOutcome, Scene, Step, object_phrase};

use super::choices::{Choice, WHEN_STUCK, WHEN_STUCK_BY_HAND};
use super::interjection::Interjection;
use super::plan_parts::{joined, parts};
use super::{Cast, Executive, RobotError, STOPPED, rebuild, request};
use crate::describe::capital;
use crate::postcondition::is_placed;
use crate::request::Dialogue;
use crate::verifier::SymbolicWorld;
use deciding::Decision;

/// How all steps together ended.
pub(super) struct Ended {
    pub(super) outcome: RunOutcome,
    pub(super) reason: Option<String>,
    pub(super) question: Option<String>,
}

impl Ended {
    fn new(outcome: RunOutcome, reason: Option<String>) -> Self {
        Self {
            outcome,
            reason,
            question: None,
        }
    }
}

/// How one try of one step ended.
enum Tried {
    Done,
    /// It did not work, for this reason.
    Failed(String),
    /// The person chose so.
    Skip,
    Retry,
    /// Called to rest by a wish that is now to be met.
    Called,
    Over(Ended),
}

/// Whether the run goes on.
type Course = Result<Option<Ended>, RobotError>;

/// The state of a run.
pub(super) struct Stepper<'a> {
    executive: &'a Executive<'a>,
    /// What was said, until a change makes it wrong.
    sentence: Option<&'a str>,
    steps: Vec<Step>,
    /// Positions of steps that were left out.
    left_out: Vec<usize>,
    next: usize,
    attempt: u32,
    /// Spots at which this step failed.
    tried_spots: Vec<[f64; 3]>,
    /// How long a wait was waited before it was interrupted (s).
    waited: f64,
    pub(super) handoffs: u32,
    pub(super) replans: u32,
    pub(super) edits: u32,
    /// A step was left out because it did not work: no success.
    pub(super) skipped: bool,
}

impl<'a> Stepper<'a> {
    pub(super) fn new(executive: &'a Executive<'a>, sentence: &'a str, steps: Vec<Step>) -> Self {
        Self {
            executive,
            sentence: Some(sentence),
            steps,
            left_out: Vec::new(),
            next: 0,
            attempt: 1,
            tried_spots: Vec::new(),
            waited: 0.0,
            handoffs: 0,
            replans: 0,
            edits: 0,
            skipped: false,
        }
    }

    /// The finished steps and those planned anew, without those left out.
    pub(super) fn wanted_steps(&self) -> Vec<Step> {
        let wanted = self.steps.iter().enumerate();
        wanted
            .filter(|(index, _)| !self.left_out.contains(index))
            .map(|(_, step)| step.clone())
            .collect()
    }

    /// Runs to the end.
    pub(super) async fn run(&mut self, dialogue: &mut Dialogue, cast: &mut Cast<'_>) -> Ended {
        match self.run_steps(dialogue, cast).await {
            Ok(end) => end,
            Err(error) => {
                // The machine is asked to rest; it holds by itself anyway.
                if let Err(second) = cast.robot.stop().await {
                    tracing::error!(%second, "the robot did not obey the stop");
                }
                failed(&error)
            }
        }
    }

    async fn run_steps(
        &mut self,
        dialogue: &mut Dialogue,
        cast: &mut Cast<'_>,
    ) -> Result<Ended, RobotError> {
        let mut scene = cast.robot.scene().await?;
        loop {
            if let Some(end) = self.meet_wishes(&mut scene, dialogue, cast).await? {
                return Ok(end);
            }
            let Some(step) = self.steps.get(self.next).cloned() else {
                if self.mend(&scene, dialogue, cast) {
                    continue;
                }
                return Ok(Ended::new(RunOutcome::Done, None));
            };
            let tried = self.try_step(&step, &mut scene, cast).await?;
            if let Some(end) = self.after_try(tried, &mut scene, dialogue, cast).await? {
                return Ok(end);
            }
        }
    }

    /// What a try leads to; `Some` ends the run.
    async fn after_try(
        &mut self,
        mut tried: Tried,
        scene: &mut Scene,
        dialogue: &mut Dialogue,
        cast: &mut Cast<'_>,
    ) -> Course {
        loop {
            tried = match tried {
                Tried::Done => {
                    self.advance(dialogue);
                    return Ok(None);
                }
                Tried::Skip => return Ok(self.give_up_step(scene, dialogue, cast).await),
                Tried::Retry => {
                    self.attempt += 1;
                    return Ok(None);
                }
                Tried::Called => return Ok(None),
                Tried::Over(end) => return Ok(Some(end)),
                Tried::Failed(reason) => self.recover(&reason, scene, dialogue, cast).await?,
            };
        }
    }

    /// Meets what was said, between primitives; `Some` ends the run.
    async fn meet_wishes(
        &mut self,
        scene: &mut Scene,
        dialogue: &mut Dialogue,
        cast: &mut Cast<'_>,
    ) -> Course {
        loop {
            if self.executive.is_stopped(cast) {
                return Ok(Some(self.stop_at(cast).await));
            }
            let Some(wish) = cast.next_wish() else {
                return Ok(None);
            };
            let end = match &wish.meaning {
                Interjection::Stop => Some(self.stop_at(cast).await),
                Interjection::Pause => self.pause(scene, dialogue, cast).await?,
                Interjection::Skip => self.skip(&wish, scene, dialogue, cast).await?,
                Interjection::TakeOver => self.hand_over(&wish.line, scene, dialogue, cast).await?,
                Interjection::Edit(edit) => {
                    self.edit(&wish.line, edit, (scene, dialogue), cast).await?
                }
                // Answered while it was heard.
                Interjection::Ask(_) | Interjection::Resume => None,
            };
            if end.is_some() {
                return Ok(end);
            }
        }
    }

    /// Leaves out a step that does not work: the goal is not reached any more.
    async fn give_up_step(
        &mut self,
        scene: &Scene,
        dialogue: &mut Dialogue,
        cast: &mut Cast<'_>,
    ) -> Option<Ended> {
        let before = self.next;
        let end = self.leave_out_step(scene, dialogue, cast).await;
        self.skipped |= self.next > before;
        end
    }

    fn advance(&mut self, dialogue: &mut Dialogue) {
        self.next += 1;
        self.begin_step();
        if let Some(last) = &mut dialogue.last {
            last.finished_steps = self.next;
        }
    }

    /// Another step is next: it was not tried yet.
    fn begin_step(&mut self) {
        self.attempt = 1;
        self.tried_spots.clear();
        self.waited = 0.0;
    }

    async fn stop_at(&self, cast: &mut Cast<'_>) -> Ended {
        match cast.robot.stop().await {
            Ok(()) => Ended::new(RunOutcome::Aborted, Some(STOPPED.to_owned())),
            Err(error) => failed(&error),
        }
    }

    /// After a failed try: otherwise, anew, or ask.
    async fn recover(
        &mut self,
        reason: &str,
        scene: &mut Scene,
        dialogue: &mut Dialogue,
        cast: &mut Cast<'_>,
    ) -> Result<Tried, RobotError> {
        let capabilities = cast.robot.capabilities();
        let Some(step) = self.steps.get(self.next) else {
            return Ok(Tried::Called);
        };
        let still_possible = SymbolicWorld::new(scene.clone(), &capabilities)
            .apply(step)
            .is_ok();
        if still_possible && self.attempt < self.executive.settings.attempts_per_step {
            return Ok(Tried::Retry);
        }
        if self.replans < self.executive.settings.max_replans {
            let rest = rebuild(&self.steps[self.next..], scene, &capabilities);
            let rest = match rest {
                Some(rest) => Some(rest),
                None => self.plan_rest(scene, dialogue, cast).await,
            };
            if self.executive.is_stopped(cast) {
                return Ok(Tried::Over(self.stop_at(cast).await));
            }
            if let Some(rest) = rest {
                self.replans += 1;
                cast.emit(RunEventKind::Replanned {
                    reason: reason.to_owned(),
                    steps: rest.clone(),
                });
                self.continue_with(rest, dialogue);
                return Ok(Tried::Called);
            }
        }
        self.escalate(reason, scene, cast).await
    }

    /// The rest of a plan, as the ladder would make it from the scene as it is.
    async fn plan_rest(
        &self,
        scene: &Scene,
        dialogue: &Dialogue,
        cast: &mut Cast<'_>,
    ) -> Option<Vec<Step>> {
        let request = request(self.sentence?, scene, dialogue, cast.robot);
        let plan = self.executive.plan_unless_stopped(&request, cast).await?;
        if plan.verdict != vola_types::Verdict::Execute {
            return None;
        }
        // The sentence speaks of everything; what is done is not done again.
        let finished = self.steps.get(..self.next).unwrap_or_default();
        let mut rest = parts(&plan.steps);
        rest.retain(|part| !finished.contains(&part[part.len() - 1]));
        joined(&rest, scene, &cast.robot.capabilities()).ok()
    }

    /// Continues with new steps.
    fn continue_with(&mut self, rest: Vec<Step>, dialogue: &mut Dialogue) {
        self.steps.truncate(self.next);
        self.steps.extend(rest);
        self.begin_step();
        if let Some(last) = &mut dialogue.last {
            last.steps.clone_from(&self.steps);
            last.finished_steps = self.next;
        }
    }

    /// At the end: plans anew what somebody, or a later step, undid. Whether
    /// there is something to do.
    fn mend(&mut self, scene: &Scene, dialogue: &mut Dialogue, cast: &mut Cast<'_>) -> bool {
        if self.replans >= self.executive.settings.max_replans {
            return false;
        }
        let undone = self.undone(scene);
        let Some(Step::Place {
            object,
            target,
            relation,
        }) = undone.first()
        else {
            return false;
        };
        let reason = capital(&format!(
            "{} is not {} {} any more.",
            object_phrase(object, scene),
            relation.phrase(),
            object_phrase(target, scene)
        ));
        let rest = rebuild(&undone, scene, &cast.robot.capabilities());
        let Some(rest) = rest.filter(|rest| !rest.is_empty()) else {
            return false;
        };
        self.replans += 1;
        cast.emit(RunEventKind::Replanned {
            reason,
            steps: rest.clone(),
        });
        self.continue_with(rest, dialogue);
        true
    }

    /// Places that were done, should still hold, and do not.
    fn undone(&self, scene: &Scene) -> Vec<Step> {
        let wanted = self.wanted_steps();
        let is_undone = |(index, step): &(usize, &Step)| {
            let Step::Place {
                object,
                target,
                relation,
            } = step
            else {
                return false;
            };
            let later = wanted.get(index + 1..).unwrap_or_default();
            // What moved the object or its landmark since meant to.
            let is_last = later.iter().all(|step| {
                let moved = step.object();
                moved != Some(object.as_str()) && moved != Some(target.as_str())
            });
            is_last && !is_placed(object, target, *relation, scene)
        };
        let places = wanted.iter().enumerate();
        places
            .filter(is_undone)
            .map(|(_, step)| step.clone())
            .collect()
    }

    /// A person decides about a step that will not work.
    async fn escalate(
        &mut self,
        reason: &str,
        scene: &mut Scene,
        cast: &mut Cast<'_>,
    ) -> Result<Tried, RobotError> {
        // What was said since the step failed goes before a question.
        if let Some(wish) = cast.next_wish() {
            cast.wishes.push_front(wish);
            return Ok(Tried::Called);
        }
        self.handoffs += 1;
        let choices = if cast.robot.can_be_taken_over() {
            WHEN_STUCK_BY_HAND
        } else {
            WHEN_STUCK
        };
        Ok(match self.decide(reason, None, choices, cast).await {
            Decision::Choice(Choice::Retry) => Tried::Retry,
            Decision::Choice(Choice::Skip) => Tried::Skip,
            Decision::Choice(Choice::TakeOver) => {
                return self.stuck_step_by_hand(reason, scene, cast).await;
            }
            Decision::Wished => Tried::Called,
            Decision::Stopped => Tried::Over(self.stop_at(cast).await),
            Decision::Choice(_) => {
                Tried::Over(Ended::new(RunOutcome::Aborted, Some(reason.to_owned())))
            }
            Decision::Nobody => Tried::Over(needs_person(reason)),
        })
    }
}

fn failed(error: &RobotError) -> Ended {
    Ended::new(RunOutcome::Failed, Some(error.to_string()))
}

fn needs_person(reason: &str) -> Ended {
    Ended {
        outcome: RunOutcome::NeedsPerson,
        reason: Some(reason.to_owned()),
        question: Some(deciding::question(reason)),
    }
}
