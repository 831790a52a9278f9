//! Recorded episodes, as pages are shown them.

use serde::Serialize;

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

/// What was so from a frame on, until the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Band {
    /// The first frame.
    pub from: usize,
    /// What was so.
    pub word: String,
}

/// The course of an episode. Curves have a value for each of [`at`](Self::at).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EpisodeView {
    /// The episode in the list.
    pub row: EpisodeRow,
    /// Frames.
    pub frames: usize,
    /// Frames a second.
    pub fps: f64,
    /// Keys of the cameras.
    pub cameras: Vec<String>,
    /// Who was in control.
    pub who: Vec<Band>,
    /// In what part of a handoff the arm was.
    pub phases: Vec<Band>,
    /// Which primitive ran.
    pub steps: Vec<Band>,
    /// Names of the joints.
    pub joints: Vec<String>,
    /// Numbers of the frames whose values follow.
    pub at: Vec<usize>,
    /// Measured positions of each joint (rad, m).
    pub positions: Vec<Vec<f32>>,
    /// Confidence.
    pub scores: Vec<f32>,
    /// Below it the arm holds.
    pub thresholds: Vec<f32>,
}

/// A picture as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StillPicture {
    /// `image/png` or `image/jpeg`.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}
