//! The stable boundary between Vola and its plugins.
//!
//! Mirror types, prefix-type traits and the root module, on `abi_stable`; the
//! only crate that knows it. Payloads that evolve (descriptions, settings,
//! simulation tasks) cross as JSON text; bulk data cross as flat buffers with
//! shape and element type; frames of the control thread are fixed-size
//! `repr(C)`. Rejected: passing tensor-library types, futures or generics,
//! since their layout belongs to a compiler and a crate version.
//!
//! Layout checks do not see meaning. [`ABI_REVISION`] is exported beside the
//! root module and read first; units, joint order and normalisation have a
//! handshake of their own in the runtime.
//!
//! This crate is versioned alone. Within a minor version only methods with a
//! default may be appended (after the last prefix field); a frozen copy of the
//! first published interface is kept in the tests and must keep loading.

#![allow(
    non_camel_case_types,
    non_local_definitions,
    reason = "emitted by the abi_stable macros for prefix types and trait objects"
)]
#![allow(
    unsafe_code,
    reason = "the one crate that holds the macro output of abi_stable"
)]

mod elf_image;
mod embodiment;
mod frames;
mod host;
mod layout_report;
mod load;
mod manifest;
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
pub use host::{CallContext, FaultAbi, FaultKind, HostData, HostServicesAbi, LogFn, LogLevel};
pub use load::{LoadError, LoadedModule};
pub use manifest::{LibraryManifest, ManifestError};
pub use module::{ABI_REVISION, ABORTS_SYMBOL, PluginModule, PluginModule_Ref, REVISION_SYMBOL};
pub use resident::{ResidentAbi, ResidentInterface};
pub use stage::{StageAbi, StageAbi_TO, StageBox};
pub use tensor::{TensorAbi, TensorRefAbi, byte_length};

/// What crosses with a result.
pub type CallResult<T> = abi_stable::std_types::RResult<T, FaultAbi>;
