//! The executive: runs a verified plan on a robot, one step at a time.
//!
//! After every step the scene is read again and the step's postcondition is
//! measured; what the robot claims counts for less than what the scene shows.
//! A failed step is tried otherwise ([`alternative`]), then the rest of the plan
//! is made anew from what is now true ([`recovery`]), then a person is asked. A
//! robot that is unsure holds and asks (handoff); without an answer it stays
//! held and the run ends with "needs a person".
//!
//! While it runs a person can say something ([`Interjection`]): a question is
//! answered from the log ([`Journal`]) and nothing stops; a wish to pause, skip,
//! change something or take the arm calls the primitive to rest first
//! ([`Attention`]), and is met between primitives. So no primitive starts while the
//! run is paused, a change is being planned, or a person has the arm.
//!
//! Everything is single-threaded and takes time only from the robot, so that a
//! run in virtual time is repeatable.

mod alternative;
mod attention;
mod choices;
mod events;
mod interjection;
mod journal;
mod operator;
mod plan_parts;
mod recovery;
mod robot;
mod stepper;

use std::collections::VecDeque;
use std::time::Duration;

use vola_types::{GoalTree, Plan, RunEvent, RunEventKind, RunOutcome, Scene, Subtask, Verdict};

use crate::draft::PlanDraft;
use crate::ladder::Ladder;
use crate::request::{Dialogue, PlanRequest};
use crate::verifier::verify_steps;

use attention::{Attending, Wish};
pub use attention::{Attention, EventsOnly};
pub use events::{ChannelSink, EventSink};
pub use interjection::{Edit, Interjection, LeftOut, RunQuestion};
pub use journal::{Journal, StepState};
pub use operator::{AnswerOnce, Heed, NoOperator, Operator, Question, Reply};
pub use recovery::rebuild;
pub use robot::{HandoffTurn, PrimitiveEnd, Robot, RobotError, StopFlag, TakenOver};
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

/// What earlier sentences and the run itself left behind.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// What was said.
    pub dialogue: Dialogue,
    /// What was done.
    pub journal: Journal,
}

/// The actors with the run's log, as the executive's parts see them.
struct Cast<'c> {
    robot: &'c mut dyn Robot,
    operator: &'c mut dyn Operator,
    events: &'c mut dyn EventSink,
    journal: &'c mut Journal,
    /// Wishes that were said and not met yet.
    wishes: VecDeque<Wish>,
}

impl Cast<'_> {
    fn emit(&mut self, kind: RunEventKind) {
        let t = self.robot.seconds();
        let event = RunEvent { t, kind };
        self.journal.note(&event);
        self.events.emit(event);
    }

    /// Tells the robot what became of a hold, and the log what the robot made of it.
    fn hand_off(&mut self, turn: HandoffTurn) {
        for kind in self.robot.hand_off(turn) {
            self.emit(kind);
        }
    }

    /// Answers questions and takes the next wish, if one was said.
    fn next_wish(&mut self) -> Option<Wish> {
        if let Some(wish) = self.wishes.pop_front() {
            return Some(wish);
        }
        let seconds = self.robot.seconds();
        let mut attending = self.attending(Heed::All);
        attending.listen(seconds);
        attending.wish
    }

    fn attending(&mut self, heed: Heed) -> Attending<'_> {
        self.split(heed).1
    }

    /// The robot, and who listens while it moves.
    fn split(&mut self, heed: Heed) -> (&mut dyn Robot, Attending<'_>) {
        let attending = Attending {
            operator: &mut *self.operator,
            events: &mut *self.events,
            journal: &mut *self.journal,
            heed,
            wish: None,
        };
        (&mut *self.robot, attending)
    }
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
    /// Times a person was asked, or took the arm, while steps ran.
    pub handoffs: u32,
    /// Times the rest was planned anew.
    pub replans: u32,
    /// Times a person changed the plan.
    pub edits: u32,
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
    pub async fn run(&self, sentence: &str, past: &mut Past, actors: &mut Actors<'_>) -> RunReport {
        self.ladder.begin_run();
        self.in_a_run(past, actors, async |dialogue, cast| {
            match self.understand(sentence, dialogue, cast).await {
                Understood::Steps(plan) => self.execute(sentence, *plan, dialogue, cast).await,
                Understood::Over(end) => *end,
            }
        })
        .await
    }

    /// Runs a plan that was made elsewhere, after verifying it over the robot's
    /// scene. Emits the same events as [`run`](Self::run).
    ///
    /// # Timing
    /// As [`run`](Self::run).
    pub async fn run_plan(
        &self,
        plan: Plan,
        past: &mut Past,
        actors: &mut Actors<'_>,
    ) -> RunReport {
        self.in_a_run(past, actors, async |dialogue, cast| {
            let scene = match cast.robot.scene().await {
                Ok(scene) => scene,
                Err(error) => return RunReport::failed(plan, error.to_string()),
            };
            let capabilities = cast.robot.capabilities();
            if let Err(fault) = verify_steps(&plan.steps, &scene, &capabilities) {
                return RunReport::failed(plan, fault.to_string());
            }
            cast.emit(RunEventKind::Scene { scene });
            let goal = plan.tree.goal.clone();
            dialogue.note(&goal, &plan);
            cast.emit(RunEventKind::Plan { plan: plan.clone() });
            self.execute(&goal, plan, dialogue, cast).await
        })
        .await
    }

    /// Counts the time of a run and tells its end.
    async fn in_a_run(
        &self,
        past: &mut Past,
        actors: &mut Actors<'_>,
        course: impl AsyncFnOnce(&mut Dialogue, &mut Cast<'_>) -> RunReport,
    ) -> RunReport {
        let mut cast = Cast {
            robot: &mut *actors.robot,
            operator: &mut *actors.operator,
            events: &mut *actors.events,
            journal: &mut past.journal,
            wishes: VecDeque::new(),
        };
        let started = cast.robot.seconds();
        let mut end = course(&mut past.dialogue, &mut cast).await;
        end.seconds = (cast.robot.seconds() - started).max(0.0);
        cast.emit(RunEventKind::Finished {
            success: end.success,
            outcome: end.outcome,
            seconds: end.seconds,
            question: end.question.clone(),
            reason: end.reason.clone(),
        });
        end
    }

    /// From a sentence to a plan to run, asking the person when needed.
    async fn understand(
        &self,
        sentence: &str,
        dialogue: &mut Dialogue,
        cast: &mut Cast<'_>,
    ) -> Understood {
        let mut sentence = sentence.to_owned();
        for _ in 0..=self.settings.max_questions {
            let scene = match cast.robot.scene().await {
                Ok(scene) => scene,
                Err(error) => return Understood::failed(Plan::default(), error.to_string()),
            };
            cast.emit(RunEventKind::Scene {
                scene: scene.clone(),
            });
            let request = request(&sentence, &scene, dialogue, cast.robot);
            let from_log = from_log(&request, cast.journal);
            let plan = match from_log {
                Some(plan) => Some(plan),
                None => self.plan_unless_stopped(&request, cast).await,
            };
            let Some(plan) = plan else {
                return Understood::stopped();
            };
            dialogue.note(&sentence, &plan);
            cast.emit(RunEventKind::Plan { plan: plan.clone() });
            let outcome = match plan.verdict {
                Verdict::Execute => return Understood::Steps(Box::new(plan)),
                Verdict::Chat => RunOutcome::Chat,
                Verdict::Infeasible => RunOutcome::Infeasible,
                Verdict::Unsafe => RunOutcome::Unsafe,
                Verdict::Ask => {
                    match self.ask(&plan, &request, cast).await {
                        Answered::Plan(plan) => {
                            dialogue.note(&sentence, &plan);
                            cast.emit(RunEventKind::Plan {
                                plan: (*plan).clone(),
                            });
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

    /// Plans; gives up, without a plan, as soon as a stop is ordered. Wishes
    /// that are said meanwhile are kept.
    async fn plan_unless_stopped(
        &self,
        request: &PlanRequest,
        cast: &mut Cast<'_>,
    ) -> Option<Plan> {
        cast.robot.set_planning(true);
        let planning = self.ladder.plan(request);
        let mut planning = std::pin::pin!(planning);
        let plan = loop {
            tokio::select! {
                biased;
                plan = &mut planning => break Some(plan),
                () = tokio::time::sleep(STOP_GLANCE) => {}
            }
            if self.is_stopped(cast) || stop_was_said(cast) {
                break None;
            }
        };
        cast.robot.set_planning(false);
        // It may have come with the plan.
        plan.filter(|_| !self.is_stopped(cast))
    }

    fn is_stopped(&self, cast: &Cast<'_>) -> bool {
        self.stop.is_set() || cast.robot.is_stop_ordered()
    }

    async fn ask(&self, plan: &Plan, request: &PlanRequest, cast: &mut Cast<'_>) -> Answered {
        let question = Question {
            text: plan.question.clone().unwrap_or_else(|| plan.say.clone()),
            choices: plan.options.iter().map(|o| o.label.clone()).collect(),
        };
        let choice = match cast.operator.ask(&question).await {
            None if self.is_stopped(cast) => return Answered::Nothing,
            None => return Answered::Nobody,
            Some(Reply::Text(text)) if crate::rules::is_stop_word(&text) => {
                return Answered::Nothing;
            }
            // No plan's words: nothing runs yet.
            Some(Reply::Text(text))
                if Interjection::read(&text) == Some(Interjection::TakeOver) =>
            {
                let say = "Nothing moves yet that you could take over.".to_owned();
                cast.emit(RunEventKind::Answered {
                    question: text,
                    say,
                });
                return Answered::Nothing;
            }
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
        chosen.tree = GoalTree {
            goal: option.label.clone(),
            subtasks: vec![Subtask {
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
        cast: &mut Cast<'_>,
    ) -> RunReport {
        let mut stepper = Stepper::new(self, sentence, plan.steps.clone());
        let outcome = stepper.run(dialogue, cast).await;
        let mut report = RunReport::new(plan, outcome.outcome);
        report.reason = outcome.reason;
        report.question = outcome.question;
        report.handoffs = stepper.handoffs;
        report.replans = stepper.replans;
        report.edits = stepper.edits;
        if outcome.outcome == RunOutcome::Done {
            let measured = cast.robot.world_success(&stepper.wanted_steps());
            report.success = measured.unwrap_or(true) && !stepper.skipped;
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
            edits: 0,
        }
    }

    fn failed(plan: Plan, reason: String) -> Self {
        let mut report = Self::new(plan, RunOutcome::Failed);
        report.reason = Some(reason);
        report
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
        report.reason = Some(STOPPED.to_owned());
        Self::Over(Box::new(report))
    }

    fn failed(plan: Plan, reason: String) -> Self {
        Self::Over(Box::new(RunReport::failed(plan, reason)))
    }
}

/// What a person made of a question.
enum Answered {
    Plan(Box<Plan>),
    Text(String),
    Nothing,
    Nobody,
}

/// Why a run ended that a person stopped.
const STOPPED: &str = "Stopped by a person.";

/// Hears what is urgent while a plan is made; whether it is a stop.
fn stop_was_said(cast: &mut Cast<'_>) -> bool {
    let seconds = cast.robot.seconds();
    let mut attending = cast.attending(Heed::Urgent);
    attending.listen(seconds);
    let Some(wish) = attending.wish else {
        return false;
    };
    let stops = wish.meaning == Interjection::Stop;
    cast.wishes.push_back(wish);
    stops
}

/// Answers from the log to what was said while nothing runs: questions about the
/// run that is over, and the wish to go on with it.
fn from_log(request: &PlanRequest, journal: &Journal) -> Option<Plan> {
    let named = |draft: PlanDraft| {
        let mut plan = draft.into_plan();
        plan.backend = "log".to_owned();
        Some(plan)
    };
    let said = Interjection::read(&request.sentence)?;
    // Then it may be the answer.
    if request.dialogue.question.is_some() {
        return None;
    }
    match said {
        // The scene answers that better.
        Interjection::Ask(RunQuestion::Holding) => None,
        Interjection::Ask(_) if journal.is_empty() => None,
        Interjection::Ask(question) => named(PlanDraft::chat(journal.answer(question))),
        Interjection::Resume => {
            let rest = rebuild(&journal.unfinished(), &request.scene, &request.capabilities)
                .filter(|rest| !rest.is_empty());
            match rest {
                Some(rest) => {
                    let goal = format!("go on: {}", journal.goal());
                    named(PlanDraft::execute(goal.clone(), vec![(goal, rest)]))
                }
                None => named(PlanDraft::chat("There is nothing that I could go on with.")),
            }
        }
        Interjection::Skip => named(PlanDraft::chat("Nothing is running that I could skip.")),
        Interjection::TakeOver => named(PlanDraft::chat(
            "Nothing is running that you could take over.",
        )),
        // "Stop at the bowl": nothing runs, so it is a sentence like others.
        Interjection::Pause if crate::rules::calls_to_rest(&request.sentence) => None,
        Interjection::Pause => named(PlanDraft::chat("Nothing is running; I am at rest.")),
        Interjection::Stop | Interjection::Edit(_) => None,
    }
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
mod run_properties;
#[cfg(test)]
mod tests;
