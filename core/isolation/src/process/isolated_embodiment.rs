//! A robot whose plugin runs in a child: the same trait, the same results.
//!
//! Commands and states cross as frames in shared memory, so that the control
//! loop never waits. Cameras have a channel each; the world, where there is
//! one, is stepped over the child's main channel. The child outlives this
//! process when it is killed, and brings the robot to rest.

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use vola_abi::{
    ActuatorAbi, ActuatorAbi_TO, CallResult, CameraAbi_TO, CameraPartAbi, CommandFrame,
    EmbodimentAbi, EmbodimentAbi_TO, EmbodimentBox, EmbodimentPartsAbi, FaultAbi, FaultKind,
    HostServicesAbi, SimulationAbi, SimulationAbi_TO, StateFrame, StopCategory, TensorAbi,
    abi_stable::{
        sabi_trait::TD_Opaque,
        std_types::{ROption, RResult, RStr, RString, RVec},
    },
};

use super::{
    child::{Child, Liveness, RobotChild},
    isolated_camera::IsolatedCamera,
    spec::{HostSpec, IsolationError},
    tensors::read_tensors,
};
use crate::{
    PictureRoom,
    channel::Channel,
    frames::{Frames, Order},
    wire::{Ask, Malformed, Reader, Writer},
};

/// A robot in a child.
///
/// A robot's child is never replaced: a new one would take hold of an arm whose
/// state nobody knows. When it is lost, every further call is a fault, and the
/// control loop stops.
pub struct IsolatedEmbodiment {
    link: Link,
    frames: Frames,
    cameras: Vec<Channel>,
    pictures: PictureRoom,
    motion_log: PathBuf,
}

/// The child, as the robot and its world use it.
#[derive(Clone)]
pub(super) struct Link {
    child: Arc<Mutex<Child>>,
    liveness: Arc<Liveness>,
    who: String,
    pub(super) call: Duration,
    start: Duration,
}

impl IsolatedEmbodiment {
    /// Starts a child and makes the embodiment `plugin` in it. Its last motion
    /// is written to a file in `folder` should this process die.
    ///
    /// # Errors
    /// When no child can be started, or the library holds no such embodiment.
    pub fn start(spec: &HostSpec, plugin: &str, folder: &Path) -> Result<Self, IsolationError> {
        let memory = Frames::memory().map_err(spec.system("make shared memory"))?;
        let frames = Frames::over(&memory).map_err(spec.system("map shared memory"))?;
        let (motion_log, file) = new_file(folder).map_err(spec.system("write the motion log"))?;
        let RobotChild {
            mut child,
            cameras,
            pictures,
        } = Child::start_embodiment(spec, plugin, &memory, &file)?;
        tracing::info!(
            plugin,
            level = child.level(),
            "runs in a process of its own"
        );
        let create = Writer::new(Ask::CreateEmbodiment as u8).text(plugin);
        let deadline = Instant::now() + spec.limits.start;
        child
            .ask(create, deadline)
            .map_err(|trouble| IsolationError::Child {
                path: spec.library.clone(),
                entry: Ask::CreateEmbodiment.name(),
                reason: trouble.to_string(),
            })?;
        Ok(Self {
            link: Link {
                liveness: child.liveness(),
                child: Arc::new(Mutex::new(child)),
                who: format!("`{plugin}` ({})", spec.library.display()),
                call: spec.limits.call,
                start: spec.limits.start,
            },
            frames,
            cameras,
            pictures,
            motion_log,
        })
    }

    /// As an embodiment that crosses the boundary.
    #[must_use]
    pub fn into_box(self) -> EmbodimentBox {
        EmbodimentAbi_TO::from_value(self, TD_Opaque)
    }

    /// Where its cameras write: a picture that is asked for in a buffer of this
    /// room is not copied.
    #[must_use]
    pub fn pictures(&self) -> PictureRoom {
        self.pictures.clone()
    }

    /// How far the child is confined, in words.
    #[must_use]
    pub fn level(&self) -> String {
        self.link.lock().level().to_owned()
    }

    /// Process id of its child.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.link.lock().id()
    }

    /// Where the child writes its last motion, should this process die.
    #[must_use]
    pub fn motion_log(&self) -> &Path {
        &self.motion_log
    }

    fn tell_readiness(&self, is_whole: bool, granted: &str) {
        let who = &self.link.who;
        if is_whole {
            tracing::info!("robot {who} is serviced every millisecond by its process: {granted}");
        } else {
            tracing::warn!(
                "robot {who} is serviced every millisecond by its process as well as it can be: {granted}; `vola bench control` says what to give the user"
            );
        }
    }

    fn parts(&mut self, payload: &[u8]) -> Result<EmbodimentPartsAbi, FaultAbi> {
        let malformed = |error: Malformed| self.link.fault(Ask::Open, &error.to_string());
        let mut reader = Reader::new(payload);
        let count = reader.u32().map_err(malformed)?;
        let mut keys = Vec::new();
        for _ in 0..count {
            keys.push(reader.text().map_err(malformed)?.to_owned());
        }
        let is_simulated = reader.u8().map_err(malformed)? == 1;
        if !is_simulated {
            let is_whole = reader.u8().map_err(malformed)? == 1;
            self.tell_readiness(is_whole, reader.text().map_err(malformed)?);
        }
        let cameras = keys
            .into_iter()
            .zip(std::mem::take(&mut self.cameras))
            .map(|(key, channel)| {
                let room = self.pictures.clone();
                let camera = IsolatedCamera::new(channel, self.link.clone(), room);
                CameraPartAbi {
                    key: RString::from(key),
                    camera: CameraAbi_TO::from_value(camera, TD_Opaque),
                }
            })
            .collect();
        let actuator = IsolatedActuator {
            frames: self.frames.clone(),
            liveness: Arc::clone(&self.link.liveness),
            who: self.link.who.clone(),
            orders: 0,
            reset_at: 0,
            has_refused: false,
            is_told: false,
        };
        let world = IsolatedWorld {
            link: self.link.clone(),
        };
        Ok(EmbodimentPartsAbi {
            actuator: ActuatorAbi_TO::from_value(actuator, TD_Opaque),
            cameras,
            simulation: if is_simulated {
                ROption::RSome(SimulationAbi_TO::from_value(world, TD_Opaque))
            } else {
                ROption::RNone
            },
        })
    }
}

impl Drop for IsolatedEmbodiment {
    fn drop(&mut self) {
        // A child that had nothing to write leaves an empty file.
        if self
            .motion_log
            .metadata()
            .is_ok_and(|metadata| metadata.len() == 0)
        {
            let _ = std::fs::remove_file(&self.motion_log);
        }
    }
}

/// A file that did not exist before.
fn new_file(folder: &Path) -> io::Result<(PathBuf, File)> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    std::fs::create_dir_all(folder)?;
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("last-motion-{}-{number}.jsonl", std::process::id());
        let path = folder.join(name);
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

impl Link {
    fn lock(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, ask: Ask, record: Writer, patience: Duration) -> Result<Vec<u8>, FaultAbi> {
        let mut child = self.lock();
        child
            .ask(record, Instant::now() + patience)
            .map_err(|trouble| trouble.into_fault(|reason| self.fault(ask, reason)))
    }

    pub(super) fn fault(&self, ask: Ask, reason: &str) -> FaultAbi {
        FaultAbi::new(
            FaultKind::Failed,
            format!(
                "the process of robot {} failed in `{}`: {reason}; it is not replaced: look at the robot, then start anew",
                self.who,
                ask.name()
            ),
        )
    }
}

impl EmbodimentAbi for IsolatedEmbodiment {
    fn configure(&mut self, settings: RStr<'_>) -> CallResult<()> {
        let record = Writer::new(Ask::Configure as u8).text(settings.as_str());
        let result = self.link.ask(Ask::Configure, record, self.link.start);
        to_abi(result.map(drop))
    }

    fn describe(&mut self) -> CallResult<RString> {
        let record = Writer::new(Ask::Describe as u8);
        let result = self.link.ask(Ask::Describe, record, self.link.start);
        to_abi(result.and_then(|payload| text(&self.link, Ask::Describe, &payload)))
    }

    fn activate(&mut self, host: HostServicesAbi) -> CallResult<()> {
        self.link.lock().log_to(host.log);
        let record = Writer::new(Ask::Activate as u8).text(&host.data);
        let result = self.link.ask(Ask::Activate, record, self.link.start);
        to_abi(result.map(drop))
    }

    fn open(&mut self) -> CallResult<EmbodimentPartsAbi> {
        let record = Writer::new(Ask::Open as u8);
        let result = self.link.ask(Ask::Open, record, self.link.start);
        to_abi(result.and_then(|payload| self.parts(&payload)))
    }

    fn deactivate(&mut self) -> CallResult<()> {
        if self.link.liveness.has_ended() {
            return RResult::ROk(());
        }
        let record = Writer::new(Ask::Deactivate as u8);
        let result = self.link.ask(Ask::Deactivate, record, self.link.start);
        to_abi(result.map(drop))
    }
}

/// The part that moves, through shared memory.
///
/// # Timing
/// A call copies a few hundred words; it neither waits, locks nor allocates,
/// but for the text of a fault.
struct IsolatedActuator {
    frames: Frames,
    liveness: Arc<Liveness>,
    who: String,
    orders: u64,
    /// Orders after which refusals count again.
    reset_at: u64,
    /// The robot refused something, as its process last told.
    has_refused: bool,
    /// The fault that lasts was put in words already: its text costs memory, so
    /// it is made once and not in every tick.
    is_told: bool,
}

impl IsolatedActuator {
    fn order(&mut self, order: Order) -> CallResult<()> {
        self.orders += 1;
        self.frames.order(order);
        self.alive()
    }

    fn alive(&mut self) -> CallResult<()> {
        if self.liveness.has_ended() {
            return self.fault("ended");
        }
        RResult::ROk(())
    }

    fn fault(&mut self, what: &str) -> CallResult<()> {
        let message = if self.is_told {
            RString::new()
        } else {
            format!("the process of robot {} {what}", self.who).into()
        };
        self.is_told = true;
        RResult::RErr(FaultAbi {
            kind: FaultKind::Failed,
            message,
        })
    }
}

impl ActuatorAbi for IsolatedActuator {
    fn state(&mut self, frame: &mut StateFrame) -> CallResult<()> {
        if let RResult::RErr(fault) = self.alive() {
            return RResult::RErr(fault);
        }
        let what = match self.frames.take_state(frame) {
            Some(seen) => {
                self.has_refused = seen.has_refused && seen.obeyed >= self.reset_at;
                if !seen.is_unmeasured {
                    self.is_told &= self.has_refused;
                    return RResult::ROk(());
                }
                "could not measure it; its log tells why"
            }
            None => "wrote no whole state",
        };
        self.fault(what)
    }

    /// A refusal is known a tick late: the process takes the command after this.
    fn command(&mut self, frame: &CommandFrame) -> CallResult<()> {
        self.frames.put_command(frame);
        if self.has_refused {
            return self.fault("refused a command or an order; its log tells which");
        }
        self.alive()
    }

    fn hold(&mut self) -> CallResult<()> {
        self.order(Order::Hold)
    }

    fn stop(&mut self, category: StopCategory) -> CallResult<()> {
        self.order(Order::Stop(category))
    }

    fn reset(&mut self) -> CallResult<()> {
        self.is_told = false;
        self.has_refused = false;
        let result = self.order(Order::Reset);
        self.reset_at = self.orders;
        result
    }
}

/// The simulated world, over the main channel.
struct IsolatedWorld {
    link: Link,
}

impl IsolatedWorld {
    fn ask(&self, ask: Ask, record: Writer) -> Result<Vec<u8>, FaultAbi> {
        let patience = match ask {
            Ask::WorldStep | Ask::WorldGoalReached => self.link.call,
            _ => self.link.start,
        };
        self.link.ask(ask, record, patience)
    }
}

impl SimulationAbi for IsolatedWorld {
    fn reset(&mut self, seed: u64, task: RStr<'_>) -> CallResult<RString> {
        let ask = Ask::WorldReset;
        let record = Writer::new(ask as u8).u64(seed).text(task.as_str());
        let result = self.ask(ask, record);
        to_abi(result.and_then(|payload| text(&self.link, ask, &payload)))
    }

    fn step(&mut self, duration_ns: u64) -> CallResult<()> {
        let record = Writer::new(Ask::WorldStep as u8).u64(duration_ns);
        to_abi(self.ask(Ask::WorldStep, record).map(drop))
    }

    fn set_goal(&mut self, goal: RStr<'_>) -> CallResult<()> {
        let record = Writer::new(Ask::WorldSetGoal as u8).text(goal.as_str());
        to_abi(self.ask(Ask::WorldSetGoal, record).map(drop))
    }

    fn goal_reached(&mut self) -> CallResult<bool> {
        let ask = Ask::WorldGoalReached;
        let result = self.ask(ask, Writer::new(ask as u8));
        to_abi(result.and_then(|payload| {
            let reached = Reader::new(&payload).u8();
            reached
                .map(|reached| reached == 1)
                .map_err(|error| self.link.fault(ask, &error.to_string()))
        }))
    }

    fn demonstrate(&mut self) -> CallResult<RVec<TensorAbi>> {
        let ask = Ask::WorldDemonstrate;
        let result = self.ask(ask, Writer::new(ask as u8));
        to_abi(result.and_then(|payload| {
            let output = self.link.lock().output();
            read_tensors(&payload, &output)
                .ok_or_else(|| self.link.fault(ask, &Malformed.to_string()))
        }))
    }
}

fn text(link: &Link, ask: Ask, payload: &[u8]) -> Result<RString, FaultAbi> {
    let text = Reader::new(payload).text().map(RString::from);
    text.map_err(|error| link.fault(ask, &error.to_string()))
}

pub(super) fn to_abi<T>(result: Result<T, FaultAbi>) -> CallResult<T> {
    match result {
        Ok(value) => RResult::ROk(value),
        Err(fault) => RResult::RErr(fault),
    }
}
