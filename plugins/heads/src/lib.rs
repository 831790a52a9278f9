//! First-party heads: `chunk` (actions), `progress`, `scene`.
//!
//! A thin library over `vola-nn`; see there for shapes and settings.

use vola_nn_bridge::{Bridged, stage_plugins};

stage_plugins! {
    Chunk = "chunk",
    Progress = "progress",
    Scene = "scene",
}

vola_plugin::export! {
    library: "heads",
    stages: [Bridged<Chunk>, Bridged<Progress>, Bridged<Scene>],
    embodiments: [],
}
