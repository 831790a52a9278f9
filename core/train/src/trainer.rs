//! The training loop: workers, optimiser, saved states, validation, the finished bundle.

use std::collections::BTreeMap;
use std::time::Instant;

use vola_nn::{Chain, ParamStore, StageEnv, WordTokenizer};

use crate::curve::save_curve;
use crate::export::{write_bundle, write_tokenizer};
use crate::flat_params::FlatParams;
use crate::loss_window::Window;
use crate::optimizer::Optimizer;
use crate::policy_loss::PolicyNames;
use crate::resume::{self, ResumeState, state_path};
use crate::training_setup::{fingerprint, scene_names, split};
use crate::validation::Validator;
use crate::vocabulary::{vocabulary, word_rows};
use crate::worker::{SceneNames, WorkerGrads, WorkerPlan, shows_raised};
use crate::{
    BatchMaker, Demonstrations, FrameSource, History, PolicyFile, Result, TrainConfig, TrainError,
    ValidationReport,
};

/// Steps over which the reported losses are averaged.
const REPORT_EVERY: u64 = 50;

/// Whether a training goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Save the state and end; nothing is exported.
    Stop,
}

/// Who watches a training. Called on the thread that trains.
pub trait Observer {
    /// After every step.
    fn step(&mut self, report: &StepReport<'_>) -> Flow;

    /// After every validation.
    fn validation(&mut self, report: &ValidationReport);

    /// Something worth a line: resumed, saved, exported.
    fn note(&mut self, text: &str);
}

/// Where a training stands.
#[derive(Clone, Copy, Debug)]
pub struct StepReport<'a> {
    /// Steps done.
    pub step: u64,
    /// Seconds trained.
    pub seconds: f64,
    /// Part of the budget used, 0..1.
    pub progress: f64,
    /// Learning rate of the step.
    pub rate: f64,
    /// Weighted loss of the step, mean of the workers.
    pub loss: f64,
    /// Unweighted parts of the step, mean of the workers.
    pub parts: &'a BTreeMap<&'static str, f64>,
}

/// How a training ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// Steps done.
    pub step: u64,
    /// Seconds trained.
    pub seconds: f64,
    /// Whether the budget was used up and the bundle written; else the observer stopped it.
    pub complete: bool,
    /// The last validation, if any.
    pub validation: Option<ValidationReport>,
}

/// Trains by a configuration, with the demonstrations it names, and writes the bundle.
///
/// # Errors
/// Unusable data, policy or saved state, a failing stage, or a loss that is not finite.
pub fn train(config: &TrainConfig, observer: &mut dyn Observer) -> Result<Trained> {
    let source = Demonstrations::open(config)?;
    for note in source.notes() {
        observer.note(note);
    }
    Trainer::new(config.clone(), &source)?.run(observer)
}

/// A training that is set up, resumed if there was a saved state.
pub struct Trainer<'a> {
    config: TrainConfig,
    source: &'a dyn FrameSource,
    policy: PolicyFile,
    words: WordTokenizer,
    names: PolicyNames,
    scene: Option<SceneNames>,
    chain: Chain,
    params: FlatParams,
    optimizer: Optimizer,
    training: Vec<usize>,
    labelled: Vec<usize>,
    raised: Vec<usize>,
    validation: Vec<usize>,
    state: ResumeState,
    history: History,
}

impl<'a> Trainer<'a> {
    /// Builds the chain, splits the frames by episode and resumes.
    ///
    /// # Errors
    /// As [`train`].
    pub fn new(config: TrainConfig, source: &'a dyn FrameSource) -> Result<Self> {
        let policy = PolicyFile::open(&config.policy)?;
        let names = PolicyNames::new(&policy, &config.policy)?;
        std::fs::create_dir_all(&config.work).map_err(TrainError::io(&config.work))?;
        let words = vocabulary(source);
        write_tokenizer(&config.out, &words)?;
        let store = ParamStore::trainable(config.seed);
        let chain = Chain::build(
            &policy.stages,
            &StageEnv {
                bundle: config.out.clone(),
            },
            &store,
        )?;
        let params = FlatParams::new(store.vars());
        if let Some(bundle) = &config.start {
            let rows = word_rows(&policy, bundle, &words)?;
            params.load(&bundle.join("model.safetensors"), rows.as_ref())?;
        }
        let mut optimizer = Optimizer::new(config.optimizer, &params)?;
        let (training, validation) = split(source, config.seed);
        for (list, purpose) in [(&training, "training"), (&validation, "validation")] {
            if list.is_empty() {
                return Err(TrainError::NoFrames {
                    purpose,
                    folders: config.data.clone(),
                });
            }
        }
        let fingerprint = fingerprint(&config, &policy, &params, source);
        let resumed = resume::load(&state_path(&config.work), &fingerprint, &mut optimizer)?;
        params.set(&optimizer.values)?;
        let state = resumed.unwrap_or(ResumeState {
            step: 0,
            seconds: 0.0,
            fingerprint,
        });
        let mut history = History::open(&config.work.join("history.json"))?;
        history.cut(state.step);
        let scene = scene_names(&policy).filter(|_| config.batch.scene > 0);
        Ok(Self {
            config,
            source,
            policy,
            words,
            names,
            scene,
            chain,
            params,
            optimizer,
            raised: training
                .iter()
                .copied()
                .filter(|index| shows_raised(&source.frame(*index)))
                .collect(),
            labelled: training
                .iter()
                .copied()
                .filter(|index| source.frame(*index).labels.objects)
                .collect(),
            training,
            validation,
            state,
            history,
        })
    }

    /// Where the training stands.
    #[must_use]
    pub fn state(&self) -> &ResumeState {
        &self.state
    }

    /// Names of the parameters that received no gradient, or only zeros, in `steps` steps; nothing
    /// is changed. A chain that is wired right gives none.
    ///
    /// # Errors
    /// A failing stage or loss.
    pub fn parameters_without_gradient(&self, steps: u64) -> Result<Vec<String>> {
        let maker = BatchMaker::new(self.source, self.policy.grid(), Some(self.config.augment));
        let mut moved = vec![false; self.params.entries.len()];
        for step in 0..steps {
            let grads = self
                .plan(&maker)
                .run(0, step * self.config.batch.scene_every)?;
            for flat in std::iter::once(&grads.policy).chain(&grads.scene) {
                for (entry, moved) in self.params.entries.iter().zip(&mut moved) {
                    *moved |= flat.values[entry.start..entry.start + entry.len]
                        .iter()
                        .any(|g| *g != 0.0);
                }
            }
        }
        Ok(self
            .params
            .entries
            .iter()
            .zip(moved)
            .filter(|(_, moved)| !moved)
            .map(|(e, _)| e.name.clone())
            .collect())
    }

    /// Trains to the end of the budget and writes the bundle.
    ///
    /// # Errors
    /// As [`train`].
    pub fn run(mut self, observer: &mut dyn Observer) -> Result<Trained> {
        let maker_source = self.source;
        let maker = BatchMaker::new(maker_source, self.policy.grid(), Some(self.config.augment));
        if self.state.step > 0 {
            observer.note(&format!(
                "resumed at step {} after {:.0} s",
                self.state.step, self.state.seconds
            ));
        }
        let (mut window, mut last_saved) = (Window::default(), self.state.seconds);
        let mut clock = Instant::now();
        while self.progress() < 1.0 {
            let (rate, grads) = self.step(&maker)?;
            self.state.seconds += clock.elapsed().as_secs_f64();
            clock = Instant::now();
            window.add(&grads);
            if self.state.step.is_multiple_of(REPORT_EVERY) {
                self.history.training.push(window.take(&self.state, rate));
            }
            let report = StepReport {
                step: self.state.step,
                seconds: self.state.seconds,
                progress: self.progress(),
                rate,
                loss: grads.loss,
                parts: &grads.parts,
            };
            let flow = observer.step(&report);
            if self
                .state
                .step
                .is_multiple_of(self.config.budget.validate_every)
                && self.progress() < 1.0
            {
                let report = self.validate()?;
                observer.validation(&report);
                clock = Instant::now();
            }
            if flow == Flow::Stop
                || self.state.seconds - last_saved >= self.config.budget.checkpoint_minutes * 60.0
            {
                self.save()?;
                last_saved = self.state.seconds;
                clock = Instant::now();
            }
            if flow == Flow::Stop {
                observer.note(&format!("stopped and saved at step {}", self.state.step));
                return Ok(self.trained(false));
            }
        }
        let report = self.validate()?;
        observer.validation(&report);
        self.save()?;
        self.export()?;
        observer.note(&format!("wrote the bundle {}", self.config.out.display()));
        Ok(self.trained(true))
    }

    fn trained(&self, complete: bool) -> Trained {
        Trained {
            step: self.state.step,
            seconds: self.state.seconds,
            complete,
            validation: self.history.validation.last().cloned(),
        }
    }

    fn progress(&self) -> f64 {
        self.config
            .budget
            .progress(self.state.step, self.state.seconds)
    }

    fn plan<'b>(&'b self, maker: &'b BatchMaker<'b>) -> WorkerPlan<'b> {
        WorkerPlan {
            config: &self.config,
            chain: &self.chain,
            params: &self.params,
            names: &self.names,
            scene: self.scene.as_ref(),
            maker,
            frames: &self.training,
            labelled: &self.labelled,
            raised: &self.raised,
        }
    }

    /// One step of all workers and the optimiser; returns the rate and the mean of the workers.
    fn step(&mut self, maker: &BatchMaker<'_>) -> Result<(f64, WorkerGrads)> {
        let threads = self.config.batch.threads;
        let mut all = run_workers(&self.plan(maker), threads, self.state.step)?.into_iter();
        let Some(mut sum) = all.next() else {
            return Err(TrainError::Worker {
                worker: 0,
                reason: "no worker ran".to_string(),
            });
        };
        for other in all {
            sum.add(other);
        }
        sum.loss /= threads as f64;
        for part in sum.parts.values_mut() {
            *part /= threads as f64;
        }
        if !sum.loss.is_finite() {
            return Err(TrainError::Diverged {
                step: self.state.step,
                loss: sum.loss,
            });
        }
        // Policy and scene share no parameter; clipped together, one would slow the other.
        sum.policy
            .average_and_clip(threads, self.config.optimizer.clip);
        if let Some(scene) = &mut sum.scene {
            scene.average_and_clip(threads, self.config.optimizer.clip);
            sum.policy.add(scene);
        }
        let rate = self.optimizer.rate(self.state.step, self.progress());
        self.optimizer.update(&self.params, &sum.policy, rate)?;
        self.state.step += 1;
        Ok((rate, sum))
    }

    /// Validates the averaged weights, in the chain's own variables for the time being.
    fn validate(&mut self) -> Result<ValidationReport> {
        self.params.set(&self.optimizer.average)?;
        let maker = BatchMaker::new(self.source, self.policy.grid(), None);
        let target = self
            .policy
            .stage("fusion/cross_attention")
            .and_then(|s| s.outputs.get(2))
            .map(String::as_str);
        let validator = Validator {
            chain: &self.chain,
            names: &self.names,
            target,
            scene: self.scene.as_ref(),
            maker: &maker,
            frames: &self.validation,
            loss: self.config.loss,
        };
        let report = validator.run(self.state.step);
        self.params.set(&self.optimizer.values)?;
        let report = report?;
        self.history.validation.push(report.clone());
        Ok(report)
    }

    /// Saves the state, the history and its picture.
    fn save(&self) -> Result<()> {
        resume::save(&state_path(&self.config.work), &self.state, &self.optimizer)?;
        self.history.save(&self.config.work.join("history.json"))?;
        save_curve(&self.history, &self.config.work.join("loss.png"))
    }

    fn export(&self) -> Result<()> {
        // One entry: the order of several is not fixed, and equal trainings shall give equal files.
        let told = format!(
            "{} steps on {} frames with seed {}",
            self.state.step,
            self.source.len(),
            self.config.seed
        );
        let metadata = BTreeMap::from([("training".to_string(), told)]);
        write_bundle(
            &self.config.out,
            &self.policy,
            &self.words,
            &self.params,
            &self.optimizer.average,
            metadata,
        )
    }
}

impl WorkerGrads {
    fn add(&mut self, other: Self) {
        self.policy.add(&other.policy);
        match (&mut self.scene, other.scene) {
            (Some(own), Some(other)) => own.add(&other),
            (own @ None, other) => *own = other,
            (Some(_), None) => {}
        }
        self.loss += other.loss;
        for (name, value) in other.parts {
            *self.parts.entry(name).or_default() += value;
        }
    }
}

/// Runs worker 0 on this thread and the others on their own; results in worker order.
fn run_workers(plan: &WorkerPlan<'_>, threads: usize, step: u64) -> Result<Vec<WorkerGrads>> {
    std::thread::scope(|scope| {
        let mut handles = Vec::new();
        for worker in 1..threads {
            let builder = std::thread::Builder::new().name(format!("train-{worker}"));
            let handle = builder.spawn_scoped(scope, move || plan.run(worker, step));
            handles.push(handle.map_err(|e| TrainError::Worker {
                worker,
                reason: e.to_string(),
            })?);
        }
        let mut results = vec![plan.run(0, step)?];
        for (i, handle) in handles.into_iter().enumerate() {
            let ended = |_| TrainError::Worker {
                worker: i + 1,
                reason: "it ended by a panic".to_string(),
            };
            results.push(handle.join().map_err(ended)??);
        }
        Ok(results)
    })
}
