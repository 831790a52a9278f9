//! From an observation to the stage inputs.
//!
//! The bundle's list of steps is compiled once into one lane for each feature
//! that a stage reads; a lane knows its source, its steps and its buffers, so
//! that a step on the policy thread allocates nothing once the buffers have
//! grown. Running the list step by step over a map of tensors would be shorter
//! and would allocate and look up names for every picture.

mod image;
mod lane;
mod state_map;

use vola_types::names;

use crate::error::BundleError;
use crate::flat_tensor::{FlatTensor, TensorRoom};
use crate::manifest::{EmbodimentBinding, Manifest};
use crate::observation::Observation;
use crate::stats::Statistics;

use lane::Lane;
use state_map::StateMap;

pub(crate) use state_map::read_state;

/// Turns observations into the tensors that the stages read.
///
/// # Shapes
/// With a leading batch dimension of 1: pictures f32 `[1, 3, height, width]`,
/// `observation.state` f32 `[1, n]` in the order of the bundle, `task` u8
/// `[1, bytes]`, goal points f32 `[1, 3]` (zeros when absent) with masks
/// f32 `[1, 1]`, `embodiment.index` i64 `[1]`; with a `history` step
/// `[1, length, …]`, oldest first.
///
/// # Timing
/// Runs on the policy thread; allocates while its buffers grow, and in a
/// `resize` step a small table of weights.
#[derive(Debug)]
pub struct Preprocessor {
    embodiment: EmbodimentBinding,
    state: StateMap,
    lanes: Vec<Lane>,
    outputs: Vec<FlatTensor>,
}

impl Preprocessor {
    /// Compiles the manifest's steps for one robot, for the features that any
    /// stage reads.
    ///
    /// # Errors
    /// When a statistic that a step needs is missing.
    pub fn new(
        manifest: &Manifest,
        embodiment: &EmbodimentBinding,
        statistics: Option<&Statistics>,
    ) -> Result<Self, BundleError> {
        let all: Vec<usize> = manifest.graph().order().to_vec();
        Self::for_stages(manifest, embodiment, statistics, &all)
    }

    /// As [`new`](Self::new), for the features that these stages read.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn for_stages(
        manifest: &Manifest,
        embodiment: &EmbodimentBinding,
        statistics: Option<&Statistics>,
        stages: &[usize],
    ) -> Result<Self, BundleError> {
        let mut lanes = Vec::new();
        let mut outputs = Vec::new();
        for feature in manifest.graph().features_of(stages) {
            let Some(lane) = Lane::compile(feature, manifest.preprocess(), embodiment, statistics)?
            else {
                // Another robot of the bundle has this feature; this one's
                // stages do not read it, or the manifest was refused.
                continue;
            };
            outputs.push(FlatTensor::new(feature, lane.dtype()));
            lanes.push(lane);
        }
        Ok(Self {
            embodiment: embodiment.clone(),
            state: StateMap::default(),
            lanes,
            outputs,
        })
    }

    /// Makes the stage inputs of one observation. The result lives until the
    /// next call.
    ///
    /// # Errors
    /// When a camera or state name is missing, a picture has another size, or
    /// a number is not finite. Nothing is remembered of a refused observation.
    pub fn run(&mut self, observation: &Observation<'_>) -> Result<&[FlatTensor], BundleError> {
        let reads_state = self.lanes.iter().any(Lane::reads_state);
        if reads_state {
            self.state
                .read(self.embodiment.state().names(), observation.state)?;
        }
        for lane in &mut self.lanes {
            lane.load(observation, self.state.values(), &self.embodiment)?;
        }
        for (lane, output) in self.lanes.iter_mut().zip(&mut self.outputs) {
            lane.write(output);
        }
        Ok(&self.outputs)
    }

    /// Keeps tensors that lie in memory of this process in other memory from now
    /// on; `room` gives it for a number of bytes, or nothing. Called again where
    /// a tensor has outgrown its memory.
    pub fn keep_outputs_in(&mut self, mut room: impl FnMut(usize) -> Option<Box<dyn TensorRoom>>) {
        for output in self.outputs.iter_mut().filter(|output| !output.is_lent()) {
            if let Some(room) = room(output.bytes().len()) {
                output.keep_in(room);
            }
        }
    }

    /// The tensors of the last call.
    #[must_use]
    pub fn outputs(&self) -> &[FlatTensor] {
        &self.outputs
    }

    /// A tensor of the last call by name.
    #[must_use]
    pub fn output(&self, name: &str) -> Option<&FlatTensor> {
        self.outputs.iter().find(|tensor| tensor.name() == name)
    }

    /// Forgets all observations, as at the start of an episode: the next one
    /// fills every `history`.
    pub fn reset(&mut self) {
        for lane in &mut self.lanes {
            lane.forget();
        }
    }

    /// Observations that the longest `history` step stacks; 1 without any.
    #[must_use]
    pub fn history(&self) -> usize {
        self.lanes.iter().map(Lane::history).max().unwrap_or(1)
    }

    /// The observation's name of a stage input, before any `rename` step, as in
    /// `observation.images.front`; none when no stage reads it.
    #[must_use]
    pub fn source_of(&self, feature: &str) -> Option<String> {
        let index = self
            .outputs
            .iter()
            .position(|tensor| tensor.name() == feature)?;
        self.lanes
            .get(index)
            .map(|lane| lane.source_name(&self.embodiment))
    }

    /// Camera keys that the stages read, in the order of the outputs.
    #[must_use]
    pub fn cameras(&self) -> Vec<&str> {
        let keys = self.lanes.iter().filter_map(Lane::camera);
        keys.filter_map(|index| self.embodiment.cameras().get(index).map(|one| one.key()))
            .collect()
    }
}

/// The name of a camera's feature.
fn image_name(key: &str) -> String {
    format!("{}{key}", names::IMAGES)
}

#[cfg(test)]
mod tests;
