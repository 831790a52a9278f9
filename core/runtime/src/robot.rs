//! A robot that is open: its parts, each behind a port that names it in errors.

use vola_abi::{
    ActuatorBox, CallResult, CameraBox, CommandFrame, EmbodimentBox, FaultAbi, FaultKind, HostData,
    HostServicesAbi, ImageBufferAbi, SimulationBox, StateFrame, StopCategory, TensorAbi,
    abi_stable::std_types::{ROption, RSliceMut, RStr, RString},
};
use vola_types::{CameraDescription, EmbodimentDescription, PluginId};

use crate::{
    CallWatch, CreatedEmbodiment, Interposer, Picture, PictureCounts, PluginRegistry, RobotProcess,
    RuntimeError,
    camera_pulse::{CameraPulses, PulseWriter},
    log_sink::plugin_log,
    picture::{PictureBuffers, PictureMemory},
    plugin_registry::unwrap,
};

/// A configured and described robot that is not open yet.
pub struct Robot {
    id: PluginId,
    description: EmbodimentDescription,
    embodiment: EmbodimentBox,
    pictures: PictureMemory,
    process: Option<RobotProcess>,
}

impl Robot {
    /// Creates the embodiment, passes it its settings and checks what it says
    /// of itself. Nothing is connected.
    ///
    /// # Errors
    /// When the plugin is missing, refuses its settings, or describes itself wrongly.
    pub fn configure(
        registry: &PluginRegistry,
        id: &PluginId,
        settings: &serde_json::Value,
    ) -> Result<Self, RuntimeError> {
        let CreatedEmbodiment {
            mut embodiment,
            pictures,
            process,
        } = registry.create_embodiment(id)?;
        let who = format!("embodiment `{id}`");
        let text = settings.to_string();
        unwrap(
            &who,
            "configure",
            embodiment.configure(RStr::from(text.as_str())),
        )?;
        let text = unwrap(&who, "describe", embodiment.describe())?;
        let description: EmbodimentDescription =
            serde_json::from_str(&text).map_err(|error| RuntimeError::Plugin {
                who: who.clone(),
                entry: "describe",
                kind: vola_abi::FaultKind::Failed,
                message: format!("its description is not understood: {error}"),
            })?;
        description
            .check()
            .map_err(|faults| RuntimeError::Description {
                id: id.clone(),
                faults,
            })?;
        Ok(Self {
            id: id.clone(),
            description,
            embodiment,
            pictures: PictureMemory::new(pictures),
            process,
        })
    }

    /// The embodiment's id.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        &self.id
    }

    /// What it says of itself; checked.
    #[must_use]
    pub fn description(&self) -> &EmbodimentDescription {
        &self.description
    }

    /// The robot's own process; none for a robot in this one.
    #[must_use]
    pub fn process(&self) -> Option<&RobotProcess> {
        self.process.as_ref()
    }

    /// Connects. The robot holds where it is.
    ///
    /// # Errors
    /// When the robot does not answer, or its parts are not the described ones.
    pub fn open(mut self) -> Result<OpenRobot, RuntimeError> {
        let who = format!("embodiment `{}`", self.id);
        let data = serde_json::to_string(&HostData {
            threads: 1,
            ..HostData::default()
        })
        .unwrap_or_default();
        let services = HostServicesAbi {
            log: plugin_log,
            data: RString::from(data),
        };
        unwrap(&who, "activate", self.embodiment.activate(services))?;
        let parts = unwrap(&who, "open", self.embodiment.open())?;
        let mut cameras = Vec::new();
        for part in parts.cameras {
            let key = part.key.to_string();
            let Some(description) = self.description.camera(&key) else {
                return Err(self.missing(format!("description of its camera `{key}`")));
            };
            let who = format!("{who}, camera `{key}`");
            let (description, memory) = (description.clone(), self.pictures.clone());
            cameras.push(CameraPort::new(who, description, part.camera, memory));
        }
        for described in &self.description.cameras {
            if cameras
                .iter()
                .all(|camera| camera.description.key != described.key)
            {
                return Err(self.missing(format!(
                    "camera `{}` although it describes one",
                    described.key
                )));
            }
        }
        Ok(OpenRobot {
            actuator: Some(ActuatorPort::new(who.clone(), parts.actuator)),
            cameras,
            simulation: match parts.simulation {
                ROption::RSome(simulation) => Some(SimulationPort { who, simulation }),
                ROption::RNone => None,
            },
            id: self.id,
            description: self.description,
            embodiment: self.embodiment,
            pictures: self.pictures,
            calls: None,
        })
    }

    fn missing(&self, part: String) -> RuntimeError {
        RuntimeError::MissingPart {
            id: self.id.clone(),
            part,
            help: "an embodiment opens exactly the cameras that it describes",
        }
    }
}

/// A robot that is open. Dropping it drops the parts, then disconnects.
pub struct OpenRobot {
    actuator: Option<ActuatorPort>,
    cameras: Vec<CameraPort>,
    simulation: Option<SimulationPort>,
    id: PluginId,
    description: EmbodimentDescription,
    embodiment: EmbodimentBox,
    pictures: PictureMemory,
    calls: Option<CallWatch>,
}

impl OpenRobot {
    /// Lets a watch over hangs see how the connection ends.
    pub(crate) fn watch_end(&mut self, calls: CallWatch) {
        self.calls = Some(calls);
    }

    /// What became of its pictures so far.
    #[must_use]
    pub fn picture_counts(&self) -> PictureCounts {
        self.pictures.counts()
    }

    /// The embodiment's id.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        &self.id
    }

    /// What it says of itself; checked.
    #[must_use]
    pub fn description(&self) -> &EmbodimentDescription {
        &self.description
    }

    /// Takes the parts out, each for its own thread. What is left keeps the
    /// connection and is dropped last.
    pub(crate) fn take_parts(&mut self) -> Result<RobotParts, RuntimeError> {
        let Some(actuator) = self.actuator.take() else {
            return Err(RuntimeError::MissingPart {
                id: self.id.clone(),
                part: "actuator left: its parts were taken before".to_owned(),
                help: "open the robot once for one session",
            });
        };
        Ok(RobotParts {
            actuator,
            cameras: std::mem::take(&mut self.cameras),
            simulation: self.simulation.take(),
        })
    }
}

impl Drop for OpenRobot {
    fn drop(&mut self) {
        self.actuator = None;
        self.cameras.clear();
        self.simulation = None;
        let who = format!("embodiment `{}`", self.id);
        let calls = self.calls.clone().unwrap_or_default();
        let _entered = calls.enter(who.clone(), "deactivate");
        if let Err(error) = unwrap(who, "deactivate", self.embodiment.deactivate()) {
            tracing::warn!("{error}");
        }
    }
}

/// The parts of an open robot.
pub(crate) struct RobotParts {
    pub(crate) actuator: ActuatorPort,
    pub(crate) cameras: Vec<CameraPort>,
    pub(crate) simulation: Option<SimulationPort>,
}

/// The part that moves. Only the control loop holds one.
pub(crate) struct ActuatorPort {
    who: String,
    actuator: ActuatorBox,
    /// It is not called again: every answer were the same fault, made anew.
    has_panicked: bool,
}

impl ActuatorPort {
    /// An actuator under a name for messages.
    pub(crate) fn new(who: String, actuator: ActuatorBox) -> Self {
        Self {
            who,
            actuator,
            has_panicked: false,
        }
    }

    /// The same with a wrapper around it.
    pub(crate) fn interposed(self, interposer: &dyn Interposer) -> Self {
        Self {
            actuator: interposer.actuator(self.actuator),
            ..self
        }
    }

    pub(crate) fn state(&mut self, frame: &mut StateFrame) -> Result<(), RuntimeError> {
        let result = self.actuator.state(frame);
        if result.is_ok() {
            Ok(())
        } else {
            unwrap(&self.who, "state", result)
        }
    }

    // The control thread's own: a fault is passed on as the plugin made it, and
    // nothing is formatted or freed.

    pub(crate) fn try_state(&mut self, frame: &mut StateFrame) -> Result<(), FaultAbi> {
        self.call(|actuator| actuator.state(frame))
    }

    pub(crate) fn try_command(&mut self, frame: &CommandFrame) -> Result<(), FaultAbi> {
        self.call(|actuator| actuator.command(frame))
    }

    pub(crate) fn try_stop(&mut self, category: StopCategory) -> Result<(), FaultAbi> {
        self.call(|actuator| actuator.stop(category))
    }

    pub(crate) fn try_reset(&mut self) -> Result<(), FaultAbi> {
        self.call(|actuator| actuator.reset())
    }

    fn call(
        &mut self,
        entry: impl FnOnce(&mut ActuatorBox) -> CallResult<()>,
    ) -> Result<(), FaultAbi> {
        if self.has_panicked {
            return Err(FaultAbi {
                kind: FaultKind::Panic,
                message: RString::new(),
            });
        }
        let result = entry(&mut self.actuator).into_result();
        self.has_panicked = matches!(&result, Err(fault) if fault.kind == FaultKind::Panic);
        result
    }
}

/// One camera with its buffers.
pub(crate) struct CameraPort {
    who: String,
    description: CameraDescription,
    camera: CameraBox,
    buffers: PictureBuffers,
    /// Where its pictures are told of, for the control loop.
    pulse: Option<PulseWriter>,
}

impl CameraPort {
    /// A camera under a name for messages.
    pub(crate) fn new(
        who: String,
        description: CameraDescription,
        camera: CameraBox,
        memory: PictureMemory,
    ) -> Self {
        let length = description.width as usize * description.height as usize * 3;
        Self {
            who,
            description,
            camera,
            buffers: PictureBuffers::new(memory, length),
            pulse: None,
        }
    }

    /// The same, telling the control loop of its pictures.
    pub(crate) fn telling(self, pulses: &CameraPulses) -> Self {
        Self {
            pulse: pulses.writer(&self.description.key),
            ..self
        }
    }

    pub(crate) fn description(&self) -> &CameraDescription {
        &self.description
    }

    /// Its name in messages.
    pub(crate) fn who(&self) -> &str {
        &self.who
    }

    /// The same with a wrapper around it.
    pub(crate) fn interposed(self, interposer: &dyn Interposer) -> Self {
        Self {
            camera: interposer.camera(&self.description.key, self.camera),
            ..self
        }
    }

    /// Takes the newest picture; with it its capture time (ns).
    ///
    /// # Errors
    /// When the camera fails, or readers hold all of its buffers.
    pub(crate) fn grab(&mut self, now_ns: u64) -> Result<(Picture, u64), RuntimeError> {
        let (width, height) = (self.description.width, self.description.height);
        let camera = &mut self.camera;
        let taken = self.buffers.take(|data| {
            let mut image = ImageBufferAbi {
                width,
                height,
                capture_time_ns: now_ns,
                data: RSliceMut::from_mut_slice(data),
            };
            let result = camera.grab(&mut image);
            let captured_ns = image.capture_time_ns;
            unwrap(&self.who, "grab", result).map(|()| captured_ns)
        });
        let Some(taken) = taken else {
            return Err(RuntimeError::PicturesHeld {
                who: self.who.clone(),
            });
        };
        let (rgb, captured_ns) = taken?;
        if let Some(pulse) = &mut self.pulse {
            pulse.take(captured_ns, &rgb);
        }
        Ok((Picture { width, height, rgb }, captured_ns))
    }
}

/// The world of a simulated robot.
pub(crate) struct SimulationPort {
    who: String,
    simulation: SimulationBox,
}

impl SimulationPort {
    pub(crate) fn reset(
        &mut self,
        seed: u64,
        task: &serde_json::Value,
    ) -> Result<serde_json::Value, RuntimeError> {
        let text = task.to_string();
        let answer = self.simulation.reset(seed, RStr::from(text.as_str()));
        let answer = unwrap(&self.who, "reset", answer)?;
        serde_json::from_str(&answer).map_err(|error| RuntimeError::Plugin {
            who: self.who.clone(),
            entry: "reset",
            kind: vola_abi::FaultKind::Failed,
            message: format!("its episode is not JSON: {error}"),
        })
    }

    pub(crate) fn step(&mut self, duration_ns: u64) -> Result<(), RuntimeError> {
        unwrap(&self.who, "step", self.simulation.step(duration_ns))
    }

    pub(crate) fn set_goal(&mut self, goal: &serde_json::Value) -> Result<(), RuntimeError> {
        let text = goal.to_string();
        unwrap(
            &self.who,
            "set_goal",
            self.simulation.set_goal(RStr::from(text.as_str())),
        )
    }

    pub(crate) fn goal_reached(&mut self) -> Result<bool, RuntimeError> {
        unwrap(&self.who, "goal_reached", self.simulation.goal_reached())
    }

    pub(crate) fn demonstrate(&mut self) -> Result<Vec<TensorAbi>, RuntimeError> {
        unwrap(&self.who, "demonstrate", self.simulation.demonstrate()).map(Into::into)
    }
}
