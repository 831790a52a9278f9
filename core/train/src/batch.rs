//! Frames to the tensors of one training step, with all variation.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use vola_types::{Op, Relation};

use crate::phrase_templates::kind_words;
use crate::units::{normalise_point, state_statistics};
use crate::word_noise::{WordNoise, vary};
use crate::{
    AugmentConfig, Frame, FrameSource, ObjectRow, Phrasing, Result, Rng, StepWords, canonical,
    sentence,
};

/// Least visible part of an object that is looked for by name.
const GROUNDED_VISIBLE: f32 = 0.3;
/// Probability that an anchor that should not be trusted is wrong by some centimetres.
const ANCHOR_WRONG: f32 = 0.1;
/// A goal point points at an object nearer than this (m).
const POINTED_AT_M: f32 = 0.03;
/// Points nearer than this are one point (m).
const SAME_POINT_M: f32 = 0.002;

/// Tensors of one step: what the chain reads and what the losses compare with. `batch` is action
/// samples first, grounding samples after them.
pub struct Batch {
    /// Inputs of the chain by tensor name.
    pub inputs: BTreeMap<String, Tensor>,
    /// Normalised steps from row to row, `[batch, horizon, 6]`.
    pub steps: Tensor,
    /// Gripper, 0..1, `[batch, horizon]`.
    pub gripper: Tensor,
    /// 1 where the action counts, `[batch]`.
    pub action_mask: Tensor,
    /// Done and failing, `[batch, 2]`.
    pub progress: Tensor,
    /// 1 for action samples whose done and failing are known, `[batch, 2]`.
    pub progress_mask: Tensor,
    /// Normalised target position, `[batch, 3]`.
    pub target: Tensor,
    /// 1 for action samples whose target is known, `[batch, 1]`.
    pub target_mask: Tensor,
    /// Where attention map 0 shall look, `[batch, cells]`; a row of zeros for no opinion.
    pub attention: Tensor,
    /// 1 for grounding samples, `[batch]`.
    pub grounding_mask: Tensor,
    /// Cosine and sine of four times the turn of the block that is looked at, `[batch, 2]`.
    pub turn: Tensor,
    /// 1 where there is such a block, `[batch, 1]`.
    pub turn_mask: Tensor,
}

/// Makes batches of a source.
pub struct BatchMaker<'a> {
    source: &'a dyn FrameSource,
    grid: [usize; 2],
    augment: Option<AugmentConfig>,
}

/// Growing rows of a batch.
#[derive(Default)]
struct Rows {
    image: Vec<f32>,
    state: Vec<f32>,
    tasks: Vec<String>,
    goals: [Vec<f32>; 2],
    goal_masks: [Vec<f32>; 2],
    embodiment: Vec<i64>,
    anchor: Vec<f32>,
    steps: Vec<f32>,
    gripper: Vec<f32>,
    action_mask: Vec<f32>,
    progress: Vec<f32>,
    progress_mask: Vec<f32>,
    target: Vec<f32>,
    target_mask: Vec<f32>,
    attention: Vec<f32>,
    turn: Vec<f32>,
    turn_mask: Vec<f32>,
}

impl<'a> BatchMaker<'a> {
    /// A maker with variation for training, or without (`augment` none) for validation, where
    /// sentences are canonical and goal points absent. `grid` are the rows and columns of cells.
    #[must_use]
    pub fn new(
        source: &'a dyn FrameSource,
        grid: [usize; 2],
        augment: Option<AugmentConfig>,
    ) -> Self {
        Self {
            source,
            grid,
            augment,
        }
    }

    /// The tensors for action samples of the frames `actions` and grounding samples of `grounding`.
    ///
    /// # Errors
    /// Never for a checked source, unless memory runs out.
    pub fn policy(&self, actions: &[usize], grounding: &[usize], rng: &mut Rng) -> Result<Batch> {
        let mut rows = Rows::default();
        for index in actions {
            self.action_row(&self.source.frame(*index), &mut rows, rng);
        }
        for index in grounding {
            self.grounding_row(&self.source.frame(*index), &mut rows, rng);
        }
        let shape = self.source.shape();
        let count = actions.len() + grounding.len();
        let device = &Device::Cpu;
        let mut inputs = BTreeMap::new();
        let image = Tensor::from_vec(
            std::mem::take(&mut rows.image),
            (count, 3, shape.height, shape.width),
            device,
        )?;
        inputs.insert("observation.images.front".into(), image);
        inputs.insert(
            "observation.state".into(),
            Tensor::from_vec(
                std::mem::take(&mut rows.state),
                (count, shape.state),
                device,
            )?,
        );
        inputs.insert("task".into(), task_tensor(&rows.tasks)?);
        for (i, name) in ["object", "target"].into_iter().enumerate() {
            inputs.insert(
                format!("goal.{name}"),
                Tensor::from_vec(std::mem::take(&mut rows.goals[i]), (count, 3), device)?,
            );
            inputs.insert(
                format!("goal.{name}_mask"),
                Tensor::from_vec(std::mem::take(&mut rows.goal_masks[i]), (count, 1), device)?,
            );
        }
        inputs.insert(
            "embodiment.index".into(),
            Tensor::from_vec(std::mem::take(&mut rows.embodiment), count, device)?,
        );
        inputs.insert(
            "anchor".into(),
            Tensor::from_vec(std::mem::take(&mut rows.anchor), (count, 4), device)?,
        );
        let grounding_mask = (0..count)
            .map(|i| f32::from(u8::from(i >= actions.len())))
            .collect::<Vec<_>>();
        Ok(Batch {
            inputs,
            steps: Tensor::from_vec(rows.steps, (count, shape.horizon, shape.action - 1), device)?,
            gripper: Tensor::from_vec(rows.gripper, (count, shape.horizon), device)?,
            action_mask: Tensor::from_vec(rows.action_mask, count, device)?,
            progress: Tensor::from_vec(rows.progress, (count, 2), device)?,
            progress_mask: Tensor::from_vec(rows.progress_mask, (count, 2), device)?,
            target: Tensor::from_vec(rows.target, (count, 3), device)?,
            target_mask: Tensor::from_vec(rows.target_mask, (count, 1), device)?,
            attention: Tensor::from_vec(
                rows.attention,
                (count, self.grid[0] * self.grid[1]),
                device,
            )?,
            grounding_mask: Tensor::from_vec(grounding_mask, count, device)?,
            turn: Tensor::from_vec(rows.turn, (count, 2), device)?,
            turn_mask: Tensor::from_vec(rows.turn_mask, (count, 1), device)?,
        })
    }

    /// Images alone, `[batch, 3, height, width]`.
    ///
    /// # Errors
    /// Never, unless memory runs out.
    pub fn images(&self, frames: &[usize], rng: &mut Rng) -> Result<Tensor> {
        let shape = self.source.shape();
        let mut image = Vec::with_capacity(frames.len() * shape.image_bytes());
        for index in frames {
            self.image(&self.source.frame(*index), &mut image, rng);
        }
        Ok(Tensor::from_vec(
            image,
            (frames.len(), 3, shape.height, shape.width),
            &Device::Cpu,
        )?)
    }

    /// The source of the frames.
    #[must_use]
    pub fn source(&self) -> &'a dyn FrameSource {
        self.source
    }

    fn action_row(&self, frame: &Frame<'_>, rows: &mut Rows, rng: &mut Rng) {
        self.observation(frame, rows, rng);
        let meta = self.source.episode(frame.episode);
        let (step, op) = (meta.step.as_ref(), meta.step.as_ref().map(|step| step.op));
        let named = step.map(StepWords::named_objects).unwrap_or_default();
        let ambiguous = named.iter().any(|named| twins(frame, *named) > 1);
        let text = match (&self.augment, step) {
            (Some(a), Some(step)) => {
                vary(&sentence(step, Phrasing::Training, rng), word_noise(a), rng)
            }
            (Some(a), None) => vary(&meta.task, word_noise(a), rng),
            (None, Some(step)) => canonical(step),
            (None, None) => meta.task.clone(),
        };
        rows.tasks.push(text);
        let knows = self.goals(frame, ambiguous, step.is_some_and(ends_at_spot), rows, rng);
        self.anchor(frame, op, rows, rng);
        self.actions(frame, rows);
        let known = |label: bool| f32::from(u8::from(label));
        let labels = frame.labels;
        // A failing step has no right action, only the wish that it be noticed.
        rows.action_mask
            .push(known(!(labels.failing && frame.failing > 0.5)));
        rows.progress.extend([frame.done, frame.failing]);
        rows.progress_mask
            .extend([known(labels.done), known(labels.failing)]);
        rows.target_mask.push(known(labels.target));
        rows.target.extend(normalise_point(frame.target_xyz));
        // Words alone cannot tell twins apart; a goal point at the one that is meant can.
        let is_told = !ambiguous || is_pointed_at(frame, op, knows);
        let is_seen = labels.target && frame.target_visible > 0.5 && is_told;
        self.attention(is_seen.then_some(frame.target_uv), rows);
        let looked_at = ObjectRow::all(frame.objects).find(|o| is_at(o, frame.target_xyz));
        let turn = looked_at.filter(|_| is_seen).and_then(|o| o.turn());
        rows.turn(turn);
    }

    fn grounding_row(&self, frame: &Frame<'_>, rows: &mut Rows, rng: &mut Rng) {
        self.observation(frame, rows, rng);
        let objects: Vec<ObjectRow<'_>> = ObjectRow::all(frame.objects)
            .filter(|o| can_be_named(frame, o))
            .collect();
        let chosen = rng.pick(&objects).copied();
        let text = chosen.map(|object| {
            let kind = vola_types::KINDS
                .get(object.kind())
                .copied()
                .unwrap_or("block");
            let noun = rng.pick(kind_words(kind)).copied().unwrap_or(kind);
            let color = object
                .color()
                .and_then(|color| vola_types::COLORS.get(color));
            let phrase = color.map_or(noun.to_string(), |color| format!("{color} {noun}"));
            match &self.augment {
                Some(a) => vary(
                    &phrase,
                    WordNoise {
                        insert: 0.5,
                        ..word_noise(a)
                    },
                    rng,
                ),
                None => phrase,
            }
        });
        rows.tasks.push(text.unwrap_or_default());
        for which in 0..2 {
            rows.goals[which].extend([0.0; 3]);
            rows.goal_masks[which].push(0.0);
        }
        rows.anchor.extend([0.0; 4]);
        self.actions(frame, rows);
        rows.action_mask.push(0.0);
        rows.progress.extend([0.0, 0.0]);
        rows.progress_mask.extend([0.0, 0.0]);
        rows.target.extend([0.0; 3]);
        rows.target_mask.push(0.0);
        self.attention(chosen.and_then(|o| o.place()), rows);
        rows.turn(chosen.and_then(|o| o.turn()));
    }

    /// Image, state and robot.
    fn observation(&self, frame: &Frame<'_>, rows: &mut Rows, rng: &mut Rng) {
        self.image(frame, &mut rows.image, rng);
        let (mean, deviation) = state_statistics();
        let noise = self.augment.map_or(0.0, |a| a.state_noise_m);
        for (i, value) in frame.state.iter().enumerate() {
            let moved = if i < 3 {
                value + noise * rng.normal()
            } else {
                *value
            };
            rows.state
                .push((moved - mean.get(i).unwrap_or(&0.0)) / deviation.get(i).unwrap_or(&1.0));
        }
        rows.embodiment
            .push(self.source.episode(frame.episode).embodiment);
    }

    /// Appends the image in channel order, 0..1, with its colours varied.
    fn image(&self, frame: &Frame<'_>, out: &mut Vec<f32>, rng: &mut Rng) {
        let (gain, offset) = match self.augment {
            Some(a) => (1.0 + a.gain * rng.normal(), a.offset * rng.normal()),
            None => (1.0, 0.0),
        };
        for channel in 0..3 {
            let gain = gain * (1.0 + self.augment.map_or(0.0, |a| a.channel_gain) * rng.normal());
            let mut table = [0.0_f32; 256];
            for (value, to) in table.iter_mut().enumerate() {
                *to = (value as f32 / 255.0 * gain + offset).clamp(0.0, 1.0);
            }
            out.extend(
                frame.image[channel..]
                    .iter()
                    .step_by(3)
                    .map(|byte| table[usize::from(*byte)]),
            );
        }
    }

    /// Goal points: both or none, a little wrong. Which of them are given.
    fn goals(
        &self,
        frame: &Frame<'_>,
        ambiguous: bool,
        at_spot: bool,
        rows: &mut Rows,
        rng: &mut Rng,
    ) -> [bool; 2] {
        let mut knows = [false; 2];
        let given = match self.augment {
            Some(a) if at_spot => ambiguous || !rng.chance(a.spot_drop),
            Some(a) => ambiguous || !rng.chance(a.goal_drop),
            None => false,
        };
        for (which, goal) in [frame.goal_object, frame.goal_target]
            .into_iter()
            .enumerate()
        {
            let present = given && goal[3] > 0.5;
            let mut point = [goal[0], goal[1], goal[2]];
            if let Some(a) = self.augment {
                let wrong = if rng.chance(a.goal_wrong) {
                    0.01 + 0.01 * rng.unit()
                } else {
                    0.0
                };
                let angle = rng.unit() * std::f32::consts::TAU;
                let shift = [wrong * angle.cos(), wrong * angle.sin(), 0.0];
                point = [0, 1, 2].map(|i| point[i] + shift[i] + a.goal_noise_m * rng.normal());
            }
            rows.goals[which].extend(if present {
                normalise_point(point)
            } else {
                [0.0; 3]
            });
            rows.goal_masks[which].push(f32::from(u8::from(present)));
            knows[which] = present;
        }
        knows
    }

    /// The target at the start of the episode, as a robot would have latched it.
    fn anchor(&self, frame: &Frame<'_>, op: Option<Op>, rows: &mut Rows, rng: &mut Rng) {
        let first = self
            .source
            .frame(self.source.frames_of(frame.episode).start);
        let mut point = first.target_xyz;
        let mut valid = f32::from(u8::from(first.labels.target));
        if let Some(a) = self.augment {
            if rng.chance(a.anchor_drop) {
                valid = 0.0;
            }
            // Only moving things along needs the anchor exactly; elsewhere the first look may have
            // been poor, and the policy must go by what it sees now.
            let moves = matches!(op, Some(Op::Push | Op::Open | Op::Close));
            let spread = if !moves && rng.chance(ANCHOR_WRONG) {
                0.03
            } else {
                a.goal_noise_m
            };
            point = point.map(|x| x + spread * rng.normal());
        }
        rows.anchor
            .extend(normalise_point(point).map(|x| x * valid));
        rows.anchor.push(valid);
    }

    /// Cumulative rows to normalised steps; the gripper as it is.
    fn actions(&self, frame: &Frame<'_>, rows: &mut Rows) {
        let width = self.source.shape().action;
        let mut before = vec![0.0; width];
        for row in frame.action.chunks_exact(width) {
            for column in 0..width - 1 {
                let scale = crate::units::ACTION_SCALE.get(column).unwrap_or(&1.0);
                rows.steps.push((row[column] - before[column]) / scale);
            }
            rows.gripper.push(row[width - 1].clamp(0.0, 1.0));
            before.copy_from_slice(row);
        }
    }

    /// A map with its mass on the four cells around an image point.
    fn attention(&self, place: Option<[f32; 2]>, rows: &mut Rows) {
        let [height, width] = self.grid;
        let start = rows.attention.len();
        rows.attention.resize(start + height * width, 0.0);
        let Some([u, v]) = place else { return };
        let x = (u * width as f32 - 0.5).clamp(0.0, width as f32 - 1.001);
        let y = (v * height as f32 - 0.5).clamp(0.0, height as f32 - 1.001);
        let (fx, fy) = (x.fract(), y.fract());
        for (dx, wx) in [(0, 1.0 - fx), (1, fx)] {
            for (dy, wy) in [(0, 1.0 - fy), (1, fy)] {
                let (column, row) = (
                    (x as usize + dx).min(width - 1),
                    (y as usize + dy).min(height - 1),
                );
                rows.attention[start + row * width + column] += wx * wy;
            }
        }
    }
}

impl Rows {
    fn turn(&mut self, turn: Option<[f32; 2]>) {
        self.turn.extend(turn.unwrap_or_default());
        self.turn_mask.push(f32::from(u8::from(turn.is_some())));
    }
}

/// Whether a step ends at a spot on the table that its words leave open.
fn ends_at_spot(step: &StepWords) -> bool {
    let Some(target) = &step.target else {
        return false;
    };
    let beside = !matches!(target.relation, None | Some(Relation::In | Relation::On));
    step.op == Op::Push || beside || target.region.is_some()
}

/// Whether a given goal point lies at the point to look at.
fn is_pointed_at(frame: &Frame<'_>, op: Option<Op>, given: [bool; 2]) -> bool {
    let (goal, given) = match op {
        Some(Op::Place) => (frame.goal_target, given[1]),
        _ => (frame.goal_object, given[0]),
    };
    let off = goal.into_iter().zip(frame.target_xyz);
    let square: f32 = off.map(|(a, b)| (a - b) * (a - b)).sum();
    given && square < POINTED_AT_M * POINTED_AT_M
}

/// Whether an object's centre is at a point.
fn is_at(object: &ObjectRow<'_>, point: [f32; 3]) -> bool {
    let off = object.position().into_iter().zip(point);
    off.map(|(a, b)| (a - b) * (a - b)).sum::<f32>() < SAME_POINT_M * SAME_POINT_M
}

fn word_noise(a: &AugmentConfig) -> WordNoise {
    WordNoise {
        drop: a.word_drop,
        insert: a.word_insert,
        unknown: a.word_unknown,
    }
}

/// Objects of a kind and colour in the frame.
fn twins(frame: &Frame<'_>, (kind, color): (usize, Option<usize>)) -> usize {
    ObjectRow::all(frame.objects)
        .filter(|o| o.kind() == kind && o.color() == color)
        .count()
}

/// Whether an object can be seen and has no twin.
fn can_be_named(frame: &Frame<'_>, object: &ObjectRow<'_>) -> bool {
    object.place().is_some()
        && object.visible() >= GROUNDED_VISIBLE
        && twins(frame, (object.kind(), object.color())) == 1
}

/// Sentences as zero-padded bytes, `[batch, longest]`.
fn task_tensor(tasks: &[String]) -> Result<Tensor> {
    let longest = tasks.iter().map(String::len).max().unwrap_or(0).max(1);
    let mut bytes = vec![0_u8; tasks.len() * longest];
    for (row, task) in bytes.chunks_exact_mut(longest).zip(tasks) {
        row[..task.len()].copy_from_slice(task.as_bytes());
    }
    Ok(Tensor::from_vec(
        bytes,
        (tasks.len(), longest),
        &Device::Cpu,
    )?)
}
