//! From a head's output to a checked action chunk.
//!
//! A chunk is taken or refused as a whole: a row that is dropped because it is
//! not finite would leave the rows after it without the motion they continue.

use vola_types::DType;

use crate::action_chunk::{ActionChunk, NormalisedChunk, RawChunk, settle_row};
use crate::error::BundleError;
use crate::flat_tensor::f32_values;
use crate::manifest::{ActionContract, EmbodimentBinding, Manifest, NormaliseMode, PostStep};
use crate::normalise::Normaliser;
use crate::observation::StateVector;
use crate::preprocess::read_state;
use crate::stats::Statistics;

/// Greatest magnitude of an action in any unit (m, rad, degrees, encoder steps).
const MAX_PHYSICAL: f64 = 1e5;

/// Checks chunks and makes them physical.
///
/// # Timing
/// Runs on the policy thread; allocates the chunks it returns.
#[derive(Clone, Debug)]
pub struct Postprocessor {
    action: ActionContract,
    normaliser: Normaliser,
    absolute: Vec<Absolute>,
    /// Gripper values below the first close, above the second open; none where any
    /// width is meant.
    gripper_decides: Option<[f64; 2]>,
}

/// Columns to which state values are added.
#[derive(Clone, Debug)]
struct Absolute {
    columns: Vec<usize>,
    state: Vec<String>,
}

/// The moment a chunk was made from.
#[derive(Clone, Copy, Debug)]
pub struct ChunkOrigin<'a> {
    /// Capture time of the observation (ns).
    pub observation_time_ns: u64,
    /// State of that observation, as measured.
    pub state: StateVector<'a>,
}

impl Postprocessor {
    /// Compiles the manifest's steps for one robot.
    ///
    /// # Errors
    /// When the statistics that `denormalise` needs are missing.
    pub fn new(
        manifest: &Manifest,
        embodiment: &EmbodimentBinding,
        statistics: Option<&Statistics>,
    ) -> Result<Self, BundleError> {
        let action = embodiment.action().clone();
        let mut normaliser = Normaliser::identity(action.dim());
        let mut absolute = Vec::new();
        let mut gripper_decides = None;
        for step in manifest.postprocess() {
            match step {
                PostStep::Denormalise { mode, stats } => {
                    normaliser = Normaliser::new(*mode, statistics, stats, action.dim())?;
                    if *mode != NormaliseMode::Identity
                        && let Some(statistics) = statistics
                    {
                        statistics.check_names(stats, action.names())?;
                    }
                }
                PostStep::DecideGripper {
                    close_below,
                    open_above,
                } => gripper_decides = Some([*close_below, *open_above]),
                PostStep::ToAbsolute { names, state } => {
                    let column = |name: &String| action.names().iter().position(|n| n == name);
                    let columns = names.iter().filter_map(column).collect();
                    absolute.push(Absolute {
                        columns,
                        state: state.clone(),
                    });
                }
            }
        }
        Ok(Self {
            action,
            normaliser,
            absolute,
            gripper_decides,
        })
    }

    /// The action normaliser, for ensembling and for training targets.
    #[must_use]
    pub fn normaliser(&self) -> &Normaliser {
        &self.normaliser
    }

    /// What a row means.
    #[must_use]
    pub fn action(&self) -> &ActionContract {
        &self.action
    }

    /// Checks type, shape and finiteness.
    ///
    /// # Errors
    /// Names the stage, and for a number that is not finite its sample, row
    /// and column; the whole chunk is refused.
    pub fn check(&self, raw: &RawChunk<'_>) -> Result<NormalisedChunk, BundleError> {
        if raw.dtype != DType::F32 {
            return Err(BundleError::ChunkType {
                stage: raw.stage.to_owned(),
                tensor: raw.tensor.to_owned(),
                expected: DType::F32,
                got: raw.dtype,
            });
        }
        let (horizon, dim) = (self.action.horizon(), self.action.dim());
        let samples = match *raw.shape {
            [1, rows, columns] if rows == horizon && columns == dim => 1,
            [1, samples, rows, columns] if rows == horizon && columns == dim => samples,
            _ => 0,
        };
        let expected_bytes = samples.checked_mul(horizon * dim * 4);
        if samples == 0 || expected_bytes != Some(raw.bytes.len()) {
            return Err(BundleError::ChunkShape {
                stage: raw.stage.to_owned(),
                tensor: raw.tensor.to_owned(),
                expected: format!("[1, samples ≥ 1, {horizon}, {dim}]"),
                got: raw.shape.to_vec(),
                bytes: raw.bytes.len(),
            });
        }
        let values: Vec<f64> = f32_values(raw.bytes).map(f64::from).collect();
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            let column = index % dim;
            return Err(BundleError::ChunkNotFinite {
                stage: raw.stage.to_owned(),
                tensor: raw.tensor.to_owned(),
                sample: index / (horizon * dim),
                row: (index / dim) % horizon,
                dim: column,
                name: self.action.names().get(column).cloned().unwrap_or_default(),
                value: values.get(index).copied().unwrap_or(f64::NAN),
            });
        }
        Ok(NormalisedChunk {
            samples,
            horizon,
            dim,
            values,
        })
    }

    /// Makes normalised rows (`[rows, dim]`, row-major) physical: denormalised,
    /// made absolute, the gripper decided and clamped to 0..1, quaternions of unit length
    /// with w ≥ 0. `stage` is for messages.
    ///
    /// # Errors
    /// When rows have another width, a result is not finite, a quaternion is
    /// no rotation, or `to_absolute` lacks a state value.
    pub fn finish(
        &self,
        normalised: &[f64],
        origin: &ChunkOrigin<'_>,
        stage: &str,
    ) -> Result<ActionChunk, BundleError> {
        let dim = self.action.dim();
        if normalised.is_empty() || !normalised.len().is_multiple_of(dim) {
            return Err(BundleError::Length {
                what: format!("stage `{stage}`: action rows of {dim} columns"),
                expected: self.action.horizon() * dim,
                got: normalised.len(),
            });
        }
        let mut rows: Vec<f64> = normalised
            .iter()
            .enumerate()
            .map(|(index, value)| self.normaliser.backward(index % dim, *value))
            .collect();
        for absolute in &self.absolute {
            let state = read_state(&absolute.state, origin.state)?;
            for row in rows.chunks_exact_mut(dim) {
                for (&column, value) in absolute.columns.iter().zip(&state) {
                    if let Some(target) = row.get_mut(column) {
                        *target += value;
                    }
                }
            }
        }
        for (index, row) in rows.chunks_exact_mut(dim).enumerate() {
            self.finish_row(index, row, stage)?;
        }
        Ok(ActionChunk {
            space: self.action.space(),
            has_gripper: self.action.has_gripper(),
            dim,
            period_ns: self.action.period_ns(),
            observation_time_ns: origin.observation_time_ns,
            rows,
        })
    }

    /// Checks a raw chunk and makes every sample physical.
    ///
    /// # Errors
    /// As [`check`](Self::check) and [`finish`](Self::finish).
    pub fn run(
        &self,
        raw: &RawChunk<'_>,
        origin: &ChunkOrigin<'_>,
    ) -> Result<Vec<ActionChunk>, BundleError> {
        let chunk = self.check(raw)?;
        (0..chunk.samples())
            .map(|i| self.finish(chunk.sample(i), origin, raw.stage))
            .collect()
    }

    fn finish_row(&self, index: usize, row: &mut [f64], stage: &str) -> Result<(), BundleError> {
        // A finite number can overflow when it is denormalised. One that is beyond
        // every unit would be refused later as well, but not before a person was
        // asked about it.
        let is_a_number = |value: &f64| value.abs() <= MAX_PHYSICAL;
        if let Some(column) = row.iter().position(|value| !is_a_number(value)) {
            return Err(BundleError::ChunkNotFinite {
                stage: stage.to_owned(),
                tensor: "action (denormalised)".to_owned(),
                sample: 0,
                row: index,
                dim: column,
                name: self.action.names().get(column).cloned().unwrap_or_default(),
                value: row.get(column).copied().unwrap_or(f64::NAN),
            });
        }
        if let Some([close_below, open_above]) = self.gripper_decides
            && let Some(gripper) = row.last_mut()
        {
            *gripper = match *gripper {
                value if value < close_below => 0.0,
                value if value > open_above => 1.0,
                value => value,
            };
        }
        settle_row(row, self.action.space(), self.action.has_gripper()).map_err(|length| {
            BundleError::ChunkRotation {
                stage: stage.to_owned(),
                row: index,
                length,
            }
        })
    }
}

#[cfg(test)]
mod tests;
