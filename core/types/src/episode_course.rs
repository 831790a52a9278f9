//! The course of a recorded episode, for people who look back.

use serde::Serialize;

/// What was so from one frame to the next band.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Band {
    /// The first frame.
    pub from: usize,
    /// What was so: who was in control, a phase, a sentence.
    pub word: String,
}

/// The course of an episode. Curves have one value for each of [`at`](Self::at).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EpisodeCourse {
    /// Frames of the episode.
    pub frames: usize,
    /// Frames a second.
    pub fps: f64,
    /// Keys of the cameras with pictures in the files.
    pub cameras: Vec<String>,
    /// Who was in control.
    pub who: Vec<Band>,
    /// In what part of a handoff the arm was.
    pub phases: Vec<Band>,
    /// Which primitive ran, in words.
    pub steps: Vec<Band>,
    /// Names of the joints.
    pub joints: Vec<String>,
    /// Numbers of the frames whose values follow.
    pub at: Vec<usize>,
    /// Measured positions of each joint (rad, m; gripper 0 to 1).
    pub positions: Vec<Vec<f32>>,
    /// What the confidence gate said; empty where nothing did.
    pub scores: Vec<f32>,
    /// Below it the arm holds.
    pub thresholds: Vec<f32>,
}
