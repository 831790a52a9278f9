//! Averages overlapping chunks, row by row.
//!
//! Several chunks say something about one moment. The row executed then is
//! their mean with weights exp(−m·i), i = 0 for the oldest, on normalised
//! actions. Rows belong together by their absolute time, not by their place in
//! the chunk, so chunks may come at any interval. Rows of displacement spaces
//! count from the state of their own observation; they are moved to the newest
//! chunk's before they are averaged, since a sum of displacements from
//! different places means nothing.
//!
//! # Source
//! Temporal ensembling of ACT (Zhao et al. 2023, section 4), as in LeRobot.

use std::collections::VecDeque;

use vola_types::ActionSpace;

use crate::action_chunk::row_time_ns;
use crate::error::BundleError;
use crate::manifest::ActionContract;
use crate::normalise::Normaliser;
use crate::rotation;

/// From where the rows of a chunk count.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    /// Rows are targets themselves (positions, poses, velocities).
    Absolute,
    /// Rows are displacements from these joint positions (rad, m), in the order
    /// of the action columns without the gripper.
    Joints(Vec<f64>),
    /// Rows are displacements from this tool pose in the base frame.
    Tool {
        /// Position (m).
        position: [f64; 3],
        /// Unit quaternion x, y, z, w.
        orientation: [f64; 4],
    },
}

/// Overlapping chunks of one policy.
#[derive(Clone, Debug)]
pub struct Ensembler {
    action: ActionContract,
    normaliser: Normaliser,
    decay: f64,
    chunks: VecDeque<Held>,
}

#[derive(Clone, Debug)]
struct Held {
    observation_time_ns: u64,
    rows: Vec<f64>,
    reference: Reference,
}

/// The averaged rows that are still to come.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensembled {
    /// Rows, `[n, dim]` row-major, normalised; displacements count from the
    /// newest chunk's reference. Row 0 belongs to the newest observation time
    /// + 1 / rate, as in the newest chunk.
    pub rows: Vec<f64>,
    /// Chunks that took part in each row.
    pub counts: Vec<usize>,
}

impl Ensembler {
    /// An empty ensembler; `decay` is m in exp(−m·i), finite.
    ///
    /// # Errors
    /// When the decay is not finite.
    pub fn new(
        action: ActionContract,
        normaliser: Normaliser,
        decay: f64,
    ) -> Result<Self, BundleError> {
        if !decay.is_finite() {
            let what = "execution.ensemble_decay".to_owned();
            return Err(BundleError::InputNotFinite { what, value: decay });
        }
        Ok(Self {
            action,
            normaliser,
            decay,
            chunks: VecDeque::new(),
        })
    }

    /// Forgets all chunks, as at the start of a primitive.
    pub fn reset(&mut self) {
        self.chunks.clear();
    }

    /// Adds a chunk of normalised rows (`[n, dim]`, row-major) and averages it
    /// with the older ones.
    ///
    /// # Errors
    /// When the rows or the reference do not fit the action space, or the
    /// chunk is older than the last one.
    pub fn push(
        &mut self,
        rows: &[f64],
        observation_time_ns: u64,
        reference: Reference,
    ) -> Result<Ensembled, BundleError> {
        self.check(rows, observation_time_ns, &reference)?;
        let (period, dim) = (self.action.period_ns(), self.action.dim().max(1));
        let first = row_time_ns(observation_time_ns, period, 0).saturating_sub(period / 2);
        self.chunks.retain(|old| {
            let last = (old.rows.len() / dim).saturating_sub(1);
            row_time_ns(old.observation_time_ns, period, last) >= first
        });
        self.chunks.push_back(Held {
            observation_time_ns,
            rows: rows.to_vec(),
            reference,
        });
        Ok(self.average())
    }

    fn check(
        &self,
        rows: &[f64],
        observation_time_ns: u64,
        reference: &Reference,
    ) -> Result<(), BundleError> {
        let dim = self.action.dim();
        if rows.is_empty() || !rows.len().is_multiple_of(dim) {
            let what = format!("ensemble: rows of {dim} columns");
            let expected = self.action.horizon() * dim;
            return Err(BundleError::Length {
                what,
                expected,
                got: rows.len(),
            });
        }
        let body = dim - usize::from(self.action.has_gripper());
        let wrong = match (self.action.space(), reference) {
            (ActionSpace::JointDelta, Reference::Joints(joints)) => (joints.len(), body),
            (ActionSpace::JointDelta, _) => (0, body),
            (ActionSpace::ToolDelta, Reference::Tool { .. }) => (1, 1),
            (ActionSpace::ToolDelta, _) => (0, 1),
            (_, Reference::Absolute) => (0, 0),
            (_, _) => (1, 0),
        };
        if wrong.0 != wrong.1 {
            let what = format!("ensemble: reference of `{}` rows", self.action.space());
            return Err(BundleError::Length {
                what,
                expected: wrong.1,
                got: wrong.0,
            });
        }
        if let Some(last) = self.chunks.back()
            && last.observation_time_ns >= observation_time_ns
        {
            return Err(BundleError::OutOfOrder {
                last_ns: last.observation_time_ns,
                got_ns: observation_time_ns,
            });
        }
        Ok(())
    }

    fn average(&self) -> Ensembled {
        let Some(newest) = self.chunks.back() else {
            return Ensembled {
                rows: Vec::new(),
                counts: Vec::new(),
            };
        };
        let dim = self.action.dim();
        let mut out = Ensembled {
            rows: Vec::with_capacity(newest.rows.len()),
            counts: Vec::new(),
        };
        for index in 0..newest.rows.len() / dim {
            let time = row_time_ns(newest.observation_time_ns, self.action.period_ns(), index);
            let mut sum = vec![0.0; dim];
            let (mut total, mut count) = (0.0, 0usize);
            for held in &self.chunks {
                let Some(row) = self.row_at(held, time) else {
                    continue;
                };
                #[allow(clippy::cast_precision_loss, reason = "a handful of chunks")]
                let weight = (-self.decay * count as f64).exp();
                let row = self.moved(row, &held.reference, &newest.reference);
                for (sum, value) in sum.iter_mut().zip(row) {
                    *sum += weight * value;
                }
                total += weight;
                count += 1;
            }
            out.rows.extend(sum.iter().map(|value| value / total));
            out.counts.push(count);
        }
        out
    }

    /// The row of a chunk that belongs to a moment, within half a period.
    fn row_at<'a>(&self, held: &'a Held, time_ns: u64) -> Option<&'a [f64]> {
        let period = self.action.period_ns().max(1);
        let since = time_ns.checked_sub(held.observation_time_ns)?;
        let place = (since + period / 2) / period;
        let index = usize::try_from(place.checked_sub(1)?).ok()?;
        held.rows.chunks_exact(self.action.dim()).nth(index)
    }

    /// A normalised row that counts from `to` instead of `from`.
    fn moved(&self, row: &[f64], from: &Reference, to: &Reference) -> Vec<f64> {
        let mut moved = row.to_vec();
        let shift = |moved: &mut [f64], column: usize, by: f64| {
            if let Some(value) = moved.get_mut(column) {
                let physical = self.normaliser.backward(column, *value) + by;
                *value = self.normaliser.forward(column, physical);
            }
        };
        match (from, to) {
            _ if from == to => {}
            (Reference::Joints(from), Reference::Joints(to)) => {
                for (column, (from, to)) in from.iter().zip(to).enumerate() {
                    shift(&mut moved, column, from - to);
                }
            }
            (
                Reference::Tool {
                    position: from_p,
                    orientation: from_q,
                },
                Reference::Tool {
                    position: to_p,
                    orientation: to_q,
                },
            ) => {
                for (column, (from, to)) in from_p.iter().zip(to_p).enumerate() {
                    shift(&mut moved, column, from - to);
                }
                let turn = [3, 4, 5].map(|column| {
                    self.normaliser
                        .backward(column, row.get(column).copied().unwrap_or(0.0))
                });
                let target = rotation::compose(rotation::from_vector(turn), *from_q);
                let turn = rotation::to_vector(rotation::compose(target, rotation::inverse(*to_q)));
                for (offset, value) in turn.iter().enumerate() {
                    if let Some(target) = moved.get_mut(3 + offset) {
                        *target = self.normaliser.forward(3 + offset, *value);
                    }
                }
            }
            _ => {}
        }
        moved
    }
}

#[cfg(test)]
mod tests;
