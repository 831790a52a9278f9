//! Where training frames come from.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::StepWords;

/// Sizes that all frames of a source share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameShape {
    /// Image rows (px).
    pub height: usize,
    /// Image columns (px).
    pub width: usize,
    /// Values of the state.
    pub state: usize,
    /// Rows of an action chunk.
    pub horizon: usize,
    /// Values of an action row.
    pub action: usize,
    /// Rows of the object list.
    pub objects: usize,
}

impl FrameShape {
    /// The default tabletop: 96 × 128 px, nine state values, eight rows of seven, twelve objects.
    #[must_use]
    pub fn tabletop() -> Self {
        Self {
            height: 96,
            width: 128,
            state: 9,
            horizon: 8,
            action: 7,
            objects: 12,
        }
    }

    /// Bytes of an image.
    #[must_use]
    pub fn image_bytes(&self) -> usize {
        self.height * self.width * 3
    }
}

/// Columns of one row of a frame's object list.
pub struct ObjectColumns;

impl ObjectColumns {
    /// Number of the kind; -1 marks an unused row.
    pub const KIND: usize = 0;
    /// Number of the colour; -1 for none.
    pub const COLOR: usize = 1;
    /// Image column of the projected centre, 0..1 from the left.
    pub const U: usize = 2;
    /// Image row of the projected centre, 0..1 from the top.
    pub const V: usize = 3;
    /// First of three coordinates of the centre (m, base frame).
    pub const POSITION: usize = 4;
    /// Fraction of the object that the camera sees, 0..1.
    pub const VISIBLE: usize = 7;
    /// Openness of a drawer, 0..1.
    pub const EXTRA: usize = 8;
    /// Turn of a block about z (rad, base frame); any of its four equal angles.
    pub const YAW: usize = 9;
    /// All columns.
    pub const COUNT: usize = 10;
}

/// What is said of an episode as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpisodeMeta {
    /// Seed of the scene.
    pub seed: u64,
    /// The sentence: canonical for a step, else as it was recorded.
    pub task: String,
    /// Index of the robot.
    pub embodiment: i64,
    /// The step in words, from which sentences are made; none where only `task` says what is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepWords>,
}

impl EpisodeMeta {
    /// Checks that there is something to say: a sound step, or a sentence.
    ///
    /// # Errors
    /// What is wrong with the step, or that there is neither.
    pub fn check(&self) -> Result<(), String> {
        match &self.step {
            Some(step) => step.check(),
            None if self.task.trim().is_empty() => {
                Err("expected a step or a sentence in `task`, got neither".to_string())
            }
            None => Ok(()),
        }
    }
}

/// Which labels of a frame are known. What is not known is zero or empty, and no loss reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Labels {
    /// `done`.
    pub done: bool,
    /// `failing`.
    pub failing: bool,
    /// `object_xyz`, `target_xyz`, `target_uv` and `target_visible`.
    pub target: bool,
    /// `objects`: every object that is there is listed.
    pub objects: bool,
}

impl Labels {
    /// Everything is known, as a simulated world tells it.
    pub const ALL: Self = Self {
        done: true,
        failing: true,
        target: true,
        objects: true,
    };
}

/// One recorded moment. All numbers are physical (m, base frame; gripper 0..1).
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// RGB image, `[height, width, 3]`, row-major.
    pub image: &'a [u8],
    /// State by the names in `STATE_NAMES`.
    pub state: &'a [f32],
    /// Action chunk `[horizon, action]`: row i is the target at (i + 1) / rate as a delta from this
    /// frame's tool pose (translation and rotation vector in base axes), gripper absolute.
    pub action: &'a [f32],
    /// Which of the labels below are known.
    pub labels: Labels,
    /// 1 when the step is done in this frame.
    pub done: f32,
    /// 1 when the step can no longer succeed.
    pub failing: f32,
    /// Where the object is now.
    pub object_xyz: [f32; 3],
    /// Where the object was at the start of the step, and whether that is known.
    pub goal_object: [f32; 4],
    /// Where it shall go, and whether that is known.
    pub goal_target: [f32; 4],
    /// The point to look at now: pick and push the object, place the reference.
    pub target_xyz: [f32; 3],
    /// That point in the image, column and row, 0..1.
    pub target_uv: [f32; 2],
    /// Whether it is visible there, 0 or 1.
    pub target_visible: f32,
    /// Objects `[objects, 10]` by [`ObjectColumns`]; empty where they are not known.
    pub objects: &'a [f32],
    /// Number of the episode within the source.
    pub episode: usize,
}

/// Frames in episodes, readable from several threads.
pub trait FrameSource: Sync {
    /// Sizes of every frame.
    fn shape(&self) -> FrameShape;

    /// Number of frames.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The frame at `index < len()`.
    ///
    /// # Panics
    /// When `index` is out of range.
    fn frame(&self, index: usize) -> Frame<'_>;

    /// Number of episodes.
    fn episodes(&self) -> usize;

    /// What is said of episode `index < episodes()`.
    ///
    /// # Panics
    /// When `index` is out of range.
    fn episode(&self, index: usize) -> &EpisodeMeta;

    /// Frames of episode `index < episodes()`, in order of time.
    ///
    /// # Panics
    /// When `index` is out of range.
    fn frames_of(&self, index: usize) -> Range<usize>;
}
