//! One worker's part of a training step: draw samples, run the chain, give gradients.

use std::collections::BTreeMap;

use vola_nn::heads::SceneGrid;
use vola_nn::{Chain, StageContext};

use crate::flat_params::{FlatGrad, FlatParams};
use crate::object_row::BLOCK;
use crate::policy_loss::{Loss, PolicyNames, policy_loss};
use crate::scene_loss::scene_loss;
use crate::scene_target::{SEEN, scene_target};
use crate::{BatchMaker, Frame, ObjectRow, Result, Rng, TrainConfig, TrainError};

/// What all workers share; nothing in it changes during a step.
pub(crate) struct WorkerPlan<'a> {
    pub(crate) config: &'a TrainConfig,
    pub(crate) chain: &'a Chain,
    pub(crate) params: &'a FlatParams,
    pub(crate) names: &'a PolicyNames,
    pub(crate) scene: Option<&'a SceneNames>,
    pub(crate) maker: &'a BatchMaker<'a>,
    /// Frames that may be trained on.
    pub(crate) frames: &'a [usize],
    /// Those of them whose objects are known: grounding and scene samples are drawn from these.
    pub(crate) labelled: &'a [usize],
    /// Those of them that show something a block's height above the table.
    pub(crate) raised: &'a [usize],
}

/// Heights of a centre between a block on the table and one carried high over it (m): of the
/// upper block of a tower.
const TOWER_M: std::ops::Range<f32> = 0.045..0.09;

/// Whether a frame shows an object a block's height above the table.
pub(crate) fn shows_raised(frame: &Frame<'_>) -> bool {
    frame.labels.objects
        && ObjectRow::all(frame.objects)
            .filter(|object| object.kind() == BLOCK && object.visible() >= SEEN)
            .any(|object| TOWER_M.contains(&object.position()[2]))
}

/// Names of the scene stages' tensors.
pub(crate) struct SceneNames {
    /// The head's output, which makes the chain run the scene stages.
    pub(crate) objects: String,
    /// The head's raw numbers in training.
    pub(crate) raw: String,
    pub(crate) grid: SceneGrid,
}

/// One worker's result: gradients of the policy and of the scene, and the parts of the losses.
pub(crate) struct WorkerGrads {
    pub(crate) policy: FlatGrad,
    pub(crate) scene: Option<FlatGrad>,
    pub(crate) loss: f64,
    pub(crate) parts: BTreeMap<&'static str, f64>,
}

impl WorkerPlan<'_> {
    /// Gradients of `worker` for `step`: the same numbers whenever it is called.
    ///
    /// # Errors
    /// A failing stage or loss.
    pub(crate) fn run(&self, worker: usize, step: u64) -> Result<WorkerGrads> {
        let mut rng = Rng::keyed(self.config.seed, &[1, step, worker as u64]);
        let (policy, mut loss, mut parts) = if self.config.batch.size > 0 {
            self.policy_part(worker, step, &mut rng)?
        } else {
            (self.params.no_gradients(), 0.0, BTreeMap::new())
        };
        let mut scene = None;
        if let Some(names) = self
            .scene
            .filter(|_| step.is_multiple_of(self.config.batch.scene_every))
        {
            let frames = self.scene_frames(&mut rng);
            if let Some(target) = scene_target(self.maker.source(), &frames, names.grid)? {
                let inputs = [(
                    "observation.images.front".to_string(),
                    self.maker.images(&frames, &mut rng)?,
                )]
                .into();
                let out = self.chain.forward(
                    &StageContext::train(),
                    &inputs,
                    &[names.objects.as_str()],
                )?;
                let raw = out.get(&names.raw).ok_or_else(|| TrainError::Worker {
                    worker,
                    reason: format!("the chain gave no `{}`", names.raw),
                })?;
                let part = scene_loss(raw, &target, &self.config.loss)?;
                loss += f64::from(part.total.to_scalar::<f32>()?);
                parts.extend(part.parts);
                scene = Some(self.params.gradients(&part.total.backward()?)?);
            }
        }
        Ok(WorkerGrads {
            policy,
            scene,
            loss,
            parts,
        })
    }

    /// Gradients, loss and parts of the policy stages.
    fn policy_part(
        &self,
        worker: usize,
        step: u64,
        rng: &mut Rng,
    ) -> Result<(FlatGrad, f64, BTreeMap<&'static str, f64>)> {
        let actions = self.epoch_frames(worker, step);
        let grounding: Vec<usize> = (0..self.config.batch.grounding)
            .filter_map(|_| rng.pick(self.labelled).copied())
            .collect();
        debug_assert_eq!(actions.len(), self.config.batch.size);
        let batch = self.maker.policy(&actions, &grounding, rng)?;
        let wanted: Vec<&str> = self.names.wanted.iter().map(String::as_str).collect();
        let out = self
            .chain
            .forward(&StageContext::train(), &batch.inputs, &wanted)?;
        let Loss { total, parts } = policy_loss(self.names, &out, &batch, &self.config.loss, rng)?;
        let loss = f64::from(total.to_scalar::<f32>()?);
        Ok((self.params.gradients(&total.backward()?)?, loss, parts))
    }

    /// Frames for the scene stages, the rare raised ones more often than they come.
    fn scene_frames(&self, rng: &mut Rng) -> Vec<usize> {
        (0..self.config.batch.scene)
            .filter_map(|_| {
                let raised = rng.chance(self.config.batch.scene_raised);
                let list = if raised && !self.raised.is_empty() {
                    self.raised
                } else {
                    self.labelled
                };
                rng.pick(list).copied()
            })
            .collect()
    }

    /// The frames of this worker in this step: each epoch visits every frame once, in an order of
    /// its own.
    fn epoch_frames(&self, worker: usize, step: u64) -> Vec<usize> {
        let (size, threads) = (
            self.config.batch.size as u64,
            self.config.batch.threads as u64,
        );
        let count = self.frames.len() as u64;
        let start = step * size * threads + worker as u64 * size;
        (start..start + size)
            .filter_map(|position| {
                let key = Rng::keyed(self.config.seed, &[2, position / count]).next_u64();
                self.frames
                    .get(permuted(position % count, count, key) as usize)
                    .copied()
            })
            .collect()
    }
}

/// A permutation of `0..count` without a table: a Feistel network on the next power of four, walked
/// until it lands inside. A shuffled list of a million frames would have to be made anew at every
/// resume.
fn permuted(index: u64, count: u64, key: u64) -> u64 {
    let half = count
        .next_power_of_two()
        .trailing_zeros()
        .div_ceil(2)
        .max(1);
    let mask = (1_u64 << half) - 1;
    let mut value = index;
    loop {
        let (mut left, mut right) = (value >> half, value & mask);
        for round in 0..4_u64 {
            let mixed =
                Rng::new(right ^ key.rotate_left(16 * round as u32) ^ round).next_u64() & mask;
            (left, right) = (right, left ^ mixed);
        }
        value = left << half | right;
        if value < count {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::permuted;

    #[test]
    fn every_index_comes_once() {
        for count in [1, 2, 3, 7, 64, 1000] {
            let mut seen: Vec<u64> = (0..count).map(|i| permuted(i, count, 12345)).collect();
            assert!(
                count < 64
                    || seen
                        .iter()
                        .enumerate()
                        .filter(|(i, x)| *i as u64 == **x)
                        .count()
                        < 10
            );
            seen.sort_unstable();
            assert!(
                seen.iter().enumerate().all(|(i, x)| i as u64 == *x),
                "{count}"
            );
        }
    }
}
