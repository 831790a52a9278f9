//! Any bytes as what a head returned: refused whole, or finite rows of the right
//! width with the gripper in 0..1.
//!
//! Layout: element type, number of dimensions, one byte a dimension, data.

use std::sync::LazyLock;

use vola_bundle::{ChunkOrigin, Manifest, Postprocessor, RawChunk, StateVector};
use vola_types::DType;

static PROCESSOR: LazyLock<Postprocessor> = LazyLock::new(|| {
    let text = include_str!("../../../core/bundle/tests/good/policy.toml").replace(
        "feature = \"action\"\nmode = \"mean_std\"",
        "feature = \"action\"\nmode = \"identity\"",
    );
    let manifest = Manifest::parse(&text, "policy.toml").expect("the good manifest");
    let robot = &manifest.embodiments()[0];
    Postprocessor::new(&manifest, robot, None).expect("a processor without statistics")
});

/// Panics where a chunk is accepted that must not be.
pub(crate) fn check(bytes: &[u8]) {
    let [dtype, dimensions, rest @ ..] = bytes else {
        return;
    };
    let Some((shape, data)) = rest.split_at_checked(usize::from(*dimensions % 6)) else {
        return;
    };
    let shape: Vec<usize> = shape.iter().map(|size| usize::from(*size)).collect();
    let raw = RawChunk {
        stage: "actions",
        tensor: "action",
        dtype: match dtype % 4 {
            0..=2 => DType::F32,
            _ => DType::F64,
        },
        shape: &shape,
        bytes: data,
    };
    let origin = ChunkOrigin {
        observation_time_ns: u64::MAX,
        state: StateVector {
            names: &[],
            values: &[],
        },
    };
    let Ok(chunks) = PROCESSOR.run(&raw, &origin) else {
        return;
    };
    assert!(!chunks.is_empty(), "accepted, but nothing in it");
    let width = PROCESSOR.action().dim();
    for row in chunks.iter().flat_map(|chunk| chunk.rows()) {
        assert_eq!(row.len(), width);
        assert!(row.iter().all(|value| value.is_finite()), "{row:?}");
        assert!(
            row.last()
                .is_some_and(|gripper| (0.0..=1.0).contains(gripper))
        );
    }
}
