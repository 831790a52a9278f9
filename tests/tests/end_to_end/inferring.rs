//! The policy without a robot, on recorded observations.

use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::vola;

const BUNDLE: &str = "configs/policies/tabletop";
const HEIGHT: usize = 96;
const WIDTH: usize = 128;

/// The inputs of one moment, as bytes by key with dtype and shape.
type Inputs = Vec<(String, Dtype, Vec<usize>, Vec<u8>)>;

fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// The first moment of a demonstration that the expert recorded.
fn recorded(folder: &Path) -> Inputs {
    let run = vola(&[
        "record",
        "--expert",
        "--clean",
        "--episodes",
        "1",
        "--seed",
        "7",
        "--tasks",
        "pick",
        "--workers",
        "1",
        "--out",
        folder.to_str().unwrap(),
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let bytes = std::fs::read(folder.join("shard-00000.safetensors")).unwrap();
    let shard = SafeTensors::deserialize(&bytes).unwrap();
    let first = |name: &str, bytes: usize| shard.tensor(name).unwrap().data()[..bytes].to_vec();
    vec![
        (
            "input.observation.images.front".to_owned(),
            Dtype::U8,
            vec![1, HEIGHT, WIDTH, 3],
            first("image", HEIGHT * WIDTH * 3),
        ),
        (
            "input.observation.state".to_owned(),
            Dtype::F32,
            vec![1, 9],
            first("state", 36),
        ),
        (
            "input.task".to_owned(),
            Dtype::U8,
            vec![1, 21],
            b"pick up the red block".to_vec(),
        ),
        (
            "somebody.else".to_owned(),
            Dtype::F32,
            vec![2],
            floats(&[1.0, 2.0]),
        ),
    ]
}

fn write(path: &Path, inputs: &Inputs) {
    let views = inputs.iter().map(|(name, dtype, shape, bytes)| {
        (
            name.clone(),
            TensorView::new(*dtype, shape.clone(), bytes).unwrap(),
        )
    });
    std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// Runs the policy; exit code, chunk in normalised and in physical units, and
/// what was said.
fn infer(folder: &Path, inputs: &Inputs) -> (Option<i32>, Vec<f32>, Vec<f32>, String) {
    let (from, to) = (
        folder.join("in.safetensors"),
        folder.join("out.safetensors"),
    );
    write(&from, inputs);
    let _ = std::fs::remove_file(&to);
    let run = vola(&[
        "policy",
        "infer",
        BUNDLE,
        "--inputs",
        from.to_str().unwrap(),
        "--out",
        to.to_str().unwrap(),
    ]);
    let Ok(bytes) = std::fs::read(&to) else {
        return (run.code, Vec::new(), Vec::new(), run.stderr);
    };
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let values = |name: &str| {
        let tensor = file.tensor(name).unwrap();
        assert_eq!(tensor.shape(), [1, 8, 7]);
        let (words, _) = tensor.data().as_chunks::<4>();
        words.iter().map(|word| f32::from_le_bytes(*word)).collect()
    };
    (run.code, values("chunk_norm"), values("chunk"), run.stderr)
}

fn largest_gap(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

#[test]
fn recorded_observations_give_chunks() {
    let folder = tempfile::tempdir().unwrap();
    let inputs = recorded(folder.path());
    let (code, normalised, physical, said) = infer(folder.path(), &inputs);
    assert_eq!(code, Some(0), "{said}");
    // The bundle's own numbers: 4.5 cm a row for positions.
    for (row, physical) in normalised.chunks(7).zip(physical.chunks(7)) {
        assert!((row[0] * 0.045 - physical[0]).abs() < 1e-6);
        assert!((0.0..=1.0).contains(&physical[6]), "{physical:?}");
    }

    // The same picture as floats in planes.
    let mut planes = inputs.clone();
    let bytes = &inputs[0].3;
    let channels = (0..3).flat_map(|channel| bytes.iter().skip(channel).step_by(3));
    let values: Vec<f32> = channels.map(|byte| f32::from(*byte) / 255.0).collect();
    planes[0] = (
        inputs[0].0.clone(),
        Dtype::F32,
        vec![1, 3, HEIGHT, WIDTH],
        floats(&values),
    );
    let (_, again, _, said) = infer(folder.path(), &planes);
    assert!(largest_gap(&normalised, &again) < 1e-4, "{said}");

    // It looks and it listens.
    let mut black = inputs.clone();
    black[0].3.fill(0);
    let (_, blind, _, _) = infer(folder.path(), &black);
    assert!(largest_gap(&normalised, &blind) > 0.02);
    let mut pushed = inputs.clone();
    pushed[2].3 = b"push the red block up".to_vec();
    let (_, other, _, _) = infer(folder.path(), &pushed);
    assert!(largest_gap(&normalised, &other) > 0.02);
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let good = recorded(folder.path());
    let mut cases: Vec<(Inputs, &[&str])> = Vec::new();
    let without = |key: &str| -> Inputs {
        good.iter()
            .filter(|(name, ..)| !name.contains(key))
            .cloned()
            .collect()
    };
    cases.push((without("images"), &["front"]));
    cases.push((without("state"), &["tool.x"]));
    cases.push((without("input"), &["`input.`", "got none"]));
    let mut short = good.clone();
    short[1] = (good[1].0.clone(), Dtype::F32, vec![1, 8], vec![0; 32]);
    cases.push((short, &["input.observation.state", "[1, 9]", "[1, 8]"]));
    let mut nan = good.clone();
    nan[1].3[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    cases.push((nan, &["tool.x"]));
    let mut small = good.clone();
    small[0] = (good[0].0.clone(), Dtype::U8, vec![1, 2, 2, 3], vec![0; 12]);
    cases.push((small, &["front", "2"]));
    for (inputs, words) in cases {
        let (code, chunk, _, said) = infer(folder.path(), &inputs);
        assert_eq!((code, chunk.len()), (Some(2), 0), "{said}");
        for word in words {
            assert!(said.contains(word), "no {word:?} in {said}");
        }
    }
}
