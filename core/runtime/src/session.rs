//! A robot, a policy and a clock, put together from a deployment.
//!
//! The session is owned by one thread, which is the policy thread. It observes,
//! runs primitives and reads scenes. Nothing here knows plans or people: whoever
//! owns the session decides what to run and answers when the policy is unsure.

use std::{path::PathBuf, sync::Arc};

use serde_json::Value;
use vola_bundle::{
    Bundle, Deployment, HandoffSettings, PolicySettings, ResolvedExecution, compare_deployment,
};
use vola_confidence::{DriftReport, DriftWatch, RobotCalibration};
use vola_types::{EmbodimentDescription, Op, PluginId};

use crate::{
    ArmState, CallWatch, CommandDigest, ControlReport, ControlWatch, Detection, Heartbeat,
    HeartbeatKind, Interposer, LabelTensor, MotionSink, Picture, PictureCounts, PluginOptions,
    PluginRegistry, PluginRules, PolicyContract, PolicyTelemetry, RealTimeReport, Robot,
    RuntimeError, SceneReading, StopSwitch,
    arm_model::ArmModel,
    authority::AuthorityWord,
    body::{Body, PictureDemand, PictureSink, TickWrapper, Watch, World},
    camera_pulse::CameraPulses,
    camera_watch::CameraDeadlines,
    confidence::{Confidence, ConfidenceUse},
    control_loop::{PROPRIOCEPTION_NS, TICK_NS},
    handoff::Handoff,
    heartbeat::Heartbeats,
    jog::JogLimits,
    limits::{checked_limits, tool_limits},
    observing::Eyes,
    path_check::PathCheck,
    policy::Policy,
    primitive::LeftPrimitive,
    proprioception::{Proprioception, state_names},
    robot::OpenRobot,
    robot_settings::{gripping_no_harder, merged},
    run_header::{add, header},
    safety_setup::FilterUse,
    session_start::{Seams, named_policy, open_policy, start_body},
    stage_instance::PolicyHost,
    take_over::HandSettings,
};

/// Which clock drives a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockMode {
    /// No threads; time passes only inside calls, and a run repeats exactly.
    #[default]
    Virtual,
    /// The machine's clock: control thread at 1 kHz, a thread a camera.
    Real,
}

/// How to open a session, beside what the deployment says.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// The clock.
    pub clock: ClockMode,
    /// Seed of the policy's draws and of recorded noise.
    pub seed: u64,
    /// Plugin libraries, or folders with some, before the deployment's own.
    pub plugin_folders: Vec<PathBuf>,
    /// Merged over the deployment's `[robot] settings`.
    pub robot_settings: Value,
    /// Whether the bundle is opened. Without it only generated primitives, the
    /// expert and the world can be used, and no object is recognised.
    pub policy: PolicyUse,
    /// Cameras of an observation when there is no policy.
    pub cameras: Vec<String>,
    /// Which libraries are let in, and what hosts isolated plugins.
    pub plugins: PluginOptions,
    /// What takes the commands.
    pub drive: Drive,
    /// Whether commands pass the safety filter's limits.
    pub filter: FilterUse,
    /// A new file for what the control loop takes in, for
    /// [`replay_control`](crate::replay_control).
    pub control_record: Option<PathBuf>,
    /// What stands between the session and the parts of a simulated robot.
    pub interposer: Option<Arc<dyn Interposer>>,
    /// What is made of the confidence.
    pub confidence: ConfidenceUse,
}

/// What takes a session's commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drive {
    /// The robot.
    #[default]
    Robot,
    /// Nothing: a joint is at once where it was sent. To measure what the
    /// control loop itself costs.
    Nothing,
}

/// Whether a session opens the deployment's policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PolicyUse {
    /// There must be a bundle, and it must agree with the robot.
    #[default]
    Required,
    /// The bundle is opened, and must agree with the robot, where the
    /// deployment names one.
    IfNamed,
    /// No bundle is opened.
    None,
}

/// A running robot.
pub struct Session {
    pub(crate) body: Box<dyn Body>,
    pub(crate) policy: Option<Policy>,
    pub(crate) model: Arc<ArmModel>,
    pub(crate) stop_switch: StopSwitch,
    pub(crate) handoff: Handoff,
    pub(crate) eyes: Eyes,
    pub(crate) pulses: CameraPulses,
    pub(crate) settings: RunSettings,
    pub(crate) max_velocity: Vec<f64>,
    pub(crate) path_check: PathCheck,
    pub(crate) path: Option<vola_motion::ReferencePath>,
    pub(crate) primitives_run: u64,
    pub(crate) confidence: Confidence,
    pub(crate) last_op: Option<Op>,
    /// The primitive that waits for a person's word.
    pub(crate) left: Option<LeftPrimitive>,
    pub(crate) policy_telemetry: PolicyTelemetry,
    calls: CallWatch,
    heartbeats: Heartbeats,
    header: Value,
    state_names: Vec<String>,
    // Last: the connection closes after every part is gone.
    robot: OpenRobot,
}

/// What primitives need from the deployment.
pub(crate) struct RunSettings {
    pub(crate) clock: ClockMode,
    pub(crate) seed: u64,
    pub(crate) execution: Option<ResolvedExecution>,
    pub(crate) latency_ns: u64,
    pub(crate) timeout_ns: u64,
    pub(crate) chunk_deadline_ns: u64,
    pub(crate) interposer: Option<Arc<dyn Interposer>>,
    pub(crate) hand: HandSettings,
}

impl RunSettings {
    fn of(
        deployment: &Deployment,
        options: &SessionOptions,
        policy: Option<&PolicySettings>,
        execution: Option<ResolvedExecution>,
    ) -> Self {
        Self {
            clock: options.clock,
            seed: options.seed,
            execution,
            latency_ns: policy.map_or(0, |policy| u64::from(policy.latency_ms()) * 1_000_000),
            timeout_ns: duration_ns(deployment.execution().primitive_timeout()),
            chunk_deadline_ns: duration_ns(deployment.safety().deadlines().chunk),
            interposer: options.interposer.clone(),
            hand: hand_settings(deployment.handoff()),
        }
    }
}

impl Session {
    /// Loads the plugins, opens robot and policy, compares what they say of
    /// each other, and starts the clock. The robot holds where it is.
    ///
    /// # Errors
    /// Any gap refuses to start: missing plugin, bad settings, a bundle that
    /// does not fit the robot, limits wider than the robot's.
    pub fn open(deployment: &Deployment, options: SessionOptions) -> Result<Self, RuntimeError> {
        let mut folders = options.plugin_folders.clone();
        folders.extend(deployment.plugin_paths().iter().cloned());
        let id = deployment.robot().plugin().clone();
        let named = named_policy(deployment, options.policy)?;
        let bundle = named
            .map(|policy| Bundle::open(policy.bundle()))
            .transpose()?;
        let stages = bundle.iter().flat_map(|bundle| bundle.manifest().stages());
        let needed: Vec<&PluginId> = std::iter::once(&id)
            .chain(stages.map(vola_bundle::Stage::plugin))
            .collect();
        let stop_switch = StopSwitch::default();
        let rules = PluginRules::of(deployment, &options.plugins)?.with_alarm(stop_switch.clone());
        let registry = PluginRegistry::for_plugins(&folders, needed, &rules).with_named_files()?;
        let robot = configured(deployment, &options, &registry)?;
        let calls = CallWatch::default();
        let host = PolicyHost {
            registry: &registry,
            threads: named.map_or(1, PolicySettings::threads),
            interposer: options.interposer.as_deref(),
            calls: &calls,
        };
        let host = (host, options.seed);
        let policy = bundle
            .map(|bundle| open_policy(deployment, bundle, robot.description(), host))
            .transpose()?;
        let execution = policy.as_ref().map(|(_, execution)| *execution);
        let policy = policy.map(|(policy, _)| policy);
        let confidence = Confidence::new(
            deployment,
            policy.as_ref(),
            execution.as_ref(),
            options.confidence,
        )?;
        let mut header = header(&registry, policy.as_ref(), &robot, options.filter)?;
        let mut robot = robot.open()?;
        robot.watch_end(calls.clone());
        let model = Arc::new(ArmModel::new(&id, robot.description())?);
        let limits = checked_limits(deployment, robot.description())?;
        let max_velocity = limits.joints().iter().map(|joint| joint.velocity).collect();
        let tool_limits = tool_limits(deployment, robot.description());
        let path_check = PathCheck::new(&limits, &model, tool_limits.max_speed_m_per_s)?;
        let deadlines = deployment.safety().deadlines();
        let eyes = Eyes::new(
            policy.as_ref(),
            &options.cameras,
            robot.description(),
            CameraDeadlines {
                decision_ns: duration_ns(deadlines.camera),
                stop_ns: duration_ns(deadlines.camera_stop),
                clock: robot.description().stamp_clock,
            },
        );
        let heartbeats = Heartbeats::default();
        let authority = AuthorityWord::default();
        let pulses = CameraPulses::of(policy.as_ref().map_or_else(Vec::new, Policy::cameras));
        let seams = Seams {
            stop_switch: stop_switch.clone(),
            authority: authority.clone(),
            heartbeats: heartbeats.clone(),
            cameras: pulses.clone(),
            calls: calls.clone(),
        };
        let body = start_body(deployment, &options, &mut robot, &model, limits, seams)?;
        let more = [
            ("real_time", serde_json::json!(body.real_time())),
            ("confidence", confidence.header()),
        ];
        add(&mut header, more);
        if let Some(path) = &options.control_record {
            add(&mut header, [("control_record", serde_json::json!(path))]);
        }
        Ok(Self {
            body,
            model,
            stop_switch,
            handoff: Handoff::new(authority, deployment.handoff().safe_stop()),
            eyes,
            pulses,
            settings: RunSettings::of(deployment, &options, named, execution),
            policy,
            max_velocity,
            path_check,
            path: None,
            primitives_run: 0,
            confidence,
            last_op: None,
            left: None,
            policy_telemetry: PolicyTelemetry::default(),
            calls,
            heartbeats,
            header,
            state_names: state_names(robot.description()),
            robot,
        })
    }

    /// The embodiment's id.
    #[must_use]
    pub fn embodiment_id(&self) -> &PluginId {
        self.robot.id()
    }

    /// What the embodiment says of itself.
    #[must_use]
    pub fn description(&self) -> &EmbodimentDescription {
        self.robot.description()
    }

    /// The runtime's clock (ns).
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.body.now_ns()
    }

    /// Ops that the embodiment declares and that can be driven here: policy
    /// ops need a policy.
    #[must_use]
    pub fn capabilities(&self) -> Vec<Op> {
        let ops = &self.robot.description().ops;
        ops.iter()
            .copied()
            .filter(|op| self.policy.is_some() || !op.is_policy())
            .collect()
    }

    /// A switch that any thread may throw to bring the arm to rest.
    #[must_use]
    pub fn stop_switch(&self) -> StopSwitch {
        self.stop_switch.clone()
    }

    /// Whether there is a simulated world.
    pub fn has_simulation(&mut self) -> bool {
        self.body.world().is_some()
    }

    /// Builds a new scene in the simulated world; the arm stands where the new
    /// episode begins. The answer describes the episode to an evaluator. What the
    /// policy draws at random follows from `seed` alone from here on, whatever
    /// this session ran before.
    ///
    /// # Errors
    /// Without a simulation, or when the task is not understood.
    pub fn reset_world(&mut self, seed: u64, task: &Value) -> Result<Value, RuntimeError> {
        self.path = None;
        if self.settings.clock == ClockMode::Virtual {
            // Every episode begins at the same point of the slower rates.
            let begin_ns = self.body.now_ns().next_multiple_of(PROPRIOCEPTION_NS);
            self.body.advance_to(begin_ns)?;
        }
        let episode = self.world()?.reset(seed, task)?;
        self.settings.seed = seed;
        self.primitives_run = 0;
        self.begin_anew()?;
        self.eyes.restart();
        // One tick, so that status and pictures are the new scene's.
        let now = self.body.now_ns();
        self.body.advance_to(now + TICK_NS)?;
        Ok(episode)
    }

    /// Names the goal that [`goal_reached`](Self::goal_reached) speaks of.
    ///
    /// # Errors
    /// Without a simulation, or when the goal names something that is not there.
    pub fn set_goal(&mut self, goal: &Value) -> Result<(), RuntimeError> {
        self.world()?.set_goal(goal)
    }

    /// Whether the world is in the goal's state. For evaluation only.
    ///
    /// # Errors
    /// Without a simulation or a goal.
    pub fn goal_reached(&mut self) -> Result<bool, RuntimeError> {
        self.world()?.goal_reached()
    }

    /// What a simulated world knows of itself: its objects and, with a goal, what
    /// its expert would do. For evaluation only.
    ///
    /// # Errors
    /// Without a simulation.
    pub fn world_labels(&mut self) -> Result<Vec<LabelTensor>, RuntimeError> {
        crate::expert::labels(self.world()?)
    }

    /// Reads the scene from the camera with the policy's scene head. A session
    /// without a policy recognises no object; it tells of the gripper alone.
    ///
    /// # Errors
    /// With a policy that has no scene head, or when a stage fails.
    pub fn read_scene(&mut self) -> Result<SceneReading, RuntimeError> {
        let measured = self.measured()?;
        if self.policy.is_none() {
            return Ok(reading(&measured, Vec::new()));
        }
        let id = self.robot.id().clone();
        let missing = || RuntimeError::MissingPart {
            id: id.clone(),
            part: "scene head in its policy".to_owned(),
            help: "use a bundle with a [perception] table, or give the scene with --scene FILE",
        };
        let policy = self.policy.as_mut().ok_or_else(missing)?;
        let cameras = policy.scene_cameras().ok_or_else(missing)?;
        let tool = measured.tool_position();
        if let Some((camera, verdict)) = self.eyes.look(self.body.as_mut(), &cameras, tool)? {
            let reason = verdict.words();
            return Err(RuntimeError::Camera { camera, reason });
        }
        let values = measured.values(&self.model);
        let observation = self
            .eyes
            .observation(&measured, &self.state_names, &values, None);
        let objects = observation
            .with(|seen| policy.read_scene(seen))?
            .ok_or_else(missing)?;
        Ok(reading(&measured, objects))
    }

    /// The next episode of this session begins, as [`begin_episode`](Self::begin_episode) with a
    /// seed made of the session's own and of what it has done so far.
    ///
    /// # Errors
    /// As [`begin_episode`](Self::begin_episode).
    pub fn begin_next_episode(&mut self) -> Result<Option<&str>, RuntimeError> {
        let seed = self
            .settings
            .seed
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(self.primitives_run);
        self.begin_episode(seed)
    }

    /// An episode begins: chooses the version of the policy by `seed`, where the
    /// deployment gives one a share. The name of what runs; none without a policy.
    ///
    /// # Errors
    /// When a head does not take its weights.
    pub fn begin_episode(&mut self, seed: u64) -> Result<Option<&str>, RuntimeError> {
        let Some(policy) = self.policy.as_mut() else {
            return Ok(None);
        };
        policy.choose_version(seed)?;
        Ok(Some(policy.versions.running()))
    }

    /// The newest measured state of the arm.
    ///
    /// # Errors
    /// When the arm has stopped, or its state cannot be used.
    pub fn arm_state(&mut self) -> Result<ArmState, RuntimeError> {
        let measured = self.measured()?;
        let joints = &self.robot.description().joints;
        let named = joints.iter().zip(&measured.position);
        Ok(ArmState {
            joints: named
                .map(|(joint, position)| (joint.name.clone(), *position))
                .collect(),
            gripper: measured.gripper,
            tool_position: measured.tool_position(),
            time_ns: measured.time_ns,
        })
    }

    /// The newest picture of a camera.
    ///
    /// # Errors
    /// When there is no such camera, or it fails.
    pub fn picture(&mut self, camera: &str) -> Result<Picture, RuntimeError> {
        self.body.picture(camera).map(|(picture, _)| picture)
    }

    /// What became of the cameras' pictures so far.
    #[must_use]
    pub fn picture_counts(&self) -> PictureCounts {
        self.robot.picture_counts()
    }

    /// Whether the policy's pictures are black from now on, to prove that it
    /// looks. Pictures for people stay as they are.
    pub fn cover_cameras(&mut self, covered: bool) {
        self.eyes.cover(covered);
    }

    /// Calls `sink` with time (ns) and picture every `period_ns` while time passes.
    ///
    /// # Errors
    /// When there is no such camera.
    pub fn watch(
        &mut self,
        camera: &str,
        period_ns: u64,
        sink: PictureSink,
    ) -> Result<(), RuntimeError> {
        self.body.watch(Watch {
            camera: camera.to_owned(),
            period_ns,
            sink,
            is_wanted: None,
        })
    }

    /// The same while somebody looks. In real time a camera that nobody has read
    /// and nobody looks at takes no pictures, and one that is only looked at
    /// takes no more than are shown. Both calls are made on the camera's thread
    /// and must not wait: the policy may need its next picture.
    ///
    /// # Errors
    /// When there is no such camera.
    pub fn watch_while(
        &mut self,
        camera: &str,
        period_ns: u64,
        is_wanted: PictureDemand,
        sink: PictureSink,
    ) -> Result<(), RuntimeError> {
        self.body.watch(Watch {
            camera: camera.to_owned(),
            period_ns,
            sink,
            is_wanted: Some(is_wanted),
        })
    }

    /// Hands every measured instant, a hundred a second, to a sink from now on.
    /// In virtual time, pictures of the same time are shown first.
    pub fn watch_motion(&mut self, sink: MotionSink) {
        self.body.watch_motion(Arc::clone(&self.model), sink);
    }

    /// Cameras of the policy's observations; without a policy those asked for,
    /// or all.
    #[must_use]
    pub fn observed_cameras(&self) -> Vec<String> {
        self.eyes.cameras()
    }

    /// What the policy reads and gives; none without a policy.
    #[must_use]
    pub fn policy_contract(&self) -> Option<PolicyContract> {
        let policy = self.policy.as_ref()?;
        let id = self.robot.id().to_string();
        let binding = policy.bundle().manifest().embodiment(&id).ok()?;
        Some(PolicyContract {
            state: binding.state().names().to_vec(),
            space: binding.action().space(),
            rate_hz: binding.action().rate_hz(),
        })
    }

    /// Awaits signs of life from now on, at most `deadline` apart; silence holds
    /// or stops the arm, as the kind says. The first counts from now.
    #[must_use]
    pub fn expect_heartbeat(
        &self,
        kind: HeartbeatKind,
        deadline: std::time::Duration,
    ) -> Heartbeat {
        self.heartbeats.expect(kind, duration_ns(deadline))
    }

    /// Passes every tick of the control loop through a wrapper from now on, to
    /// measure or count what it does. A wrapper makes the call that it is given
    /// once; a call that it does not make is a tick that was missed.
    ///
    /// # Errors
    /// In real time.
    pub fn wrap_ticks(&mut self, wrapper: TickWrapper) -> Result<(), RuntimeError> {
        self.body.wrap_ticks(wrapper)
    }

    /// The hash over all commands so far. In real time it is some milliseconds
    /// behind, and the instants differ from run to run; a replay of what the
    /// control loop took in gives it again.
    #[must_use]
    pub fn command_digest(&self) -> Option<CommandDigest> {
        self.body.digest()
    }

    /// What the control loop did and cost since the session began, or since
    /// [`clear_telemetry`](Self::clear_telemetry). Times are measured in real
    /// time only.
    pub fn control_report(&self) -> ControlReport {
        self.body.telemetry().report()
    }

    /// The same for any thread, while the session runs.
    #[must_use]
    pub fn control_watch(&self) -> ControlWatch {
        ControlWatch::new(self.body.telemetry())
    }

    /// The call into a stage that is under way, for any thread.
    #[must_use]
    pub fn call_watch(&self) -> CallWatch {
        self.calls.clone()
    }

    /// The control loop's counters begin anew.
    pub fn clear_telemetry(&mut self) {
        self.body.telemetry().clear();
    }

    /// Whether the calibration of the confidence still fits, by the primitives
    /// that went well so far; none without a calibration.
    #[must_use]
    pub fn drift(&self) -> Option<DriftReport> {
        self.confidence.drift.as_ref().map(DriftWatch::report)
    }

    /// What the confidence was calibrated on, and the stated false-hold rate;
    /// none without a calibration.
    #[must_use]
    pub fn calibration(&self) -> Option<(&RobotCalibration, f64)> {
        let (robot, rate) = self.confidence.plan.calibration.as_ref()?;
        Some((robot, *rate))
    }

    /// The tensor that the action head reads first; none without a policy.
    #[must_use]
    pub fn features_tensor(&self) -> Option<&str> {
        self.policy.as_ref().and_then(Policy::features_tensor)
    }

    /// The op of the last primitive that the policy drove.
    #[must_use]
    pub fn last_op(&self) -> Option<Op> {
        self.last_op
    }

    /// Time between decisions of the policy (ns); none without one.
    #[must_use]
    pub fn decision_period_ns(&self) -> Option<u64> {
        self.settings.execution.map(|execution| execution.period_ns)
    }

    /// What the policy's steps cost, by part. A clone reads the same.
    #[must_use]
    pub fn policy_telemetry(&self) -> PolicyTelemetry {
        self.policy_telemetry.clone()
    }

    /// What the system permitted the control thread; none in virtual time.
    #[must_use]
    pub fn real_time(&self) -> Option<&RealTimeReport> {
        self.body.real_time()
    }

    /// What a run log begins with: plugins with hashes, bundle with hash,
    /// versions, what the system permitted the control thread; of an isolated robot
    /// `robot_confinement`, in words, and as `last_motion` the file into which its
    /// process writes its last motion should this one die.
    #[must_use]
    pub fn run_header(&self) -> Value {
        self.header.clone()
    }

    /// Names of every state value that this arm offers.
    #[must_use]
    pub fn state_names(&self) -> &[String] {
        &self.state_names
    }

    pub(crate) fn world(&mut self) -> Result<&mut dyn World, RuntimeError> {
        let id = self.robot.id().clone();
        self.body.world().ok_or(RuntimeError::MissingPart {
            id,
            part: "simulated world".to_owned(),
            help: "only a simulated embodiment can be reset or measured",
        })
    }

    /// The newest measured state.
    pub(crate) fn measured(&mut self) -> Result<Proprioception, RuntimeError> {
        let status = self.body.status();
        let gripper_command = status.command().last().copied().unwrap_or(0.0);
        let seen = &status.proprioception;
        let mut measured = Proprioception::new(&self.model, seen, gripper_command)?;
        measured.time_ns = status.proprioception_ns;
        Ok(measured)
    }
}

/// The robot with its settings, compared with what the deployment says of it.
fn configured(
    deployment: &Deployment,
    options: &SessionOptions,
    registry: &PluginRegistry,
) -> Result<Robot, RuntimeError> {
    let id = deployment.robot().plugin();
    let wished = merged(deployment.robot().settings(), &options.robot_settings);
    let settings = gripping_no_harder(wished, deployment, registry, id);
    let robot = Robot::configure(registry, id, &settings)?;
    compare_deployment(deployment, robot.description())?;
    Ok(robot)
}

/// What was seen, with what the gripper says.
fn reading(measured: &Proprioception, objects: Vec<Detection>) -> SceneReading {
    SceneReading {
        objects,
        gripper_open: measured.gripper.unwrap_or(0.0) > 0.5,
        gripper_holding: measured.is_holding(),
        tool_position: measured.tool_position(),
        time_ns: measured.time_ns,
    }
}

/// What the deployment says of people's hands.
fn hand_settings(handoff: &HandoffSettings) -> HandSettings {
    HandSettings {
        limits: JogLimits {
            linear_m_per_s: handoff.jog_m_per_s(),
            angular_rad_per_s: handoff.jog_rad_per_s(),
        },
        dead_man_ns: duration_ns(handoff.dead_man()),
        timeout_ns: duration_ns(handoff.timeout()),
    }
}

fn duration_ns(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
