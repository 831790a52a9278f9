//! A policy without a robot: recorded observations in, action chunks out.

use std::path::{Path, PathBuf};

use vola_abi::{CallContext, TensorAbi};
use vola_bundle::{ActionChunk, Bundle, EmbodimentBinding, FlatTensor, HeadSnapshot, Observation};
use vola_types::{DType, PluginId};

use crate::{
    CallWatch, Detection, PluginOptions, PluginRegistry, PluginRules, RuntimeError,
    policy::{NamedValues, Policy, lending},
    stage_instance::{PolicyHost, StageInstance},
};

/// A bundle's chain for one of its robots, with neither robot nor clock.
///
/// The same preparation, stages and completion as in a [`Session`](crate::Session);
/// nothing is averaged over time and nothing is executed.
pub struct OfflinePolicy {
    policy: Policy,
}

/// A head that can be fine-tuned, and the tensors that its examples are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptableHead {
    /// Name of the stage.
    pub stage: String,
    /// What runs there.
    pub plugin: PluginId,
    /// Tensors that it reads.
    pub inputs: Vec<String>,
    /// Tensors that it makes.
    pub outputs: Vec<String>,
}

/// What the chain made of one observation: the mean of its samples.
#[derive(Clone, Debug)]
pub struct OfflineChunk {
    /// Rows as the action head gave them, `[horizon, dim]`, row-major.
    pub normalised: Vec<f64>,
    /// The same rows in physical units.
    pub chunk: ActionChunk,
}

impl OfflinePolicy {
    /// Starts the stages of a bundle for the robot `embodiment`, or for the
    /// first that the bundle names.
    ///
    /// # Errors
    /// When the bundle is faulty, does not name the robot, or a plugin of its
    /// stages is missing or refuses its weights.
    pub fn open(
        bundle: &Path,
        embodiment: Option<&PluginId>,
        plugin_folders: &[PathBuf],
        plugins: &PluginOptions,
        threads: u32,
    ) -> Result<Self, RuntimeError> {
        let bundle = Bundle::open(bundle)?;
        let manifest = bundle.manifest();
        let named = embodiment.map(ToString::to_string);
        let first = manifest
            .embodiments()
            .first()
            .map(|binding| binding.id().to_string());
        let name = named.or(first).unwrap_or_default();
        let id = manifest.embodiment(&name)?.id().clone();
        let stages: Vec<&PluginId> = manifest
            .stages()
            .iter()
            .map(vola_bundle::Stage::plugin)
            .collect();
        let rules = PluginRules::without_deployment(plugins)?;
        let registry =
            PluginRegistry::for_plugins(plugin_folders, stages, &rules).with_named_files()?;
        let host = PolicyHost {
            registry: &registry,
            threads,
            interposer: None,
            calls: &CallWatch::default(),
        };
        let policy = Policy::start(bundle, &id, None, host)?;
        Ok(Self { policy })
    }

    /// The contract with the robot: state names, cameras, action.
    #[must_use]
    pub fn binding(&self) -> &EmbodimentBinding {
        self.policy.binding()
    }

    /// Observations that one decision looks back on; 1 for most policies.
    #[must_use]
    pub fn history(&self) -> usize {
        self.policy.history()
    }

    /// An episode begins: stages forget what they saw.
    ///
    /// # Errors
    /// When a stage fails.
    pub fn reset(&mut self, seed: u64) -> Result<(), RuntimeError> {
        self.policy.reset(seed)
    }

    /// Remembers an observation that lies before the one to decide on.
    ///
    /// # Errors
    /// When it lacks something that the policy reads.
    pub fn remember(&mut self, observation: &Observation<'_>) -> Result<(), RuntimeError> {
        self.policy.remember(observation)
    }

    /// Objects that the policy's scene head sees; none without one.
    ///
    /// # Errors
    /// When the observation lacks something that the head reads, or a stage fails.
    pub fn read_scene(
        &mut self,
        observation: &Observation<'_>,
    ) -> Result<Vec<Detection>, RuntimeError> {
        Ok(self.policy.read_scene(observation)?.unwrap_or_default())
    }

    /// The heads that can be fine-tuned.
    #[must_use]
    pub fn adaptable(&self) -> Vec<AdaptableHead> {
        let stages = self.policy.pipeline().stages().iter();
        let head = |stage: &StageInstance| AdaptableHead {
            stage: stage.name().to_owned(),
            plugin: stage.plugin().clone(),
            inputs: stage.inputs().to_vec(),
            outputs: stage.outputs().to_vec(),
        };
        stages
            .filter(|stage| stage.is_adaptable())
            .map(head)
            .collect()
    }

    /// Runs the chain on an observation and gives the named f32 tensors, with their sizes.
    ///
    /// # Errors
    /// As [`infer`](Self::infer), or when a tensor is not made or not f32.
    pub fn examine(
        &mut self,
        observation: &Observation<'_>,
        names: &[String],
    ) -> Result<Vec<NamedValues>, RuntimeError> {
        self.policy.examine(observation, names)
    }

    /// A physical value of an action's column as the head would say it.
    #[must_use]
    pub fn normalised_action(&self, column: usize, value: f64) -> f64 {
        self.policy
            .postprocessor()
            .normaliser()
            .forward(column, value)
    }

    /// What a normalised value of an action's column means.
    #[must_use]
    pub fn physical_action(&self, column: usize, value: f64) -> f64 {
        self.policy
            .postprocessor()
            .normaliser()
            .backward(column, value)
    }

    /// Fine-tunes a head on examples `(name, sizes, values)`, as `Stage::adapt` of the SDK
    /// describes them; gives the head's report. `step` are the steps made so far.
    ///
    /// # Errors
    /// When the head refuses them; its weights are then as before.
    pub fn adapt(
        &mut self,
        stage: &str,
        (seed, step): (u64, u64),
        examples: &[FlatTensor],
    ) -> Result<serde_json::Value, RuntimeError> {
        let context = CallContext {
            seed,
            step,
            deadline_ns: 0,
        };
        let head = self.policy.head(stage)?;
        let plugin = head.plugin().clone();
        let text = lending(examples, |lent| head.adapt(&context, lent))?;
        serde_json::from_str(&text).map_err(|error| RuntimeError::StageOutput {
            stage: stage.to_owned(),
            id: plugin,
            reason: format!("its report on `adapt` is no JSON: {error}"),
        })
    }

    /// Calls one stage on its own inputs, many examples at once.
    ///
    /// # Errors
    /// When there is no such stage, or it fails.
    pub fn head_outputs(
        &mut self,
        stage: &str,
        inputs: &[FlatTensor],
    ) -> Result<Vec<FlatTensor>, RuntimeError> {
        let head = self.policy.head(stage)?;
        let made = lending(inputs, |lent| head.call(lent))?;
        Ok(made.iter().filter_map(f32_tensor).collect())
    }

    /// The present weights of these stages.
    ///
    /// # Errors
    /// When a stage has no snapshots.
    pub fn snapshots(&mut self, stages: &[String]) -> Result<Vec<HeadSnapshot>, RuntimeError> {
        self.policy.snapshots(stages.iter().cloned())
    }

    /// Gives stages the weights of snapshots.
    ///
    /// # Errors
    /// When a stage refuses one.
    pub fn restore(&mut self, snapshots: &[HeadSnapshot]) -> Result<(), RuntimeError> {
        self.policy.restore(snapshots)
    }

    /// The opened bundle.
    #[must_use]
    pub fn bundle(&self) -> &Bundle {
        self.policy.bundle()
    }

    /// Decides on an observation.
    ///
    /// # Errors
    /// When it lacks something that the policy reads, a stage fails, or the
    /// chunk is refused (wrong shape, a number that is not finite).
    pub fn infer(&mut self, observation: &Observation<'_>) -> Result<OfflineChunk, RuntimeError> {
        let (normalised, chunk) = self.policy.infer(observation)?;
        Ok(OfflineChunk { normalised, chunk })
    }
}

/// A tensor that came from a stage, where it is f32.
fn f32_tensor(tensor: &TensorAbi) -> Option<FlatTensor> {
    let is_f32 = TensorAbi::dtype_from_code(tensor.dtype) == Some(DType::F32);
    let sizes = tensor.shape.iter().map(|size| usize::try_from(*size));
    let shape: Vec<usize> = sizes.collect::<Result<_, _>>().ok()?;
    let words = tensor.bytes.as_slice().as_chunks::<4>().0;
    let values: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
    is_f32.then(|| FlatTensor::from_f32(tensor.name.as_str(), &shape, &values))
}
