//! Fine-tuning of every head that can be, in slices, within a time. More steps fit the corrections
//! better and old tasks worse, so the heads are judged on their way, and the best are kept.

use std::time::Instant;

use serde_json::{Value, json};
use vola_bundle::{FlatTensor, HeadSnapshot};
use vola_runtime::{AdaptableHead, OfflinePolicy};
use vola_train::ExampleSet;

use super::{
    Lessons,
    figures::{Figures, flat},
};
use crate::{commands::workers::Progress, failure::Failure, output::Console};

/// Steps of one call.
const SLICE: u64 = 10;
/// Steps of every head between two judgements; then the time is looked at.
const ROUND: u64 = 50;
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

/// What fine-tuning came to; the heads are left as they were best.
pub(super) struct Tuned {
    /// The best of the judged figures.
    pub(super) best: Figures,
    /// Steps of every head that led there.
    pub(super) steps: u64,
    /// The last report of every head.
    pub(super) reports: Vec<Value>,
}

/// Fine-tunes all heads on the examples that are not held out, and keeps those that did best on the
/// ones that are.
///
/// # Errors
/// When a head refuses the examples.
pub(super) fn tune(
    policy: &mut OfflinePolicy,
    lessons: &Lessons,
    before: &Figures,
    tuning: &Tuning,
    console: Console,
) -> Result<Tuned, Failure> {
    let heads = policy.adaptable();
    let names: Vec<String> = heads.iter().map(|head| head.stage.clone()).collect();
    let mut both = lessons.corrections[0].clone();
    both.extend(&lessons.old[0])
        .map_err(|reason| super::misfit(policy, reason))?;
    let weights = weights(lessons);
    let mut examples = heads
        .iter()
        .map(|head| examples_of(policy, head, &both, &weights))
        .collect::<Result<Vec<_>, _>>()?;
    let bar = Progress::new(
        heads.len() * tuning.steps as usize,
        "adapting",
        console.is_json(),
    );
    let mut best: Option<(Figures, u64, Vec<HeadSnapshot>)> = None;
    let mut reports = Vec::new();
    let mut made = 0;
    while made < tuning.steps && (made == 0 || Instant::now() < tuning.until) {
        let until = (made + ROUND).min(tuning.steps);
        reports.clear();
        for (head, examples) in heads.iter().zip(&mut examples) {
            reports.push(tune_head(policy, head, examples, (made, until), tuning)?);
            (made..until).for_each(|_| bar.step());
        }
        made = until;
        let figures = Figures::measure(policy, &lessons.corrections[1], &lessons.old[1])?;
        let is_best = best
            .as_ref()
            .is_none_or(|(known, ..)| figures.is_better_than(known, before));
        if is_best {
            best = Some((figures, made, policy.snapshots(&names)?));
        }
    }
    bar.finish();
    let Some((best, steps, snapshots)) = best else {
        let reason = "no head was fine-tuned".to_owned();
        return Err(super::misfit(policy, reason));
    };
    policy.restore(&snapshots)?;
    Ok(Tuned {
        best,
        steps,
        reports,
    })
}

/// How much each example counts, corrections before old ones.
fn weights(lessons: &Lessons) -> FlatTensor {
    let [corrections, old] = [&lessons.corrections[0], &lessons.old[0]].map(|set| set.len());
    let weight = |share: f32, count: usize| {
        let each = share / count.max(1) as f32;
        std::iter::repeat_n(each * (corrections + old) as f32, count)
    };
    let weights: Vec<f32> = weight(SHARE, corrections)
        .chain(weight(1.0 - SHARE, old))
        .collect();
    FlatTensor::from_f32(WEIGHT, &[weights.len()], &weights)
}

/// What a head reads and should say, and how much each counts; its options come last.
fn examples_of(
    policy: &OfflinePolicy,
    head: &AdaptableHead,
    set: &ExampleSet,
    weights: &FlatTensor,
) -> Result<Vec<FlatTensor>, Failure> {
    let mut examples = vec![weights.clone()];
    for name in head.inputs.iter().chain(&head.outputs) {
        examples.push(flat(policy, set, name)?);
    }
    examples.push(FlatTensor::from_bytes(OPTIONS, &[1, 0], &[]));
    Ok(examples)
}

/// Goes on with a head from so many steps to so many; its report.
fn tune_head(
    policy: &mut OfflinePolicy,
    head: &AdaptableHead,
    examples: &mut [FlatTensor],
    (mut made, until): (u64, u64),
    tuning: &Tuning,
) -> Result<Value, Failure> {
    let mut last = Value::Null;
    while made < until {
        let steps = SLICE.min(until - made);
        let options = json!({
            "steps": steps, "total": tuning.steps, "batch": 64,
            "learning_rate": tuning.learning_rate, "pull": tuning.pull, "share": 0.75,
        })
        .to_string();
        if let Some(slot) = examples.last_mut() {
            *slot = FlatTensor::from_bytes(OPTIONS, &[1, options.len()], options.as_bytes());
        }
        last = policy.adapt(&head.stage, (tuning.seed, made), examples)?;
        made += steps;
    }
    Ok(json!({"stage": head.stage, "plugin": head.plugin.to_string(), "report": last}))
}
