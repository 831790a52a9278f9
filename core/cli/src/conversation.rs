//! One sentence from the words to the end of the motion: what run, chat and the
//! evaluation of commands share.

use vola_bundle::{Backend, Deployment, PlannerSettings};
use vola_planner::{
    Actors, DecisionRecord, EventSink, Executive, ExecutiveSettings, Ladder, NoOperator, Operator,
    Past, PlanRequest, Replay, RunReport, StopFlag, SymbolicRobot, replay,
};
use vola_types::{RunEvent, Verdict, step_sentence};

use crate::{
    arguments::Clock,
    documents::with_documents,
    failure::Failure,
    recording::RecordingDesk,
    robot::{Lesson, LessonEnd, SessionRobot},
    run_log::RunLog,
    rungs::{self, ladder},
};

/// Runs sentences, one after the other, on this thread.
pub(crate) struct Conversation {
    ladder: Ladder,
    past: Past,
    settings: ExecutiveSettings,
    sends_pictures: bool,
    log: Option<RunLog>,
    runtime: tokio::runtime::Runtime,
}

impl Conversation {
    /// A conversation without a past.
    ///
    /// # Errors
    /// When the deployment's documents cannot be used, or the timer that bounds
    /// planning cannot be had.
    pub(crate) fn new(deployment: &Deployment) -> Result<Self, Failure> {
        Self::starting_with(Some(deployment), None)
    }

    /// A conversation that asks this back end before the deployment's; without
    /// a deployment there is the built-in grammar.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn starting_with(
        deployment: Option<&Deployment>,
        first: Option<Backend>,
    ) -> Result<Self, Failure> {
        let settings = deployment.map(Deployment::planner);
        let ladder = with_documents(ladder(settings, first), settings)?;
        Ok(Self {
            ladder,
            past: Past::default(),
            settings: executive_settings(settings),
            sends_pictures: settings.is_some_and(PlannerSettings::send_image),
            log: None,
            runtime: runtime()?,
        })
    }

    /// Writes what is said and what happens to a log from now on, and records
    /// what the robot does, where the deployment names a folder.
    ///
    /// # Errors
    /// When the log cannot be begun.
    pub(crate) fn keep_log(
        &mut self,
        deployment: &Deployment,
        robot: &mut SessionRobot,
        clock: Clock,
    ) -> Result<(), Failure> {
        let folder = deployment.record().folder();
        let header = robot.session().run_header();
        if let Some(desk) = RecordingDesk::of(deployment, clock) {
            robot.record(desk)?;
        }
        self.log = folder
            .map(|folder| RunLog::begin(folder, &header))
            .transpose()?;
        Ok(())
    }

    /// Forgets what was said.
    pub(crate) fn forget(&mut self) {
        self.past = Past::default();
    }

    /// Plans a sentence and does it. The arm is at rest when it returns.
    pub(crate) fn say(
        &mut self,
        sentence: &str,
        robot: &mut SessionRobot,
        operator: &mut dyn Operator,
        events: &mut dyn EventSink,
    ) -> RunReport {
        robot.begin_run();
        robot.show_pictures(self.sends_pictures);
        let executive = Executive::new(&self.ladder, self.settings.clone(), robot.stop_flag());
        let recording = robot.begin_episode(sentence);
        let mut log = self.log.as_mut();
        if let Some(log) = &mut log {
            log.sentence(sentence, robot.version());
        }
        let mut told = |event: RunEvent| {
            if let Some(log) = &mut log {
                log.event(&event);
            }
            if let Some(recording) = &recording {
                recording.event(&event);
            }
            events.emit(event);
        };
        let mut actors = Actors {
            robot,
            operator,
            events: &mut told,
        };
        let run = executive.run(sentence, &mut self.past, &mut actors);
        self.runtime.block_on(run)
    }

    /// Gives the arm to a person who shows what a sentence means. The arm is at rest
    /// when it returns.
    ///
    /// # Errors
    /// What is wrong, for the person: nothing can be shown of the sentence, or the
    /// robot does not let it be.
    pub(crate) fn teach(
        &mut self,
        sentence: &str,
        robot: &mut SessionRobot,
        events: &mut dyn EventSink,
    ) -> Result<(Lesson, LessonEnd), String> {
        if !robot.can_be_taught() {
            return Err(
                "nothing is recorded here: `--record DIR`, or `[record] folder`".to_owned(),
            );
        }
        let lesson = self.lesson(sentence, robot)?;
        let mut log = self.log.as_mut();
        if let Some(log) = &mut log {
            log.sentence(&format!("/teach {sentence}"), None);
        }
        let recording = robot.recording();
        let mut told = |event: RunEvent| {
            if let Some(log) = &mut log {
                log.event(&event);
            }
            if let Some(recording) = &recording {
                recording.event(&event);
            }
            events.emit(event);
        };
        let end = robot.teach(&lesson, &mut told);
        end.map(|end| (lesson, end))
            .map_err(|error| error.to_string())
    }

    /// The steps of a sentence, as they would be said to the policy. What the planner
    /// does not know yet is one step, in the person's own words.
    fn lesson(&self, sentence: &str, robot: &mut SessionRobot) -> Result<Lesson, String> {
        let as_said = || Lesson {
            sentence: sentence.to_owned(),
            steps: vec![sentence.to_owned()],
        };
        let Ok(scene) = robot.look() else {
            // A robot that sees no objects learns sentences as they are.
            return Ok(as_said());
        };
        let mut request = PlanRequest::new(sentence, scene.clone());
        request.capabilities = vola_planner::Robot::capabilities(robot);
        let plan = self.plan(&request);
        let steps: Vec<String> = plan
            .steps
            .iter()
            .filter(|step| step.op().is_policy())
            .map(|step| step_sentence(step, &scene))
            .collect();
        match plan.verdict {
            Verdict::Execute if steps.is_empty() => {
                Err("there is nothing to show: I do that without having learned it".to_owned())
            }
            Verdict::Execute => Ok(Lesson {
                sentence: sentence.to_owned(),
                steps,
            }),
            Verdict::Infeasible => Ok(as_said()),
            Verdict::Ask => Err(format!(
                "say exactly what you will show: {}",
                plan.question.unwrap_or(plan.say)
            )),
            Verdict::Unsafe => Err(plan.say),
            Verdict::Chat => Err(format!("there is nothing to show in that: {}", plan.say)),
        }
    }

    /// Does a plan that was made elsewhere, as stubbornly as the deployment says.
    pub(crate) fn carry_out(
        &self,
        plan: vola_types::Plan,
        stop: StopFlag,
        actors: &mut Actors<'_>,
    ) -> RunReport {
        let executive = Executive::new(&self.ladder, self.settings.clone(), stop);
        let mut past = Past::default();
        self.runtime
            .block_on(executive.run_plan(plan, &mut past, actors))
    }

    /// Runs a plan on any robot, with nobody to ask; nothing of it is told.
    pub(crate) fn execute(
        &self,
        plan: vola_types::Plan,
        settings: &ExecutiveSettings,
        robot: &mut SymbolicRobot,
    ) -> RunReport {
        let executive = Executive::new(&self.ladder, settings.clone(), robot.stop_flag());
        let mut actors = Actors {
            robot,
            operator: &mut NoOperator,
            events: &mut |_: RunEvent| {},
        };
        let mut past = Past::default();
        self.runtime
            .block_on(executive.run_plan(plan, &mut past, &mut actors))
    }

    /// Plans a sentence over a scene; nothing moves.
    pub(crate) fn plan(&self, request: &PlanRequest) -> vola_types::Plan {
        self.runtime.block_on(self.ladder.plan(request))
    }
}

/// How stubborn a deployment's executive is.
fn executive_settings(settings: Option<&PlannerSettings>) -> ExecutiveSettings {
    let usual = ExecutiveSettings::default();
    match settings.map(PlannerSettings::recovery) {
        Some(recovery) => ExecutiveSettings {
            attempts_per_step: recovery.attempts,
            max_replans: recovery.replans,
            ..usual
        },
        None => usual,
    }
}

/// Runs a recorded decision again; nothing is sent anywhere and nothing moves.
///
/// # Errors
/// When the timer that bounds planning cannot be had.
pub(crate) fn replay_decision(record: &DecisionRecord) -> Result<Replay, Failure> {
    Ok(runtime()?.block_on(replay(record, &rungs::rules())))
}

/// What planning runs on: timer and network, on the calling thread.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::System {
            what: "the planner's timer",
            source,
        })
}
