//! First-party stages as plugins: a [`vola_nn::Stage`] behind the SDK's trait.
//!
//! The plugin libraries only list stage names; binding tensors to roles, loading
//! weights and describing the stage happen here, once for all of them. This is
//! an ordinary library, so that no plugin library is ever a dependency.

mod settings_check;

use std::{marker::PhantomData, path::Path};

use candle_core::{DType, Device, Tensor as CandleTensor};
use vola_nn::{
    Checkpoint, EXAMPLE_WEIGHT, NamedTensors, ParamStore, Stage as NnStage, StageContext, StageEnv,
    StageInfo, StageKind, TuneSettings, TunedStage, Tuner, build_stage, stage_infos,
};
use vola_plugin::{
    CallContext, Fault, Host, Inputs, Stage, Tensor, TensorView,
    serde_json::{self, Value},
    types::{Capability, DType as FlatType, HeadOutput, PluginDescription, PluginKind},
};

/// How an `adapt` is to be done: JSON text among the examples.
const OPTIONS: &str = "options";
/// Name of a snapshot in messages.
const SNAPSHOT: &str = "snapshot";

/// Names one registered stage, the second half of its plugin id.
pub trait StageName: Send + 'static {
    /// The name.
    const NAME: &'static str;
}

/// The stage called `N::NAME` in the registry of `vola-nn`.
pub struct Bridged<N> {
    settings: Value,
    ready: Option<Ready>,
    name: PhantomData<fn() -> N>,
}

struct Ready {
    stage: Box<dyn NnStage>,
    inputs: Vec<String>,
    outputs: Vec<String>,
    env: StageEnv,
    /// The weights that run, for stages that can be fine-tuned.
    weights: Option<Weights>,
    /// Fine-tuning that goes on with the next call.
    tuner: Option<Tuner>,
}

struct Weights {
    checkpoint: Checkpoint,
    prefix: String,
}

impl<N: StageName> Stage for Bridged<N> {
    fn describe() -> PluginDescription {
        let info = info::<N>();
        PluginDescription {
            name: N::NAME.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kind: info.map_or(PluginKind::Encoder, |info| plugin_kind(info.kind)),
            summary: info.map_or_else(String::new, |info| info.summary.to_owned()),
            produces: produces(N::NAME),
            capabilities: capabilities(N::NAME),
            settings_schema: info
                .and_then(|info| serde_json::from_str(info.schema).ok())
                .unwrap_or(Value::Null),
            example_inputs: Vec::new(),
        }
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        let Some(info) = info::<N>() else {
            return Err(Fault::settings(format!(
                "no stage `{}` is registered",
                N::NAME
            )));
        };
        settings_check::check(&settings, info.schema).map_err(Fault::settings)?;
        Ok(Self {
            settings,
            ready: None,
            name: PhantomData,
        })
    }

    fn activate(&mut self, host: &Host) -> Result<(), Fault> {
        let bundle = host
            .bundle_folder()
            .map(ToOwned::to_owned)
            .unwrap_or_default();
        let env = StageEnv { bundle };
        let weights = match host.weights() {
            Some((file, prefix)) => Some(Weights {
                checkpoint: Checkpoint::open_under(&file, prefix).map_err(unfit)?,
                prefix: prefix.to_owned(),
            }),
            None => None,
        };
        let (store, prefix) = match &weights {
            Some(weights) => (
                ParamStore::frozen(weights.checkpoint.clone()),
                weights.prefix.as_str(),
            ),
            None => (ParamStore::trainable(0), ""),
        };
        let stage =
            build_stage(N::NAME, &self.settings, &env, &store.under(prefix)).map_err(unfit)?;
        if let Some(name) = store.vars().keys().next() {
            return Err(Fault::settings(format!(
                "stage `{}` has parameters (`{name}`, …) but the bundle names no weights\nhelp: add `weights = {{ file = \"model.safetensors\", prefix = \"{}.\" }}` to the stage",
                host.stage(),
                host.stage(),
            )));
        }
        store.finish(prefix).map_err(unfit)?;
        same_count(host.inputs(), &stage.input_roles(), "inputs")?;
        same_count(host.outputs(), &stage.output_roles(), "outputs")?;
        self.ready = Some(Ready {
            inputs: host.inputs().to_vec(),
            outputs: host.outputs().to_vec(),
            env,
            weights: weights.filter(|_| stage.is_adaptable()),
            tuner: None,
            stage,
        });
        Ok(())
    }

    fn reset(&mut self, seed: u64) -> Result<(), Fault> {
        self.ready()?.stage.reset(seed);
        Ok(())
    }

    fn call(&mut self, context: &CallContext, inputs: &Inputs<'_>) -> Result<Vec<Tensor>, Fault> {
        let ready = self.ready()?;
        let mut bound: NamedTensors = Vec::with_capacity(ready.inputs.len());
        for (role, name) in ready.stage.input_roles().into_iter().zip(&ready.inputs) {
            bound.push((role.to_owned(), to_candle(&inputs.get(name)?)?));
        }
        let context = StageContext::run(context.seed, context.step);
        let made = ready.stage.forward(&context, &bound).map_err(failed)?;
        ready
            .outputs
            .iter()
            .zip(made)
            .map(|(name, (_, tensor))| from_candle(name, &tensor))
            .collect()
    }

    /// Goes on with the fine-tuning that the last call began when `context.step` is the number of
    /// steps made so far, and begins anew when it is 0.
    fn adapt(&mut self, context: &CallContext, examples: &Inputs<'_>) -> Result<Value, Fault> {
        let settings = self.settings.clone();
        let ready = self.ready()?;
        let weights = ready
            .weights
            .as_ref()
            .ok_or_else(|| Fault::unsupported("adapt"))?;
        let tuning = tune_settings(examples)?;
        let bound = bind_examples(ready, examples)?;
        let mut tuner = match ready.tuner.take() {
            Some(tuner) if context.step > 0 && tuner.steps() == context.step => tuner,
            _ if context.step == 0 => {
                let from = TunedStage {
                    id: N::NAME,
                    settings: &settings,
                    env: &ready.env,
                    prefix: &weights.prefix,
                };
                Tuner::new(&from, &weights.checkpoint).map_err(failed)?
            }
            other => {
                let made = other.map_or(0, |tuner| tuner.steps());
                return Err(Fault::input(format!(
                    "adapt: expected step {made} (steps made so far) or 0 (begin anew), got {}",
                    context.step
                )));
            }
        };
        let report = tuner
            .run(&bound, &tuning, context.seed)
            .map_err(|error| Fault::input(error.to_string()))?;
        let reached = tuner.weights().map_err(failed)?;
        ready.stage = rebuilt::<N>(&settings, ready, &reached)?;
        if let Some(weights) = &mut ready.weights {
            weights.checkpoint = reached;
        }
        ready.tuner = Some(tuner);
        serde_json::to_value(report).map_err(failed)
    }

    fn snapshot(&mut self) -> Result<Vec<u8>, Fault> {
        let weights = self.ready()?.weights.as_ref();
        let weights = weights.ok_or_else(|| Fault::unsupported("snapshot"))?;
        weights.checkpoint.to_bytes().map_err(failed)
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), Fault> {
        let settings = self.settings.clone();
        let ready = self.ready()?;
        if ready.weights.is_none() {
            return Err(Fault::unsupported("restore"));
        }
        let wrong = |error: vola_nn::NnError| Fault::input(error.to_string());
        let given = Checkpoint::parse(Path::new(SNAPSHOT), snapshot, "").map_err(wrong)?;
        ready.stage = rebuilt::<N>(&settings, ready, &given)?;
        ready.tuner = None;
        if let Some(weights) = &mut ready.weights {
            weights.checkpoint = given;
        }
        Ok(())
    }
}

/// The stage with other weights; every one of them must belong to it.
fn rebuilt<N: StageName>(
    settings: &Value,
    ready: &Ready,
    checkpoint: &Checkpoint,
) -> Result<Box<dyn NnStage>, Fault> {
    let prefix = ready.weights.as_ref().map_or("", |w| w.prefix.as_str());
    let wrong = |error: vola_nn::NnError| Fault::input(error.to_string());
    let store = ParamStore::frozen(checkpoint.clone());
    let stage = build_stage(N::NAME, settings, &ready.env, &store.under(prefix)).map_err(wrong)?;
    store.finish("").map_err(wrong)?;
    Ok(stage)
}

/// How an `adapt` is to be done; the defaults where the examples say nothing.
fn tune_settings(examples: &Inputs<'_>) -> Result<TuneSettings, Fault> {
    let Some(options) = examples.find(OPTIONS) else {
        return Ok(TuneSettings::default());
    };
    let texts = options.texts()?;
    let text = texts.first().copied().unwrap_or("{}");
    serde_json::from_str(text).map_err(|error| Fault::input(format!("`{OPTIONS}`: {error}")))
}

/// The examples by role: inputs, wanted outputs, how much each counts.
fn bind_examples(ready: &Ready, examples: &Inputs<'_>) -> Result<NamedTensors, Fault> {
    let inputs = ready.stage.input_roles().into_iter().zip(&ready.inputs);
    let outputs = ready.stage.output_roles().into_iter().zip(&ready.outputs);
    let mut bound = NamedTensors::new();
    for (role, name) in inputs.chain(outputs) {
        bound.push((role.to_owned(), to_candle(&examples.get(name)?)?));
    }
    let weight = to_candle(&examples.get(EXAMPLE_WEIGHT)?)?;
    bound.push((EXAMPLE_WEIGHT.to_owned(), weight));
    Ok(bound)
}

impl<N> Bridged<N> {
    fn ready(&mut self) -> Result<&mut Ready, Fault> {
        self.ready
            .as_mut()
            .ok_or_else(|| Fault::failed("called before `activate`"))
    }
}

fn info<N: StageName>() -> Option<StageInfo> {
    stage_infos().into_iter().find(|info| info.name == N::NAME)
}

fn plugin_kind(kind: StageKind) -> PluginKind {
    match kind {
        StageKind::Encoder => PluginKind::Encoder,
        StageKind::Fusion => PluginKind::Fusion,
        StageKind::Head => PluginKind::Head,
    }
}

fn produces(name: &str) -> Option<HeadOutput> {
    match name {
        "chunk" => Some(HeadOutput::Action),
        "progress" => Some(HeadOutput::Progress),
        "scene" => Some(HeadOutput::Scene),
        _ => None,
    }
}

fn capabilities(name: &str) -> Vec<Capability> {
    match name {
        "chunk" => vec![Capability::Samples, Capability::Adapt],
        "progress" => vec![Capability::Adapt],
        "cross_attention" => vec![Capability::Attention],
        _ => Vec::new(),
    }
}

fn same_count(names: &[String], roles: &[&str], what: &str) -> Result<(), Fault> {
    if names.len() == roles.len() {
        return Ok(());
    }
    Err(Fault::settings(format!(
        "{what}: expected {} ({}), got {} ({})",
        roles.len(),
        roles.join(", "),
        names.len(),
        names.join(", ")
    )))
}

fn to_candle(view: &TensorView<'_>) -> Result<CandleTensor, Fault> {
    let shape: Vec<usize> = view
        .shape()
        .iter()
        .filter_map(|size| usize::try_from(*size).ok())
        .collect();
    let made = match view.dtype()? {
        FlatType::F32 => CandleTensor::from_slice(&view.f32s()?, shape, &Device::Cpu),
        FlatType::I64 => CandleTensor::from_slice(&view.i64s()?, shape, &Device::Cpu),
        FlatType::U8 => CandleTensor::from_slice(view.bytes(), shape, &Device::Cpu),
        other => {
            return Err(Fault::input(format!(
                "tensor `{}`: expected f32, i64 or u8, got {other}",
                view.name()
            )));
        }
    };
    made.map_err(|error| Fault::input(format!("tensor `{}`: {error}", view.name())))
}

fn from_candle(name: &str, tensor: &CandleTensor) -> Result<Tensor, Fault> {
    let flat = tensor.flatten_all().map_err(failed)?;
    match tensor.dtype() {
        DType::F32 => Tensor::f32(name, tensor.dims(), &flat.to_vec1::<f32>().map_err(failed)?),
        DType::I64 => Tensor::i64(name, tensor.dims(), &flat.to_vec1::<i64>().map_err(failed)?),
        DType::U8 => Tensor::u8(name, tensor.dims(), &flat.to_vec1::<u8>().map_err(failed)?),
        other => Err(Fault::failed(format!(
            "output `{name}`: type {other:?} does not cross"
        ))),
    }
}

fn failed(error: impl std::fmt::Display) -> Fault {
    Fault::failed(error.to_string())
}

/// What the bundle names does not fit: its owner's to mend, as settings are.
fn unfit(error: impl std::fmt::Display) -> Fault {
    Fault::settings(error.to_string())
}

/// Declares plugin types for names of the registry.
#[macro_export]
macro_rules! stage_plugins {
    ($($plugin:ident = $name:literal),* $(,)?) => {
        $(
            #[doc = concat!("The stage `", $name, "` of `vola-nn`.")]
            pub struct $plugin;

            impl $crate::StageName for $plugin {
                const NAME: &'static str = $name;
            }
        )*
    };
}
