//! Training of first-party policies by behaviour cloning.
//!
//! Demonstrations lie in shards ([`ShardWriter`], [`ShardReader`]) or in LeRobot data sets
//! ([`LerobotReader`]); a [`TrainConfig`] says what is trained on what and for how long; [`train`] builds the same chain of stages that the bundle
//! lists, trains it and writes the bundle's weights, vocabulary and statistics.
//!
//! # What makes the small network work
//! Attention is taught to look at the target's pixel, other objects are named and looked for in
//! passing (*grounding*), sentences are varied, the first target of an episode is an anchor, and
//! goal points are dropped half of the time. Each of these was worth between ten and ninety points
//! of success in the trial this recipe comes from.
//!
//! This crate knows no robot, no world and no plugin; whoever records demonstrations calls the
//! shard writer.

mod batch;
mod config;
mod curve;
mod demonstrations;
mod error;
mod export;
mod flat_params;
mod font;
mod frame_source;
mod history;
mod lerobot;
mod loss_window;
mod object_row;
mod optimizer;
mod phrase_templates;
mod phrases;
mod policy_file;
mod policy_loss;
mod replay_buffer;
pub mod resume;
mod rng;
mod scene_loss;
mod scene_target;
mod shard_reader;
mod shard_writer;
mod step_parser;
mod step_words;
mod trainer;
mod training_setup;
mod units;
mod validation;
mod vocabulary;
mod word_noise;
mod worker;

pub use batch::{Batch, BatchMaker};
pub use config::{
    AugmentConfig, BatchConfig, Budget, LossConfig, OptimizerConfig, RecordConfig, TrainConfig,
};
pub use curve::save_curve;
pub use demonstrations::Demonstrations;
pub use error::TrainError;
pub use flat_params::{Entry, FlatGrad, FlatParams};
pub use frame_source::{EpisodeMeta, Frame, FrameShape, FrameSource, Labels, ObjectColumns};
pub use history::{History, HistoryPoint};
pub use lerobot::LerobotReader;
pub use object_row::ObjectRow;
pub use optimizer::Optimizer;
pub use phrases::{Phrasing, all_words, canonical, held_out_sentences, sentence};
pub use policy_file::PolicyFile;
pub use replay_buffer::{ExampleKind, ExampleSet, ReplayBuffer, ShardEntry, ShardSource};
pub use resume::ResumeState;
pub use rng::Rng;
pub use shard_reader::ShardReader;
pub use shard_writer::{EpisodeRecord, FrameRecord, ShardWriter, write_whole};
pub use step_parser::parse_step;
pub use step_words::{Noun, StepWords, TargetWords};
pub use trainer::{Flow, Observer, StepReport, Trained, Trainer, train};
pub use units::{
    ACTION_NAMES, ACTION_SCALE, POSITION_CENTRE_M, POSITION_SCALE_M, STATE_NAMES, STATE_WIDTH,
    action_statistics, state_statistics,
};
pub use validation::ValidationReport;

/// Result of every fallible call of this crate.
pub type Result<T> = std::result::Result<T, TrainError>;
