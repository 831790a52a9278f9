//! What pages are shown beside the state.

use std::sync::Arc;

use crate::{Board, EpisodeShelf, Pictures};

/// What whoever owns the robot fills, and pages are shown. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Views {
    /// The run: plan, steps, open question, confidence.
    pub board: Board,
    /// The cameras' newest pictures.
    pub pictures: Pictures,
    /// What was recorded, where anything is.
    pub episodes: Option<Arc<dyn EpisodeShelf>>,
}
