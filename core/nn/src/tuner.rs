//! Fine-tuning of one stage on examples, step by counted step.
//!
//! A stage reads no clock, so a time budget is kept from outside: a call makes as many steps as it
//! is told, and whoever calls stops when the time is up. Between calls everything stays, so that
//! slices of ten steps end where one call of all steps ends.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor, Var};
use serde::{Deserialize, Serialize};

use crate::stage::NamedTensors;
use crate::{Checkpoint, NnError, ParamStore, Result, Stage, StageEnv, build_stage};

/// Name of the tensor that says how much each example counts.
pub const EXAMPLE_WEIGHT: &str = "weight";
/// Names of the snapshot in messages.
const TUNED: &str = "tuned weights";
/// Examples by which the loss is told.
const TOLD: usize = 256;
/// Adam's decay rates, and what keeps its division finite.
const BETA1: f32 = 0.9;
const BETA2: f32 = 0.99;
const EPSILON: f32 = 1e-8;
/// Part of the learning rate that is left at the end.
const FINAL_RATE: f64 = 0.05;
/// Steps in which the learning rate rises.
const WARM_UP: f64 = 20.0;
/// How much of the averaged weights is kept at a step.
const AVERAGE: f32 = 0.98;
/// Longest gradient.
const CLIP: f32 = 1.0;

/// How a stage is fine-tuned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TuneSettings {
    /// Steps of this call, 1 to 10 000.
    pub steps: u64,
    /// Steps in all, over which the learning rate falls.
    pub total: u64,
    /// Examples of a step, 1 to 4096.
    pub batch: usize,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// How strongly weights are drawn back to where they began, as a part of the learning rate.
    pub pull: f64,
    /// Share of the examples that each network of an ensemble sees, so that they go on to disagree
    /// where there are no examples.
    pub share: f64,
}

impl Default for TuneSettings {
    fn default() -> Self {
        Self {
            steps: 20,
            total: 600,
            batch: 64,
            learning_rate: 1e-3,
            pull: 0.0,
            share: 0.75,
        }
    }
}

impl TuneSettings {
    /// Checks every range.
    ///
    /// # Errors
    /// The first key that is out of range.
    pub fn check(&self) -> Result<()> {
        let wrong = |key: &str, expected: &str, got: String| NnError::Settings {
            stage: "adapt",
            reason: format!("{key}: expected {expected}, got {got}"),
        };
        if !(1..=10_000).contains(&self.steps) {
            return Err(wrong("steps", "1 to 10000", self.steps.to_string()));
        }
        if !(1..=1_000_000).contains(&self.total) {
            return Err(wrong("total", "1 to 1000000", self.total.to_string()));
        }
        if !(1..=4096).contains(&self.batch) {
            return Err(wrong("batch", "1 to 4096", self.batch.to_string()));
        }
        for (key, value, most) in [
            ("learning_rate", self.learning_rate, 1.0),
            ("share", self.share, 1.0),
        ] {
            if !(value > 0.0 && value <= most) {
                let expected = format!("a number above 0, {most} at most");
                return Err(wrong(key, &expected, value.to_string()));
            }
        }
        if !(0.0..=1000.0).contains(&self.pull) {
            return Err(wrong("pull", "0 to 1000", self.pull.to_string()));
        }
        Ok(())
    }
}

/// What some steps came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuneReport {
    /// Steps made so far.
    pub steps: u64,
    /// Examples that count.
    pub examples: usize,
    /// Mean loss of a fixed draw of the examples before the first step.
    pub loss_before: f64,
    /// The same now.
    pub loss_after: f64,
}

/// A stage in training, beside the one that runs.
pub struct Tuner {
    stage: Box<dyn Stage>,
    parameters: Vec<Parameter>,
    path: std::path::PathBuf,
    steps: u64,
    loss_before: Option<f64>,
}

/// A parameter with everything that fine-tuning remembers of it.
struct Parameter {
    name: String,
    var: Var,
    start: Vec<f32>,
    value: Vec<f32>,
    average: Vec<f32>,
    moment1: Vec<f32>,
    moment2: Vec<f32>,
}

/// Where a stage comes from: as [`build_stage`] takes it.
pub struct TunedStage<'a> {
    /// Plugin id, or its second half.
    pub id: &'a str,
    /// Settings of the stage.
    pub settings: &'a serde_json::Value,
    /// What it may read.
    pub env: &'a StageEnv,
    /// Prefix of its tensors, for example `actions.`.
    pub prefix: &'a str,
}

impl Tuner {
    /// Begins with the weights that run.
    ///
    /// # Errors
    /// A stage that cannot be fine-tuned, or weights that do not fit it.
    pub fn new(from: &TunedStage<'_>, weights: &Checkpoint) -> Result<Self> {
        let store = ParamStore::trainable(0);
        let stage = build_stage(from.id, from.settings, from.env, &store.under(from.prefix))?;
        if !stage.is_adaptable() {
            return Err(NnError::Graph {
                stage: from.id.to_string(),
                reason: "it cannot be fine-tuned: it has no loss for examples".to_string(),
            });
        }
        store.assign(weights)?;
        let parameters = store
            .vars()
            .into_iter()
            .map(|(name, var)| {
                let value = var.flatten_all()?.to_vec1::<f32>()?;
                Ok(Parameter {
                    name,
                    start: value.clone(),
                    average: value.clone(),
                    moment1: vec![0.0; value.len()],
                    moment2: vec![0.0; value.len()],
                    value,
                    var,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            stage,
            parameters,
            path: weights.path().to_path_buf(),
            steps: 0,
            loss_before: None,
        })
    }

    /// Steps made so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The weights reached: averaged over the last steps.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn weights(&self) -> Result<Checkpoint> {
        let tensors = self
            .parameters
            .iter()
            .map(|p| {
                let tensor = Tensor::from_slice(&p.average, p.var.dims(), &Device::Cpu)?;
                Ok((p.name.clone(), tensor))
            })
            .collect::<Result<BTreeMap<_, _>>>()?;
        Ok(Checkpoint::of(Path::new(TUNED), tensors))
    }

    /// Makes some steps. `examples` hold every input and every wanted output by role, and
    /// [`EXAMPLE_WEIGHT`] `[examples]`: how often each is drawn; 0 is never.
    ///
    /// # Errors
    /// Settings out of range, examples that do not fit or are not finite, none that counts, or a
    /// loss that is no number. Weights reached before stay readable.
    pub fn run(
        &mut self,
        examples: &NamedTensors,
        settings: &TuneSettings,
        seed: u64,
    ) -> Result<TuneReport> {
        settings.check()?;
        let draws = Draws::new(examples)?;
        let told = draws.batch(TOLD, &mut Draw::new(seed, u64::MAX));
        if self.loss_before.is_none() {
            self.loss_before = Some(self.mean_loss(examples, &told)?);
        }
        for _ in 0..settings.steps {
            let mut random = Draw::new(seed, self.steps);
            let rows = draws.batch(settings.batch, &mut random);
            self.step(examples, &rows, settings, &mut random)?;
        }
        self.load(|p| &p.average)?;
        let loss_after = self.mean_loss(examples, &told);
        self.load(|p| &p.value)?;
        Ok(TuneReport {
            steps: self.steps,
            examples: draws.count,
            loss_before: self.loss_before.unwrap_or_default(),
            loss_after: loss_after?,
        })
    }

    fn load(&self, values: impl Fn(&Parameter) -> &Vec<f32>) -> Result<()> {
        self.parameters.iter().try_for_each(|p| {
            let tensor = Tensor::from_slice(values(p), p.var.dims(), &Device::Cpu)?;
            Ok(p.var.set(&tensor)?)
        })
    }

    fn loss(&self, examples: &NamedTensors, rows: &[u32]) -> Result<Tensor> {
        let rows = Tensor::from_slice(rows, rows.len(), &Device::Cpu)?;
        let batch = examples
            .iter()
            .filter(|(name, _)| name != EXAMPLE_WEIGHT)
            .map(|(name, all)| Ok((name.clone(), all.contiguous()?.index_select(&rows, 0)?)))
            .collect::<Result<NamedTensors>>()?;
        self.stage
            .example_loss(&batch)?
            .ok_or_else(|| NnError::Graph {
                stage: TUNED.to_string(),
                reason: "the stage has no loss for examples".to_string(),
            })
    }

    fn mean_loss(&self, examples: &NamedTensors, rows: &[u32]) -> Result<f64> {
        let loss = self.loss(examples, rows)?.mean_all()?.to_scalar::<f32>()?;
        finite(loss)
    }

    fn step(
        &mut self,
        examples: &NamedTensors,
        rows: &[u32],
        settings: &TuneSettings,
        random: &mut Draw,
    ) -> Result<()> {
        let loss = self.loss(examples, rows)?; // [batch, members]
        let (batch, members) = loss.dims2()?;
        let share = if members > 1 { settings.share } else { 1.0 };
        let seen: Vec<f32> = (0..batch * members)
            .map(|_| f32::from(u8::from(random.unit() < share)))
            .collect();
        let count = f64::from(seen.iter().sum::<f32>().max(1.0));
        let seen = Tensor::from_vec(seen, (batch, members), &Device::Cpu)?;
        let total = ((loss * seen)?.sum_all()? / count)?;
        finite(total.to_scalar::<f32>()?)?;
        let gradients = total.backward()?;
        let mut flat = Vec::with_capacity(self.parameters.len());
        for p in &self.parameters {
            let gradient = gradients.get(&p.var);
            flat.push(match gradient {
                Some(gradient) => Some(gradient.flatten_all()?.to_vec1::<f32>()?),
                None => None,
            });
        }
        let square: f32 = flat.iter().flatten().flatten().map(|g| g * g).sum();
        finite(square)?;
        let scale = CLIP / square.sqrt().max(CLIP);
        self.steps += 1;
        let rate = rate(settings, self.steps);
        for (p, gradient) in self.parameters.iter_mut().zip(&flat) {
            if let Some(gradient) = gradient {
                p.update(gradient, scale, rate, settings.pull as f32, self.steps);
                let tensor = Tensor::from_slice(&p.value, p.var.dims(), &Device::Cpu)?;
                p.var.set(&tensor)?;
            }
        }
        Ok(())
    }

    /// The weight file that fine-tuning began with, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Parameter {
    /// One step of Adam, drawn back to the start.
    fn update(&mut self, gradient: &[f32], scale: f32, rate: f32, pull: f32, steps: u64) {
        let t = i32::try_from(steps).unwrap_or(i32::MAX);
        let size = rate / (1.0 - BETA1.powi(t));
        let root = 1.0 / (1.0 - BETA2.powi(t)).sqrt();
        // Early averages follow closely.
        let keep = AVERAGE.min(steps as f32 / (steps as f32 + 9.0));
        let moments = self.moment1.iter_mut().zip(&mut self.moment2);
        let weights = self.value.iter_mut().zip(&mut self.average);
        for (((g, start), (m, v)), (w, a)) in
            gradient.iter().zip(&self.start).zip(moments).zip(weights)
        {
            let g = g * scale;
            *m = BETA1 * *m + (1.0 - BETA1) * g;
            *v = BETA2 * *v + (1.0 - BETA2) * g * g;
            *w -= size * *m / (v.sqrt() * root + EPSILON) + rate * pull * (*w - start);
            *a = keep * *a + (1.0 - keep) * *w;
        }
    }
}

/// The learning rate of a step: a short rise, then a cosine.
fn rate(settings: &TuneSettings, step: u64) -> f32 {
    let progress = (step as f64 / settings.total.max(1) as f64).min(1.0);
    let cosine = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
    let rise = (step as f64 / WARM_UP).min(1.0);
    (settings.learning_rate * rise * (cosine * (1.0 - FINAL_RATE) + FINAL_RATE)) as f32
}

fn finite(value: f32) -> Result<f64> {
    if value.is_finite() {
        return Ok(f64::from(value));
    }
    Err(NnError::Graph {
        stage: TUNED.to_string(),
        reason: format!("fine-tuning went wrong: a loss or gradient is {value}"),
    })
}

/// Which examples are drawn, and how often.
struct Draws {
    /// Running sums of the weights.
    sums: Vec<f64>,
    count: usize,
}

impl Draws {
    fn new(examples: &NamedTensors) -> Result<Self> {
        let wrong = |what: &str, expected: &str, got: &Tensor| NnError::Shape {
            what: format!("examples.{what}"),
            expected: expected.to_string(),
            got: got.dims().to_vec(),
        };
        let weights = crate::require("adapt", examples, EXAMPLE_WEIGHT, &[None])?;
        let count = weights.dim(0)?;
        for (name, tensor) in examples {
            if tensor.dims().first() != Some(&count) {
                return Err(wrong(name, &format!("[{count}, …]"), tensor));
            }
            let values = tensor.flatten_all()?.to_vec1::<f32>()?;
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                return Err(NnError::Settings {
                    stage: "adapt",
                    reason: format!(
                        "examples.{name}: element {index} is {}, expected finite numbers",
                        values[index]
                    ),
                });
            }
        }
        let mut sum = 0.0;
        let mut counted = 0;
        let mut sums = Vec::with_capacity(count);
        for weight in weights.to_vec1::<f32>()? {
            let weight = f64::from(weight.max(0.0));
            counted += usize::from(weight > 0.0);
            sum += weight;
            sums.push(sum);
        }
        if !(sum > 0.0 && sum.is_finite()) {
            return Err(wrong(
                EXAMPLE_WEIGHT,
                "some weight above 0 and a finite sum",
                weights,
            ));
        }
        Ok(Self {
            sums,
            count: counted,
        })
    }

    fn batch(&self, size: usize, random: &mut Draw) -> Vec<u32> {
        let total = self.sums.last().copied().unwrap_or_default();
        (0..size)
            .map(|_| {
                let at = random.unit() * total;
                let index = self.sums.partition_point(|sum| *sum <= at);
                index.min(self.sums.len().saturating_sub(1)) as u32
            })
            .collect()
    }
}

/// SplitMix64 (Steele, Lea, Flood, 2014), begun anew for each step.
struct Draw(u64);

impl Draw {
    fn new(seed: u64, step: u64) -> Self {
        Self(seed ^ step.wrapping_add(1).wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// 0 ≤ x < 1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests;
