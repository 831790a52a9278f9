//! A policy without a robot: recorded observations in, action chunks out.

use std::path::{Path, PathBuf};

use vola_bundle::{ActionChunk, Bundle, EmbodimentBinding, Observation};
use vola_types::PluginId;

use crate::{
    CallWatch, PluginOptions, PluginRegistry, PluginRules, RuntimeError, policy::Policy,
    stage_instance::PolicyHost,
};

/// A bundle's chain for one of its robots, with neither robot nor clock.
///
/// The same preparation, stages and completion as in a [`Session`](crate::Session);
/// nothing is averaged over time and nothing is executed.
pub struct OfflinePolicy {
    policy: Policy,
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
        let registry = PluginRegistry::for_plugins(plugin_folders, stages, &rules);
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
