//! Fusion: features of the encoders to one context for the heads.

mod concat;
mod cross_attention;
mod film;
mod widths;

pub use concat::ConcatFusion;
pub use cross_attention::{CrossAttention, CrossAttentionSettings};
pub use film::FilmFusion;
pub use widths::FusionSettings;
