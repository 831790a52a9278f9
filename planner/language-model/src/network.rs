//! Networks of the model families, behind one interface.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::quantized::gguf_file::Content;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{
    gemma, gemma2, gemma3, llama, phi3, quantized_gemma3, quantized_llama, quantized_phi3,
    quantized_qwen2, quantized_qwen3, qwen2, qwen3,
};
use serde::de::DeserializeOwned;

use crate::{LanguageModelError, Result};

/// A causal language model with the state of what it has read. A clone goes on
/// from the same state: what a fixed beginning left is kept that way.
pub(crate) trait Network: Send {
    /// Reads tokens that stand at `position`; logits of the next one.
    fn read(&mut self, tokens: &[u32], position: usize) -> Result<Vec<f32>>;

    /// The same network in the same state; where [`keeps`](Self::keeps) is
    /// false, one that begins anew.
    fn snapshot(&self) -> Box<dyn Network>;

    /// Whether a snapshot has what this one has read.
    fn keeps(&self) -> bool {
        true
    }
}

/// A model whose forward pass takes tokens and a position.
#[derive(Clone)]
struct Stateful<M, F> {
    model: M,
    forward: F,
}

impl<M, F> Network for Stateful<M, F>
where
    M: Clone + Send + 'static,
    F: Fn(&mut M, &Tensor, usize) -> candle_core::Result<Tensor> + Clone + Send + 'static,
{
    fn read(&mut self, tokens: &[u32], position: usize) -> Result<Vec<f32>> {
        let input = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        let logits = (self.forward)(&mut self.model, &input, position)?;
        last_row(&logits)
    }

    fn snapshot(&self) -> Box<dyn Network> {
        Box::new(self.clone())
    }
}

/// A model that cannot be copied: snapshots share it and begin anew.
struct Shared(Arc<Mutex<quantized_qwen2::ModelWeights>>);

impl Network for Shared {
    fn read(&mut self, tokens: &[u32], position: usize) -> Result<Vec<f32>> {
        let input = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        let mut model = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if position == 0 {
            model.clear_kv_cache();
        }
        last_row(&model.forward(&input, position)?)
    }

    fn snapshot(&self) -> Box<dyn Network> {
        Box::new(Self(Arc::clone(&self.0)))
    }

    fn keeps(&self) -> bool {
        false
    }
}

/// The last token's logits of `[1, V]` or `[1, T, V]`.
fn last_row(logits: &Tensor) -> Result<Vec<f32>> {
    let rows = logits.flatten_to(candle_core::D::Minus2)?;
    let last = rows.dim(0)?.saturating_sub(1);
    Ok(rows.get(last)?.to_dtype(DType::F32)?.to_vec1()?)
}

fn boxed<M, F>(model: M, forward: F) -> Box<dyn Network>
where
    M: Clone + Send + 'static,
    F: Fn(&mut M, &Tensor, usize) -> candle_core::Result<Tensor> + Clone + Send + 'static,
{
    Box::new(Stateful { model, forward })
}

/// The families that are known, for messages.
const FAMILIES: &str = "llama, qwen2, qwen3, gemma, gemma2, gemma3, phi3";

/// Builds the network of a folder with `config.json` and safetensors files.
///
/// # Errors
/// A family that is not known, files that are missing or damaged.
pub(crate) fn from_folder(folder: &Path, config: &serde_json::Value) -> Result<Box<dyn Network>> {
    let weights = |_: ()| weights(folder);
    let family = config["model_type"].as_str().unwrap_or_default();
    let path = folder.join("config.json");
    Ok(match family {
        "llama" | "mistral" => {
            let own: llama::LlamaConfig = parse(config, &path)?;
            let own = own.into_config(false);
            let cache = llama::Cache::new(true, DType::F32, &own, &Device::Cpu)?;
            let model = llama::Llama::load(weights(())?, &own)?;
            boxed((model, cache), |(model, cache), ids, at| {
                model.forward(ids, at, cache)
            })
        }
        "qwen2" => {
            let own: qwen2::Config = parse(config, &path)?;
            let model = qwen2::ModelForCausalLM::new(&own, weights(())?)?;
            boxed(model, |model, ids, at| model.forward(ids, at))
        }
        "qwen3" => {
            let own: qwen3::Config = parse(config, &path)?;
            let model = qwen3::ModelForCausalLM::new(&own, weights(())?)?;
            boxed(model, |model, ids, at| model.forward(ids, at))
        }
        "gemma" => {
            let own: gemma::Config = parse(config, &path)?;
            let model = gemma::Model::new(false, &own, weights(())?)?;
            boxed(model, |model, ids, at| model.forward(ids, at))
        }
        "gemma2" => {
            let own: gemma2::Config = parse(config, &path)?;
            let model = gemma2::Model::new(false, &own, weights(())?)?;
            boxed(model, |model, ids, at| model.forward(ids, at))
        }
        "gemma3" | "gemma3_text" => {
            let own: gemma3::Config = parse(config, &path)?;
            let model = gemma3::Model::new(false, &own, weights(())?)?;
            boxed(model, |model, ids, at| model.forward(ids, at))
        }
        "phi3" => {
            let own: phi3::Config = parse(config, &path)?;
            let model = phi3::Model::new(&own, weights(())?)?;
            boxed(model, |model, ids, at| model.forward(ids, at))
        }
        other => {
            return Err(LanguageModelError::Model {
                path,
                reason: format!("model_type: expected one of {FAMILIES}, got `{other}`"),
            });
        }
    })
}

fn parse<T: DeserializeOwned>(config: &serde_json::Value, path: &Path) -> Result<T> {
    serde_json::from_value(config.clone()).map_err(|error| LanguageModelError::Model {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}

/// All safetensors files of a folder.
fn weights(folder: &Path) -> Result<VarBuilder<'static>> {
    let mut tensors = std::collections::HashMap::new();
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .map_err(LanguageModelError::file(folder))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|it| it == "safetensors"))
        .collect();
    files.sort();
    for path in &files {
        let bytes = std::fs::read(path).map_err(LanguageModelError::file(path))?;
        let read = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu);
        let own = read.map_err(|error| LanguageModelError::Model {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        let own: std::collections::BTreeMap<String, Tensor> = own.into_iter().collect();
        for (name, tensor) in own {
            tensors.insert(name, tensor.to_dtype(DType::F32)?);
        }
    }
    if tensors.is_empty() {
        return Err(LanguageModelError::Model {
            path: folder.to_path_buf(),
            reason: "expected weights in `.safetensors` files, found none".to_owned(),
        });
    }
    Ok(VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu))
}

/// Builds the network of a GGUF file.
///
/// # Errors
/// A family that is not known, or a damaged file.
pub(crate) fn from_gguf(
    path: &Path,
    content: Content,
    reader: &mut BufReader<File>,
) -> Result<Box<dyn Network>> {
    let family = content
        .metadata
        .get("general.architecture")
        .and_then(|value| value.to_string().ok().cloned())
        .unwrap_or_default();
    let device = Device::Cpu;
    Ok(match family.as_str() {
        "llama" => {
            let model = quantized_llama::ModelWeights::from_gguf(content, reader, &device)?;
            boxed(model, |model, ids, at| model.forward(ids, at))
        }
        "qwen2" => {
            let model = quantized_qwen2::ModelWeights::from_gguf(content, reader, &device)?;
            Box::new(Shared(Arc::new(Mutex::new(model))))
        }
        "qwen3" => {
            let model = quantized_qwen3::ModelWeights::from_gguf(content, reader, &device)?;
            boxed(model, |model, ids, at| model.forward(ids, at))
        }
        "gemma" | "gemma2" | "gemma3" => {
            let model = quantized_gemma3::ModelWeights::from_gguf(content, reader, &device)?;
            boxed(model, |model, ids, at| model.forward(ids, at))
        }
        "phi3" => {
            let model = quantized_phi3::ModelWeights::from_gguf(false, content, reader, &device)?;
            boxed(model, |model, ids, at| model.forward(ids, at))
        }
        other => {
            return Err(LanguageModelError::Model {
                path: path.to_path_buf(),
                reason: format!("general.architecture: expected one of {FAMILIES}, got `{other}`"),
            });
        }
    })
}
