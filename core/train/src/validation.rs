//! How well the averaged weights do on episodes that were never trained on.

use serde::{Deserialize, Serialize};
use vola_nn::{Chain, Mode, StageContext};

use crate::policy_loss::{PolicyNames, policy_loss};
use crate::scene_target::SEEN;
use crate::units::POSITION_SCALE_M;
use crate::worker::SceneNames;
use crate::{Batch, BatchMaker, FrameSource, Labels, LossConfig, ObjectRow, Result, Rng};

/// Frames of a batch.
const BATCH: usize = 32;
/// A found object is the true one within this distance (m).
const SAME_M: f32 = 0.05;
/// Confidence from which a found object counts.
const FOUND: f32 = 0.5;
/// Objects seen less than this count as absent; between this and `SEEN`, found or not is right.
const BARELY: f32 = 0.03;

/// Numbers of one validation, sentences canonical, without goal points.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ValidationReport {
    /// Steps trained before it.
    pub step: u64,
    /// Frames looked at.
    pub frames: usize,
    /// Those of them whose target and objects are known; without any, the numbers of target and scene
    /// mean nothing.
    #[serde(default)]
    pub labelled: usize,
    /// Mean distance of action steps, in normalised units.
    pub action: f64,
    /// Cross-entropy of the gripper.
    pub gripper: f64,
    /// Cross-entropy of done.
    pub done: f64,
    /// Cross-entropy of failing.
    pub failing: f64,
    /// Median distance (mm) of the predicted target where it is visible.
    pub target_median_mm: f64,
    /// 90 % quantile of it (mm).
    pub target_p90_mm: f64,
    /// Visible objects found with the right kind and colour, 0..1.
    pub scene_recall: f64,
    /// Found objects that are there, 0..1.
    pub scene_precision: f64,
    /// Median distance (mm) of found objects.
    pub scene_median_mm: f64,
}

/// What a validation looks at.
pub(crate) struct Validator<'a> {
    pub(crate) chain: &'a Chain,
    pub(crate) names: &'a PolicyNames,
    pub(crate) target: Option<&'a str>,
    pub(crate) scene: Option<&'a SceneNames>,
    pub(crate) maker: &'a BatchMaker<'a>,
    pub(crate) frames: &'a [usize],
    pub(crate) loss: LossConfig,
}

#[derive(Default)]
struct SceneCount {
    wanted: usize,
    found: usize,
    claimed: usize,
    wrong: usize,
    distances: Vec<f32>,
}

impl Validator<'_> {
    /// Runs the chain on every frame.
    ///
    /// # Errors
    /// A failing stage.
    pub(crate) fn run(&self, step: u64) -> Result<ValidationReport> {
        let mut report = ValidationReport {
            step,
            frames: self.frames.len(),
            labelled: self.count(self.frames, |labels| labels.target && labels.objects) as usize,
            ..ValidationReport::default()
        };
        let mut distances = Vec::new();
        let mut scene = SceneCount::default();
        let weights = LossConfig {
            head_share: 1.0,
            ..self.loss
        };
        for frames in self.frames.chunks(BATCH) {
            let mut rng = Rng::new(0);
            let batch = self.maker.policy(frames, &[], &mut rng)?;
            let mut wanted: Vec<&str> = self.names.wanted.iter().map(String::as_str).collect();
            wanted.extend(self.target);
            let out = self
                .chain
                .forward(&StageContext::train(), &batch.inputs, &wanted)?;
            let parts = policy_loss(self.names, &out, &batch, &weights, &mut rng)?.parts;
            let part = |name: &str, is_known: fn(Labels) -> bool| {
                let share =
                    self.count(frames, is_known) / self.count(self.frames, is_known).max(1.0);
                share * parts.get(name).copied().unwrap_or_default()
            };
            report.action += part("action", |_| true);
            report.gripper += part("gripper", |_| true);
            report.done += part("done", |labels| labels.done);
            report.failing += part("failing", |labels| labels.failing);
            if let Some(target) = self.target.and_then(|name| out.get(name)) {
                distances.extend(self.target_distances(frames, target)?);
            }
            self.count_scene(frames, &batch, &mut scene)?;
        }
        report.target_median_mm = f64::from(quantile(&mut distances, 0.5)) * 1e3;
        report.target_p90_mm = f64::from(quantile(&mut distances, 0.9)) * 1e3;
        report.scene_recall = scene.found as f64 / scene.wanted.max(1) as f64;
        report.scene_precision = 1.0 - scene.wrong as f64 / scene.claimed.max(1) as f64;
        report.scene_median_mm = f64::from(quantile(&mut scene.distances, 0.5)) * 1e3;
        Ok(report)
    }

    /// Frames that have a label.
    fn count(&self, frames: &[usize], is_known: fn(Labels) -> bool) -> f64 {
        let source = self.maker.source();
        let known = frames
            .iter()
            .filter(|index| is_known(source.frame(**index).labels));
        known.count() as f64
    }

    /// Distances (m) of predicted targets that are visible.
    fn target_distances(&self, frames: &[usize], target: &candle_core::Tensor) -> Result<Vec<f32>> {
        let predicted = target.to_vec2::<f32>()?;
        let seen = frames.iter().zip(predicted).filter_map(|(index, p)| {
            let frame = self.maker.source().frame(*index);
            let truth = crate::units::normalise_point(frame.target_xyz);
            let square: f32 = p.iter().zip(truth).map(|(a, b)| (a - b) * (a - b)).sum();
            (frame.labels.target && frame.target_visible > 0.5)
                .then(|| square.sqrt() * POSITION_SCALE_M)
        });
        Ok(seen.collect())
    }

    fn count_scene(&self, frames: &[usize], batch: &Batch, count: &mut SceneCount) -> Result<()> {
        let Some(names) = self.scene else {
            return Ok(());
        };
        let ctx = StageContext {
            seed: 0,
            step: 0,
            mode: Mode::Run,
        };
        let out = self
            .chain
            .forward(&ctx, &batch.inputs, &[names.objects.as_str()])?;
        let Some(objects) = out.get(&names.objects) else {
            return Ok(());
        };
        for (index, rows) in frames.iter().zip(objects.to_vec3::<f32>()?) {
            count.frame(self.maker.source(), *index, &rows);
        }
        Ok(())
    }
}

impl SceneCount {
    /// Matches what was found in one frame with what is there, nearest first.
    fn frame(&mut self, source: &dyn FrameSource, index: usize, rows: &[Vec<f32>]) {
        let frame = source.frame(index);
        if !frame.labels.objects {
            return;
        }
        let truth: Vec<ObjectRow<'_>> = ObjectRow::all(frame.objects)
            .filter(|o| o.place().is_some() && o.visible() >= BARELY)
            .collect();
        let found: Vec<&Vec<f32>> = rows.iter().filter(|r| r[5] >= FOUND).collect();
        let mut pairs = Vec::new();
        for (i, t) in truth.iter().enumerate() {
            for (j, f) in found.iter().enumerate() {
                let gaps = t
                    .position()
                    .into_iter()
                    .zip(&f[2..5])
                    .map(|(a, b)| (a - b) * (a - b));
                let distance = gaps.sum::<f32>().sqrt();
                let same_kind = t.kind() == f[0].round() as usize;
                let same_color = t.color().is_none_or(|color| color == f[1].round() as usize);
                if same_kind && same_color && distance <= SAME_M {
                    pairs.push((distance, i, j));
                }
            }
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mut truth_used, mut found_used) = (vec![false; truth.len()], vec![false; found.len()]);
        for (distance, i, j) in pairs {
            if !truth_used[i] && !found_used[j] {
                (truth_used[i], found_used[j]) = (true, true);
                self.distances.push(distance);
            }
        }
        let clear = |i: usize| truth[i].visible() >= SEEN;
        self.wanted += (0..truth.len()).filter(|i| clear(*i)).count();
        self.found += (0..truth.len())
            .filter(|i| clear(*i) && truth_used[*i])
            .count();
        self.claimed += found.len();
        self.wrong += found_used.iter().filter(|used| !**used).count();
    }
}

/// The `part` quantile; 0 of an empty list.
fn quantile(values: &mut [f32], part: f64) -> f32 {
    values.sort_by(f32::total_cmp);
    let last = values.len().saturating_sub(1);
    values
        .get((part * last as f64).round() as usize)
        .copied()
        .unwrap_or(0.0)
}
