//! One stage of the policy, ready to be called.

use std::{path::Path, sync::Arc};

use vola_abi::{
    CallContext, HostData, HostServicesAbi, StageBox, TensorAbi, TensorRefAbi,
    abi_stable::std_types::{RSlice, RStr, RString},
};
use vola_bundle::Stage;
use vola_isolation::ChildHealth;
use vola_types::{Capability, PluginId};

use crate::{
    CallWatch, Interposer, PluginRegistry, RuntimeError, log_sink::plugin_log,
    plugin_registry::unwrap,
};

/// A configured and activated stage plugin.
pub(crate) struct StageInstance {
    name: String,
    plugin: PluginId,
    inputs: Vec<String>,
    outputs: Vec<String>,
    stage: StageBox,
    health: Option<Arc<ChildHealth>>,
    is_adaptable: bool,
    calls: CallWatch,
    step: u64,
    seed: u64,
}

/// What a policy's stages get from outside of their bundle.
#[derive(Clone, Copy)]
pub(crate) struct PolicyHost<'a> {
    pub(crate) registry: &'a PluginRegistry,
    pub(crate) threads: u32,
    pub(crate) interposer: Option<&'a dyn Interposer>,
    pub(crate) calls: &'a CallWatch,
}

impl StageInstance {
    /// Creates, configures and activates the plugin of a bundle's stage.
    pub(crate) fn start(
        stage: &Stage,
        bundle_folder: &Path,
        host: PolicyHost<'_>,
    ) -> Result<Self, RuntimeError> {
        let (_, description) = host.registry.find(stage.plugin())?;
        check_version(stage, &description.version)?;
        let is_adaptable = description.capabilities.contains(&Capability::Adapt);
        let created = host.registry.create_stage(stage.plugin(), bundle_folder)?;
        let (mut plugin, health) = (created.stage, created.health);
        let who = format!("stage `{}` (plugin `{}`)", stage.name(), stage.plugin());
        let settings = stage.settings().to_string();
        unwrap(
            &who,
            "configure",
            plugin.configure(RStr::from(settings.as_str())),
        )?;
        let data = HostData {
            threads: host.threads,
            bundle_folder: bundle_folder.display().to_string(),
            stage: stage.name().to_owned(),
            weights_file: stage
                .weights()
                .map(|weights| bundle_folder.join(weights.file()).display().to_string())
                .unwrap_or_default(),
            weights_prefix: stage
                .weights()
                .map(|w| w.prefix().to_owned())
                .unwrap_or_default(),
            inputs: stage.inputs().to_vec(),
            outputs: stage.outputs().to_vec(),
        };
        let data = serde_json::to_string(&data).map_err(|error| RuntimeError::StageOutput {
            stage: stage.name().to_owned(),
            id: stage.plugin().clone(),
            reason: error.to_string(),
        })?;
        let services = HostServicesAbi {
            log: plugin_log,
            data: RString::from(data),
        };
        unwrap(&who, "activate", plugin.activate(services))?;
        if let Some(interposer) = host.interposer {
            plugin = interposer.stage(stage.name(), plugin);
        }
        Ok(Self {
            name: stage.name().to_owned(),
            plugin: stage.plugin().clone(),
            inputs: stage.inputs().to_vec(),
            outputs: stage.outputs().to_vec(),
            stage: plugin,
            health,
            is_adaptable,
            calls: host.calls.clone(),
            step: 0,
            seed: 0,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn inputs(&self) -> &[String] {
        &self.inputs
    }

    pub(crate) fn outputs(&self) -> &[String] {
        &self.outputs
    }

    pub(crate) fn plugin(&self) -> &PluginId {
        &self.plugin
    }

    /// Whether it can be fine-tuned.
    pub(crate) fn is_adaptable(&self) -> bool {
        self.is_adaptable
    }

    /// Fine-tunes on examples; its own JSON report. Not for the control path: it
    /// may take seconds.
    pub(crate) fn adapt(
        &mut self,
        context: &CallContext,
        examples: &[TensorRefAbi<'_>],
    ) -> Result<String, RuntimeError> {
        let result = self.stage.adapt(context, RSlice::from_slice(examples));
        unwrap(self.who(), "adapt", result).map(RString::into_string)
    }

    /// The present weights, as its plugin writes them.
    pub(crate) fn snapshot(&mut self) -> Result<Vec<u8>, RuntimeError> {
        let result = self.stage.snapshot();
        unwrap(self.who(), "snapshot", result).map(|bytes| bytes.into_vec())
    }

    /// Takes the weights of a snapshot; refused ones leave it as it was.
    pub(crate) fn restore(&mut self, snapshot: &[u8]) -> Result<(), RuntimeError> {
        let result = self.stage.restore(RSlice::from_slice(snapshot));
        unwrap(self.who(), "restore", result)
    }

    /// A primitive begins.
    pub(crate) fn reset(&mut self, seed: u64) -> Result<(), RuntimeError> {
        self.step = 0;
        self.seed = seed;
        let lost_before = self.losses();
        let entered = self.calls.enter(self.who(), "reset");
        let result = self.stage.reset(seed);
        drop(entered);
        self.told(lost_before, unwrap(self.who(), "reset", result))
    }

    fn losses(&self) -> u32 {
        self.health.as_ref().map_or(0, |health| health.losses())
    }

    /// A fault because the plugin's process was lost in this call, while a new
    /// one follows, is told apart from a fault of the plugin's own.
    fn told<T>(
        &self,
        lost_before: u32,
        result: Result<T, RuntimeError>,
    ) -> Result<T, RuntimeError> {
        match (result, &self.health) {
            (Err(RuntimeError::Plugin { who, message, .. }), Some(health))
                if health.losses() != lost_before && !health.is_given_up() =>
            {
                Err(RuntimeError::ChildLost {
                    who,
                    reason: message,
                })
            }
            (result, _) => result,
        }
    }

    /// One forward pass; checks that exactly the promised outputs came back.
    pub(crate) fn call(
        &mut self,
        inputs: &[TensorRefAbi<'_>],
    ) -> Result<Vec<TensorAbi>, RuntimeError> {
        let context = CallContext {
            seed: self
                .seed
                .wrapping_add(self.step.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            step: self.step,
            deadline_ns: 0,
        };
        let lost_before = self.losses();
        let entered = self.calls.enter(self.who(), "call");
        let result = self.stage.call(&context, RSlice::from_slice(inputs));
        drop(entered);
        self.step = self.step.wrapping_add(1);
        let tensors = self.told(lost_before, unwrap(self.who(), "call", result))?;
        for tensor in &tensors {
            tensor.lend().check().map_err(|reason| self.wrong(reason))?;
        }
        for name in &self.outputs {
            let count = tensors
                .iter()
                .filter(|tensor| tensor.name.as_str() == name)
                .count();
            if count != 1 {
                let got: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
                return Err(self.wrong(format!(
                    "expected one output `{name}`, got {count} (it returned {})",
                    got.join(", ")
                )));
            }
        }
        Ok(tensors.into_vec())
    }

    fn who(&self) -> String {
        format!("stage `{}` (plugin `{}`)", self.name, self.plugin)
    }

    fn wrong(&self, reason: String) -> RuntimeError {
        RuntimeError::StageOutput {
            stage: self.name.clone(),
            id: self.plugin.clone(),
            reason,
        }
    }
}

impl Drop for StageInstance {
    fn drop(&mut self) {
        if let Err(error) = unwrap(self.who(), "deactivate", self.stage.deactivate()) {
            tracing::warn!("{error}");
        }
    }
}

fn check_version(stage: &Stage, got: &str) -> Result<(), RuntimeError> {
    let fits = semver::Version::parse(got).is_ok_and(|version| stage.version().matches(&version));
    if fits {
        Ok(())
    } else {
        Err(RuntimeError::WrongVersion {
            id: stage.plugin().clone(),
            stage: stage.name().to_owned(),
            expected: stage.version().to_string(),
            got: got.to_owned(),
        })
    }
}
