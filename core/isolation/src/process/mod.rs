//! The parent's side: children, and the plugins in them.

mod child;
mod exit_words;
mod isolated_camera;
mod isolated_embodiment;
mod isolated_stage;
mod spec;
mod tensors;

pub use child::ChildEnd;
pub use isolated_embodiment::IsolatedEmbodiment;
pub use isolated_stage::{ChildHealth, IsolatedStage};
pub use spec::{Alarm, ChildLimits, HostSpec, IsolationError};
