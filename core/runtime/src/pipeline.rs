//! The policy as a chain of stage plugins, run in the order of the bundle's graph.
//!
//! Only the stages that a wanted output needs are called. A stage whose inputs
//! stay the same within a primitive (the instruction, the embodiment's index)
//! is called once and its outputs are kept until `reset`.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use vola_abi::{TensorAbi, TensorRefAbi};
use vola_bundle::{Manifest, StageGraph};

use crate::{
    RuntimeError,
    stage_instance::{PolicyHost, StageInstance},
};

/// The stages of one bundle, ready to run. Owned by the policy thread.
pub(crate) struct Pipeline {
    graph: StageGraph,
    stages: Vec<StageInstance>,
    tensors: BTreeMap<String, TensorAbi>,
    kept: Vec<bool>,
    took: Vec<Duration>,
}

impl Pipeline {
    /// Starts every stage of the bundle.
    pub(crate) fn start(
        manifest: &Manifest,
        bundle_folder: &Path,
        host: PolicyHost<'_>,
    ) -> Result<Self, RuntimeError> {
        let stages = manifest
            .graph()
            .stages()
            .iter()
            .map(|stage| StageInstance::start(stage, bundle_folder, host))
            .collect::<Result<Vec<_>, _>>()?;
        let kept = vec![false; stages.len()];
        let took = vec![Duration::ZERO; stages.len()];
        Ok(Self {
            graph: manifest.graph().clone(),
            stages,
            tensors: BTreeMap::new(),
            kept,
            took,
        })
    }

    /// A primitive begins: every stage forgets, every kept output is dropped.
    pub(crate) fn reset(&mut self, seed: u64) -> Result<(), RuntimeError> {
        self.tensors.clear();
        self.kept.fill(false);
        self.stages
            .iter_mut()
            .try_for_each(|stage| stage.reset(seed))
    }

    /// Runs the stages that `outputs` need; read them with [`output`](Self::output).
    pub(crate) fn run(
        &mut self,
        features: &[TensorRefAbi<'_>],
        outputs: &[&str],
    ) -> Result<(), RuntimeError> {
        self.took.fill(Duration::ZERO);
        for index in self.graph.needed_for(outputs)? {
            let keep = self.graph.is_static(index);
            let (Some(stage), Some(kept), Some(took)) = (
                self.stages.get_mut(index),
                self.kept.get_mut(index),
                self.took.get_mut(index),
            ) else {
                continue;
            };
            if *kept {
                continue;
            }
            let inputs = gather(stage, features, &self.tensors)?;
            let started = Instant::now();
            let produced = stage.call(&inputs)?;
            *took = started.elapsed();
            drop(inputs);
            for tensor in produced {
                self.tensors.insert(tensor.name.to_string(), tensor);
            }
            *kept = keep;
        }
        Ok(())
    }

    /// A tensor of the last run.
    pub(crate) fn output(&self, name: &str) -> Option<TensorRefAbi<'_>> {
        self.tensors.get(name).map(TensorAbi::lend)
    }

    /// The stages, in the order of the bundle.
    pub(crate) fn stages(&self) -> &[StageInstance] {
        &self.stages
    }

    /// The stage with this name.
    pub(crate) fn stage_mut(&mut self, name: &str) -> Option<&mut StageInstance> {
        self.stages.iter_mut().find(|stage| stage.name() == name)
    }

    /// Name of each stage and how long it took in the last run: nothing for one
    /// that was not called, because its outputs were kept or not needed.
    pub(crate) fn timings(&self) -> impl Iterator<Item = (&str, Duration)> {
        let names = self.stages.iter().map(StageInstance::name);
        names.zip(self.took.iter().copied())
    }
}

fn gather<'a>(
    stage: &StageInstance,
    features: &[TensorRefAbi<'a>],
    produced: &'a BTreeMap<String, TensorAbi>,
) -> Result<Vec<TensorRefAbi<'a>>, RuntimeError> {
    stage
        .inputs()
        .iter()
        .map(|name| {
            features
                .iter()
                .find(|feature| feature.name.as_str() == name)
                .cloned()
                .or_else(|| produced.get(name).map(TensorAbi::lend))
                .ok_or_else(|| RuntimeError::StageOutput {
                    stage: stage.name().to_owned(),
                    id: stage.plugin().clone(),
                    reason: format!("its input `{name}` is not among the observation's features"),
                })
        })
        .collect()
}
