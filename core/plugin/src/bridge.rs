//! Mirrors of the author's traits on the ABI's, each entry guarded.

use vola_abi::{
    ActuatorAbi, ActuatorAbi_TO, CallContext, CallResult, CameraAbi, CameraAbi_TO, CameraPartAbi,
    CommandFrame, EmbodimentAbi, EmbodimentPartsAbi, FaultAbi, HostServicesAbi, ImageBufferAbi,
    SimulationAbi, SimulationAbi_TO, StageAbi, StateFrame, StopCategory, TensorAbi, TensorRefAbi,
    abi_stable::{
        sabi_trait::TD_Opaque,
        std_types::{ROption, RResult, RSlice, RStr, RString, RVec},
    },
};

use crate::{
    Actuator, Camera, Embodiment, Fault, Host, ImageBuffer, Inputs, Parts, Simulation, Stage,
    Tensor, guard::Guarded,
};

/// A stage before and after `configure`.
pub(crate) struct StageBridge<S: Stage> {
    stage: Guarded<Option<S>>,
}

impl<S: Stage> StageBridge<S> {
    pub(crate) fn new() -> Self {
        Self {
            stage: Guarded::new(None),
        }
    }

    fn with<R>(
        &mut self,
        entry: &str,
        body: impl FnOnce(&mut S) -> Result<R, Fault>,
    ) -> CallResult<R> {
        self.stage.call(entry, |stage| match stage {
            Some(stage) => to_abi(body(stage)),
            None => RResult::RErr(not_configured(entry)),
        })
    }
}

impl<S: Stage> StageAbi for StageBridge<S> {
    fn configure(&mut self, settings: RStr<'_>) -> CallResult<()> {
        self.stage.call("configure", |stage| {
            to_abi(
                json(settings)
                    .and_then(S::configure)
                    .map(|made| *stage = Some(made)),
            )
        })
    }

    fn activate(&mut self, host: HostServicesAbi) -> CallResult<()> {
        self.with("activate", |stage| {
            Host::receive(&host).and_then(|host| stage.activate(&host))
        })
    }

    fn reset(&mut self, seed: u64) -> CallResult<()> {
        self.with("reset", |stage| stage.reset(seed))
    }

    fn call<'a>(
        &mut self,
        context: &CallContext,
        inputs: RSlice<'a, TensorRefAbi<'a>>,
    ) -> CallResult<RVec<TensorAbi>> {
        self.with("call", |stage| {
            let outputs = stage.call(context, &Inputs::receive(inputs)?)?;
            Ok(outputs.into_iter().map(Tensor::into_abi).collect())
        })
    }

    fn deactivate(&mut self) -> CallResult<()> {
        self.with("deactivate", Stage::deactivate)
    }

    fn adapt<'a>(
        &mut self,
        context: &CallContext,
        examples: RSlice<'a, TensorRefAbi<'a>>,
    ) -> CallResult<RString> {
        self.with("adapt", |stage| {
            let report = stage.adapt(context, &Inputs::receive(examples)?)?;
            Ok(RString::from(report.to_string()))
        })
    }

    fn snapshot(&mut self) -> CallResult<RVec<u8>> {
        self.with("snapshot", |stage| stage.snapshot().map(RVec::from))
    }

    fn restore(&mut self, snapshot: RSlice<'_, u8>) -> CallResult<()> {
        self.with("restore", |stage| stage.restore(snapshot.as_slice()))
    }
}

/// A robot before and after `configure`.
pub(crate) struct EmbodimentBridge<E: Embodiment> {
    embodiment: Guarded<Option<E>>,
}

impl<E: Embodiment> EmbodimentBridge<E> {
    pub(crate) fn new() -> Self {
        Self {
            embodiment: Guarded::new(None),
        }
    }

    fn with<R>(
        &mut self,
        entry: &str,
        body: impl FnOnce(&mut E) -> Result<R, Fault>,
    ) -> CallResult<R> {
        self.embodiment.call(entry, |embodiment| match embodiment {
            Some(embodiment) => to_abi(body(embodiment)),
            None => RResult::RErr(not_configured(entry)),
        })
    }
}

impl<E: Embodiment> EmbodimentAbi for EmbodimentBridge<E> {
    fn configure(&mut self, settings: RStr<'_>) -> CallResult<()> {
        self.embodiment.call("configure", |embodiment| {
            to_abi(
                json(settings)
                    .and_then(E::configure)
                    .map(|made| *embodiment = Some(made)),
            )
        })
    }

    fn describe(&mut self) -> CallResult<RString> {
        self.with("describe", |embodiment| {
            let description = embodiment.describe()?;
            // JSON has no NaN: unchecked, one would arrive as a parse error.
            description
                .check()
                .map_err(|faults| description_fault(&faults))?;
            Ok(RString::from(serde_json::to_string(&description)?))
        })
    }

    fn activate(&mut self, host: HostServicesAbi) -> CallResult<()> {
        self.with("activate", |embodiment| {
            Host::receive(&host).and_then(|host| embodiment.activate(&host))
        })
    }

    fn open(&mut self) -> CallResult<EmbodimentPartsAbi> {
        self.with("open", |embodiment| embodiment.open().map(parts_to_abi))
    }

    fn deactivate(&mut self) -> CallResult<()> {
        self.with("deactivate", Embodiment::deactivate)
    }
}

fn description_fault(faults: &[vola_types::DescriptionFault]) -> Fault {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Fault::failed(format!(
        "the description has {} fault(s):\n  {}",
        lines.len(),
        lines.join("\n  ")
    ))
}

fn parts_to_abi(parts: Parts) -> EmbodimentPartsAbi {
    let camera = |(key, camera): (String, Box<dyn Camera>)| CameraPartAbi {
        key: RString::from(key),
        camera: CameraAbi_TO::from_value(CameraBridge(Guarded::new(camera)), TD_Opaque),
    };
    EmbodimentPartsAbi {
        actuator: ActuatorAbi_TO::from_value(
            ActuatorBridge(Guarded::new(parts.actuator)),
            TD_Opaque,
        ),
        cameras: parts.cameras.into_iter().map(camera).collect(),
        simulation: match parts.simulation {
            Some(world) => ROption::RSome(SimulationAbi_TO::from_value(
                SimulationBridge(Guarded::new(world)),
                TD_Opaque,
            )),
            None => ROption::RNone,
        },
    }
}

struct ActuatorBridge(Guarded<Box<dyn Actuator>>);

impl ActuatorAbi for ActuatorBridge {
    fn state(&mut self, frame: &mut StateFrame) -> CallResult<()> {
        self.0
            .call("state", |actuator| to_abi(actuator.state(frame)))
    }

    fn command(&mut self, frame: &CommandFrame) -> CallResult<()> {
        self.0
            .call("command", |actuator| to_abi(actuator.command(frame)))
    }

    fn hold(&mut self) -> CallResult<()> {
        self.0.call("hold", |actuator| to_abi(actuator.hold()))
    }

    fn stop(&mut self, category: StopCategory) -> CallResult<()> {
        self.0
            .call("stop", |actuator| to_abi(actuator.stop(category)))
    }

    fn reset(&mut self) -> CallResult<()> {
        self.0.call("reset", |actuator| to_abi(actuator.reset()))
    }
}

struct CameraBridge(Guarded<Box<dyn Camera>>);

impl CameraAbi for CameraBridge {
    fn grab(&mut self, image: &mut ImageBufferAbi<'_>) -> CallResult<()> {
        self.0.call("grab", |camera| {
            let expected = u128::from(image.width) * u128::from(image.height) * 3;
            if image.data.len() as u128 != expected {
                let got = image.data.len();
                return to_abi(Err(Fault::input(format!(
                    "image buffer: expected {expected} bytes for {} × {} × 3, got {got}",
                    image.width, image.height
                ))));
            }
            let mut buffer = ImageBuffer {
                width: image.width,
                height: image.height,
                capture_time_ns: image.capture_time_ns,
                data: image.data.as_mut_slice(),
            };
            let result = camera.grab(&mut buffer);
            image.capture_time_ns = buffer.capture_time_ns;
            to_abi(result)
        })
    }
}

struct SimulationBridge(Guarded<Box<dyn Simulation>>);

impl SimulationAbi for SimulationBridge {
    fn reset(&mut self, seed: u64, task: RStr<'_>) -> CallResult<RString> {
        self.0.call("reset", |world| {
            to_abi(json(task).and_then(|task| {
                let episode = world.reset(seed, &task)?;
                Ok(RString::from(episode.to_string()))
            }))
        })
    }

    fn step(&mut self, duration_ns: u64) -> CallResult<()> {
        self.0.call("step", |world| to_abi(world.step(duration_ns)))
    }

    fn set_goal(&mut self, goal: RStr<'_>) -> CallResult<()> {
        self.0.call("set_goal", |world| {
            to_abi(json(goal).and_then(|goal| world.set_goal(&goal)))
        })
    }

    fn goal_reached(&mut self) -> CallResult<bool> {
        self.0
            .call("goal_reached", |world| to_abi(world.goal_reached()))
    }

    fn demonstrate(&mut self) -> CallResult<RVec<TensorAbi>> {
        self.0.call("demonstrate", |world| {
            to_abi(
                world
                    .demonstrate()
                    .map(|list| list.into_iter().map(Tensor::into_abi).collect()),
            )
        })
    }
}

fn json(text: RStr<'_>) -> Result<serde_json::Value, Fault> {
    serde_json::from_str(text.as_str()).map_err(|error| Fault::settings(format!("JSON: {error}")))
}

fn not_configured(entry: &str) -> FaultAbi {
    Fault::failed(format!("`{entry}` before `configure`")).into()
}

fn to_abi<T>(result: Result<T, Fault>) -> CallResult<T> {
    match result {
        Ok(value) => RResult::ROk(value),
        Err(fault) => RResult::RErr(fault.into()),
    }
}

#[cfg(test)]
mod tests;
