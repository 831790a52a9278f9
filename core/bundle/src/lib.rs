//! Policy bundles and deployments: what a policy's numbers mean, and which
//! robot runs it.
//!
//! A *bundle* is a folder with a `policy.toml`, weights and statistics
//! ([`Bundle`], [`Manifest`]). A *deployment* is a file that names a robot, a
//! bundle and how they run ([`Deployment`]). Both are read into raw structs and
//! checked into types that exist only when everything in them is sound; every
//! fault of a file is shown at once, with its key path.
//!
//! Between robot and policy stand two processors, the same code at run time, in
//! `policy infer` and in training: [`Preprocessor`] makes flat tensors of an
//! [`Observation`], [`Postprocessor`] makes a checked [`ActionChunk`] of what a
//! head returned. [`compare`] is the handshake of meaning between a bundle and
//! a robot.
//!
//! This crate knows no tensor library, no plugin interface and no clock: bytes
//! and values in, bytes and values out.

mod action_chunk;
mod bundle;
mod deployment;
mod ensemble;
mod error;
mod files;
#[cfg(test)]
mod fixtures;
mod flat_tensor;
mod graph;
mod handshake;
mod hash;
mod manifest;
mod nearest;
mod normalise;
mod observation;
mod postprocess;
mod preprocess;
mod problem;
mod rotation;
mod safetensors_file;
mod secrets;
mod state_names;
mod stats;
mod strict;
mod versions;
mod wording;

pub use action_chunk::{ActionChunk, NormalisedChunk, PhysicalRows, RawChunk};
pub use bundle::{Bundle, CALIBRATION_FILE, CONFIDENCE_STATS, MANIFEST_FILE, Processors, REPLAY};
pub use deployment::*;
pub use ensemble::{Ensembled, Ensembler, Reference};
pub use error::BundleError;
pub use files::{read_text, read_toml_text};
pub use flat_tensor::{FlatTensor, TensorRoom};
pub use graph::StageGraph;
pub use handshake::{Gap, compare, compare_deployment, compare_policy, contract_gaps, limit_gaps};
pub use hash::hash_folder;
pub use manifest::{
    ActionContract, Anchor, CameraContract, EmbodimentBinding, ExecutionHints, ExecutionMode,
    ImageSize, Manifest, NormaliseMode, Perception, PostStep, PreStep, ProgressRule, RawAction,
    RawCamera, RawEmbodiment, RawHints, RawManifest, RawPerception, RawProgress, RawStage,
    RawState, RawStep, RawWeights, ResizeFit, ResizeMethod, Stage, StateContract, Weights,
};
pub use nearest::nearest as nearest_word;
pub use normalise::Normaliser;
pub use observation::{GoalPoints, ImageView, Observation, Pixels, StateVector};
pub use postprocess::{ChunkOrigin, Postprocessor};
pub use preprocess::Preprocessor;
pub use problem::{Problem, Problems};
pub use safetensors_file::{SafetensorsFault, read_safetensors};
pub use state_names::{StateEntry, available_state};
pub use stats::{FeatureStats, Statistics};
pub use versions::{
    BASE_VERSION, HeadFile, HeadSnapshot, PolicyVersion, VERSIONS, VersionRecord, VersionShare,
};
