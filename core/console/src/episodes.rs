//! Recorded episodes, as pages are shown them.

use serde::Serialize;
use vola_types::EpisodeCourse;

/// Where recorded episodes are read.
///
/// # Timing
/// Calls read files and may take long; they are made off the server's thread, one
/// after the other, and never on a thread that moves the robot.
pub trait EpisodeShelf: Send + Sync + std::fmt::Debug {
    /// The newest episodes with numbers below `before`, the newest first, at most
    /// `count`.
    ///
    /// # Errors
    /// When they cannot be read.
    fn page(&self, before: Option<usize>, count: usize) -> Result<EpisodePage, ShelfFault>;

    /// The course of an episode, without pictures.
    ///
    /// # Errors
    /// When there is no such episode, or its files are damaged.
    fn course(&self, episode: usize) -> Result<EpisodeView, ShelfFault>;

    /// One picture of an episode.
    ///
    /// # Errors
    /// When there is none, or it is damaged.
    fn picture(
        &self,
        episode: usize,
        camera: &str,
        frame: usize,
    ) -> Result<StillPicture, ShelfFault>;
}

/// Why something of a recording is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShelfFault {
    /// There is no such thing.
    Missing(String),
    /// It cannot be read.
    Damaged(String),
}

/// Some episodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EpisodePage {
    /// Episodes that there are.
    pub total: usize,
    /// Those asked for, the newest first.
    pub episodes: Vec<EpisodeRow>,
}

/// An episode in the list.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EpisodeRow {
    /// Its number.
    pub episode: usize,
    /// What was said.
    pub sentence: String,
    /// When it began (s since 1970), where that is known.
    pub began_unix_s: Option<f64>,
    /// How it ended, in one word; empty where nobody knows.
    pub outcome: String,
    /// Whether the goal was reached, where that is known.
    pub success: Option<bool>,
    /// Its length (s).
    pub seconds: f64,
    /// Share of the frames in which a person was in control, 0 to 1.
    pub by_person: f64,
}

/// An episode, and its course.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EpisodeView {
    /// The episode in the list.
    pub row: EpisodeRow,
    /// Its course, beside the row and not below a name of its own.
    #[serde(flatten)]
    pub course: EpisodeCourse,
}

/// A picture as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StillPicture {
    /// `image/png` or `image/jpeg`.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}
