//! The boundary between Vola and its plugins as first published: what a
//! library of that day was built with. Only what crosses is kept; the loader,
//! the reading of JSON and the unit tests are the host's.

#![allow(
    non_camel_case_types,
    non_local_definitions,
    reason = "emitted by the abi_stable macros for prefix types and trait objects"
)]

mod embodiment;
mod frames;
mod host;
mod module;
mod resident;
mod stage;
mod tensor;

pub use abi_stable;

pub use embodiment::{
    ActuatorAbi, ActuatorAbi_TO, ActuatorBox, CameraAbi, CameraAbi_TO, CameraBox, CameraPartAbi,
    EmbodimentAbi, EmbodimentAbi_TO, EmbodimentBox, EmbodimentPartsAbi, SimulationAbi,
    SimulationAbi_TO, SimulationBox,
};
pub use frames::{CommandFrame, FRAME_JOINTS, ImageBufferAbi, StateFrame, StopCategory};
pub use host::{CallContext, FaultAbi, FaultKind, HostServicesAbi, LogFn, LogLevel};
pub use module::{ABI_REVISION, PluginModule, PluginModule_Ref, REVISION_SYMBOL};
pub use resident::{ResidentAbi, ResidentInterface};
pub use stage::{StageAbi, StageAbi_TO, StageBox};
pub use tensor::{TensorAbi, TensorRefAbi};

/// What crosses with a result.
pub type CallResult<T> = abi_stable::std_types::RResult<T, FaultAbi>;
