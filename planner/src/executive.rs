//! The executive: runs a verified plan on a robot, one step at a time.
//!
//! After every step the scene is read again and the step's postcondition is
//! measured; what the robot claims counts for less than what the scene shows.
//! A failed step is tried once more, then the rest of the plan is made anew
//! from what is now true ([`recovery`]), then a person is asked. A robot that
//! is unsure holds and asks (handoff); without an answer it stays held and the
//! run ends with "needs a person".
//!
//! Everything is single-threaded and takes time only from the robot, so that a
//! run in virtual time is repeatable.

mod events;
mod operator;
mod recovery;
mod robot;
mod stepper;

use std::time::Duration;

use vola_types::{Plan, RunEventKind, RunOutcome, Scene, Step, Verdict};

use crate::ladder::Ladder;
use crate::request::{Dialogue, PlanRequest};
use crate::verifier::verify_steps;

pub use events::{ChannelSink, EventSink};
pub use operator::{AnswerOnce, NoOperator, Operator, Question, Reply};
pub use recovery::rebuild;
pub use robot::{PrimitiveEnd, Robot, RobotError, StopFlag};
use stepper::Stepper;

/// How often planning looks whether a stop was ordered.
const STOP_GLANCE: Duration = Duration::from_millis(20);

/// How stubborn the executive is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutiveSettings {
    /// Tries of one step before the rest is planned anew.
    pub attempts_per_step: u32,
    /// New plans in one run before a person is asked.
    pub max_replans: u32,
    /// Questions answered in one sentence before giving up.
    pub max_questions: u32,
}

impl Default for ExecutiveSettings {
    fn default() -> Self {
        Self {
            attempts_per_step: 2,
            max_replans: 2,
            max_questions: 3,
        }
    }
}

/// Who takes part in a run.
pub struct Actors<'a> {
    /// The robot.
    pub robot: &'a mut dyn Robot,
    /// The person; [`NoOperator`] when there is none.
    pub operator: &'a mut dyn Operator,
    /// Where events go.
    pub events: &'a mut dyn EventSink,
}

/// How a run ended, for the caller; the same is in the last event.
#[derive(Debug, Clone, PartialEq)]
pub struct RunReport {
    /// How it ended; gives the exit code.
    pub outcome: RunOutcome,
    /// Whether the goal was reached, measured.
    pub success: bool,
    /// The plan that was answered to the sentence.
    pub plan: Plan,
    /// The open question, with [`RunOutcome::NeedsPerson`].
    pub question: Option<String>,
    /// Why, when it is not a success.
    pub reason: Option<String>,
    /// Length in seconds of the robot's clock.
    pub seconds: f64,
    /// Times a person was asked while steps ran.
    pub handoffs: u32,
    /// Times the rest was planned anew.
    pub replans: u32,
}

/// Runs sentences and plans on a robot.
#[derive(Debug)]
pub struct Executive<'a> {
    ladder: &'a Ladder,
    settings: ExecutiveSettings,
    stop: StopFlag,
}

impl<'a> Executive<'a> {
    /// An executive that plans with `ladder`. `stop` is shared with whoever
    /// may stop the run (and with the robot, which polls it while it moves).
    #[must_use]
    pub fn new(ladder: &'a Ladder, settings: ExecutiveSettings, stop: StopFlag) -> Self {
        Self {
            ladder,
            settings,
            stop,
        }
    }

    /// Plans a sentence over the robot's scene and runs the plan to its end.
    /// Emits `scene`, `plan`, the steps' events and `finished`.
    ///
    /// # Timing
    /// As long as the robot moves and the person thinks. Needs a tokio runtime
    /// with time (for the ladder's deadline); futures are not `Send`.
    pub async fn run(
        &self,
        sentence: &str,
        dialogue: &mut Dialogue,
        actors: &mut Actors<'_>,
    ) -> RunReport {
        let started = actors.robot.seconds();
        self.ladder.begin_run();
        let mut end = match self.understand(sentence, dialogue, actors).await {
            Understood::Steps(plan) => self.execute(sentence, *plan, dialogue, actors).await,
            Understood::Over(end) => *end,
        };
        end.seconds = (actors.robot.seconds() - started).max(0.0);
        emit(
            actors,
            RunEventKind::Finished {
                success: end.success,
                outcome: end.outcome,
                seconds: end.seconds,
                question: end.question.clone(),
                reason: end.reason.clone(),
            },
        );
        end
    }

    /// From a sentence to a plan to run, asking the person when needed.
    async fn understand(
        &self,
        sentence: &str,
        dialogue: &mut Dialogue,
        actors: &mut Actors<'_>,
    ) -> Understood {
        let mut sentence = sentence.to_owned();
        for _ in 0..=self.settings.max_questions {
            let scene = match actors.robot.scene().await {
                Ok(scene) => scene,
                Err(error) => return Understood::failed(Plan::default(), error.to_string()),
            };
            emit(
                actors,
                RunEventKind::Scene {
                    scene: scene.clone(),
                },
            );
            let request = request(&sentence, &scene, dialogue, actors.robot);
            let Some(plan) = self.plan_unless_stopped(&request, actors.robot).await else {
                return Understood::stopped();
            };
            dialogue.note(&sentence, &plan);
            emit(actors, RunEventKind::Plan { plan: plan.clone() });
            let outcome = match plan.verdict {
                Verdict::Execute => return Understood::Steps(Box::new(plan)),
                Verdict::Chat => RunOutcome::Chat,
                Verdict::Infeasible => RunOutcome::Infeasible,
                Verdict::Unsafe => RunOutcome::Unsafe,
                Verdict::Ask => {
                    match self.ask(&plan, &request, actors).await {
                        Answered::Plan(plan) => {
                            dialogue.note(&sentence, &plan);
                            emit(
                                actors,
                                RunEventKind::Plan {
                                    plan: (*plan).clone(),
                                },
                            );
                            return Understood::Steps(plan);
                        }
                        Answered::Text(text) => sentence = text,
                        Answered::Nothing => {
                            dialogue.question = None;
                            return Understood::over(plan, RunOutcome::Aborted);
                        }
                        Answered::Nobody => return Understood::over(plan, RunOutcome::NeedsPerson),
                    }
                    continue;
                }
            };
            return Understood::over(plan, outcome);
        }
        Understood::over(Plan::default(), RunOutcome::NeedsPerson)
    }

    /// Plans; gives up, without a plan, as soon as a stop is ordered.
    async fn plan_unless_stopped(
        &self,
        request: &PlanRequest,
        robot: &mut dyn Robot,
    ) -> Option<Plan> {
        robot.set_planning(true);
        let planning = self.ladder.plan(request);
        let mut planning = std::pin::pin!(planning);
        let plan = loop {
            tokio::select! {
                biased;
                plan = &mut planning => break Some(plan),
                () = tokio::time::sleep(STOP_GLANCE) => {}
            }
            if self.stop.is_set() || robot.is_stop_ordered() {
                break None;
            }
        };
        robot.set_planning(false);
        plan
    }

    async fn ask(&self, plan: &Plan, request: &PlanRequest, actors: &mut Actors<'_>) -> Answered {
        let question = Question {
            text: plan.question.clone().unwrap_or_else(|| plan.say.clone()),
            choices: plan.options.iter().map(|o| o.label.clone()).collect(),
        };
        let choice = match actors.operator.ask(&question).await {
            None => return Answered::Nobody,
            Some(Reply::Text(text)) => return Answered::Text(text),
            Some(Reply::Choice(choice)) => choice,
        };
        let Some(option) = plan.options.get(choice) else {
            return Answered::Nobody;
        };
        if option.steps.is_empty()
            || verify_steps(&option.steps, &request.scene, &request.capabilities).is_err()
        {
            return Answered::Nothing;
        }
        let mut chosen = plan.clone();
        chosen.verdict = Verdict::Execute;
        chosen.say = format!("All right: {}.", option.label);
        chosen.question = None;
        chosen.options = Vec::new();
        chosen.tree = vola_types::GoalTree {
            goal: option.label.clone(),
            subtasks: vec![vola_types::Subtask {
                goal: option.label.clone(),
                steps: (0..option.steps.len()).collect(),
            }],
        };
        chosen.steps = option.steps.clone();
        // They were told beside the question.
        chosen.answer = None;
        chosen.citations.clear();
        Answered::Plan(Box::new(chosen))
    }

    /// Runs the steps of a plan that was verified over the current scene.
    async fn execute(
        &self,
        sentence: &str,
        plan: Plan,
        dialogue: &mut Dialogue,
        actors: &mut Actors<'_>,
    ) -> RunReport {
        let mut stepper = Stepper::new(self, sentence, plan.steps.clone());
        let outcome = stepper.run(dialogue, actors).await;
        let mut report = RunReport::new(plan, outcome.outcome);
        report.reason = outcome.reason;
        report.question = outcome.question;
        report.handoffs = stepper.handoffs;
        report.replans = stepper.replans;
        if outcome.outcome == RunOutcome::Done {
            let measured = actors.robot.world_success(stepper.steps());
            report.success = measured.unwrap_or(!stepper.skipped);
            if !report.success {
                report
                    .reason
                    .get_or_insert_with(|| "The world does not show the goal.".to_owned());
            }
        }
        report
    }
}

impl RunReport {
    fn new(plan: Plan, outcome: RunOutcome) -> Self {
        let asks = outcome == RunOutcome::NeedsPerson;
        Self {
            outcome,
            success: outcome == RunOutcome::Chat,
            question: plan.question.clone().filter(|_| asks),
            reason: (!matches!(outcome, RunOutcome::Done | RunOutcome::Chat))
                .then(|| plan.say.clone()),
            plan,
            seconds: 0.0,
            handoffs: 0,
            replans: 0,
        }
    }
}

/// What became of a sentence before anything moved.
enum Understood {
    Steps(Box<Plan>),
    Over(Box<RunReport>),
}

impl Understood {
    fn over(plan: Plan, outcome: RunOutcome) -> Self {
        Self::Over(Box::new(RunReport::new(plan, outcome)))
    }

    fn stopped() -> Self {
        let mut report = RunReport::new(Plan::default(), RunOutcome::Aborted);
        report.reason = Some("Stopped by a person.".to_owned());
        Self::Over(Box::new(report))
    }

    fn failed(plan: Plan, reason: String) -> Self {
        let mut report = RunReport::new(plan, RunOutcome::Failed);
        report.reason = Some(reason);
        Self::Over(Box::new(report))
    }
}

/// What a person made of a question.
enum Answered {
    Plan(Box<Plan>),
    Text(String),
    Nothing,
    Nobody,
}

fn emit(actors: &mut Actors<'_>, kind: RunEventKind) {
    let t = actors.robot.seconds();
    actors.events.emit(vola_types::RunEvent { t, kind });
}

/// The rest of a plan, as the ladder would make it from the scene as it is.
async fn replan(
    executive: &Executive<'_>,
    sentence: &str,
    scene: &Scene,
    dialogue: &Dialogue,
    robot: &mut dyn Robot,
) -> Option<Vec<Step>> {
    let request = request(sentence, scene, dialogue, robot);
    let plan = executive.plan_unless_stopped(&request, robot).await?;
    (plan.verdict == Verdict::Execute).then_some(plan.steps)
}

fn request(
    sentence: &str,
    scene: &Scene,
    dialogue: &Dialogue,
    robot: &mut dyn Robot,
) -> PlanRequest {
    let mut request = PlanRequest::new(sentence, scene.clone());
    request.capabilities = robot.capabilities();
    request.dialogue = dialogue.clone();
    request.image = robot.picture();
    request
}

#[cfg(test)]
mod tests;
