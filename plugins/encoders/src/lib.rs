//! First-party encoders: `words` (language), `conv` and `patch` (vision), `proprio`.
//!
//! A thin library over `vola-nn`; see there for shapes and settings.

use vola_nn_bridge::{Bridged, stage_plugins};

stage_plugins! {
    Words = "words",
    Conv = "conv",
    Patch = "patch",
    Proprio = "proprio",
}

vola_plugin::export! {
    library: "encoders",
    stages: [Bridged<Words>, Bridged<Conv>, Bridged<Patch>, Bridged<Proprio>],
    embodiments: [],
}
