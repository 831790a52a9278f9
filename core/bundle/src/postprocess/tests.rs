use proptest::prelude::*;

use super::*;
use crate::fixtures::{manifest, manifest_with, statistics, stats_of};

const HORIZON: usize = 8;
const DIM: usize = 7;

fn postprocessor() -> Postprocessor {
    let manifest = manifest();
    let embodiment = manifest.embodiment("tabletop/franka").unwrap();
    Postprocessor::new(&manifest, embodiment, Some(&statistics())).unwrap()
}

fn origin() -> ChunkOrigin<'static> {
    ChunkOrigin {
        observation_time_ns: 5,
        state: StateVector {
            names: &[],
            values: &[],
        },
    }
}

fn run(shape: &[usize], values: &[f32]) -> Result<Vec<ActionChunk>, BundleError> {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let raw = RawChunk {
        stage: "actions",
        tensor: "action",
        dtype: DType::F32,
        shape,
        bytes: &bytes,
    };
    postprocessor().run(&raw, &origin())
}

#[test]
fn samples_become_physical_chunks() {
    let mut values = vec![0.0f32; 2 * HORIZON * DIM];
    values[0] = 1.0;
    values[6] = 5.0;
    values[HORIZON * DIM + 3] = -2.0;
    values[HORIZON * DIM + 6] = -1.0;
    let chunks = run(&[1, 2, HORIZON, DIM], &values).unwrap();
    assert_eq!(chunks.len(), 2);
    let first = chunks[0].row(0).unwrap();
    assert!(
        (first[0] - 0.045).abs() < 1e-12 && (first[6] - 1.0).abs() < 1e-12,
        "{first:?}"
    );
    let second = chunks[1].row(0).unwrap();
    assert!(
        (second[3] + 0.5).abs() < 1e-12 && second[6].abs() < 1e-12,
        "{second:?}"
    );
    assert_eq!(chunks[0].len(), HORIZON);
    assert_eq!(chunks[0].row_time_ns(0), 100_000_005);
    assert_eq!(
        run(&[1, HORIZON, DIM], &values[..HORIZON * DIM])
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn the_whole_chunk_is_refused() {
    let good = vec![0.0f32; HORIZON * DIM];
    let mut nan = vec![0.0f32; 2 * HORIZON * DIM];
    nan[HORIZON * DIM + 3 * DIM + 2] = f32::NAN;
    let mut infinite = good.clone();
    infinite[DIM - 1] = f32::INFINITY;
    for (shape, values, expected) in [
        (
            vec![1, 2, HORIZON, DIM],
            &nan,
            "stage `actions`: tensor `action`: sample 1, row 3, `dz` (dim 2): expected a finite number within ±100000, got NaN",
        ),
        (
            vec![1, 1, HORIZON, DIM],
            &infinite,
            "row 0, `gripper` (dim 6): expected a finite number within ±100000, got inf",
        ),
        (
            vec![1, 1, DIM, HORIZON],
            &good,
            "stage `actions`: tensor `action`: expected shape [1, samples ≥ 1, 8, 7], got [1, 1, 7, 8]",
        ),
        (vec![2, HORIZON, DIM], &good, "got [2, 8, 7]"),
        (
            vec![1, 0, HORIZON, DIM],
            &vec![],
            "got [1, 0, 8, 7] with 0 bytes",
        ),
        (vec![1, 2, HORIZON, DIM], &good, "with 224 bytes"),
        (vec![1, usize::MAX, HORIZON, DIM], &good, "expected shape"),
        (vec![], &good, "got []"),
    ] {
        let text = run(&shape, values).unwrap_err().to_string();
        assert!(text.contains(expected), "no `{expected}` in\n{text}");
    }
    let raw = RawChunk {
        stage: "actions",
        tensor: "action",
        dtype: DType::F64,
        shape: &[1, HORIZON, DIM],
        bytes: &[0; HORIZON * DIM * 8],
    };
    let text = postprocessor().check(&raw).unwrap_err().to_string();
    assert!(
        text.contains("expected f32, got f64; the whole chunk is refused"),
        "{text}"
    );
}

#[test]
fn quaternions_are_made_unit_with_positive_w() {
    let manifest = manifest_with(&[
        (
            r#"space = "tool_delta", names = ["dx", "dy", "dz", "rx", "ry", "rz", "gripper"], rate_hz = 10, horizon = 8"#,
            r#"space = "tool_pose", names = ["x", "y", "z", "qx", "qy", "qz", "qw", "gripper"], rate_hz = 10, horizon = 2"#,
        ),
        (
            "feature = \"action\"\nmode = \"mean_std\"",
            "feature = \"action\"\nmode = \"identity\"",
        ),
    ]);
    let embodiment = manifest.embodiment("tabletop/franka").unwrap();
    let postprocessor = Postprocessor::new(&manifest, embodiment, None).unwrap();
    let mut rows = [0.1, 0.2, 0.3, 0.0, 3.0, 0.0, -4.0, 1.0].repeat(2);
    let chunk = postprocessor.finish(&rows, &origin(), "actions").unwrap();
    for (got, expected) in chunk.row(0).unwrap()[3..7]
        .iter()
        .zip([0.0, -0.6, 0.0, 0.8])
    {
        assert!((got - expected).abs() < 1e-12);
    }
    rows[8 + 3..8 + 7].fill(0.0);
    let text = postprocessor
        .finish(&rows, &origin(), "actions")
        .unwrap_err()
        .to_string();
    assert!(
        text.contains(
            "stage `actions`: row 1: expected a quaternion of length near 1, got length 0"
        )
    );
}

#[test]
fn to_absolute_adds_the_measured_state_by_name() {
    let manifest = manifest_with(&[
        (
            r#"space = "tool_delta", names = ["dx", "dy", "dz", "rx", "ry", "rz", "gripper"], rate_hz = 10, horizon = 8"#,
            r#"space = "joint_position", names = ["a", "b", "gripper"], rate_hz = 10, horizon = 2"#,
        ),
        (
            "[perception]",
            "[[postprocess]]\nstep = \"to_absolute\"\nnames = [\"a\", \"b\"]\nstate = [\"tool.y\", \"tool.x\"]\n\n[perception]",
        ),
    ]);
    let embodiment = manifest.embodiment("tabletop/franka").unwrap();
    let features = [(
        "action".to_owned(),
        stats_of(&[0.0, 0.0, 0.5], &[0.1, 0.1, 0.5]),
    )];
    let stats = Statistics::from_features(features.into_iter().collect(), "s").unwrap();
    let postprocessor = Postprocessor::new(&manifest, embodiment, Some(&stats)).unwrap();
    let names = ["tool.x".to_owned(), "tool.y".to_owned()];
    let state = StateVector {
        names: &names,
        values: &[10.0, 20.0],
    };
    let origin = ChunkOrigin {
        observation_time_ns: 0,
        state,
    };
    let rows = [1.0, 2.0, 0.0, -1.0, -2.0, 1.0];
    let chunk = postprocessor.finish(&rows, &origin, "actions").unwrap();
    for (got, expected) in chunk
        .rows()
        .flatten()
        .zip([20.1, 10.2, 0.5, 19.9, 9.8, 1.0])
    {
        assert!((got - expected).abs() < 1e-12, "{got} {expected}");
    }
}

#[test]
fn a_gripper_that_is_decided_opens_or_closes() {
    let manifest = manifest_with(&[(
        "[perception]",
        "[[postprocess]]\nstep = \"decide_gripper\"\nopen_above = 0.9\n\n[perception]",
    )]);
    let embodiment = manifest.embodiment("tabletop/franka").unwrap();
    let features = [("action".to_owned(), stats_of(&[0.0; DIM], &[1.0; DIM]))];
    let stats = Statistics::from_features(features.into_iter().collect(), "s").unwrap();
    let postprocessor = Postprocessor::new(&manifest, embodiment, Some(&stats)).unwrap();
    for (said, done) in [
        (-0.2, 0.0),
        (0.49, 0.0),
        (0.6, 0.6),
        (0.91, 1.0),
        (1.7, 1.0),
    ] {
        let mut rows = [0.0; DIM];
        rows[DIM - 1] = said;
        let chunk = postprocessor.finish(&rows, &origin(), "actions").unwrap();
        assert!(
            (chunk.row(0).unwrap()[DIM - 1] - done).abs() < 1e-6,
            "{said}"
        );
    }
}

proptest! {
    #[test]
    fn normalised_actions_come_back(values in proptest::collection::vec(-0.9..0.9f32, HORIZON * DIM)) {
        let postprocessor = postprocessor();
        let chunk = &run(&[1, 1, HORIZON, DIM], &values).unwrap()[0];
        for (index, (physical, value)) in chunk.rows().flatten().zip(&values).enumerate() {
            let back = postprocessor.normaliser().forward(index % DIM, *physical);
            prop_assert!((back - f64::from(*value)).abs() < 1e-5);
        }
    }

    #[test]
    fn no_bytes_give_a_chunk_with_bad_numbers(bytes in proptest::collection::vec(any::<u8>(), HORIZON * DIM * 4)) {
        let shape = [1, 1, HORIZON, DIM];
        let raw = RawChunk { stage: "s", tensor: "t", dtype: DType::F32, shape: &shape, bytes: &bytes };
        if let Ok(chunks) = postprocessor().run(&raw, &origin()) {
            for row in chunks[0].rows() {
                prop_assert!(row.iter().all(|value| value.is_finite()));
                prop_assert!((0.0..=1.0).contains(&row[DIM - 1]));
            }
        }
    }
}
