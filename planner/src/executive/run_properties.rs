//! What must hold however a run is disturbed: thousands of random sequences of
//! stops, pauses, skips, changes, questions, doubts and failures.

use std::cell::Cell;
use std::rc::Rc;

use async_trait::async_trait;
use fastrand::Rng;
use vola_types::{Outcome, PrimitiveGoal, RunEvent, RunEventKind};

use super::*;
use crate::capabilities::Capabilities;
use crate::symbolic_robot::{Hazards, SymbolicRobot};
use vola_types::Step;

const RUNS: u64 = 10_000;

const SCENE: &str = r#"{"objects":[
    {"id":"red_block","kind":"block","color":"red","position":[0.40,-0.10,0.02],"on":"table"},
    {"id":"green_block","kind":"block","color":"green","position":[0.45,0.05,0.02],"on":"table"},
    {"id":"yellow_block","kind":"block","color":"yellow","position":[0.35,0.22,0.02],"on":"table"},
    {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.52,0.20,0.03],"on":"table"},
    {"id":"pink_bowl","kind":"bowl","color":"pink","position":[0.52,-0.22,0.03],"on":"table"},
    {"id":"drawer","kind":"drawer","open":false}]}"#;

const SENTENCES: [&str; 5] = [
    "put the red block in the blue bowl",
    "put the red block in the blue bowl and the green block in the pink bowl",
    "open the drawer and put the yellow block in it, then close the drawer",
    "push the green block to the left, then put the red block on the yellow block",
    "put all blocks in the blue bowl, then go home",
];

const LINES: [&str; 15] = [
    "pause",
    "pause",
    "skip",
    "take over",
    "no, the yellow one",
    "not that one, the green one",
    "put it in the pink bowl instead",
    "first the green one",
    "also put the yellow one there",
    "leave out the last step",
    "leave out step 2",
    "no, the purple one",
    "what are you doing?",
    "why did you stop?",
    "go on",
];

/// What no primitive may begin in.
#[derive(Clone, Default)]
struct Gate(Rc<Cell<bool>>);

/// Says things at random moments.
struct Restless {
    rng: Rng,
    /// Lines left; somebody who never ends talking proves nothing.
    lines: u32,
    stops: bool,
    is_paused: Gate,
    is_stopped: Gate,
}

impl Restless {
    fn line(&mut self) -> Option<String> {
        self.lines = self.lines.checked_sub(1)?;
        if self.stops && self.rng.u32(..8) == 0 {
            self.is_stopped.0.set(true);
            return Some("stop".to_owned());
        }
        let line = LINES[self.rng.usize(..LINES.len())];
        match line {
            "pause" => self.is_paused.0.set(true),
            "go on" => self.is_paused.0.set(false),
            _ => {}
        }
        Some(line.to_owned())
    }
}

#[async_trait(?Send)]
impl Operator for Restless {
    async fn ask(&mut self, question: &Question) -> Option<Reply> {
        assert!(question.choices.len() >= 2);
        self.lines = self.lines.checked_sub(1)?;
        Some(match self.rng.u32(..4) {
            0 => Reply::Text("what is next?".to_owned()),
            1 => Reply::Text("no, the green one".to_owned()),
            _ => Reply::Choice(self.rng.usize(..question.choices.len())),
        })
    }

    fn overhear(&mut self, heed: Heed) -> Option<String> {
        if heed == Heed::Urgent || self.rng.u32(..12) > 0 {
            return None;
        }
        self.line()
    }

    async fn listen(&mut self) -> Option<String> {
        match self.rng.u32(..8) {
            0 => None,
            1..4 => {
                self.is_paused.0.set(false);
                Some("go on".to_owned())
            }
            _ => self.line(),
        }
    }
}

/// The symbolic robot, which refuses to begin where it must not.
struct Watched {
    robot: SymbolicRobot,
    is_paused: Gate,
    is_stopped: Gate,
    running: bool,
    hand: Rng,
}

#[async_trait(?Send)]
impl Robot for Watched {
    fn capabilities(&self) -> Capabilities {
        self.robot.capabilities()
    }

    fn seconds(&self) -> f64 {
        self.robot.seconds()
    }

    async fn scene(&mut self) -> Result<Scene, RobotError> {
        self.robot.scene().await
    }

    async fn run_primitive(
        &mut self,
        step: &Step,
        goal: &PrimitiveGoal,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError> {
        assert!(!self.is_paused.0.get(), "{step:?} begins in a pause");
        assert!(!self.is_stopped.0.get(), "{step:?} begins after a stop");
        assert!(!self.running, "one primitive at a time");
        self.running = true;
        let end = self.robot.run_primitive(step, goal, attention).await;
        self.running = false;
        assert!(self.robot.started() < 400, "it does not end");
        end
    }

    async fn continue_primitive(
        &mut self,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError> {
        assert!(!self.is_paused.0.get() && !self.is_stopped.0.get());
        self.robot.continue_primitive(attention).await
    }

    async fn stop(&mut self) -> Result<(), RobotError> {
        self.robot.stop().await
    }

    fn can_be_taken_over(&self) -> bool {
        true
    }

    /// A hand that does the step, or something else, or nothing.
    async fn take_over(
        &mut self,
        step: &Step,
        _attention: &mut dyn Attention,
    ) -> Result<TakenOver, RobotError> {
        assert!(!self.running && !self.is_paused.0.get() && !self.is_stopped.0.get());
        Ok(match self.hand.u32(..12) {
            0 => TakenOver::GivenUp,
            1 => TakenOver::Unanswered,
            2..6 => {
                self.robot.help(step);
                TakenOver::GivenBack
            }
            _ => TakenOver::GivenBack,
        })
    }
}

/// Reads a run's events as a program would; wrong indices are found out.
#[derive(Default)]
struct Reader {
    steps: Vec<Step>,
    next: usize,
    running: bool,
    is_paused: bool,
    finished: u32,
}

impl Reader {
    fn read(&mut self, event: &RunEvent) {
        match &event.kind {
            RunEventKind::Plan { plan } if plan.verdict == Verdict::Execute => {
                (self.steps, self.next) = (plan.steps.clone(), 0);
            }
            RunEventKind::StepStarted { index, step, .. } => {
                assert!(!self.running && !self.is_paused);
                assert_eq!((*index, Some(step)), (self.next, self.steps.get(*index)));
                self.running = true;
            }
            RunEventKind::StepFinished {
                index,
                step,
                outcome,
                ..
            } => {
                assert_eq!((*index, Some(step)), (self.next, self.steps.get(*index)));
                self.running = false;
                self.next += usize::from(*outcome == Outcome::Done);
            }
            RunEventKind::Replanned { steps, .. } | RunEventKind::Edited { steps, .. } => {
                assert!(!self.running);
                self.steps.truncate(self.next);
                self.steps.extend(steps.iter().cloned());
            }
            RunEventKind::Skipped { index, step, steps } => {
                assert_eq!((*index, Some(step)), (self.next, self.steps.get(*index)));
                self.next += 1;
                self.steps.truncate(self.next);
                self.steps.extend(steps.iter().cloned());
            }
            RunEventKind::Paused { index, .. } => {
                assert_eq!(*index, self.next);
                assert!(!self.running && !self.is_paused);
                self.is_paused = true;
            }
            RunEventKind::Resumed { index } => {
                assert_eq!(*index, self.next);
                assert!(self.is_paused);
                self.is_paused = false;
            }
            RunEventKind::Finished { outcome, .. } => {
                self.finished += 1;
                if *outcome == RunOutcome::Done {
                    assert_eq!(self.next, self.steps.len(), "all steps are over");
                }
            }
            _ => {}
        }
    }
}

fn disturbed(seed: u64, ladder: &Ladder, runtime: &tokio::runtime::Runtime) -> RunOutcome {
    let mut rng = Rng::with_seed(seed);
    let hazards = Hazards {
        failure: 0.3 * rng.f64(),
        meddling: 0.1,
        doubt: 0.05,
        noise_m: 0.002,
    };
    let (is_paused, is_stopped) = (Gate::default(), Gate::default());
    let mut operator = Restless {
        rng: rng.fork(),
        lines: 10,
        stops: rng.bool(),
        is_paused: is_paused.clone(),
        is_stopped: is_stopped.clone(),
    };
    let robot = SymbolicRobot::new(Scene::from_json(SCENE).unwrap(), hazards, seed);
    let executive = Executive::new(ladder, ExecutiveSettings::default(), robot.stop_flag());
    let mut robot = Watched {
        robot,
        is_paused: is_paused.clone(),
        is_stopped: is_stopped.clone(),
        running: false,
        hand: rng.fork(),
    };
    let (mut reader, mut past) = (Reader::default(), Past::default());
    let mut last = 0.0;
    let mut sink = |event: RunEvent| {
        assert!(event.t >= last, "time runs forward");
        last = event.t;
        assert_eq!(reader.finished, 0, "nothing comes after the end");
        reader.read(&event);
        if matches!(event.kind, RunEventKind::Resumed { .. }) {
            is_paused.0.set(false);
        }
    };
    let mut actors = Actors {
        robot: &mut robot,
        operator: &mut operator,
        events: &mut sink,
    };
    let sentence = SENTENCES[rng.usize(..SENTENCES.len())];
    let report = runtime.block_on(executive.run(sentence, &mut past, &mut actors));
    assert_eq!(reader.finished, 1);
    if is_stopped.0.get() {
        assert_eq!(report.outcome, RunOutcome::Aborted);
    }
    // The log says the same as the events.
    let logged: Vec<&Step> = past.journal.steps().iter().map(|(step, _)| step).collect();
    assert_eq!(logged, reader.steps.iter().collect::<Vec<_>>());
    assert_eq!(past.journal.next(), reader.next);
    report.outcome
}

#[test]
fn however_a_run_is_disturbed_it_keeps_its_order_and_ends() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let ladder = Ladder::rules_only();
    let mut outcomes = std::collections::BTreeMap::new();
    for seed in 0..RUNS {
        *outcomes
            .entry(disturbed(seed, &ladder, &runtime).as_str())
            .or_insert(0_u64) += 1;
    }
    // Every way to end was seen, and most runs reach their end.
    for outcome in ["done", "aborted", "needs_person"] {
        assert!(outcomes.get(outcome) > Some(&(RUNS / 50)), "{outcomes:?}");
    }
}
