//! A running session as the executive's robot.

use async_trait::async_trait;
use vola_planner::{
    Attention, Capabilities, EncodedImage, HandoffTurn, PrimitiveEnd, Robot, RobotError, StopFlag,
    TakenOver, push_route, with_side,
};
use vola_recorder::Who;
use vola_runtime::{
    Driver, HandoffEvent, HandoffState, PrimitiveObserver, PrimitiveReport, RuntimeError, Session,
    StopSwitch,
};
use vola_types::{
    Op, Outcome, PrimitiveGoal, PushTo, Region, RunEventKind, Scene, Step, step_sentence,
};

use super::{
    Pendant, Sight,
    telling::{Telling, unsure_words},
};
use crate::{
    chat::DeadMan,
    failure::Failure,
    film::{people_camera, png_bytes},
    measure::WorldJudge,
    recording::{Recorded, Recording, RecordingDesk},
};

/// How long after a person said "continue" the policy may stay unsure (s).
const GRACE_S: f64 = 2.0;
/// Pushes that one push into a region may take.
const MOST_LEGS: usize = 8;

/// Is told when the arm begins and ends to move, or to think about it.
pub(crate) type MotionWatch = Box<dyn FnMut(bool) + Send>;

/// A session with a memory for scenes and a judge for success.
pub(crate) struct SessionRobot {
    pub(super) session: Session,
    pub(super) sight: Sight,
    pub(super) scene: Scene,
    pub(super) judge: WorldJudge,
    pub(super) stop_switch: StopSwitch,
    stop_flag: StopFlag,
    began_ns: u64,
    held: Option<(Step, PrimitiveGoal)>,
    /// What runs is the primitive that was held.
    goes_on: bool,
    motion: Option<MotionWatch>,
    dead_man: Option<DeadMan>,
    pub(super) pendant: Option<Pendant>,
    /// Somebody without a pendant can take the arm.
    is_attended: bool,
    /// The goal that the world measures, where an evaluator set it.
    pub(super) is_measured_from_outside: bool,
    /// Until when a person's word, or hand, stands for the policy's own doubt (ns).
    pub(super) trusted_until_ns: u64,
    recording: Option<Recording>,
    /// Last: it waits until what was recorded is part of the data set.
    desk: Option<RecordingDesk>,
    shows_pictures: bool,
    jerks: Vec<f64>,
    episode_seed: Option<u64>,
    version: Option<String>,
    /// The step that was driven last, and its sentence.
    last_driven: Option<(Step, String)>,
}

impl SessionRobot {
    /// A robot that has seen nothing yet.
    pub(crate) fn new(session: Session) -> Self {
        Self {
            stop_switch: session.stop_switch(),
            began_ns: session.now_ns(),
            session,
            sight: Sight::new(),
            scene: Scene::default(),
            judge: WorldJudge::default(),
            stop_flag: StopFlag::new(),
            held: None,
            goes_on: false,
            motion: None,
            dead_man: None,
            pendant: None,
            is_attended: false,
            is_measured_from_outside: false,
            trusted_until_ns: 0,
            recording: None,
            desk: None,
            shows_pictures: false,
            jerks: Vec::new(),
            episode_seed: None,
            version: None,
            last_driven: None,
        }
    }

    /// Is told when the arm begins and ends to move.
    pub(crate) fn watch_motion(&mut self, watch: MotionWatch) {
        self.motion = Some(watch);
    }

    /// Records what the arm does from now on.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub(crate) fn record(&mut self, desk: RecordingDesk) -> Result<(), Failure> {
        self.record_with(&desk)?;
        self.desk = Some(desk);
        Ok(())
    }

    /// The same at a desk that several robots share.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub(crate) fn record_with(&mut self, desk: &RecordingDesk) -> Result<(), Failure> {
        let recording = desk.attach(&mut self.session)?;
        self.recording = Some(recording.counting_from(self.began_ns));
        Ok(())
    }

    /// The recording, if there is one.
    pub(crate) fn recording(&self) -> Option<Recording> {
        self.recording.clone()
    }

    /// Somebody who needs no pendant can take the arm, from now on.
    pub(crate) fn attend(&mut self) {
        self.is_attended = true;
    }

    /// Whether somebody can take the arm.
    pub(super) fn is_in_reach(&self) -> bool {
        self.pendant.is_some() || self.is_attended
    }

    /// The sentence by which the policy does this step.
    pub(super) fn task_of(&self, step: &Step) -> String {
        match &self.last_driven {
            Some((driven, task)) if driven == step => task.clone(),
            _ => step_sentence(&with_side(step, &self.scene), &self.scene),
        }
    }

    /// The primitive that holds is not gone on with.
    pub(super) fn forget_held(&mut self) -> Option<(Step, PrimitiveGoal)> {
        self.held.take()
    }

    /// A sentence begins an episode of the recording, if there is one.
    pub(crate) fn begin_episode(&self, sentence: &str) -> Option<Recording> {
        let recording = self.recording.as_ref()?;
        recording.begin(self.session.now_ns(), sentence);
        Some(recording.clone())
    }

    /// Moves only while a person presses a key, from now on.
    pub(crate) fn hold_to_run(&mut self, dead_man: DeadMan) {
        self.dead_man = Some(dead_man);
    }

    /// The session.
    pub(crate) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// The flag that the executive reads.
    pub(crate) fn stop_flag(&self) -> StopFlag {
        self.stop_flag.clone()
    }

    /// Makes ready for a new sentence after a stop; nothing moves by that alone.
    ///
    /// # Errors
    /// When the robot's time cannot pass.
    pub(crate) fn release_stop(&mut self) -> Result<(), RuntimeError> {
        self.session.release_stop()?;
        self.stop_flag.clear();
        Ok(())
    }

    /// Another scene stands there now: ids, success and jerk begin anew.
    pub(crate) fn forget(&mut self) {
        self.sight.forget();
        self.scene = Scene::default();
        self.begin_run();
    }

    /// A new run begins: its success is judged by its own steps.
    pub(crate) fn begin_run(&mut self) {
        if let Err(error) = self.session.begin_anew() {
            // The first primitive meets the same and says so.
            tracing::debug!(%error, "the handoff cannot begin anew");
        }
        self.trusted_until_ns = 0;
        self.last_driven = None;
        self.judge = WorldJudge::default();
        self.held = None;
        self.jerks.clear();
        self.choose_version();
    }

    /// Seed by which the version of the policy is chosen in the next run; without
    /// it, seeds follow from the session's.
    pub(crate) fn seed_episode(&mut self, seed: u64) {
        self.episode_seed = Some(seed);
    }

    /// The version of the policy that runs; none without a policy.
    pub(crate) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    fn choose_version(&mut self) {
        let chosen = match self.episode_seed.take() {
            Some(seed) => self.session.begin_episode(seed),
            None => self.session.begin_next_episode(),
        };
        match chosen {
            Ok(version) => self.version = version.map(str::to_owned),
            // What ran before goes on, or nothing where that is uncertain.
            Err(error) => tracing::error!("the policy's version stays as it was: {error}"),
        }
    }

    /// Whether planners may see what the camera sees.
    pub(crate) fn show_pictures(&mut self, are_shown: bool) {
        self.shows_pictures = are_shown;
    }

    /// The newest picture for a planner, when it may see one. A camera that
    /// fails is told in the log: a plan can be made without.
    pub(crate) fn picture_for_planner(&mut self) -> Option<EncodedImage> {
        if !self.shows_pictures {
            return None;
        }
        let camera = people_camera(&self.session);
        let picture = match self.session.picture(&camera) {
            Ok(picture) => picture,
            Err(error) => {
                tracing::warn!(%error, "the planner gets no picture");
                return None;
            }
        };
        match png_bytes(&picture) {
            Ok(bytes) => Some(EncodedImage {
                media_type: "image/png",
                bytes,
            }),
            Err(error) => {
                tracing::warn!(%error, "the planner gets no picture");
                None
            }
        }
    }

    /// Reads the scene now.
    ///
    /// # Errors
    /// When there is no scene head, or it fails.
    pub(crate) fn look(&mut self) -> Result<Scene, Failure> {
        self.scene = self.sight.look(&mut self.session)?;
        Ok(self.scene.clone())
    }

    /// Mean of the primitives' jerk in this run (rad/s³).
    pub(crate) fn mean_jerk(&self) -> f64 {
        crate::measure::mean(&self.jerks).unwrap_or(0.0)
    }

    /// Brings the arm home, outside of any plan.
    ///
    /// # Errors
    /// When the runtime fails.
    pub(crate) fn go_home(&mut self) -> Result<(), Failure> {
        self.generated(Op::Home, None)?;
        Ok(())
    }

    pub(super) fn generated(
        &mut self,
        op: Op,
        seconds: Option<f64>,
    ) -> Result<PrimitiveReport, RuntimeError> {
        let goal = PrimitiveGoal {
            op,
            task: String::new(),
            object: None,
            target: None,
            seconds,
        };
        self.run(&goal, &mut vola_runtime::Unobserved)
    }

    /// Runs a primitive, with the person's hand on the key where that is asked.
    fn run(
        &mut self,
        goal: &PrimitiveGoal,
        observer: &mut dyn PrimitiveObserver,
    ) -> Result<PrimitiveReport, RuntimeError> {
        if let Some(dead_man) = &self.dead_man {
            dead_man.begin(&self.session);
        }
        let result = if self.goes_on {
            self.session
                .continue_primitive(goal, Driver::Policy, observer)
        } else {
            self.session.run_primitive(goal, Driver::Policy, observer)
        };
        if let Some(dead_man) = &self.dead_man {
            dead_man.end();
        }
        result
    }

    /// A stop that came from anywhere reaches the executive as well.
    pub(super) fn pass_on_stop(&self) {
        if self.stop_switch.is_thrown() {
            self.stop_flag.set();
        }
    }

    pub(super) fn set_moving(&mut self, is_moving: bool) {
        if let Some(watch) = &mut self.motion {
            watch(is_moving);
        }
    }

    /// When the robot's clock began (ns).
    pub(super) fn began_ns(&self) -> u64 {
        self.began_ns
    }

    /// A person said to go on, or brought the arm where it is: for a moment the
    /// policy is not asked how sure it is.
    pub(super) fn trust_for_a_while(&mut self) {
        let until_ns = self.session.now_ns() + to_ns(GRACE_S);
        self.trusted_until_ns = self.trusted_until_ns.max(until_ns);
    }

    /// Tells where the arm is.
    fn tell_state(&mut self, observer: &mut Telling<'_>) {
        observer.now_ns = self.session.now_ns();
        match self.session.arm_state() {
            Ok(state) => {
                let (names, positions) = state.joints.into_iter().unzip();
                observer.emit(RunEventKind::State {
                    names,
                    positions,
                    gripper: state.gripper,
                    tool: state.tool_position,
                });
            }
            // The primitive meets the same fault and decides.
            Err(error) => tracing::debug!(%error, "the arm's state cannot be told"),
        }
    }

    /// Runs a step and judges it by the world.
    pub(super) fn drive_judged(
        &mut self,
        step: &Step,
        goal: &PrimitiveGoal,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError> {
        let observer = Telling::new(attention, self.began_ns, self.trusted_until_ns);
        let end = self.drive(step, goal, observer)?;
        self.judge_end(step, &end);
        Ok(end)
    }

    /// Pushes an object into a region in as many pushes as it takes, looking
    /// where it lies after each.
    fn push_in_legs(
        &mut self,
        step: &Step,
        (object, region): (&str, Region),
        goal: &PrimitiveGoal,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError> {
        for _ in 0..MOST_LEGS {
            let Some(route) = push_route(object, region, &self.scene) else {
                self.judge_step(step);
                return Ok(PrimitiveEnd::Finished {
                    outcome: Outcome::Failed,
                    reason: Some("there is no free way to push it there".to_owned()),
                });
            };
            let from = self.scene.object(object).and_then(|seen| seen.position);
            let leg = match (route.first(), from) {
                (Some([x, y]), Some(from)) => PrimitiveGoal {
                    object: Some(from),
                    target: Some([*x, *y, from[2]]),
                    ..goal.clone()
                },
                // It lies there; what is left is to say so, or to try as it is.
                _ => goal.clone(),
            };
            if route.len() <= 1 {
                return self.drive_judged(step, &leg, attention);
            }
            let observer = Telling::new(attention, self.began_ns, self.trusted_until_ns);
            let end = self.drive(step, &leg, observer)?;
            let went_well = matches!(
                end,
                PrimitiveEnd::Finished {
                    outcome: Outcome::Done,
                    ..
                }
            );
            if !went_well {
                self.judge_end(step, &end);
                return Ok(end);
            }
            self.look().map_err(|error| RobotError::NoScene {
                detail: error.to_string(),
            })?;
        }
        self.judge_step(step);
        Ok(PrimitiveEnd::Finished {
            outcome: Outcome::Failed,
            reason: Some(format!("it is not there after {MOST_LEGS} pushes")),
        })
    }

    /// Runs a primitive.
    fn drive(
        &mut self,
        step: &Step,
        goal: &PrimitiveGoal,
        mut observer: Telling<'_>,
    ) -> Result<PrimitiveEnd, RobotError> {
        self.tell_state(&mut observer);
        self.set_moving(true);
        let result = self.run_recorded(step, goal, &mut observer);
        self.set_moving(false);
        self.pass_on_stop();
        self.tell_state(&mut observer);
        for change in self.transitions() {
            observer.emit(change);
        }
        let report = match result {
            Ok(report) => report,
            Err(RuntimeError::Stopped { reason }) => {
                return Ok(PrimitiveEnd::SafetyStopped { limit: reason });
            }
            Err(error) => {
                return Err(RobotError::Machine {
                    detail: error.to_string(),
                });
            }
        };
        self.jerks.push(report.rms_jerk_rad_per_s3);
        if let Some(reading) = observer.unsure.take() {
            self.held = Some((step.clone(), goal.clone()));
            return Ok(PrimitiveEnd::Held {
                reason: unsure_words(reading.signal),
                score: Some(reading.score),
                threshold: Some(reading.threshold),
            });
        }
        self.held = None;
        self.remember(step, report.outcome, goal);
        Ok(PrimitiveEnd::Finished {
            outcome: report.outcome,
            reason: report.reason,
        })
    }

    /// Runs a primitive; who drives it is recorded, where anything is.
    fn run_recorded(
        &mut self,
        step: &Step,
        goal: &PrimitiveGoal,
        observer: &mut Telling<'_>,
    ) -> Result<PrimitiveReport, RuntimeError> {
        let recording = self.recording.clone();
        let task = match goal.task.as_str() {
            "" => step_sentence(step, &self.scene),
            said => said.to_owned(),
        };
        let who = if step.op().is_policy() {
            Who::Policy
        } else {
            Who::Planner
        };
        if let Some(recording) = &recording {
            recording.primitive_began(self.session.now_ns(), &task, who);
        }
        self.last_driven = Some((step.clone(), task));
        let mut observer = Recorded::new(observer, recording.clone(), who);
        let result = self.run(goal, &mut observer);
        if let Some(recording) = &recording {
            let outcome = result.as_ref().ok().map(|report| report.outcome);
            recording.primitive_ended(self.session.now_ns(), outcome);
        }
        result
    }

    /// Tells the memory what was just tried, so that the next look recognises it;
    /// whether it is so is for the look to say.
    fn remember(&mut self, step: &Step, outcome: Outcome, goal: &PrimitiveGoal) {
        if outcome != Outcome::Done {
            return;
        }
        let memory = self.sight.memory();
        match step {
            Step::Pick { object } => memory.set_held(object),
            Step::Place { object, .. } | Step::Push { object, .. } => {
                if let Some(place) = goal.target {
                    memory.expect_at(object, place);
                }
            }
            _ => {}
        }
    }
}

#[async_trait(?Send)]
impl Robot for SessionRobot {
    fn capabilities(&self) -> Capabilities {
        Capabilities::with_ops(&self.session.capabilities())
    }

    fn seconds(&self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "nanoseconds of a run stay far below 2^53"
        )]
        let seconds = self.session.now_ns().saturating_sub(self.began_ns) as f64 * 1e-9;
        seconds
    }

    async fn scene(&mut self) -> Result<Scene, RobotError> {
        self.pass_on_stop();
        self.look().map_err(|error| RobotError::NoScene {
            detail: error.to_string(),
        })
    }

    async fn run_primitive(
        &mut self,
        step: &Step,
        goal: &PrimitiveGoal,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError> {
        self.name_goal(step);
        if let Step::Push {
            object,
            to: PushTo::Region(name),
        } = step
            && let Some(region) = Region::from_name(name)
        {
            return self.push_in_legs(step, (object, region), goal, attention);
        }
        self.drive_judged(step, goal, attention)
    }

    async fn continue_primitive(
        &mut self,
        attention: &mut dyn Attention,
    ) -> Result<PrimitiveEnd, RobotError> {
        let Some((step, goal)) = self.held.take() else {
            let detail = "there is no primitive to go on with".to_owned();
            return Err(RobotError::Machine { detail });
        };
        self.trust_for_a_while();
        self.goes_on = true;
        let end = self.drive_judged(&step, &goal, attention);
        self.goes_on = false;
        end
    }

    fn picture(&mut self) -> Option<EncodedImage> {
        self.picture_for_planner()
    }

    fn set_planning(&mut self, is_planning: bool) {
        self.set_moving(is_planning);
    }

    fn is_stop_ordered(&self) -> bool {
        self.stop_switch.is_thrown()
    }

    async fn stop(&mut self) -> Result<(), RobotError> {
        // A primitive is at rest when it returns; what is left is to forget it.
        self.held = None;
        if matches!(self.session.handoff_state(), HandoffState::Hold(_)) {
            self.session
                .hand(HandoffEvent::Dropped)
                .map_err(|error| RobotError::Machine {
                    detail: error.to_string(),
                })?;
        }
        Ok(())
    }

    fn hand_off(&mut self, turn: HandoffTurn) -> Vec<RunEventKind> {
        self.turn(turn)
    }

    fn can_be_taken_over(&self) -> bool {
        self.is_in_reach()
    }

    async fn take_over(
        &mut self,
        step: &Step,
        attention: &mut dyn Attention,
    ) -> Result<TakenOver, RobotError> {
        self.by_pendant(step, attention)
    }

    fn world_success(&mut self, steps: &[Step]) -> Option<bool> {
        self.says_the_world(steps)
    }
}

fn to_ns(seconds: f64) -> u64 {
    std::time::Duration::try_from_secs_f64(seconds).map_or(0, |duration| {
        u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
    })
}
