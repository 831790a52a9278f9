//! Runs steps in order, with retries, new plans and questions.

use vola_types::{Outcome, RunEventKind, RunOutcome, Scene, Step, step_sentence};

use super::{Actors, Executive, PrimitiveEnd, Question, Reply, RobotError, emit, rebuild, replan};
use crate::geometry;
use crate::postcondition;
use crate::request::Dialogue;
use crate::verifier::SymbolicWorld;

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
    /// A person said so.
    Skip,
    Retry,
    Over(Ended),
}

/// What a person can choose while the robot holds.
const HOLD_CHOICES: [&str; 4] = ["continue", "retry", "skip", "abort"];

/// What a person can choose when a step will not work.
const STUCK_CHOICES: [&str; 3] = ["try again", "skip this step", "abort"];

/// The state of a run.
pub(super) struct Stepper<'a> {
    executive: &'a Executive<'a>,
    sentence: &'a str,
    steps: Vec<Step>,
    next: usize,
    attempt: u32,
    pub(super) handoffs: u32,
    pub(super) replans: u32,
    pub(super) skipped: bool,
}

impl<'a> Stepper<'a> {
    pub(super) fn new(executive: &'a Executive<'a>, sentence: &'a str, steps: Vec<Step>) -> Self {
        Self {
            executive,
            sentence,
            steps,
            next: 0,
            attempt: 1,
            handoffs: 0,
            replans: 0,
            skipped: false,
        }
    }

    /// All steps, the finished ones and those planned anew.
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Runs to the end.
    pub(super) async fn run(&mut self, dialogue: &mut Dialogue, actors: &mut Actors<'_>) -> Ended {
        let mut scene = match actors.robot.scene().await {
            Ok(scene) => scene,
            Err(error) => return failed(&error),
        };
        while let Some(step) = self.steps.get(self.next).cloned() {
            if self.executive.stop.is_set() {
                return self.stop_at(actors, "Stopped by a person.").await;
            }
            let tried = match self.try_step(&step, &mut scene, actors).await {
                Ok(tried) => tried,
                Err(error) => {
                    // The machine is asked to rest; it holds by itself anyway.
                    if let Err(second) = actors.robot.stop().await {
                        tracing::error!(%second, "the robot did not obey the stop");
                    }
                    return failed(&error);
                }
            };
            match tried {
                Tried::Done => self.advance(dialogue),
                Tried::Skip => {
                    self.skipped = true;
                    self.advance(dialogue);
                }
                Tried::Retry => self.attempt += 1,
                Tried::Over(end) => return end,
                Tried::Failed(reason) => {
                    if let Some(end) = self.recover(&reason, &scene, dialogue, actors).await {
                        return end;
                    }
                }
            }
        }
        Ended::new(RunOutcome::Done, None)
    }

    fn advance(&mut self, dialogue: &mut Dialogue) {
        self.next += 1;
        self.attempt = 1;
        if let Some(last) = &mut dialogue.last {
            last.finished_steps = self.next;
        }
    }

    async fn stop_at(&self, actors: &mut Actors<'_>, reason: &str) -> Ended {
        match actors.robot.stop().await {
            Ok(()) => Ended::new(RunOutcome::Aborted, Some(reason.to_owned())),
            Err(error) => failed(&error),
        }
    }

    /// One try: start, wait, measure. Leaves the newest scene in `scene`.
    async fn try_step(
        &mut self,
        step: &Step,
        scene: &mut Scene,
        actors: &mut Actors<'_>,
    ) -> Result<Tried, RobotError> {
        emit(
            actors,
            RunEventKind::StepStarted {
                index: self.next,
                step: step.clone(),
                task: step_sentence(step, scene),
                attempt: self.attempt,
            },
        );
        let goal = match geometry::resolve(step, scene) {
            Ok(goal) => goal,
            Err(error) => {
                let reason = error.to_string();
                self.finish_step(step, Outcome::Failed, Some(reason.clone()), actors);
                return Ok(Tried::Failed(reason));
            }
        };
        let before = scene.clone();
        let mut end = actors
            .robot
            .run_primitive(step, &goal, actors.events)
            .await?;
        loop {
            let (reason, score, threshold) = match end {
                PrimitiveEnd::Finished { outcome, reason } => {
                    return self
                        .measure(step, (outcome, reason), (&before, scene), actors)
                        .await;
                }
                PrimitiveEnd::SafetyStopped { limit } => {
                    let reason = format!("The safety layer stopped the robot: {limit}.");
                    self.finish_step(step, Outcome::Interrupted, Some(reason.clone()), actors);
                    return Ok(Tried::Over(Ended::new(
                        RunOutcome::SafetyStop,
                        Some(reason),
                    )));
                }
                PrimitiveEnd::Held {
                    reason,
                    score,
                    threshold,
                } => (reason, score, threshold),
            };
            self.handoffs += 1;
            let kind = RunEventKind::Handoff {
                reason: reason.clone(),
                score,
                threshold,
                choices: HOLD_CHOICES.map(str::to_owned).to_vec(),
            };
            emit(actors, kind);
            match self.answer(&reason, &HOLD_CHOICES, actors).await {
                Some(0) => end = actors.robot.continue_primitive(actors.events).await?,
                answer => {
                    return self
                        .leave_held(step, &reason, answer, (scene, actors))
                        .await;
                }
            }
        }
    }

    /// Any answer to a hold but "continue" ends the try.
    async fn leave_held(
        &mut self,
        step: &Step,
        reason: &str,
        answer: Option<usize>,
        (scene, actors): (&mut Scene, &mut Actors<'_>),
    ) -> Result<Tried, RobotError> {
        actors.robot.stop().await?;
        self.finish_step(step, Outcome::Interrupted, Some(reason.to_owned()), actors);
        *scene = actors.robot.scene().await?;
        Ok(match answer {
            Some(1) => Tried::Retry,
            Some(2) => Tried::Skip,
            Some(_) => Tried::Over(Ended::new(
                RunOutcome::Aborted,
                Some("Ended by a person.".to_owned()),
            )),
            None => Tried::Over(needs_person(reason)),
        })
    }

    /// Reads the scene and compares what the robot claims with what is there.
    async fn measure(
        &mut self,
        step: &Step,
        (claimed, reason): (Outcome, Option<String>),
        (before, scene): (&Scene, &mut Scene),
        actors: &mut Actors<'_>,
    ) -> Result<Tried, RobotError> {
        *scene = actors.robot.scene().await?;
        emit(
            actors,
            RunEventKind::Scene {
                scene: scene.clone(),
            },
        );
        if claimed == Outcome::Interrupted {
            self.finish_step(step, claimed, reason.clone(), actors);
            if self.executive.stop.is_set() {
                return Ok(Tried::Over(
                    self.stop_at(actors, "Stopped by a person.").await,
                ));
            }
            return Ok(Tried::Failed(
                reason.unwrap_or_else(|| "The step was interrupted.".to_owned()),
            ));
        }
        // Only what can be measured outweighs the robot's own failure.
        let measurable = step.op().is_policy();
        match postcondition::check(step, before, scene) {
            Ok(()) if measurable || claimed == Outcome::Done => {
                self.finish_step(step, Outcome::Done, None, actors);
                Ok(Tried::Done)
            }
            Ok(()) => {
                let reason = reason.unwrap_or_else(|| "The robot says that it failed.".to_owned());
                self.finish_step(step, claimed, Some(reason.clone()), actors);
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
                self.finish_step(step, outcome, Some(reason.clone()), actors);
                Ok(Tried::Failed(reason))
            }
        }
    }

    fn finish_step(
        &self,
        step: &Step,
        outcome: Outcome,
        reason: Option<String>,
        actors: &mut Actors<'_>,
    ) {
        emit(
            actors,
            RunEventKind::StepFinished {
                index: self.next,
                step: step.clone(),
                outcome,
                reason,
            },
        );
    }

    /// After a failed try: again, anew, or ask. `Some` ends the run.
    async fn recover(
        &mut self,
        reason: &str,
        scene: &Scene,
        dialogue: &mut Dialogue,
        actors: &mut Actors<'_>,
    ) -> Option<Ended> {
        let capabilities = actors.robot.capabilities();
        let step = self.steps.get(self.next)?;
        let still_possible = SymbolicWorld::new(scene.clone(), &capabilities)
            .apply(step)
            .is_ok();
        if still_possible && self.attempt < self.executive.settings.attempts_per_step {
            self.attempt += 1;
            return None;
        }
        if self.replans < self.executive.settings.max_replans {
            let rest = rebuild(&self.steps[self.next..], scene, &capabilities);
            let rest = match rest {
                Some(rest) => Some(rest),
                None => replan(self.executive, self.sentence, scene, dialogue, actors.robot).await,
            };
            if let Some(rest) = rest {
                self.replans += 1;
                self.take_over(rest, reason, dialogue, actors);
                return None;
            }
            if self.executive.stop.is_set() || actors.robot.is_stop_ordered() {
                return Some(self.stop_at(actors, "Stopped by a person.").await);
            }
        }
        self.escalate(reason, actors).await
    }

    /// Continues with new steps.
    fn take_over(
        &mut self,
        rest: Vec<Step>,
        reason: &str,
        dialogue: &mut Dialogue,
        actors: &mut Actors<'_>,
    ) {
        emit(
            actors,
            RunEventKind::Replanned {
                reason: reason.to_owned(),
                steps: rest.clone(),
            },
        );
        self.steps.truncate(self.next);
        self.steps.extend(rest);
        self.attempt = 1;
        if let Some(last) = &mut dialogue.last {
            last.steps.clone_from(&self.steps);
            last.finished_steps = self.next;
        }
    }

    /// A person decides about a step that will not work.
    async fn escalate(&mut self, reason: &str, actors: &mut Actors<'_>) -> Option<Ended> {
        self.handoffs += 1;
        emit(
            actors,
            RunEventKind::Handoff {
                reason: reason.to_owned(),
                score: None,
                threshold: None,
                choices: STUCK_CHOICES.map(str::to_owned).to_vec(),
            },
        );
        match self.answer(reason, &STUCK_CHOICES, actors).await {
            Some(0) => {
                self.attempt = 1;
                None
            }
            Some(1) => {
                self.skipped = true;
                self.next += 1;
                self.attempt = 1;
                None
            }
            Some(_) => Some(Ended::new(RunOutcome::Aborted, Some(reason.to_owned()))),
            None => Some(needs_person(reason)),
        }
    }

    /// The index of the choice, by index or by its words.
    async fn answer(
        &self,
        reason: &str,
        choices: &[&str],
        actors: &mut Actors<'_>,
    ) -> Option<usize> {
        let question = Question {
            text: format!("{reason} What shall I do?"),
            choices: choices.iter().map(|c| (*c).to_owned()).collect(),
        };
        let index = match actors.operator.ask(&question).await? {
            Reply::Choice(index) => index,
            Reply::Text(text) => {
                let text = text.trim().to_lowercase();
                if crate::rules::is_stop_word(&text) {
                    choices.len() - 1
                } else {
                    choices
                        .iter()
                        .position(|choice| !text.is_empty() && choice.starts_with(text.as_str()))?
                }
            }
        };
        (index < choices.len()).then_some(index)
    }
}

fn failed(error: &RobotError) -> Ended {
    Ended::new(RunOutcome::Failed, Some(error.to_string()))
}

fn needs_person(reason: &str) -> Ended {
    Ended {
        outcome: RunOutcome::NeedsPerson,
        reason: Some(reason.to_owned()),
        question: Some(format!("{reason} What shall I do?")),
    }
}
