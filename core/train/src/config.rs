//! What to train, on what, and for how long: the TOML file of `vola train`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Result, TrainError};

/// A checked training configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Seed of initialisation, shuffling and augmentation.
    pub seed: u64,
    /// Folders of shards or LeRobot data sets, relative to the current directory.
    pub data: Vec<PathBuf>,
    /// The bundle's `policy.toml`: its stages are trained, and it is copied into the bundle.
    pub policy: PathBuf,
    /// Bundle folder that is written at the end.
    pub out: PathBuf,
    /// Folder for the state to resume from, the loss history and its picture.
    pub work: PathBuf,
    /// Bundle whose weights this training begins with; without it they are drawn by the seed. Words
    /// that it does not know begin as its unknown word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<PathBuf>,
    /// How data folders are made that are not there yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub record: Vec<RecordConfig>,
    /// How long.
    pub budget: Budget,
    /// How many samples at once.
    #[serde(default)]
    pub batch: BatchConfig,
    /// How parameters follow gradients.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
    /// What counts how much.
    #[serde(default)]
    pub loss: LossConfig,
    /// How samples are varied.
    #[serde(default)]
    pub augment: AugmentConfig,
}

/// Demonstrations to record into a data folder that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordConfig {
    /// One of the folders in `data`.
    pub folder: PathBuf,
    /// Episodes to try; those that do not reach their goal are dropped.
    pub episodes: usize,
    /// Seed of the first scene.
    pub seed: u64,
    /// Ids of the embodiments, taken in turn; without them the deployment's.
    #[serde(default)]
    pub arms: Vec<String>,
    /// Tasks, taken in turn; without them all. One that is named twice comes twice as often.
    #[serde(default)]
    pub tasks: Vec<String>,
    /// Whether the policy drives and the expert says what it would have done.
    #[serde(default)]
    pub corrections: bool,
}

/// End of a training: exactly one of `minutes` and `steps`. The learning rate spans it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Training time in minutes, without loading; time before a resume counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<f64>,
    /// Optimiser steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Minutes between saved states.
    #[serde(default = "five")]
    pub checkpoint_minutes: f64,
    /// Steps between validations; one always comes at the end.
    #[serde(default = "two_thousand")]
    pub validate_every: u64,
}

fn five() -> f64 {
    5.0
}

fn two_thousand() -> u64 {
    2000
}

impl Budget {
    /// Part of the budget that is used up, 0..1.
    #[must_use]
    pub fn progress(&self, step: u64, seconds: f64) -> f64 {
        let part = match (self.steps, self.minutes) {
            (Some(steps), _) => step as f64 / steps.max(1) as f64,
            (None, Some(minutes)) => seconds / (minutes * 60.0),
            (None, None) => 1.0,
        };
        if part.is_finite() {
            part.clamp(0.0, 1.0)
        } else {
            1.0
        }
    }
}

/// Sizes of batches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchConfig {
    /// Worker threads; each has its own batch and gradients are averaged.
    pub threads: usize,
    /// Action samples of one worker in a step; 0 leaves the policy stages untrained.
    pub size: usize,
    /// Grounding samples of one worker in a step.
    pub grounding: usize,
    /// Images of one worker in a scene step; 0 leaves the scene stages untrained.
    pub scene: usize,
    /// Part of them that show an object a block's height above the table: towers are rare among
    /// demonstrations, and a tower that is not seen is built again.
    pub scene_raised: f32,
    /// Every how many steps the scene stages are trained too.
    pub scene_every: u64,
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            threads: 2,
            size: 16,
            grounding: 8,
            scene: 12,
            scene_raised: 0.4,
            scene_every: 4,
        }
    }
}

/// AdamW with warm-up, cosine and an average of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Decoupled decay of matrices (not of biases).
    pub weight_decay: f64,
    /// Steps over which the rate rises.
    pub warmup_steps: u64,
    /// Part of the highest rate that is left at the end.
    pub final_fraction: f64,
    /// Largest norm of the gradient, for policy and scene each.
    pub clip: f64,
    /// Decay of the averaged weights, which are what the bundle gets.
    pub ema: f64,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1.5e-3,
            beta1: 0.9,
            beta2: 0.99,
            weight_decay: 0.01,
            warmup_steps: 200,
            final_fraction: 0.02,
            clip: 1.0,
            ema: 0.998,
        }
    }
}

/// Weights of the parts of the loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossConfig {
    /// Distance of action steps.
    pub action: f64,
    /// Gripper.
    pub gripper: f64,
    /// Done.
    pub done: f64,
    /// Failing.
    pub failing: f64,
    /// Target position, per 10 cm.
    pub target: f64,
    /// Turn of the block that is looked at.
    pub turn: f64,
    /// Attention map 0 on the target's pixel.
    pub attention: f64,
    /// The same for any named object.
    pub grounding: f64,
    /// Scene: centres.
    pub scene_heat: f64,
    /// Scene: colours.
    pub scene_color: f64,
    /// Scene: positions, per 15 cm.
    pub scene_position: f64,
    /// Scene: openness of drawers.
    pub scene_extra: f64,
    /// Part of the samples that each action network sees.
    pub head_share: f32,
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            action: 1.5,
            gripper: 0.3,
            done: 0.2,
            failing: 0.1,
            target: 1.0,
            turn: 0.3,
            attention: 0.2,
            grounding: 0.3,
            scene_heat: 1.0,
            scene_color: 0.5,
            scene_position: 2.0,
            scene_extra: 0.3,
            head_share: 0.75,
        }
    }
}

/// Random variation of samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Deviation of each colour channel's gain.
    pub channel_gain: f32,
    /// Deviation of the common gain.
    pub gain: f32,
    /// Deviation of the common offset, of 1.
    pub offset: f32,
    /// Deviation of the measured tool position (m).
    pub state_noise_m: f32,
    /// Probability that a sample has no goal points.
    pub goal_drop: f32,
    /// The same for steps that end at a spot on the table (regions, relations, pushes), which
    /// words leave open.
    pub spot_drop: f32,
    /// Deviation of goal points and anchor (m).
    pub goal_noise_m: f32,
    /// Probability that a goal point is wrong by 1 to 2 cm.
    pub goal_wrong: f32,
    /// Probability that the anchor is not valid.
    pub anchor_drop: f32,
    /// Probability that a filler word is dropped.
    pub word_drop: f32,
    /// Probability of each further filler word.
    pub word_insert: f32,
    /// Probability of an unknown word.
    pub word_unknown: f32,
}

impl Default for AugmentConfig {
    fn default() -> Self {
        Self {
            channel_gain: 0.05,
            gain: 0.1,
            offset: 0.03,
            state_noise_m: 0.0015,
            goal_drop: 0.5,
            spot_drop: 0.2,
            goal_noise_m: 0.003,
            goal_wrong: 0.05,
            anchor_drop: 0.15,
            word_drop: 0.3,
            word_insert: 0.35,
            word_unknown: 0.1,
        }
    }
}

impl TrainConfig {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// An unreadable file, an unknown key, or a number out of range; the message names the key.
    pub fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(TrainError::io(path))?;
        Self::parse(&text, path)
    }

    /// Reads and checks the text of a file; `path` is only for messages.
    ///
    /// # Errors
    /// As [`TrainConfig::open`].
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        const HELP: &str = "see configs/train/tabletop.toml for every key";
        let fail = |key: &str, reason: String| TrainError::Config {
            path: path.to_path_buf(),
            key: key.to_string(),
            reason,
            help: HELP,
        };
        let table: toml::Table =
            toml::from_str(text).map_err(|e| fail("(whole file)", e.to_string()))?;
        // Each section on its own first, so that a message can name it.
        section::<Vec<RecordConfig>>(&table, "record").map_err(|e| fail("record", e))?;
        section::<Budget>(&table, "budget").map_err(|e| fail("budget", e))?;
        section::<BatchConfig>(&table, "batch").map_err(|e| fail("batch", e))?;
        section::<OptimizerConfig>(&table, "optimizer").map_err(|e| fail("optimizer", e))?;
        section::<LossConfig>(&table, "loss").map_err(|e| fail("loss", e))?;
        section::<AugmentConfig>(&table, "augment").map_err(|e| fail("augment", e))?;
        let config: Self = table
            .try_into()
            .map_err(|e: toml::de::Error| fail("(top level)", e.message().to_string()))?;
        match config.fault() {
            Some((key, reason)) => Err(fail(key, reason)),
            None => Ok(config),
        }
    }

    /// The first number out of range: key path and reason.
    fn fault(&self) -> Option<(&'static str, String)> {
        let (b, o, l, a) = (&self.batch, &self.optimizer, &self.loss, &self.augment);
        let budget = &self.budget;
        if self.data.is_empty() {
            return Some(("data", "expected at least one folder, got none".into()));
        }
        if budget.minutes.is_some() == budget.steps.is_some() {
            return Some((
                "budget",
                "expected exactly one of `minutes` and `steps`".into(),
            ));
        }
        if let Some(stray) = self.record.iter().find(|r| !self.data.contains(&r.folder)) {
            return Some((
                "record.folder",
                format!(
                    "expected one of the folders in `data`, got {}",
                    stray.folder.display()
                ),
            ));
        }
        let numbers: [(&'static str, f64, f64, f64); 37] = [
            ("budget.minutes", budget.minutes.unwrap_or(1.0), 0.01, 1e5),
            ("budget.steps", budget.steps.unwrap_or(1) as f64, 1.0, 1e9),
            (
                "budget.checkpoint_minutes",
                budget.checkpoint_minutes,
                0.01,
                1e5,
            ),
            (
                "budget.validate_every",
                budget.validate_every as f64,
                1.0,
                1e9,
            ),
            ("batch.threads", b.threads as f64, 1.0, 64.0),
            ("batch.size", b.size as f64, 0.0, 1024.0),
            ("batch.grounding", b.grounding as f64, 0.0, 1024.0),
            ("batch.scene", b.scene as f64, 0.0, 1024.0),
            ("batch.scene_raised", f64::from(b.scene_raised), 0.0, 1.0),
            ("batch.scene_every", b.scene_every as f64, 1.0, 1e6),
            ("optimizer.learning_rate", o.learning_rate, 1e-8, 1.0),
            ("optimizer.beta1", o.beta1, 0.0, 0.9999),
            ("optimizer.beta2", o.beta2, 0.0, 0.99999),
            ("optimizer.weight_decay", o.weight_decay, 0.0, 1.0),
            ("optimizer.final_fraction", o.final_fraction, 0.0, 1.0),
            ("optimizer.clip", o.clip, 1e-6, 1e6),
            ("optimizer.ema", o.ema, 0.0, 0.99999),
            ("loss.action", l.action, 0.0, 1e3),
            ("loss.gripper", l.gripper, 0.0, 1e3),
            ("loss.done", l.done, 0.0, 1e3),
            ("loss.failing", l.failing, 0.0, 1e3),
            ("loss.target", l.target, 0.0, 1e3),
            ("loss.turn", l.turn, 0.0, 1e3),
            ("loss.attention", l.attention, 0.0, 1e3),
            ("loss.grounding", l.grounding, 0.0, 1e3),
            ("loss.head_share", f64::from(l.head_share), 0.1, 1.0),
            ("augment.channel_gain", f64::from(a.channel_gain), 0.0, 1.0),
            ("augment.gain", f64::from(a.gain), 0.0, 1.0),
            ("augment.offset", f64::from(a.offset), 0.0, 1.0),
            (
                "augment.state_noise_m",
                f64::from(a.state_noise_m),
                0.0,
                0.1,
            ),
            ("augment.goal_drop", f64::from(a.goal_drop), 0.0, 1.0),
            ("augment.spot_drop", f64::from(a.spot_drop), 0.0, 1.0),
            ("augment.goal_noise_m", f64::from(a.goal_noise_m), 0.0, 0.1),
            ("augment.goal_wrong", f64::from(a.goal_wrong), 0.0, 1.0),
            ("augment.anchor_drop", f64::from(a.anchor_drop), 0.0, 1.0),
            ("augment.word_drop", f64::from(a.word_drop), 0.0, 1.0),
            ("augment.word_insert", f64::from(a.word_insert), 0.0, 0.9),
        ];
        let scene = [l.scene_heat, l.scene_color, l.scene_position, l.scene_extra];
        if !scene.iter().all(|w| (0.0..=1e3).contains(w)) {
            return Some((
                "loss.scene_heat, scene_color, scene_position, scene_extra",
                format!("expected 0 to 1000, got {scene:?}"),
            ));
        }
        // A positive test, so that NaN fails.
        numbers
            .into_iter()
            .find(|(_, value, low, high)| !(*low..=*high).contains(value))
            .map(|(key, value, low, high)| (key, format!("expected {low} to {high}, got {value}")))
    }
}

/// Reads one section alone, if it is there.
fn section<'de, T: Deserialize<'de>>(
    table: &toml::Table,
    key: &str,
) -> std::result::Result<(), String> {
    match table.get(key) {
        Some(value) => T::deserialize(value.clone())
            .map(drop)
            .map_err(|e| e.message().to_string()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "seed = 1\ndata = [\"d\"]\npolicy = \"p.toml\"\nout = \"o\"\nwork = \"w\"\n[budget]\nsteps = 10\n";

    #[test]
    fn defaults_fill_what_is_left_out() {
        let config = TrainConfig::parse(GOOD, Path::new("x.toml")).unwrap();
        assert_eq!(config.optimizer, OptimizerConfig::default());
        assert_eq!(
            (
                config.budget.progress(5, 1e9),
                config.budget.progress(20, 0.0)
            ),
            (0.5, 1.0)
        );
    }

    #[test]
    fn faults_name_their_key() {
        for (from, to, words) in [
            (
                "steps = 10",
                "steps = 10\nminutes = 3",
                ["budget", "exactly one"],
            ),
            ("steps = 10", "minutes = nan", ["budget.minutes", "NaN"]),
            (
                "steps = 10",
                "step = 10",
                ["budget", "unknown field `step`"],
            ),
            (
                "seed = 1",
                "seeed = 1",
                ["top level", "unknown field `seeed`"],
            ),
            (
                "steps = 10",
                "steps = 10\n[optimizer]\nclip = 0.0",
                ["optimizer.clip", "got 0"],
            ),
            (
                "steps = 10",
                "steps = 10\n[batch]\nthreads = \"two\"",
                ["batch", "invalid type"],
            ),
            ("data = [\"d\"]", "data = []", ["data", "at least one"]),
        ] {
            let message = TrainConfig::parse(&GOOD.replace(from, to), Path::new("x.toml"))
                .unwrap_err()
                .to_string();
            assert!(
                message.starts_with("x.toml: ") && words.iter().all(|w| message.contains(w)),
                "{message}"
            );
        }
    }
}
