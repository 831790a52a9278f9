use std::path::Path;

use vola_train::{Budget, Flow, OptimizerConfig};

use super::trainer::Training;
use super::{LanguageBatch, LanguageConfig, LanguageSize, train};
use crate::LanguageModel;

/// A network of a few thousand numbers.
fn config(folder: &Path, steps: u64) -> LanguageConfig {
    LanguageConfig {
        kind: "planner".to_owned(),
        seed: 5,
        out: folder.join("out"),
        work: folder.join("work"),
        budget: Budget {
            minutes: None,
            steps: Some(steps),
            checkpoint_minutes: 60.0,
            validate_every: 1000,
        },
        init: None,
        model: LanguageSize {
            vocabulary: 600,
            width: 16,
            layers: 2,
            heads: 2,
            hidden: 24,
        },
        batch: LanguageBatch {
            size: 4,
            ..LanguageBatch::default()
        },
        optimizer: OptimizerConfig {
            warmup_steps: 1,
            ema: 0.5,
            ..OptimizerConfig::default()
        },
    }
}

#[test]
fn every_parameter_has_a_gradient() {
    let folder = tempfile::tempdir().unwrap();
    let training = Training::begin(config(folder.path(), 1)).unwrap();
    let grad = training.gradient(0).unwrap();
    for (entry, touched) in training.params.entries.iter().zip(&grad.touched) {
        let values = &grad.values[entry.start..entry.start + entry.len];
        assert!(*touched, "{}: no gradient", entry.name);
        assert!(values.iter().any(|g| *g != 0.0), "{}: zero", entry.name);
    }
}

#[test]
fn the_written_model_says_what_the_trained_network_says() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), 3);
    let mut steps = 0;
    let mut watch = |_: u64, _: f64, loss: f64, _: f64| {
        steps += 1;
        assert!(loss.is_finite());
        Flow::Continue
    };
    let trained = train(&config, &mut watch, &mut |_| {}).unwrap();
    assert!(trained.complete && steps == 3);
    // Begun again it finds itself at the end, with the weights that were written.
    let training = Training::begin(config.clone()).unwrap();
    assert_eq!(training.state.step, 3);
    let batch = training.examples.draw(1, 7).unwrap();
    let tokens = batch.tokens.clone();
    training.params.set(&training.optimizer.average).unwrap();
    let rows = training.network.logits(&batch).unwrap();
    let last: Vec<f32> = rows
        .get(rows.dim(0).unwrap() - 1)
        .unwrap()
        .to_vec1()
        .unwrap();
    let model = LanguageModel::open(&config.out).unwrap();
    let read = model.logits(&tokens).unwrap();
    assert_eq!(read.len(), last.len());
    for (a, b) in read.iter().zip(&last) {
        // The file holds half precision.
        assert!((a - b).abs() < 2e-2 * (1.0 + b.abs()), "{a} {b}");
    }
}

#[test]
fn a_training_goes_on_as_if_it_had_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let losses = |config: &LanguageConfig, stop_at: u64| {
        let mut losses = Vec::new();
        let mut watch = |step: u64, _: f64, loss: f64, _: f64| {
            losses.push(loss.to_bits());
            if step == stop_at {
                Flow::Stop
            } else {
                Flow::Continue
            }
        };
        train(config, &mut watch, &mut |_| {}).unwrap();
        losses
    };
    let all = losses(&config(&whole, 4), 99);
    let first = losses(&config(&parts, 4), 2);
    let rest = losses(&config(&parts, 4), 99);
    assert_eq!(all, [first, rest].concat());
    // Another network's state is refused.
    let mut other = config(&parts, 4);
    other.model.hidden = 32;
    assert!(Training::begin(other).is_err());
}
