//! Records what a robot does, so that nothing of it is lost and everything can
//! be looked at and learned from.
//!
//! While an episode runs, everything goes into one MCAP file that grows several times a
//! second and is whole at every moment; viewers open it as it is. At its end, or
//! after a crash, the episode is made from that file alone and added to a
//! LeRobot data set (v3) in the same folder. There is one way from stream to data
//! set, so that what is rarely needed is what always runs.
//!
//! A [`Recorder`] owns the folder, a [`Feed`] takes what happens, and [`repair`],
//! [`check`], [`list`] and [`export`] are for what was recorded before. The crate
//! knows no runtime and no plugin: poses, pictures and names are given to it.
//!
//! Writing a file and then renaming it was chosen over keeping one parquet file
//! open for many episodes, which a killed process leaves without a footer.

mod channels;
mod check;
mod columns;
mod data_set;
mod episode_columns;
mod episode_course;
mod error;
mod event_words;
mod export;
mod feed;
mod folder;
mod foxglove;
mod info;
mod layout;
mod listing;
mod mcap_reader;
mod mcap_writer;
mod pages;
mod parquet_file;
mod png_picture;
mod protobuf;
mod recorder;
mod repair;
mod sample;
mod station;
mod statistics;
mod stream_reader;
mod stream_writer;

pub use check::{Finding, check};
pub use columns::{Columns, EachRow};
pub use data_set::EpisodeFacts;
pub use episode_course::{EncodedPicture, MAX_SHOWN_FRAMES, encoded_picture, episode_course};
pub use error::{DAMAGED, RecorderError, Result};
pub use export::{ExportReport, Selection, export, export_streams};
pub use feed::Feed;
pub use info::Language;
pub use layout::{ActionMeaning, CameraLayout, FRAME_RATES, Layout};
pub use listing::{EpisodeListing, count_episodes, episode_pictures, list, list_some};
pub use png_picture::{decode_png, encode_png};
pub use recorder::{Pace, Recorder, RecorderSettings};
pub use repair::{Recovered, RepairReport, repair};
pub use sample::{EpisodeEnd, Gate, MotionSample, Phase, Pixels, Pose, Who};
pub use stream_writer::{Durability, EpisodeStart};
pub use vola_types::{Band, EpisodeCourse};

/// Most frames of one data set; more of them do not fit into the memory of one machine.
pub const MAX_FRAMES: usize = 1_000_000;
