//! The training loop.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use candle_core::{Device, Tensor};
use safetensors::{Dtype, tensor::TensorView};
use tokenizers::Tokenizer;
use vola_nn::ParamStore;
use vola_phrasebook::{Sampler, Split};
use vola_train::resume::{self, ResumeState, state_path};
use vola_train::{
    FlatGrad, FlatParams, Flow, History, HistoryPoint, Optimizer, TrainError, save_curve,
    write_whole,
};

use super::config::LanguageConfig;
use super::examples::{Batch, Examples};
use super::network::{EPSILON, Network, ROPE_THETA};
use super::tokenizer::learn;
use crate::embedded_template::{BEGIN, CHAT_TEMPLATE, END};
use crate::{LanguageModelError, Result};

/// Steps over which the reported losses are averaged.
const REPORT_EVERY: u64 = 50;
/// Held-out sentences of a validation.
const VALIDATION: usize = 600;

/// How a training ended.
#[derive(Clone, Debug, PartialEq)]
pub struct LanguageTrained {
    /// Steps done.
    pub step: u64,
    /// Seconds trained.
    pub seconds: f64,
    /// Whether the budget was used up and the model written.
    pub complete: bool,
}

/// Told after every step: step, part of the budget, loss, part of the tokens
/// that came first.
pub type Watch<'a> = dyn FnMut(u64, f64, f64, f64) -> Flow + 'a;

pub(super) struct Training {
    config: LanguageConfig,
    tokenizer: Tokenizer,
    pub(super) examples: Examples,
    held_out: Examples,
    pub(super) network: Network,
    pub(super) params: FlatParams,
    pub(super) optimizer: Optimizer,
    pub(super) state: ResumeState,
    history: History,
}

/// Trains by a configuration and writes the model's folder.
///
/// # Errors
/// A saved state that does not fit, a failing file, or a loss that is not
/// finite.
pub fn train(
    config: &LanguageConfig,
    watch: &mut Watch<'_>,
    note: &mut dyn FnMut(&str),
) -> Result<LanguageTrained> {
    let training = Training::begin(config.clone())?;
    if training.state.step > 0 {
        note(&format!("resumed at step {}", training.state.step));
    }
    training.run(watch, note)
}

impl Training {
    pub(super) fn begin(config: LanguageConfig) -> Result<Self> {
        for folder in [&config.work, &config.out] {
            std::fs::create_dir_all(folder).map_err(LanguageModelError::file(folder))?;
        }
        let tokenizer = tokenizer(&config)?;
        let mut size = config.model;
        size.vocabulary = tokenizer.get_vocab_size(true);
        let examples = |split| {
            let sampler = Sampler::new(split)?;
            Examples::new(sampler, &tokenizer, config.batch)
        };
        let store = ParamStore::trainable(config.seed);
        let network = Network::new(size, &store)?;
        let mut origin = String::new();
        if let Some(init) = &config.init {
            origin = assign(&store, &init.from.join("model.safetensors"))?;
        }
        let params = FlatParams::new(store.vars());
        let mut optimizer = Optimizer::new(config.optimizer, &params)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(params.layout().as_bytes());
        hasher.update(
            format!(
                "{:?}{:?}{:?}{}{origin}",
                config.budget, config.optimizer, config.batch, config.seed
            )
            .as_bytes(),
        );
        let fingerprint = hasher.finalize().to_hex().to_string();
        let resumed = resume::load(&state_path(&config.work), &fingerprint, &mut optimizer)?;
        params.set(&optimizer.values)?;
        let state = resumed.unwrap_or(ResumeState {
            step: 0,
            seconds: 0.0,
            fingerprint,
        });
        let mut history = History::open(&config.work.join("history.json"))?;
        history.cut(state.step);
        Ok(Self {
            examples: examples(Split::Train)?,
            held_out: examples(Split::Validation)?,
            config: LanguageConfig {
                model: size,
                ..config
            },
            tokenizer,
            network,
            params,
            optimizer,
            state,
            history,
        })
    }

    fn progress(&self) -> f64 {
        self.config
            .budget
            .progress(self.state.step, self.state.seconds)
    }

    fn run(mut self, watch: &mut Watch<'_>, note: &mut dyn FnMut(&str)) -> Result<LanguageTrained> {
        let mut saved = self.state.seconds;
        let mut clock = Instant::now();
        let mut window = (0.0, 0.0, 0_u64);
        while self.progress() < 1.0 {
            let (loss, right, rate) = self.step()?;
            self.state.seconds += clock.elapsed().as_secs_f64();
            clock = Instant::now();
            window = (window.0 + loss, window.1 + right, window.2 + 1);
            if self.state.step.is_multiple_of(REPORT_EVERY) {
                let count = window.2 as f64;
                self.history.training.push(HistoryPoint {
                    step: self.state.step,
                    seconds: self.state.seconds,
                    rate,
                    loss: window.0 / count,
                    parts: BTreeMap::from([("wrong tokens".to_owned(), 1.0 - window.1 / count)]),
                });
                window = (0.0, 0.0, 0);
            }
            let flow = watch(self.state.step, self.progress(), loss, right);
            let is_due = self
                .state
                .step
                .is_multiple_of(self.config.budget.validate_every);
            if is_due && self.progress() < 1.0 {
                self.validate(note)?;
                clock = Instant::now();
            }
            let minutes = (self.state.seconds - saved) / 60.0;
            if flow == Flow::Stop || minutes >= self.config.budget.checkpoint_minutes {
                self.save()?;
                saved = self.state.seconds;
                clock = Instant::now();
            }
            if flow == Flow::Stop {
                note(&format!("stopped and saved at step {}", self.state.step));
                return Ok(self.trained(false));
            }
        }
        self.validate(note)?;
        self.save()?;
        self.export()?;
        note(&format!("wrote {}", self.config.out.display()));
        Ok(self.trained(true))
    }

    fn trained(&self, complete: bool) -> LanguageTrained {
        LanguageTrained {
            step: self.state.step,
            seconds: self.state.seconds,
            complete,
        }
    }

    /// Gradient, loss and part of right tokens of a seed's sentences.
    fn gradient_of(&self, seed: u64) -> Result<(FlatGrad, f64, f64)> {
        let batch = self.examples.draw(self.config.batch.size, seed)?;
        let (loss, right) = self.network.loss(&batch)?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        Ok((self.params.gradients(&loss.backward()?)?, value, right))
    }

    #[cfg(test)]
    pub(super) fn gradient(&self, seed: u64) -> Result<FlatGrad> {
        Ok(self.gradient_of(seed)?.0)
    }

    /// One step of all workers: mean loss, part of right tokens, learning rate.
    fn step(&mut self) -> Result<(f64, f64, f64)> {
        let threads = self.config.batch.threads;
        let seed = |worker: usize| {
            self.config
                .seed
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .wrapping_add(self.state.step * threads as u64 + worker as u64)
        };
        let run = |worker: usize| self.gradient_of(seed(worker));
        let results = std::thread::scope(|scope| {
            let run = &run;
            let others: Vec<_> = (1..threads)
                .map(|worker| {
                    let builder = std::thread::Builder::new().name(format!("train-{worker}"));
                    builder.spawn_scoped(scope, move || run(worker))
                })
                .collect();
            let mut results = vec![run(0)];
            for (index, other) in others.into_iter().enumerate() {
                let ended = |reason: String| {
                    LanguageModelError::from(TrainError::Worker {
                        worker: index + 1,
                        reason,
                    })
                };
                results.push(match other.map(std::thread::ScopedJoinHandle::join) {
                    Ok(Ok(result)) => result,
                    Ok(Err(_)) => Err(ended("it ended by a panic".to_owned())),
                    Err(error) => Err(ended(error.to_string())),
                });
            }
            results
        });
        let mut sum: Option<FlatGrad> = None;
        let (mut loss, mut right) = (0.0, 0.0);
        for result in results {
            let (grad, own_loss, own_right) = result?;
            loss += own_loss / threads as f64;
            right += own_right / threads as f64;
            match &mut sum {
                Some(sum) => sum.add(&grad),
                None => sum = Some(grad),
            }
        }
        if !loss.is_finite() {
            return Err(TrainError::Diverged {
                step: self.state.step,
                loss,
            }
            .into());
        }
        let rate = self.optimizer.rate(self.state.step, self.progress());
        if let Some(mut grad) = sum {
            grad.average_and_clip(threads, self.config.optimizer.clip);
            self.optimizer.update(&self.params, &grad, rate)?;
        }
        self.state.step += 1;
        Ok((loss, right, rate))
    }

    /// Loss and right tokens on held-out phrases, with the averaged weights.
    fn validate(&mut self, note: &mut dyn FnMut(&str)) -> Result<()> {
        self.params.set(&self.optimizer.average)?;
        let batch = self.held_out.draw(VALIDATION, u64::MAX)?;
        let told = self.exact(&batch);
        self.params.set(&self.optimizer.values)?;
        let (loss, right, exact) = told?;
        note(&format!(
            "step {}: held-out phrases: loss {loss:.4}, {:.2} % of the tokens and {:.1} % of the lines right",
            self.state.step,
            100.0 * right,
            100.0 * exact
        ));
        Ok(())
    }

    fn exact(&self, batch: &Batch) -> Result<(f64, f64, f64)> {
        let logits = self.network.logits(batch)?;
        let best = logits.argmax(1)?.to_vec1::<u32>()?;
        let (loss, right) = self.network.loss(batch)?;
        // A line ends where the end is the next token.
        let end = self.tokenizer.token_to_id(END).unwrap_or_default();
        let (mut lines, mut whole, mut fits) = (0.0, 0.0, true);
        for (best, next) in best.iter().zip(&batch.next) {
            fits &= best == next;
            if *next == end {
                lines += 1.0;
                whole += f64::from(u8::from(fits));
                fits = true;
            }
        }
        Ok((f64::from(loss.to_scalar::<f32>()?), right, whole / lines))
    }

    fn save(&self) -> Result<()> {
        resume::save(&state_path(&self.config.work), &self.state, &self.optimizer)?;
        self.history.save(&self.config.work.join("history.json"))?;
        Ok(save_curve(
            &self.history,
            &self.config.work.join("loss.png"),
        )?)
    }

    /// Writes the folder: configuration, tokenizer, template, weights.
    fn export(&self) -> Result<()> {
        let m = &self.config.model;
        let id = |token: &str| self.tokenizer.token_to_id(token);
        let config = serde_json::json!({
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": m.vocabulary,
            "hidden_size": m.width,
            "intermediate_size": m.hidden,
            "num_hidden_layers": m.layers,
            "num_attention_heads": m.heads,
            "num_key_value_heads": m.heads,
            "rms_norm_eps": EPSILON,
            "rope_theta": ROPE_THETA,
            "max_position_embeddings": 512,
            "tie_word_embeddings": true,
            "bos_token_id": id(BEGIN),
            "eos_token_id": id(END),
            "torch_dtype": "float16",
        });
        let out = |name: &str| self.config.out.join(name);
        let text = serde_json::to_string_pretty(&config).unwrap_or_default() + "\n";
        write_whole(&out("config.json"), text.as_bytes())?;
        write_whole(&out("chat_template.jinja"), CHAT_TEMPLATE.as_bytes())?;
        self.weights(&out("model.safetensors"))
    }

    /// The averaged weights as half precision.
    fn weights(&self, path: &Path) -> Result<()> {
        let mut all = Vec::new();
        for entry in &self.params.entries {
            let values = &self.optimizer.average[entry.start..entry.start + entry.len];
            let half = Tensor::from_slice(values, entry.len, &Device::Cpu)?
                .to_dtype(candle_core::DType::F16)?
                .to_vec1::<half::f16>()?;
            let bytes: Vec<u8> = half.iter().flat_map(|x| x.to_le_bytes()).collect();
            all.push((entry, bytes));
        }
        let fail = |error: safetensors::SafeTensorError| LanguageModelError::Weights {
            path: path.to_path_buf(),
            reason: error.to_string(),
        };
        let mut views = Vec::new();
        for (entry, bytes) in &all {
            let view =
                TensorView::new(Dtype::F16, entry.var.dims().to_vec(), bytes).map_err(fail)?;
            views.push((entry.name.as_str(), view));
        }
        let told = format!(
            "{} steps of {} sentences with seed {}",
            self.state.step,
            self.config.batch.size * self.config.batch.threads,
            self.config.seed
        );
        let metadata = std::collections::HashMap::from([("training".to_owned(), told)]);
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(fail)?;
        Ok(write_whole(path, &bytes)?)
    }
}

/// Overwrites every parameter with the tensor of the same name of a weight file
/// of any float type; the hash of the file.
fn assign(store: &ParamStore, path: &Path) -> Result<String> {
    let fail = |reason: String| LanguageModelError::Weights {
        path: path.to_path_buf(),
        reason,
    };
    let bytes = std::fs::read(path).map_err(LanguageModelError::file(path))?;
    let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
        .map_err(|error| fail(error.to_string()))?;
    let vars = store.vars();
    if let Some(name) = tensors.keys().find(|name| !vars.contains_key(*name)) {
        return Err(fail(format!(
            "`{name}` is no parameter of this size of model"
        )));
    }
    for (name, var) in &vars {
        let tensor = tensors
            .get(name)
            .filter(|tensor| tensor.dims() == var.dims())
            .ok_or_else(|| fail(format!("expected `{name}` of shape {:?}", var.dims())))?;
        var.set(&tensor.to_dtype(candle_core::DType::F32)?)?;
    }
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

/// The tokenizer of the model that the training goes on from, or of the model's
/// folder; learnt where there is none, because the weights belong to it.
fn tokenizer(config: &LanguageConfig) -> Result<Tokenizer> {
    let path = config.out.join("tokenizer.json");
    if let Some(init) = &config.init
        && init.from != config.out
    {
        let from = init.from.join("tokenizer.json");
        let bytes = std::fs::read(&from).map_err(LanguageModelError::file(&from))?;
        write_whole(&path, &bytes)?;
    }
    if path.exists() {
        return Tokenizer::from_file(&path).map_err(|error| LanguageModelError::Tokenizer {
            reason: format!("{}: {error}", path.display()),
        });
    }
    let tokenizer = learn(config.model.vocabulary, config.seed)?;
    let text = tokenizer
        .to_string(false)
        .map_err(|error| LanguageModelError::Tokenizer {
            reason: error.to_string(),
        })?;
    write_whole(&path, text.as_bytes())?;
    Ok(tokenizer)
}
