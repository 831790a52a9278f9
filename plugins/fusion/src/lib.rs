//! First-party fusion: `cross_attention`, `concat`, `film`.
//!
//! A thin library over `vola-nn`; see there for shapes and settings.

use vola_nn_bridge::{Bridged, stage_plugins};

stage_plugins! {
    CrossAttention = "cross_attention",
    Concat = "concat",
    Film = "film",
}

vola_plugin::export! {
    library: "fusion",
    stages: [Bridged<CrossAttention>, Bridged<Concat>, Bridged<Film>],
    embodiments: [],
}
