//! Trials: a session with wrapped parts, a motion, a fault, and what follows.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Value, json};
use vola_abi::{ActuatorBox, CameraBox, StageBox};
use vola_bundle::{Bundle, BundleError, Deployment};
use vola_motion::{KinematicModel, MotionError};
use vola_runtime::{
    ClockMode, ConfidenceUse, Driver, Heartbeat, HeartbeatKind, Interposer, PrimitiveObserver,
    RuntimeError, SafetyNote, Session, SessionOptions, StopLevel, StopSwitch,
};
use vola_types::{Op, Outcome as PrimitiveOutcome, PrimitiveGoal};

use crate::{
    Fault, Outcome, Verdict, children,
    faulty_actuator::faulty_actuator,
    faulty_camera::faulty_camera,
    faulty_stage::faulty_stage,
    injection::Injection,
    motion::{ArmMotion, Tick},
    verdict::{Note, Seen},
};

/// What the world sets up.
const TASK: &str = "pick";
/// Signs of life are awaited this often.
const HEARTBEAT: std::time::Duration = std::time::Duration::from_millis(100);
/// A motion is watched for so long after its fault, then ended (ns).
const WATCHED_NS: u64 = 3_000_000_000;
/// An arm at rest is watched for so long (s).
const RESTING_S: f64 = 1.0;
/// The fault comes within this time after the motion began (ns).
const SOMETIME_NS: u64 = 1_500_000_000;
/// Period of the policy's decisions in the shipped bundles, and the longest a
/// decision can take to become visible (ms).
const DECISION_MS: f64 = 400.0;
/// Greatest period of the shipped robots' cameras, with that of looking at it (ms).
const PICTURE_MS: f64 = 50.0;
/// Way of the tool over which the picture must have changed (m).
const PICTURE_TRAVEL_M: f64 = 0.05;
/// Time of three pictures (ms).
const THREE_PICTURES_MS: f64 = 150.0;
/// Way of a command over which the measured state must have changed (rad).
const FROZEN_TRAVEL_RAD: f64 = 0.02;
/// Greatest way that a joint may be behind its command (rad).
const TRACKING_RAD: f64 = 0.2;

/// Makes seeds that follow each other differ in all their bits.
const SCATTER: u64 = 0x9E37_79B9_7F4A_7C15;

/// Why a trial could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The deployment or its bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The session did not open, or its world failed.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The robot's kinematics.
    #[error(transparent)]
    Motion(#[from] MotionError),
    /// The deployment has nothing to break.
    #[error("{}: the fault lab needs {what}\nhelp: use a deployment like `configs/tabletop.toml`", file.display())]
    Missing {
        /// The deployment.
        file: PathBuf,
        /// What it lacks.
        what: &'static str,
    },
}

/// Force at which an arm that meets something stops (N): above what a grasp or a
/// push needs.
const FORCE_STOP_N: f64 = 60.0;

/// Makes trials with one deployment.
#[derive(Clone, Debug)]
pub struct Lab {
    file: PathBuf,
    text: String,
    options: SessionOptions,
}

impl Lab {
    /// A lab for a deployment; clock, seed, interposer and the use of confidence of
    /// the options are the lab's own.
    ///
    /// # Errors
    /// When the deployment is not sound, or names no policy.
    pub fn new(file: &Path, options: SessionOptions) -> Result<Self, LabError> {
        let deployment = Deployment::load(file)?;
        if deployment.policy().is_none() {
            return Err(LabError::Missing {
                file: file.to_owned(),
                what: "a policy that moves the arm",
            });
        }
        // `load` read the same file; were it gone now, `parse` says so.
        let text = std::fs::read_to_string(file).unwrap_or_default();
        Ok(Self {
            file: file.to_owned(),
            text,
            options,
        })
    }

    /// The same lab at the deadline of the state and the number of missed ticks of
    /// a deployment that says nothing of them, as a robot has that is not
    /// simulated.
    ///
    /// # Errors
    /// When the deployment is not sound.
    pub fn at_usual_deadlines(mut self) -> Result<Self, LabError> {
        let mut table: toml::Table = toml::from_str(&self.text).unwrap_or_default();
        sub_table(&mut table, "safety").remove("state_deadline_ms");
        sub_table(&mut table, "control").remove("missed_ticks");
        self.text = toml::to_string(&table).unwrap_or_default();
        Deployment::parse(&self.text, &self.file)?;
        Ok(self)
    }

    /// Breaks a part in the middle of a motion and judges what follows. The same
    /// seed gives the same trial.
    ///
    /// # Errors
    /// When the session does not open; what follows the fault is never an error.
    pub fn run(&self, fault: Fault, seed: u64) -> Result<Verdict, LabError> {
        let deployment = self.deployment(fault)?;
        let injection = Arc::new(Injection::new(fault));
        let deadlines = deployment.safety().deadlines();
        let wrapped = Wrapped {
            action: self.action(&deployment)?,
            deadline_ns: u64::try_from(deadlines.state.as_nanos()).unwrap_or(u64::MAX),
            chunk_deadline_ns: u64::try_from(deadlines.chunk.as_nanos()).unwrap_or(u64::MAX),
            injection: Arc::clone(&injection),
        };
        let mut session = Session::open(
            &deployment,
            SessionOptions {
                clock: ClockMode::Virtual,
                seed,
                // A hold by doubt before the fault would be judged in its place.
                confidence: ConfidenceUse::Watch,
                interposer: Some(Arc::new(wrapped)),
                ..self.options.clone()
            },
        )?;
        if !session.has_simulation() {
            return Err(LabError::Missing {
                file: self.file.clone(),
                what: "a simulated robot",
            });
        }
        let episode = session.reset_world(seed, &json!({"task": TASK}))?;
        let goal = pick(&episode).ok_or(LabError::Missing {
            file: self.file.clone(),
            what: "a world that sets up something to pick",
        })?;
        let description = session.description();
        let arm = KinematicModel::from_urdf(&description.urdf, &description.tool_link)?;
        let joints = description.joints.clone();
        injection.set_arm_joints(joints.len());
        let mut trial = Trial {
            session,
            injection: Arc::clone(&injection),
            seed,
            missed_ticks: deployment.control().missed_ticks(),
        };
        let (seen, ticks) = trial.run(&goal)?;
        let motion = ArmMotion::new(&ticks, &joints);
        let began_ns = seen.began_ns.unwrap_or(u64::MAX);
        let knowable_ms = knowable_ms(fault, &deployment, &motion, &arm, began_ns);
        Ok(Verdict::judge(fault, seed, &seen, &motion, knowable_ms))
    }

    /// The deployment, with the plugin isolated whose process is broken, or the
    /// limit set that is broken.
    fn deployment(&self, fault: Fault) -> Result<Deployment, LabError> {
        let deployment = Deployment::parse(&self.text, &self.file)?;
        let mut table: toml::Table = toml::from_str(&self.text).unwrap_or_default();
        if fault == Fault::Contact {
            let safety = sub_table(&mut table, "safety");
            safety.insert("force_stop_n".to_owned(), FORCE_STOP_N.into());
            let text = toml::to_string(&table).unwrap_or_default();
            return Ok(Deployment::parse(&text, &self.file)?);
        }
        let isolated = match fault {
            Fault::RobotKilled => deployment.robot().plugin().to_string(),
            Fault::StageKilled | Fault::StageHung => self.head_plugin(&deployment)?,
            _ => return Ok(deployment),
        };
        let plugins = sub_table(&mut table, "plugins");
        sub_table(plugins, "isolation").insert(isolated, "process".into());
        let text = toml::to_string(&table).unwrap_or_default();
        Ok(Deployment::parse(&text, &self.file)?)
    }

    /// Stage and tensor of the action.
    fn action(&self, deployment: &Deployment) -> Result<(String, String), LabError> {
        let bundle = self.bundle(deployment)?;
        let id = deployment.robot().plugin().to_string();
        let binding = bundle.manifest().embodiment(&id)?;
        Ok((
            binding.head().to_owned(),
            binding.action_tensor().to_owned(),
        ))
    }

    fn head_plugin(&self, deployment: &Deployment) -> Result<String, LabError> {
        let (head, _) = self.action(deployment)?;
        let bundle = self.bundle(deployment)?;
        let mut stages = bundle.manifest().stages().iter();
        let stage = stages.find(|stage| stage.name() == head);
        Ok(stage.map_or_else(String::new, |stage| stage.plugin().to_string()))
    }

    fn bundle(&self, deployment: &Deployment) -> Result<Bundle, LabError> {
        let Some(policy) = deployment.policy() else {
            return Err(LabError::Missing {
                file: self.file.clone(),
                what: "a policy that moves the arm",
            });
        };
        Ok(Bundle::open(policy.bundle())?)
    }
}

fn sub_table<'a>(table: &'a mut toml::Table, key: &str) -> &'a mut toml::Table {
    let entry = table
        .entry(key)
        .or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if !entry.is_table() {
        *entry = toml::Value::Table(toml::Table::new());
    }
    #[expect(clippy::unreachable, reason = "made a table just before")]
    match entry {
        toml::Value::Table(table) => table,
        _ => unreachable!(),
    }
}

/// When a fault can first be known, after it began (ms); none when it could not
/// be known in this motion.
fn knowable_ms(
    fault: Fault,
    deployment: &Deployment,
    motion: &ArmMotion<'_>,
    arm: &KinematicModel,
    began_ns: u64,
) -> Option<f64> {
    let deadlines = deployment.safety().deadlines();
    let ms = |deadline: std::time::Duration| deadline.as_secs_f64() * 1e3;
    let since = |time_ns: u64| time_ns.saturating_sub(began_ns) as f64 * 1e-6;
    Some(match fault {
        Fault::StateStale
        | Fault::StateDelayed
        | Fault::ClockBack
        | Fault::ClockAhead
        | Fault::LinkGapTooLong
        | Fault::LinkGap300
        | Fault::LinkGap1000 => ms(deadlines.state),
        Fault::InferenceLate => DECISION_MS + ms(deadlines.chunk),
        // A state may stand still as long as nothing is to move.
        Fault::StateFrozen => {
            let away = motion.goes_away_ns(began_ns, FROZEN_TRAVEL_RAD)?;
            since(away).max(ms(deadlines.state))
        }
        Fault::JointBlocked => since(motion.lags_ns(began_ns, TRACKING_RAD)?),
        Fault::CameraSilent | Fault::CameraDelayed | Fault::CameraError => {
            ms(deadlines.camera_stop) + PICTURE_MS
        }
        // Three pictures, and a way that no picture can miss.
        Fault::CameraFrozen => {
            let gone = motion.tool_goes_away_ns(arm, began_ns, PICTURE_TRAVEL_M)?;
            since(gone).max(THREE_PICTURES_MS) + PICTURE_MS
        }
        Fault::OperatorSilent | Fault::PlannerSilent => HEARTBEAT.as_secs_f64() * 1e3,
        Fault::TicksMissed => deployment.control().missed_ticks() as f64,
        _ if fault.broken() == crate::Broken::Policy => DECISION_MS,
        _ => 0.0,
    })
}

/// Puts the broken parts in the place of the whole ones.
#[derive(Debug)]
struct Wrapped {
    /// Stage and tensor.
    action: (String, String),
    /// Greatest age of a state (ns).
    deadline_ns: u64,
    /// How long a path may go on without the next (ns).
    chunk_deadline_ns: u64,
    injection: Arc<Injection>,
}

impl Interposer for Wrapped {
    fn latency_ns(&self, usual_ns: u64) -> u64 {
        match self.injection.active() {
            Some(Fault::InferenceTwice) => 2 * usual_ns,
            Some(Fault::InferenceTenfold) => 10 * usual_ns,
            Some(Fault::InferenceJitter) => {
                // Another one at every decision, the same in every trial.
                let mut draws = Draws(self.injection.age_ns().wrapping_mul(SCATTER) | 1);
                draws.below(10 * usual_ns)
            }
            Some(Fault::InferenceLate) => {
                let period_ns = (DECISION_MS * 1e6) as u64;
                usual_ns + period_ns + self.chunk_deadline_ns
            }
            _ => usual_ns,
        }
    }

    fn actuator(&self, actuator: ActuatorBox) -> ActuatorBox {
        faulty_actuator(actuator, self.deadline_ns, Arc::clone(&self.injection))
    }

    fn camera(&self, _: &str, camera: CameraBox) -> CameraBox {
        faulty_camera(camera, Arc::clone(&self.injection))
    }

    fn stage(&self, name: &str, stage: StageBox) -> StageBox {
        let (head, tensor) = &self.action;
        if name == head {
            faulty_stage(stage, tensor, Arc::clone(&self.injection))
        } else {
            stage
        }
    }
}

/// A session in one trial.
struct Trial {
    session: Session,
    injection: Arc<Injection>,
    seed: u64,
    /// Ticks in a row whose loss stops the arm.
    missed_ticks: u64,
}

impl Trial {
    /// What was seen, and every tick until the arm was asked to work again.
    fn run(&mut self, goal: &PrimitiveGoal) -> Result<(Seen, Vec<Tick>), LabError> {
        let fault = self.injection.fault();
        let heartbeat = match fault {
            Fault::OperatorSilent => Some(HeartbeatKind::Operator),
            Fault::PlannerSilent => Some(HeartbeatKind::Planner),
            _ => None,
        };
        let heartbeat = heartbeat.map(|kind| self.session.expect_heartbeat(kind, HEARTBEAT));
        let switch = self.session.stop_switch();
        self.interfere(switch.clone(), heartbeat)?;
        let mut draws = Draws(self.seed.wrapping_mul(SCATTER) | 1);
        let delay_ns = draws.below(SOMETIME_NS);
        self.injection.arm(self.session.now_ns() + delay_ns);
        let mut notes = Notes::default();
        let result = self.session.run_primitive(goal, Driver::Policy, &mut notes);
        let mut seen = Seen {
            began_ns: self.injection.began_ns(),
            ended_ns: self.session.now_ns(),
            ..Seen::default()
        };
        (seen.ended, seen.reason) = ending(&result);
        seen.told = notes.since(seen.began_ns);
        let can_live_on = fault != Fault::RobotKilled;
        if fault == Fault::ResetEarly {
            // While the arm brakes: its commands are judged like all others.
            switch.release();
            if let Err(error) = self.session.reset_stop() {
                seen.reason = error.to_string();
            }
        }
        if can_live_on {
            self.session.idle(RESTING_S)?;
        }
        self.injection.end();
        let ticks = self.injection.take_ticks();
        let is_stop = matches!(fault.outcome(), Outcome::Stop(_));
        switch.release();
        if is_stop && can_live_on && fault != Fault::ResetEarly {
            // The part is whole again, and nobody has reset the robot.
            let refused = matches!(self.go_home(), Err(RuntimeError::Stopped { .. }));
            let still = ArmMotion::stands(&self.injection.take_ticks());
            seen.stays_stopped = Some(refused && still);
            // Whoever was silent shows up before the reset.
            self.session.idle(0.02)?;
            if let Err(error) = self.session.reset_stop() {
                seen.works_again = Some(Err(error.to_string()));
                return Ok((seen, ticks));
            }
        }
        if can_live_on {
            seen.works_again = Some(match self.go_home() {
                Ok(PrimitiveOutcome::Done) => Ok(()),
                Ok(other) => Err(format!("homing ended as {other}")),
                Err(error) => Err(error.to_string()),
            });
        }
        Ok((seen, ticks))
    }

    /// What is broken from outside of the parts: every tick passes here.
    fn interfere(
        &mut self,
        switch: StopSwitch,
        heartbeat: Option<Heartbeat>,
    ) -> Result<(), RuntimeError> {
        let injection = Arc::clone(&self.injection);
        let mut is_done = false;
        let mut missed = 0;
        let missed_ticks = self.missed_ticks;
        self.session.wrap_ticks(Box::new(move |tick| {
            let active = injection.active();
            if let Some(heartbeat) = &heartbeat
                && active.is_none()
            {
                heartbeat.beat();
            }
            let wanted = match active {
                Some(Fault::TicksLate) => missed_ticks.saturating_sub(1),
                Some(Fault::TicksMissed) => missed_ticks,
                _ => 0,
            };
            if missed < wanted {
                missed += 1;
                return;
            }
            if let Some(fault) = active
                && !is_done
            {
                is_done = true;
                match fault {
                    Fault::StopThrown => switch.throw(),
                    Fault::StopDemanded | Fault::ResetEarly => {
                        switch.demand(StopLevel::ControlledStop);
                    }
                    Fault::PowerCutDemanded => switch.demand(StopLevel::CutPower),
                    Fault::StageKilled | Fault::RobotKilled => drop(children::kill()),
                    Fault::StageHung => drop(children::freeze()),
                    _ => {}
                }
            }
            if active.is_some() && injection.age_ns() > WATCHED_NS {
                switch.throw();
            }
            tick();
        }))
    }

    fn go_home(&mut self) -> Result<PrimitiveOutcome, RuntimeError> {
        let goal = PrimitiveGoal {
            op: Op::Home,
            task: String::new(),
            object: None,
            target: None,
            seconds: None,
        };
        let report = self
            .session
            .run_primitive(&goal, Driver::Policy, &mut Notes::default())?;
        Ok(report.outcome)
    }
}

/// How a primitive ended, as words.
fn ending(result: &Result<vola_runtime::PrimitiveReport, RuntimeError>) -> (String, String) {
    match result {
        Ok(report) => (
            report.outcome.as_str().to_owned(),
            report.reason.clone().unwrap_or_default(),
        ),
        Err(error) => ("error".to_owned(), error.to_string()),
    }
}

/// The world's own goal: the arm has to move for it.
fn pick(episode: &Value) -> Option<PrimitiveGoal> {
    let wanted = &episode["steps"][0]["object"];
    let is_wanted =
        |object: &&Value| object["kind"] == wanted["kind"] && object["color"] == wanted["color"];
    let objects = episode["objects"].as_array()?;
    let object = objects.iter().find(is_wanted)?;
    let place: [f64; 3] = serde_json::from_value(object["position"].clone()).ok()?;
    let color = object["color"].as_str().unwrap_or_default();
    Some(PrimitiveGoal {
        op: Op::Pick,
        task: format!("pick up the {color} {}", object["kind"].as_str()?),
        object: Some(place),
        target: None,
        seconds: None,
    })
}

/// Collects what the runtime tells.
#[derive(Default)]
struct Notes(Vec<Note>);

impl Notes {
    fn since(self, began_ns: Option<u64>) -> Vec<Note> {
        let began_ns = began_ns.unwrap_or(u64::MAX);
        let is_since = |note: &Note| note.time_ns >= began_ns;
        self.0.into_iter().filter(is_since).collect()
    }
}

impl PrimitiveObserver for Notes {
    fn safety(&mut self, note: &SafetyNote<'_>) {
        self.0.push(Note {
            time_ns: note.time_ns,
            limit: note.limit.to_owned(),
            action: note.action.to_owned(),
        });
    }
}

/// Seeded draws (xorshift64*).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}
