//! The run as a page draws it: made from the run's events, so that a page which
//! comes later, or lost some, draws the same.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use tokio::sync::watch;
use vola_types::{
    Outcome, Plan, RunEvent, RunEventKind, RunOutcome, Scene, Step, Verdict, step_sentence,
};

/// Decisions whose confidence is kept: two minutes at five a second.
const MOST_POINTS: usize = 600;

/// A run, drawn.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunView {
    /// What the person said.
    pub sentence: String,
    /// What the planner answered.
    pub say: String,
    /// Its verdict; none while it plans.
    pub verdict: Option<Verdict>,
    /// Which back end planned.
    pub backend: String,
    /// The goal in words.
    pub goal: String,
    /// Its parts, each with the positions of its steps; empty where the plan
    /// was changed since.
    pub parts: Vec<PartView>,
    /// The steps in order.
    pub steps: Vec<StepView>,
    /// The arm was told to hold, and nobody was asked yet: it may still brake.
    pub holds: bool,
    /// The question that is open.
    pub question: Option<QuestionView>,
    /// How the run ended; none while it goes on.
    pub ended: Option<EndView>,
}

/// One part of a goal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartView {
    /// In words.
    pub goal: String,
    /// Positions in the steps.
    pub steps: Vec<usize>,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepView {
    /// In words.
    pub text: String,
    /// What has become of it.
    pub state: StepState,
    /// Why, when it is not done.
    pub reason: Option<String>,
    /// Tries so far.
    pub attempts: u32,
}

/// What has become of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// It is being done.
    Running,
    /// Done, measured.
    Done,
    /// Left out by a person.
    Skipped,
    /// The last try failed.
    Failed,
    /// Its time ran out.
    TimedOut,
    /// It was stopped.
    Interrupted,
}

/// A question to the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuestionView {
    /// Answers name it, so that none reaches another question.
    pub id: u64,
    /// The question in words.
    pub text: String,
    /// What can be answered.
    pub choices: Vec<String>,
    /// Whether the words of the choice are said, not its number.
    #[serde(skip)]
    by_words: bool,
}

/// An answer that was chosen among the options of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenAnswer {
    /// What a person would type.
    pub typed: String,
    /// The option's words, for people.
    pub words: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EndView {
    /// The outcome.
    pub outcome: RunOutcome,
    /// Whether the goal was reached.
    pub success: bool,
    /// Length (s).
    pub seconds: f64,
    /// Why, when it is no success.
    pub reason: Option<String>,
}

/// Collects a run's events; clones show the same.
#[derive(Clone, Debug)]
pub struct Board {
    shared: Arc<Mutex<Drawn>>,
    /// The revision, for those who wait for the next one.
    changes: Arc<watch::Sender<u64>>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            shared: Arc::default(),
            changes: Arc::new(watch::Sender::new(0)),
        }
    }
}

#[derive(Debug, Default)]
struct Drawn {
    view: RunView,
    scene: Scene,
    /// Changes of the view so far.
    revision: u64,
    questions: u64,
    points: VecDeque<[f64; 3]>,
    /// Points that were dropped.
    dropped: u64,
}

impl Board {
    /// Something was said to the robot.
    pub fn said(&self, sentence: &str) {
        let mut drawn = self.drawn();
        // What is said into a run is no new one.
        let is_over = drawn.view.verdict.is_none() || drawn.view.ended.is_some();
        if is_over && drawn.view.question.is_none() && !sentence.starts_with('/') {
            drawn.view = RunView {
                sentence: sentence.to_owned(),
                ..RunView::default()
            };
            self.changed(&mut drawn);
        }
    }

    /// Takes an event of the run.
    pub fn see(&self, event: &RunEvent) {
        let mut drawn = self.drawn();
        match &event.kind {
            RunEventKind::Scene { scene } => drawn.scene.clone_from(scene),
            RunEventKind::Confidence {
                score, threshold, ..
            } => drawn.point([event.t, *score, *threshold]),
            RunEventKind::State { .. }
            | RunEventKind::Commands { .. }
            | RunEventKind::Answered { .. }
            | RunEventKind::EditRefused { .. }
            | RunEventKind::Safety { .. } => {}
            kind => {
                drawn.course(kind);
                self.changed(&mut drawn);
            }
        }
    }

    fn changed(&self, drawn: &mut Drawn) {
        drawn.revision += 1;
        self.changes.send_replace(drawn.revision);
    }

    /// Whoever waits here hears of every change at once, of several at one time once.
    pub(crate) fn follow(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// An answer to a question, as it is typed and in words.
    ///
    /// # Errors
    /// What is wrong, when it is not open any more or has no such choice.
    pub fn answer(&self, question: u64, choice: usize) -> Result<ChosenAnswer, String> {
        let drawn = self.drawn();
        let open = drawn.view.question.as_ref();
        let Some(open) = open.filter(|open| open.id == question) else {
            return Err("that question is not open any more".to_owned());
        };
        let Some(words) = open.choices.get(choice) else {
            let count = open.choices.len();
            return Err(format!("expected a choice below {count}, got {choice}"));
        };
        // Two options may have the same words, and "abort" is also said to a plan.
        let typed = if open.by_words {
            words.clone()
        } else {
            (choice + 1).to_string()
        };
        Ok(ChosenAnswer {
            typed,
            words: words.clone(),
        })
    }

    /// What a typed number means as an answer to the question that is open; none
    /// where it means nothing.
    #[must_use]
    pub fn meaning(&self, typed: &str) -> Option<String> {
        let number: usize = typed.trim().trim_end_matches(['.', ')']).parse().ok()?;
        let drawn = self.drawn();
        let open = drawn.view.question.as_ref()?;
        open.choices.get(number.checked_sub(1)?).cloned()
    }

    /// The view, when it changed since this revision; and its revision.
    pub(crate) fn since(&self, revision: Option<u64>) -> Option<(RunView, u64)> {
        let drawn = self.drawn();
        (revision != Some(drawn.revision)).then(|| (drawn.view.clone(), drawn.revision))
    }

    /// Points of the confidence from this number on, and the next number.
    pub(crate) fn points(&self, from: u64) -> (Vec<[f64; 3]>, u64) {
        let drawn = self.drawn();
        let skip = usize::try_from(from.saturating_sub(drawn.dropped)).unwrap_or(usize::MAX);
        let points = drawn.points.iter().skip(skip).copied().collect();
        (points, drawn.dropped + drawn.points.len() as u64)
    }

    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drawn {
    fn point(&mut self, point: [f64; 3]) {
        if self.points.len() == MOST_POINTS {
            self.points.pop_front();
            self.dropped += 1;
        }
        self.points.push_back(point);
    }

    fn course(&mut self, kind: &RunEventKind) {
        // Where something goes on, the question before it is settled.
        let is_going_on = matches!(
            kind,
            RunEventKind::Plan { .. }
                | RunEventKind::StepStarted { .. }
                | RunEventKind::StepFinished { .. }
                | RunEventKind::Replanned { .. }
                | RunEventKind::Resumed { .. }
                | RunEventKind::Skipped { .. }
                | RunEventKind::Edited { .. }
                | RunEventKind::Finished { .. }
        );
        if is_going_on {
            self.view.question = None;
            self.view.holds = false;
        }
        match kind {
            RunEventKind::Plan { plan } => self.plan(plan),
            RunEventKind::StepStarted {
                index,
                task,
                attempt,
                ..
            } => {
                let running = StepView {
                    text: task.clone(),
                    state: StepState::Running,
                    reason: None,
                    attempts: *attempt,
                };
                match self.view.steps.get_mut(*index) {
                    Some(step) => *step = running,
                    None => self.view.steps.push(running),
                }
            }
            RunEventKind::StepFinished {
                index,
                outcome,
                reason,
                ..
            } => {
                if let Some(step) = self.view.steps.get_mut(*index) {
                    step.state = match outcome {
                        Outcome::Done => StepState::Done,
                        Outcome::Failed => StepState::Failed,
                        Outcome::TimedOut => StepState::TimedOut,
                        Outcome::Interrupted => StepState::Interrupted,
                    };
                    step.reason.clone_from(reason);
                }
            }
            RunEventKind::Skipped { index, steps, .. } => {
                if let Some(step) = self.view.steps.get_mut(*index) {
                    step.state = StepState::Skipped;
                }
                self.replace_from(index + 1, steps);
            }
            RunEventKind::Replanned { steps, .. } | RunEventKind::Edited { steps, .. } => {
                let is_over =
                    |step: &&StepView| matches!(step.state, StepState::Done | StepState::Skipped);
                let next = self.view.steps.iter().take_while(is_over).count();
                self.replace_from(next, steps);
            }
            RunEventKind::HandoffState { to, .. } => {
                self.view.holds = to == "hold";
                // A choice was made, or nobody made one.
                if to != "ask" && to != "hold" {
                    self.view.question = None;
                }
            }
            RunEventKind::Handoff {
                reason, choices, ..
            } => self.ask(reason, choices.clone(), false),
            RunEventKind::Paused { reason, .. } => {
                let choices = ["go on", "skip", "stop"].map(str::to_owned);
                self.ask(&format!("Paused: {reason}"), choices.to_vec(), true);
            }
            RunEventKind::Finished {
                success,
                outcome,
                seconds,
                reason,
                ..
            } => {
                self.view.ended = Some(EndView {
                    outcome: *outcome,
                    success: *success,
                    seconds: *seconds,
                    reason: reason.clone(),
                });
            }
            _ => {}
        }
    }

    fn plan(&mut self, plan: &Plan) {
        let sentence = std::mem::take(&mut self.view.sentence);
        let parts = plan.tree.subtasks.iter();
        self.view = RunView {
            sentence,
            say: plan.say.clone(),
            verdict: Some(plan.verdict),
            backend: plan.backend.clone(),
            goal: plan.tree.goal.clone(),
            parts: parts
                .map(|part| PartView {
                    goal: part.goal.clone(),
                    steps: part.steps.clone(),
                })
                .collect(),
            ..RunView::default()
        };
        self.append(&plan.steps);
        if plan.verdict == Verdict::Ask {
            let question = plan.question.as_ref().unwrap_or(&plan.say);
            let labels = plan.options.iter().map(|option| option.label.clone());
            self.ask(question, labels.collect(), false);
        }
    }

    fn ask(&mut self, text: &str, choices: Vec<String>, by_words: bool) {
        self.questions += 1;
        self.view.question = Some(QuestionView {
            id: self.questions,
            text: text.to_owned(),
            choices,
            by_words,
        });
    }

    fn replace_from(&mut self, index: usize, steps: &[Step]) {
        self.view.steps.truncate(index);
        self.view.parts.clear();
        self.append(steps);
    }

    fn append(&mut self, steps: &[Step]) {
        let scene = &self.scene;
        self.view.steps.extend(steps.iter().map(|step| StepView {
            text: step_sentence(step, scene),
            state: StepState::Waiting,
            reason: None,
            attempts: 0,
        }));
    }
}

#[cfg(test)]
mod tests;
