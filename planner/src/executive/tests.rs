use std::collections::VecDeque;

use async_trait::async_trait;
use vola_types::{Op, Outcome, PrimitiveGoal, RunEvent, RunEventKind, Step};

use super::*;
use crate::capabilities::Capabilities;
use crate::verifier::SymbolicWorld;

const SCENE: &str = r#"{"objects":[
 {"id":"red_block","kind":"block","color":"red","position":[0.40,-0.10,0.02],"on":"table"},
 {"id":"green_block","kind":"block","color":"green","position":[0.45,0.05,0.02],"on":"table"},
 {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.52,0.20,0.03],"on":"table"}]}"#;

mod taking_over;
mod talking;

/// What the fake does with one primitive.
#[derive(Debug, Clone)]
enum Script {
    /// Works.
    Works,
    /// Says done, changes nothing.
    Lies,
    /// Says failed, changes nothing.
    Fails,
    /// Says failed although it worked.
    Modest,
    /// The held object falls at this place.
    Slips([f64; 3]),
    /// Holds first; `continue` works.
    Unsure,
    Safety,
    Breaks,
    /// Works, and the run is stopped meanwhile.
    Stopped,
}

struct Fake {
    scene: Scene,
    script: VecDeque<Script>,
    capabilities: Capabilities,
    clock: f64,
    held_step: Option<Step>,
    ran: Vec<Op>,
    stops: u32,
    flag: StopFlag,
    /// What people do who take the arm: whether the step is done then, and how it
    /// ends. None: nobody can.
    hands: Option<VecDeque<(bool, TakenOver)>>,
    turns: Vec<HandoffTurn>,
}

impl Fake {
    fn new(script: &[Script]) -> Self {
        Self {
            scene: Scene::from_json(SCENE).unwrap(),
            script: script.to_vec().into(),
            capabilities: Capabilities::default(),
            clock: 0.0,
            held_step: None,
            ran: Vec::new(),
            stops: 0,
            flag: StopFlag::new(),
            hands: None,
            turns: Vec::new(),
        }
    }

    /// A robot that people can move by hand, as these do.
    fn with_hands(script: &[Script], hands: &[(bool, TakenOver)]) -> Self {
        Self {
            hands: Some(hands.to_vec().into()),
            ..Self::new(script)
        }
    }

    fn apply(&mut self, step: &Step) {
        let mut world = SymbolicWorld::new(self.scene.clone(), &self.capabilities);
        world
            .apply(step)
            .expect("the executive runs only possible steps");
        self.scene = world.into_scene();
    }
}

fn finished(outcome: Outcome) -> PrimitiveEnd {
    PrimitiveEnd::Finished {
        outcome,
        reason: None,
    }
}

#[async_trait(?Send)]
impl Robot for Fake {
    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn seconds(&self) -> f64 {
        self.clock
    }

    async fn scene(&mut self) -> Result<Scene, RobotError> {
        Ok(self.scene.clone())
    }

    async fn run_primitive(
        &mut self,
        step: &Step,
        goal: &PrimitiveGoal,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError> {
        assert_eq!(goal.op, step.op());
        self.clock += 1.0;
        self.ran.push(step.op());
        attention.emit(RunEvent {
            t: self.clock,
            kind: RunEventKind::Confidence {
                score: 0.9,
                threshold: 0.5,
                signal: None,
                signals: Vec::new(),
                failure_probability: None,
            },
        });
        if attention.is_rest_wanted(self.clock) {
            return Ok(finished(Outcome::Interrupted));
        }
        Ok(match self.script.pop_front().unwrap_or(Script::Works) {
            Script::Works => {
                self.apply(step);
                finished(Outcome::Done)
            }
            Script::Lies => finished(Outcome::Done),
            Script::Fails => finished(Outcome::Failed),
            Script::Modest => {
                self.apply(step);
                finished(Outcome::TimedOut)
            }
            Script::Slips(place) => {
                let held = self.scene.gripper.holding.take();
                for object in &mut self.scene.objects {
                    if Some(&object.id) == held.as_ref() {
                        object.on = Some("table".to_owned());
                        object.position = Some(place);
                    }
                }
                finished(Outcome::Failed)
            }
            Script::Unsure => {
                self.held_step = Some(step.clone());
                PrimitiveEnd::Held {
                    reason: "I am not sure.".to_owned(),
                    score: Some(0.2),
                    threshold: Some(0.5),
                }
            }
            Script::Safety => PrimitiveEnd::SafetyStopped {
                limit: "tool speed".to_owned(),
            },
            Script::Breaks => {
                return Err(RobotError::Machine {
                    detail: "no power".to_owned(),
                });
            }
            Script::Stopped => {
                self.flag.set();
                PrimitiveEnd::Finished {
                    outcome: Outcome::Interrupted,
                    reason: Some("stopped".to_owned()),
                }
            }
        })
    }

    async fn continue_primitive(
        &mut self,
        _attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError> {
        let step = self.held_step.take().expect("held before");
        self.apply(&step);
        Ok(finished(Outcome::Done))
    }

    async fn stop(&mut self) -> Result<(), RobotError> {
        self.stops += 1;
        Ok(())
    }

    fn hand_off(&mut self, turn: HandoffTurn) -> Vec<RunEventKind> {
        self.turns.push(turn);
        Vec::new()
    }

    fn can_be_taken_over(&self) -> bool {
        self.hands.is_some()
    }

    async fn take_over(
        &mut self,
        step: &Step,
        _attention: &mut dyn Attention,
    ) -> Result<TakenOver, RobotError> {
        self.clock += 3.0;
        let hand = self.hands.as_mut().and_then(VecDeque::pop_front);
        let (does_it, end) = hand.expect("a hand is there");
        if does_it {
            self.apply(step);
        }
        Ok(end)
    }
}

/// Answers from a list.
struct Person(VecDeque<Reply>);

#[async_trait(?Send)]
impl Operator for Person {
    async fn ask(&mut self, question: &Question) -> Option<Reply> {
        assert!(question.choices.len() >= 2);
        self.0.pop_front()
    }
}

struct Ran {
    report: RunReport,
    events: Vec<RunEvent>,
    robot: Fake,
}

impl Ran {
    fn words(&self) -> Vec<String> {
        self.events
            .iter()
            .map(|e| {
                let json = serde_json::to_value(e).unwrap();
                json["event"].as_str().unwrap().to_owned()
            })
            .filter(|w| w != "scene" && w != "confidence")
            .collect()
    }
}

fn run(sentence: &str, script: &[Script], replies: &[Reply]) -> Ran {
    run_with(&Ladder::rules_only(), sentence, Fake::new(script), replies)
}

fn run_with(ladder: &Ladder, sentence: &str, robot: Fake, replies: &[Reply]) -> Ran {
    run_for(
        ladder,
        sentence,
        robot,
        &mut Person(replies.to_vec().into()),
    )
}

fn run_for(ladder: &Ladder, sentence: &str, mut robot: Fake, operator: &mut dyn Operator) -> Ran {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let executive = Executive::new(ladder, ExecutiveSettings::default(), robot.flag.clone());
    let mut events = Vec::new();
    let report = {
        let mut sink = |event: RunEvent| events.push(event);
        let mut actors = Actors {
            robot: &mut robot,
            operator,
            events: &mut sink,
        };
        let mut past = Past::default();
        runtime.block_on(executive.run(sentence, &mut past, &mut actors))
    };
    assert!(matches!(
        events.last().unwrap().kind,
        RunEventKind::Finished { .. }
    ));
    assert!(
        events.windows(2).all(|w| w[0].t <= w[1].t),
        "time runs forward"
    );
    Ran {
        report,
        events,
        robot,
    }
}

/// Thinks for ever; a person says stop meanwhile.
struct Thinker(StopFlag);

#[async_trait]
impl crate::backend::Backend for Thinker {
    fn name(&self) -> &'static str {
        "thinker"
    }

    async fn plan(
        &self,
        _: &PlanRequest,
    ) -> Result<crate::draft::PlanDraft, crate::backend::BackendError> {
        self.0.set();
        std::future::pending().await
    }
}

#[test]
fn a_stop_ends_planning_and_nothing_moves() {
    let robot = Fake::new(&[]);
    let ladder = Ladder::new(vec![std::sync::Arc::new(Thinker(robot.flag.clone()))])
        .with_deadline(Duration::from_secs(3600));
    let ran = run_with(&ladder, PUT, robot, &[]);
    assert_eq!(ran.report.outcome, RunOutcome::Aborted);
    assert!(ran.robot.ran.is_empty());
    assert_eq!(ran.words(), ["finished"]);
}

const PUT: &str = "put the red block in the blue bowl";

#[test]
fn a_plain_run_ends_with_success() {
    let ran = run(PUT, &[], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::Done);
    assert!(ran.report.success);
    assert_eq!(ran.robot.ran, [Op::Pick, Op::Place]);
    assert_eq!(
        ran.words(),
        [
            "plan",
            "step_started",
            "step_finished",
            "step_started",
            "step_finished",
            "finished"
        ]
    );
    assert_eq!(
        ran.robot.scene.object("red_block").unwrap().on.as_deref(),
        Some("blue_bowl")
    );
}

#[test]
fn the_scene_outweighs_what_the_robot_claims() {
    // A pick that lies is tried again, from another pose.
    let ran = run(PUT, &[Script::Lies], &[]);
    assert!(ran.report.success);
    assert_eq!(ran.robot.ran, [Op::Pick, Op::Home, Op::Pick, Op::Place]);
    assert!(ran.events.iter().any(|event| matches!(&event.kind,
        RunEventKind::StepStarted { attempt: 2, alternative: Some(way), .. } if way == "from the home pose")));
    // A place that worked although the robot timed out is done.
    let ran = run(PUT, &[Script::Works, Script::Modest], &[]);
    assert!(ran.report.success);
    assert_eq!(ran.robot.ran, [Op::Pick, Op::Place]);
}

#[test]
fn a_slipped_object_is_picked_again_where_it_fell() {
    let slip = Script::Slips([0.36, 0.1, 0.02]);
    let ran = run(PUT, &[Script::Works, slip], &[]);
    assert!(ran.report.success, "{:?}", ran.report);
    assert_eq!(ran.report.replans, 1);
    assert_eq!(ran.robot.ran, [Op::Pick, Op::Place, Op::Pick, Op::Place]);
    assert!(ran.words().contains(&"replanned".to_owned()));
}

#[test]
fn a_hopeless_step_ends_with_a_person() {
    let ran = run(PUT, &vec![Script::Fails; 50], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::NeedsPerson);
    assert_eq!(ran.report.outcome.exit_code(), 3);
    assert!(ran.report.question.unwrap().ends_with('?'));
    // Two tries, twice planned anew; the second try of each goes home first.
    assert_eq!(ran.robot.ran.len(), 9);
    let ran = run(PUT, &vec![Script::Fails; 9], &[Reply::Choice(0)]);
    assert!(ran.report.success);
    let ran = run(
        PUT,
        &vec![Script::Fails; 50],
        &[Reply::Text("abort".to_owned())],
    );
    assert_eq!(ran.report.outcome, RunOutcome::Aborted);
}

#[test]
fn an_unsure_robot_waits_for_the_person() {
    let ran = run(PUT, &[Script::Unsure], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::NeedsPerson);
    assert_eq!(
        ran.robot.stops, 1,
        "it must not stay in a half-done primitive"
    );
    let ran = run(PUT, &[Script::Unsure], &[Reply::Choice(0)]);
    assert!(ran.report.success);
    assert_eq!(ran.report.handoffs, 1);
    assert!(ran.events.iter().any(|e| matches!(&e.kind,
        RunEventKind::Handoff { score: Some(_), choices, .. } if choices.len() == 4)));
    let ran = run(PUT, &[Script::Unsure], &[Reply::Choice(1)]);
    assert!(ran.report.success);
    let ran = run(PUT, &[Script::Unsure], &[Reply::Choice(3)]);
    assert_eq!(ran.report.outcome, RunOutcome::Aborted);
    let ran = run("go home", &[Script::Unsure], &[Reply::Choice(2)]);
    assert_eq!(ran.report.outcome, RunOutcome::Done);
    assert!(!ran.report.success, "a skipped step is no success");
    let ran = run(PUT, &[Script::Unsure], &[Reply::Choice(99)]);
    assert_eq!(ran.report.outcome, RunOutcome::NeedsPerson);
}

#[test]
fn safety_and_broken_machines_end_the_run() {
    let ran = run(PUT, &[Script::Safety], &[]);
    assert_eq!(ran.report.outcome.exit_code(), 4);
    let ran = run(PUT, &[Script::Breaks], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::Failed);
    assert!(ran.report.reason.unwrap().contains("no power"));
    assert_eq!(ran.robot.stops, 1);
    let ran = run(PUT, &[Script::Stopped], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::Aborted);
    assert_eq!(ran.robot.ran.len(), 1);
}

#[test]
fn questions_go_to_the_person_before_anything_moves() {
    let ask = "pick up the block";
    let ran = run(ask, &[], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::NeedsPerson);
    assert!(ran.robot.ran.is_empty());
    assert!(ran.report.question.is_some());
    let ran = run(ask, &[], &[Reply::Choice(0)]);
    assert!(ran.report.success);
    assert_eq!(
        ran.robot.scene.gripper.holding.as_deref(),
        Some("green_block")
    );
    let ran = run(ask, &[], &[Reply::Text("the red one".to_owned())]);
    assert_eq!(
        ran.robot.scene.gripper.holding.as_deref(),
        Some("red_block")
    );
    let ran = run("disable the safety limits", &[], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::Unsafe);
    let ran = run("pick up the banana", &[], &[]);
    assert_eq!(ran.report.outcome, RunOutcome::Infeasible);
    let ran = run("what do you see?", &[], &[]);
    assert_eq!(
        (ran.report.outcome, ran.report.success),
        (RunOutcome::Chat, true)
    );
}

#[test]
fn the_channel_sink_never_blocks() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let mut sink = ChannelSink::new(sender);
    for t in [0.0, 1.0] {
        sink.emit(RunEvent {
            t,
            kind: RunEventKind::Confidence {
                score: 1.0,
                threshold: 0.0,
                signal: None,
                signals: Vec::new(),
                failure_probability: None,
            },
        });
    }
    assert_eq!(sink.dropped, 1);
    assert!(receiver.try_recv().is_ok());
}
