//! The stages of a bundle, wired by tensor name and run in order.
//!
//! The runtime does the same through the plugin interface; this one exists for training and for
//! tests that compare the two. It can leave out stages whose outputs nobody asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use candle_core::Tensor;

use crate::stage::Mode;
use crate::{Checkpoint, NnError, ParamStore, Result, Stage, StageContext, StageEnv, build_stage};

/// One stage of a chain, as `policy.toml` lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct StageSpec {
    /// Name, unique in the chain.
    pub name: String,
    /// Plugin id, for example `encoders/conv`.
    pub plugin: String,
    /// Tensor names, bound to the stage's input roles in order.
    pub inputs: Vec<String>,
    /// Tensor names, bound to the stage's output roles in order.
    pub outputs: Vec<String>,
    /// Settings of the stage.
    pub settings: serde_json::Value,
    /// Prefix of its tensors in the weight file, for example `vision.`; empty for a stage without.
    pub prefix: String,
}

/// Stages in an order in which every input is ready.
pub struct Chain {
    stages: Vec<Wired>,
}

struct Wired {
    spec: StageSpec,
    stage: Box<dyn Stage>,
}

impl Chain {
    /// Builds every stage with parameters of `store` and orders them.
    ///
    /// # Errors
    /// A stage that cannot be built, a wiring that does not fit its roles, a tensor with two
    /// producers, a cycle, or surplus tensors in the weight file.
    pub fn build(specs: &[StageSpec], env: &StageEnv, store: &ParamStore) -> Result<Self> {
        let mut stages = Vec::with_capacity(specs.len());
        for spec in specs {
            let stage = build_stage(
                &spec.plugin,
                &spec.settings,
                env,
                &store.under(&spec.prefix),
            )?;
            check_wiring(spec, stage.as_ref())?;
            store.finish(&spec.prefix)?;
            stages.push(Wired {
                spec: spec.clone(),
                stage,
            });
        }
        Ok(Self {
            stages: in_order(stages)?,
        })
    }

    /// Builds a chain that only runs, with the weights of a file.
    ///
    /// # Errors
    /// As [`Chain::build`], or a weight file that does not fit.
    pub fn open(specs: &[StageSpec], env: &StageEnv, weights: &Path) -> Result<Self> {
        let store = ParamStore::frozen(Checkpoint::open(weights)?);
        let chain = Self::build(specs, env, &store)?;
        store.finish("")?;
        Ok(chain)
    }

    /// The stages' specifications, in running order.
    pub fn specs(&self) -> impl Iterator<Item = &StageSpec> {
        self.stages.iter().map(|wired| &wired.spec)
    }

    /// Runs the stages that `wanted` tensors need and returns everything they made, by tensor
    /// name. In training, what a stage returns beyond its roles is named `<stage>.<output>`.
    ///
    /// # Errors
    /// An input that neither a stage nor the caller gives, or a failing stage.
    pub fn forward(
        &self,
        ctx: &StageContext,
        inputs: &BTreeMap<String, Tensor>,
        wanted: &[&str],
    ) -> Result<BTreeMap<String, Tensor>> {
        let needed = self.needed(wanted);
        let mut made: BTreeMap<String, Tensor> = BTreeMap::new();
        for wired in self
            .stages
            .iter()
            .filter(|w| needed.contains(w.spec.name.as_str()))
        {
            let outputs = wired.run(ctx, inputs, &made)?;
            made.extend(outputs);
        }
        Ok(made)
    }

    /// Starts an episode: every stage forgets the last one.
    pub fn reset(&mut self, seed: u64) {
        for wired in &mut self.stages {
            wired.stage.reset(seed);
        }
    }

    /// Names of the stages that the wanted tensors depend on.
    fn needed(&self, wanted: &[&str]) -> BTreeSet<&str> {
        let mut tensors: BTreeSet<&str> = wanted.iter().copied().collect();
        let mut names = BTreeSet::new();
        for wired in self.stages.iter().rev() {
            if wired
                .spec
                .outputs
                .iter()
                .any(|o| tensors.contains(o.as_str()))
            {
                tensors.extend(wired.spec.inputs.iter().map(String::as_str));
                names.insert(wired.spec.name.as_str());
            }
        }
        names
    }
}

impl Wired {
    fn run(
        &self,
        ctx: &StageContext,
        inputs: &BTreeMap<String, Tensor>,
        made: &BTreeMap<String, Tensor>,
    ) -> Result<Vec<(String, Tensor)>> {
        let mut given = Vec::with_capacity(self.spec.inputs.len());
        for (name, role) in self.spec.inputs.iter().zip(self.stage.input_roles()) {
            let Some(tensor) = made.get(name).or_else(|| inputs.get(name)) else {
                let reason = format!(
                    "its input `{name}` was not given; given were {:?}",
                    inputs.keys().collect::<Vec<_>>()
                );
                return Err(NnError::Graph {
                    stage: self.spec.name.clone(),
                    reason,
                });
            };
            given.push((role.to_string(), tensor.clone()));
        }
        if ctx.mode == Mode::Train {
            let extra = self.stage.training_roles().into_iter();
            given.extend(
                extra.filter_map(|role| Some((role.to_string(), inputs.get(role)?.clone()))),
            );
        }
        let roles = self.stage.output_roles();
        let outputs = self.stage.forward(ctx, &given)?;
        Ok(outputs
            .into_iter()
            .map(
                |(role, tensor)| match roles.iter().position(|r| *r == role) {
                    Some(i) => (self.spec.outputs[i].clone(), tensor),
                    None => (format!("{}.{role}", self.spec.name), tensor),
                },
            )
            .collect())
    }
}

/// Refuses a wiring with another number of inputs or outputs than the stage has roles.
fn check_wiring(spec: &StageSpec, stage: &dyn Stage) -> Result<()> {
    let check = |what: &str, names: &[String], roles: Vec<&'static str>| {
        if names.len() == roles.len() {
            return Ok(());
        }
        let reason = format!(
            "{what}: expected {} tensor names for the roles {roles:?}, got {names:?}",
            roles.len()
        );
        Err(NnError::Graph {
            stage: spec.name.clone(),
            reason,
        })
    };
    check("inputs", &spec.inputs, stage.input_roles())?;
    check("outputs", &spec.outputs, stage.output_roles())
}

/// Sorts the stages so that each comes after the producers of its inputs.
fn in_order(stages: Vec<Wired>) -> Result<Vec<Wired>> {
    let mut producers: BTreeMap<String, String> = BTreeMap::new();
    for wired in &stages {
        for output in &wired.spec.outputs {
            if let Some(other) = producers.insert(output.clone(), wired.spec.name.clone()) {
                let reason = format!("its output `{output}` is also made by stage `{other}`");
                return Err(NnError::Graph {
                    stage: wired.spec.name.clone(),
                    reason,
                });
            }
        }
    }
    let mut waiting = stages;
    let mut sorted: Vec<Wired> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let open: BTreeSet<String> = waiting
            .iter()
            .flat_map(|w| w.spec.outputs.clone())
            .collect();
        let ready = waiting
            .iter()
            .position(|w| !w.spec.inputs.iter().any(|i| open.contains(i)));
        match ready {
            Some(i) => sorted.push(waiting.remove(i)),
            None => {
                let names: Vec<&str> = waiting.iter().map(|w| w.spec.name.as_str()).collect();
                let reason = format!("these stages wait for each other: {names:?}");
                return Err(NnError::Graph {
                    stage: waiting[0].spec.name.clone(),
                    reason,
                });
            }
        }
    }
    Ok(sorted)
}
