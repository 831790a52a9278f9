//! The networks of first-party stages, and everything needed to run them on a CPU.
//!
//! A policy is a graph of stages (encoders, fusion, heads). Each stage is one type here with
//! serde `Settings`, registered under the second half of its plugin id ([`build_stage`]). The
//! thin plugin libraries wrap these types, and training builds the same [`Chain`] from the same
//! list of stages, so what is trained is what runs.
//!
//! # Why own kernels
//! The convolution of candle is four to seven times slower than a matrix product of the same size
//! when trained on a CPU, and several of its fused operations silently give no gradient.
//! [`kernels`] holds convolution, linear layers, FiLM and softmax as custom operations over one
//! matrix product, each with a backward pass that the tests compare with finite differences.
//!
//! # Threads
//! Every kernel runs on the calling thread. candle's own (small) matrix products follow
//! `RAYON_NUM_THREADS`; set it to 1 for reproducible numbers. Training allocates and frees many
//! megabytes a step: the process should start glibc with `M_MMAP_MAX = 0`,
//! `M_TRIM_THRESHOLD = 16 GiB` and, when two threads train, `M_ARENA_MAX = 1`.
//!
//! This crate knows no runtime, no plugin interface and no robot.

mod chain;
mod checkpoint;
pub mod encoders;
mod error;
pub mod fusion;
pub mod heads;
pub mod kernels;
pub mod layers;
mod params;
mod registry;
mod stage;
mod tokenizer;
mod tuner;

pub use chain::{Chain, StageSpec};
pub use checkpoint::{Checkpoint, save_tensors};
pub use error::NnError;
pub use params::{Init, ParamStore, Params};
pub use registry::{StageInfo, build_stage, stage_infos};
pub use stage::{Mode, NamedTensors, Stage, StageContext, StageEnv, StageKind, find, require};
pub use tokenizer::WordTokenizer;
pub use tuner::{EXAMPLE_WEIGHT, TuneReport, TuneSettings, TunedStage, Tuner};

/// Result of every fallible call of this crate.
pub type Result<T> = std::result::Result<T, NnError>;
