//! Fine-tuning of every head that can be, in slices, within a time.

use std::time::Instant;

use serde_json::{Value, json};
use vola_bundle::FlatTensor;
use vola_runtime::{AdaptableHead, OfflinePolicy};
use vola_train::ExampleSet;

use super::figures::flat;
use crate::{commands::workers::Progress, failure::Failure, output::Console};

/// Steps of a slice: after each the time is looked at.
const SLICE: u64 = 10;
/// Part of the draws that are corrections.
const SHARE: f32 = 0.5;
/// How much each example counts, and how it is to be done: names that every head knows.
const WEIGHT: &str = "weight";
const OPTIONS: &str = "options";

/// How heads are fine-tuned.
pub(super) struct Tuning {
    pub(super) steps: u64,
    pub(super) learning_rate: f64,
    pub(super) pull: f64,
    pub(super) seed: u64,
    pub(super) until: Instant,
}

/// Fine-tunes all heads on corrections and old examples; a report for each.
///
/// # Errors
/// When a head refuses the examples.
pub(super) fn tune(
    policy: &mut OfflinePolicy,
    [corrections, old]: [&ExampleSet; 2],
    tuning: &Tuning,
    console: Console,
) -> Result<Vec<Value>, Failure> {
    let heads = policy.adaptable();
    let mut both = corrections.clone();
    both.extend(old)
        .map_err(|reason| super::misfit(policy, reason))?;
    let weight = |share: f32, count: usize| {
        let each = share / count.max(1) as f32;
        std::iter::repeat_n(each * both.len() as f32, count)
    };
    let weights: Vec<f32> = weight(SHARE, corrections.len())
        .chain(weight(1.0 - SHARE, old.len()))
        .collect();
    let weights = FlatTensor::from_f32(WEIGHT, &[weights.len()], &weights);
    let bar = Progress::new(
        heads.len() * tuning.steps as usize,
        "adapting",
        console.is_json(),
    );
    let mut reports = Vec::with_capacity(heads.len());
    for head in &heads {
        let mut examples = vec![weights.clone()];
        for name in head.inputs.iter().chain(&head.outputs) {
            examples.push(flat(policy, &both, name)?);
        }
        reports.push(tune_head(policy, head, examples, tuning, &bar)?);
    }
    bar.finish();
    Ok(reports)
}

fn tune_head(
    policy: &mut OfflinePolicy,
    head: &AdaptableHead,
    mut examples: Vec<FlatTensor>,
    tuning: &Tuning,
    bar: &Progress,
) -> Result<Value, Failure> {
    let mut made = 0;
    let mut last = Value::Null;
    examples.push(FlatTensor::from_bytes(OPTIONS, &[1, 0], &[]));
    while made < tuning.steps && (made == 0 || Instant::now() < tuning.until) {
        let steps = SLICE.min(tuning.steps - made);
        let options = json!({
            "steps": steps, "total": tuning.steps, "batch": 64,
            "learning_rate": tuning.learning_rate, "pull": tuning.pull, "share": 0.75,
        })
        .to_string();
        if let Some(slot) = examples.last_mut() {
            *slot = FlatTensor::from_bytes(OPTIONS, &[1, options.len()], options.as_bytes());
        }
        last = policy.adapt(&head.stage, (tuning.seed, made), &examples)?;
        made += steps;
        (0..steps).for_each(|_| bar.step());
    }
    Ok(json!({"stage": head.stage, "plugin": head.plugin.to_string(), "report": last}))
}
