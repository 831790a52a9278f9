use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::*;

fn file(tensors: &[(&str, Dtype, Vec<usize>, Vec<u8>)], names: &[(&str, &str)]) -> Vec<u8> {
    let views: Vec<_> = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            (
                *name,
                TensorView::new(*dtype, shape.clone(), bytes).unwrap(),
            )
        })
        .collect();
    let names: HashMap<String, String> = names
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    safetensors::serialize(views, Some(names)).unwrap()
}

fn f32s(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn vector<'a>(name: &'a str, values: &[f32]) -> (&'a str, Dtype, Vec<usize>, Vec<u8>) {
    (name, Dtype::F32, vec![values.len()], f32s(values))
}

fn refusal(bytes: &[u8]) -> String {
    Statistics::from_bytes(bytes, "stats.safetensors")
        .unwrap_err()
        .to_string()
}

#[test]
fn a_file_is_read_and_written_back() {
    let bytes = file(
        &[
            vector("observation.state.mean", &[1.0, 2.0]),
            vector("observation.state.std", &[0.5, 0.25]),
            (
                "observation.images.top.mean",
                Dtype::F32,
                vec![3, 1, 1],
                f32s(&[0.1, 0.2, 0.3]),
            ),
            ("observation.state.count", Dtype::I64, vec![1], vec![0; 8]),
        ],
        &[("observation.state.names", r#"["a","b"]"#)],
    );
    let stats = Statistics::from_bytes(&bytes, "x").unwrap();
    let state = stats.get("observation.state").unwrap();
    assert_eq!(state.std.as_deref(), Some(&[0.5, 0.25][..]));
    assert_eq!(state.names, ["a", "b"]);
    assert_eq!(stats.get("observation.images.top").unwrap().len(), 3);
    let again = Statistics::from_bytes(&stats.to_bytes().unwrap(), "x").unwrap();
    assert_eq!(stats, again);
    stats
        .check_names("observation.state", &["a".into(), "b".into()])
        .unwrap();
    let text = stats
        .check_names("observation.state", &["b".into(), "a".into()])
        .unwrap_err();
    assert!(
        text.to_string().contains("expected `b`, `a`, got `a`, `b`"),
        "{text}"
    );
}

#[test]
fn bad_numbers_are_refused_with_their_place() {
    let cases = [
        (
            vec![vector("a.mean", &[0.0, f32::NAN])],
            "x: a.mean[1]: expected a finite number, got NaN",
        ),
        (
            vec![vector("a.max", &[f32::INFINITY])],
            "a.max[0]: expected a finite number, got inf",
        ),
        (
            vec![vector("a.std", &[1.0, 0.0])],
            "a.std[1]: expected a finite number > 0, got 0",
        ),
        (
            vec![vector("a.std", &[-1.0])],
            "a.std[0]: expected a finite number > 0, got -1",
        ),
        (
            vec![vector("a.mean", &[1.0]), vector("a.std", &[1.0, 2.0])],
            "a.std: expected 1 numbers, as the feature's others, got 2",
        ),
        (
            vec![vector("a.min", &[0.0, 2.0]), vector("a.max", &[1.0, 1.0])],
            "a.max[1]: expected at least `min` = 2, got 1",
        ),
        (
            vec![("a.mean", Dtype::I64, vec![1], vec![0; 8])],
            "a.mean: expected element type F32 or F64, got I64",
        ),
        (
            vec![("a.mean", Dtype::F32, vec![2, 2], vec![0; 16])],
            "a.mean: expected shape [n] or [n,1,1] with 1 to 65536 numbers, got shape [2, 2]",
        ),
        (
            vec![("a.mean", Dtype::F32, vec![0], vec![])],
            "got shape [0]",
        ),
    ];
    for (tensors, expected) in cases {
        let text = refusal(&file(&tensors, &[])).replace("stats.safetensors", "x");
        assert!(text.contains(expected), "no `{expected}` in\n{text}");
    }
    let text = refusal(&file(&[vector("a.mean", &[1.0])], &[("a.names", "a, b")]));
    assert!(text.contains("a.names: expected a JSON list"), "{text}");
    let text = refusal(&file(
        &[vector("a.mean", &[1.0])],
        &[("a.names", r#"["a","b"]"#)],
    ));
    assert!(text.contains("a.names: expected 1 names, got 2"), "{text}");
}

#[test]
fn a_feature_without_statistics_is_named() {
    let stats = Statistics::from_bytes(&file(&[vector("a.mean", &[1.0])], &[]), "x").unwrap();
    let text = stats
        .require("b", NormaliseMode::MeanStd, 1)
        .unwrap_err()
        .to_string();
    assert!(text.contains("x: b: expected statistics for `mean_std`, got none; the file has `a`"));
    assert!(text.contains("without statistics"), "{text}");
    let text = stats
        .require("a", NormaliseMode::MeanStd, 1)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("a.std: expected numbers for `mean_std`, got nothing"),
        "{text}"
    );
}

#[test]
fn every_truncation_is_refused() {
    let bytes = file(
        &[vector("a.mean", &[1.0, 2.0]), vector("a.std", &[1.0, 2.0])],
        &[],
    );
    for length in 0..bytes.len() {
        let text = refusal(&bytes[..length]);
        assert!(
            text.contains("expected a safetensors file, got a damaged one"),
            "{length}: {text}"
        );
    }
}

proptest! {
    #[test]
    fn damaged_bytes_never_panic_nor_pass_as_bad_numbers(
        place in 0usize..400,
        value in any::<u8>(),
        garbage in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut bytes = file(&[vector("a.mean", &[1.0, 2.0]), vector("a.std", &[1.0, 2.0])], &[]);
        let place = place % bytes.len();
        bytes[place] = value;
        for bytes in [&bytes, &garbage] {
            if let Ok(stats) = Statistics::from_bytes(bytes, "x") {
                for (_, feature) in stats.features() {
                    prop_assert!(feature.std.iter().flatten().all(|s| s.is_finite() && *s > 0.0));
                    prop_assert!(feature.mean.iter().flatten().all(|m| m.is_finite()));
                }
            }
        }
    }

    #[test]
    fn statistics_round_trip(mean in proptest::collection::vec(-1e6..1e6f64, 1..20), std in 1e-6..1e6f64) {
        let stats = FeatureStats {
            std: Some(vec![std; mean.len()]),
            mean: Some(mean),
            ..FeatureStats::default()
        };
        let stats =
            Statistics::from_features(BTreeMap::from([("f.g".to_owned(), stats)]), "x").unwrap();
        let again = Statistics::from_bytes(&stats.to_bytes().unwrap(), "x").unwrap();
        prop_assert_eq!(stats, again);
    }
}
