//! The log of a run, and what it answers.
//!
//! Made from the run's own events and nothing else, so that what the robot says
//! of itself is what happened: no model is asked what it remembers.

use std::collections::VecDeque;

use vola_types::{
    Outcome, Plan, RunEvent, RunEventKind, RunOutcome, Scene, Step, Verdict, object_phrase,
    step_sentence,
};

use super::interjection::RunQuestion;
use crate::describe::{and_list, capital};

/// Events kept at most; older ones are forgotten, what they led to is not.
const MOST_EVENTS: usize = 4096;

/// Most steps named in one answer.
const MOST_NAMED: usize = 4;

/// What has become of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum StepState {
    /// Not begun, or begun and not finished.
    Waiting,
    /// It is being done.
    Running,
    /// Done, measured.
    Done,
    /// Left out by a person.
    Skipped,
    /// The last try failed, for this reason.
    Failed(String),
}

/// The log of the latest run that moved anything; a new plan begins a new one.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    events: VecDeque<RunEvent>,
    steps: Vec<(Step, StepState)>,
    goal: String,
    plan_confidence: Option<f64>,
    scene: Scene,
    seconds: f64,
    running: Option<Running>,
    confidence: Option<(f64, f64)>,
    halt: Option<String>,
    is_paused: bool,
    outcome: Option<RunOutcome>,
}

/// The step that is being done.
#[derive(Debug, Clone)]
struct Running {
    index: usize,
    since: f64,
    attempt: u32,
}

impl Journal {
    /// Takes note of an event of the run.
    pub fn note(&mut self, event: &RunEvent) {
        match &event.kind {
            RunEventKind::Scene { scene } => self.scene.clone_from(scene),
            RunEventKind::Confidence {
                score, threshold, ..
            } => {
                self.confidence = Some((*score, *threshold));
            }
            RunEventKind::State { .. } | RunEventKind::Commands { .. } => {}
            RunEventKind::Plan { plan } if plan.verdict == Verdict::Execute => self.begin(plan),
            kind => self.note_course(event.t, kind),
        }
        self.seconds = event.t;
        let is_frequent = matches!(
            event.kind,
            RunEventKind::Confidence { .. } | RunEventKind::State { .. }
        );
        if !is_frequent {
            if self.events.len() >= MOST_EVENTS {
                self.events.pop_front();
            }
            self.events.push_back(event.clone());
        }
    }

    /// A new plan: what was before is over.
    fn begin(&mut self, plan: &Plan) {
        let waiting = |step: &Step| (step.clone(), StepState::Waiting);
        *self = Self {
            steps: plan.steps.iter().map(waiting).collect(),
            goal: plan.tree.goal.clone(),
            plan_confidence: Some(plan.confidence),
            scene: std::mem::take(&mut self.scene),
            ..Self::default()
        };
    }

    fn note_course(&mut self, t: f64, kind: &RunEventKind) {
        match kind {
            RunEventKind::StepStarted {
                index,
                step,
                attempt,
                ..
            } => {
                self.set(*index, step, StepState::Running);
                self.halt = None;
                self.confidence = None;
                self.running = Some(Running {
                    index: *index,
                    since: t,
                    attempt: *attempt,
                });
            }
            RunEventKind::StepFinished {
                index,
                step,
                outcome,
                reason,
            } => {
                self.running = None;
                let why = || {
                    reason
                        .clone()
                        .unwrap_or_else(|| "it did not work".to_owned())
                };
                let state = match outcome {
                    Outcome::Done => StepState::Done,
                    Outcome::Interrupted => StepState::Waiting,
                    Outcome::Failed | Outcome::TimedOut => StepState::Failed(why()),
                };
                self.set(*index, step, state);
            }
            RunEventKind::Skipped { index, step, steps } => {
                self.set(*index, step, StepState::Skipped);
                self.replace_from(index + 1, steps);
            }
            RunEventKind::Replanned { steps, .. } | RunEventKind::Edited { steps, .. } => {
                self.replace_from(self.next(), steps);
            }
            RunEventKind::Paused { reason, .. } => {
                self.is_paused = true;
                self.halt = Some(reason.clone());
            }
            RunEventKind::Resumed { .. } => self.is_paused = false,
            RunEventKind::Handoff { reason, .. } => self.halt = Some(reason.clone()),
            RunEventKind::Finished {
                outcome, reason, ..
            } => self.finish(*outcome, reason.as_ref()),
            _ => {}
        }
    }

    fn finish(&mut self, outcome: RunOutcome, reason: Option<&String>) {
        let moved = !matches!(
            outcome,
            RunOutcome::Chat | RunOutcome::Infeasible | RunOutcome::Unsafe
        );
        // An answer in words is no end of what was done before it.
        if moved && !self.steps.is_empty() {
            self.outcome = Some(outcome);
            self.running = None;
            self.is_paused = false;
        }
        if let Some(reason) = reason.filter(|_| outcome != RunOutcome::Chat) {
            self.halt = Some(reason.clone());
        }
    }

    fn set(&mut self, index: usize, step: &Step, state: StepState) {
        self.steps.truncate(self.steps.len().max(index + 1));
        match self.steps.get_mut(index) {
            Some(known) => *known = (step.clone(), state),
            None => self.steps.push((step.clone(), state)),
        }
    }

    fn replace_from(&mut self, index: usize, steps: &[Step]) {
        self.steps.truncate(index);
        let waiting = |step: &Step| (step.clone(), StepState::Waiting);
        self.steps.extend(steps.iter().map(waiting));
    }

    /// The events so far, without the frequent ones, the oldest first.
    pub fn events(&self) -> impl Iterator<Item = &RunEvent> {
        self.events.iter()
    }

    /// All steps and what became of them.
    #[must_use]
    pub fn steps(&self) -> &[(Step, StepState)] {
        &self.steps
    }

    /// Position of the first step that is neither done nor left out.
    #[must_use]
    pub fn next(&self) -> usize {
        let is_over =
            |(_, state): &(Step, StepState)| matches!(state, StepState::Done | StepState::Skipped);
        self.steps.iter().take_while(|step| is_over(step)).count()
    }

    /// Steps of a run that ended before they were done; empty when all were, or
    /// while it runs.
    #[must_use]
    pub fn unfinished(&self) -> Vec<Step> {
        match self.outcome {
            None | Some(RunOutcome::Done) => Vec::new(),
            Some(_) => self.steps[self.next()..]
                .iter()
                .map(|(step, _)| step.clone())
                .collect(),
        }
    }

    /// What the run was for, in words.
    #[must_use]
    pub fn goal(&self) -> &str {
        &self.goal
    }

    /// Whether nothing was ever planned to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The answer to a question about the run.
    #[must_use]
    pub fn answer(&self, question: RunQuestion) -> String {
        match question {
            RunQuestion::Doing => self.doing(),
            RunQuestion::Why => self.why(),
            RunQuestion::Next => self.coming(),
            RunQuestion::Done => self.done(),
            RunQuestion::Holding => self.holding(),
            RunQuestion::Sure => self.sure(),
            RunQuestion::Plan => self.plan(),
        }
    }

    fn words(&self, step: &Step) -> String {
        step_sentence(step, &self.scene)
    }

    /// "step 2 of 4: place the red block in the blue bowl".
    fn place(&self, index: usize) -> String {
        let words = self
            .steps
            .get(index)
            .map_or_else(String::new, |(step, _)| self.words(step));
        format!("step {} of {}: {words}", index + 1, self.steps.len())
    }

    fn doing(&self) -> String {
        if self.is_paused {
            return format!(
                "I am paused at {}. Say \"go on\" and I go on.",
                self.place(self.next())
            );
        }
        if let Some(running) = &self.running {
            if let Some(reason) = &self.halt {
                return format!("I hold still and wait for your answer. {}", ended(reason));
            }
            let again = if running.attempt > 1 {
                format!(", try {}", running.attempt)
            } else {
                String::new()
            };
            let lasted = (self.seconds - running.since).max(0.0);
            return format!(
                "I am at {}{again} ({lasted:.1} s).",
                self.place(running.index)
            );
        }
        match (self.outcome, self.steps.is_empty()) {
            (_, true) => "Nothing at the moment.".to_owned(),
            (Some(RunOutcome::Done), _) => {
                format!("Nothing at the moment; I have finished: {}.", self.goal)
            }
            (Some(_), _) => format!(
                "Nothing at the moment. I stopped before {}.",
                self.place(self.next().min(self.steps.len() - 1))
            ),
            (None, _) if self.next() < self.steps.len() => {
                format!("I am about to begin {}.", self.place(self.next()))
            }
            (None, _) => "I look whether everything is done.".to_owned(),
        }
    }

    fn why(&self) -> String {
        let failed = self
            .steps
            .iter()
            .rev()
            .find_map(|(step, state)| match state {
                StepState::Failed(reason) => Some((step, reason)),
                _ => None,
            });
        match (&self.halt, failed) {
            (Some(reason), _) if self.is_paused => {
                format!("I wait at {}. {}", self.place(self.next()), ended(reason))
            }
            (Some(reason), _) => ended(reason),
            (None, Some((step, reason))) => format!(
                "I have not stopped. The last thing that did not work was to {}: {}",
                self.words(step),
                ended(reason)
            ),
            (None, None) if self.running.is_some() => {
                format!("I have not stopped. {}", self.doing())
            }
            (None, None) => "I have not stopped before the end of anything.".to_owned(),
        }
    }

    fn coming(&self) -> String {
        let after = match &self.running {
            Some(running) => running.index + 1,
            None if self.is_paused || self.outcome.is_none() => self.next(),
            None => return self.doing(),
        };
        let rest: Vec<String> = self
            .steps
            .iter()
            .skip(after)
            .map(|(step, _)| self.words(step))
            .collect();
        if rest.is_empty() {
            return "Nothing more; after this I am done.".to_owned();
        }
        let more = rest.len().saturating_sub(MOST_NAMED);
        let mut text = rest[..rest.len() - more].join(", then ");
        if more > 0 {
            text.push_str(&format!(", and {more} more"));
        }
        format!("Next I {text}.")
    }

    fn done(&self) -> String {
        let all = |wanted: &StepState| -> Vec<String> {
            self.steps
                .iter()
                .filter(|(_, state)| state == wanted)
                .map(|(step, _)| self.words(step))
                .collect()
        };
        let (done, skipped) = (all(&StepState::Done), all(&StepState::Skipped));
        let mut text = if done.is_empty() {
            "Nothing is done yet.".to_owned()
        } else {
            format!(
                "Done so far, {} of {}: {}.",
                done.len(),
                self.steps.len(),
                done.join(", then ")
            )
        };
        if !skipped.is_empty() {
            text.push_str(&format!(" Left out: {}.", and_list(&skipped)));
        }
        text
    }

    fn holding(&self) -> String {
        match self.scene.held() {
            Some(held) => format!(
                "When I last looked I held {}.",
                object_phrase(&held.id, &self.scene)
            ),
            None => "When I last looked I held nothing.".to_owned(),
        }
    }

    fn sure(&self) -> String {
        let plan = self.plan_confidence.map_or_else(String::new, |sure| {
            format!("Of the plan {:.0} %.", 100.0 * sure)
        });
        match (self.confidence, &self.running) {
            (Some((score, threshold)), Some(running)) => format!(
                "Of {} I am {:.0} % sure; below {:.0} % I would hold and ask. {plan}",
                self.place(running.index),
                100.0 * score,
                100.0 * threshold
            ),
            _ if plan.is_empty() => "There is nothing that I could be sure of.".to_owned(),
            _ => plan,
        }
    }

    fn plan(&self) -> String {
        if self.steps.is_empty() {
            return "There is no plan.".to_owned();
        }
        let marked = |(index, (step, state)): (usize, &(Step, StepState))| {
            let mark = match state {
                StepState::Done => " (done)",
                StepState::Running => " (now)",
                StepState::Skipped => " (left out)",
                StepState::Waiting | StepState::Failed(_) => "",
            };
            format!("{}. {}{mark}", index + 1, self.words(step))
        };
        let lines: Vec<String> = self.steps.iter().enumerate().map(marked).collect();
        format!("{}.", lines.join("; "))
    }
}

/// A reason as a sentence of its own.
fn ended(reason: &str) -> String {
    format!("{}.", capital(reason.trim().trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(events: &[serde_json::Value]) -> Journal {
        let mut journal = Journal::default();
        for (index, event) in events.iter().enumerate() {
            let kind: RunEventKind = serde_json::from_value(event.clone()).unwrap();
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let t = index as f64;
            journal.note(&RunEvent { t, kind });
        }
        journal
    }

    fn begun() -> Vec<serde_json::Value> {
        let pick = serde_json::json!({"op":"pick","object":"red_block"});
        let place = serde_json::json!({"op":"place","object":"red_block","target":"blue_bowl","relation":"in"});
        vec![
            serde_json::json!({"event":"scene","scene":{"objects":[
                {"id":"red_block","kind":"block","color":"red"},{"id":"blue_bowl","kind":"bowl","color":"blue"}]}}),
            serde_json::json!({"event":"plan","plan":{"verdict":"execute","say":"I will.","confidence":0.9,
                "tree":{"goal":"put the red block in the blue bowl","subtasks":[]},"steps":[pick, place]}}),
            serde_json::json!({"event":"step_started","index":0,"step":pick,"task":"","attempt":1}),
            serde_json::json!({"event":"step_finished","index":0,"step":pick,"outcome":"done"}),
            serde_json::json!({"event":"step_started","index":1,"step":place,"task":"","attempt":1}),
        ]
    }

    #[test]
    fn a_run_says_what_it_does_from_its_log() {
        let mut events = begun();
        let running = journal(&events);
        let say = |journal: &Journal, question| journal.answer(question);
        assert_eq!(
            say(&running, RunQuestion::Doing),
            "I am at step 2 of 2: place the red block in the blue bowl (0.0 s)."
        );
        assert_eq!(
            say(&running, RunQuestion::Done),
            "Done so far, 1 of 2: pick up the red block."
        );
        assert!(say(&running, RunQuestion::Next).starts_with("Nothing more"));
        assert!(say(&running, RunQuestion::Why).starts_with("I have not stopped."));
        assert_eq!(say(&running, RunQuestion::Sure), "Of the plan 90 %.");
        events.extend([
            serde_json::json!({"event":"confidence","score":0.8,"threshold":0.5}),
            serde_json::json!({"event":"step_finished","index":1,"step":{"op":"place","object":"red_block","target":"blue_bowl","relation":"in"},"outcome":"interrupted"}),
            serde_json::json!({"event":"paused","index":1,"reason":"You said so."}),
        ]);
        let paused = journal(&events);
        assert!(say(&paused, RunQuestion::Doing).starts_with("I am paused at step 2 of 2"));
        assert_eq!(
            say(&paused, RunQuestion::Why),
            "I wait at step 2 of 2: place the red block in the blue bowl. You said so."
        );
        assert!(paused.unfinished().is_empty(), "it still runs");
        events.push(serde_json::json!({"event":"finished","success":false,"outcome":"aborted","seconds":9.0,"reason":"Stopped by a person."}));
        let over = journal(&events);
        assert_eq!(say(&over, RunQuestion::Why), "Stopped by a person.");
        assert_eq!(over.unfinished().len(), 1);
        assert!(say(&over, RunQuestion::Doing).contains("I stopped before step 2 of 2"));
    }

    #[test]
    fn an_empty_log_knows_nothing_and_answers_everything() {
        let journal = Journal::default();
        for question in [
            RunQuestion::Doing,
            RunQuestion::Why,
            RunQuestion::Next,
            RunQuestion::Done,
            RunQuestion::Holding,
            RunQuestion::Sure,
            RunQuestion::Plan,
        ] {
            assert!(journal.answer(question).ends_with('.'));
        }
        assert!(journal.is_empty() && journal.unfinished().is_empty());
    }
}
