//! `vola train`: trains a policy by a configuration and writes its bundle.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use vola_bundle::{CALIBRATION_FILE, read_toml_text};
use vola_language_model::{LanguageConfig, train_language};
use vola_runtime::StopSwitch;
use vola_train::{Flow, Observer, StepReport, TrainConfig, Trained, ValidationReport, train};

use crate::{
    arguments::SharedArguments,
    commands::record::{self, RecordArguments},
    failure::{Failure, exit},
    interrupt::{INTERRUPTED, Interrupt, Leaving},
    output::{Console, Tone},
    process_setup,
};

/// Steps between two JSON lines.
const REPORT_EVERY: u64 = 100;
/// Cells of the progress bar.
const BAR_LENGTH: u64 = 1000;

/// `vola train`.
#[derive(Clone, Debug, Args)]
pub(crate) struct TrainArguments {
    /// The training's configuration
    #[arg(value_name = "CONFIG")]
    config_file: PathBuf,
    /// Train this long instead of what the configuration says
    #[arg(long)]
    minutes: Option<f64>,
    /// Go on from the saved state; otherwise a saved state is an error
    #[arg(long)]
    resume: bool,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &TrainArguments,
    console: Console,
) -> Result<u8, Failure> {
    process_setup::share_memory();
    let text = read_toml_text(&own.config_file)?;
    if LanguageConfig::is_one(&text) {
        return train_planner(own, console);
    }
    let mut config = TrainConfig::parse(&text, &own.config_file)?;
    if let Some(minutes) = own.minutes {
        if !(minutes.is_finite() && minutes > 0.0) {
            return Err(Failure::Argument {
                argument: "--minutes".to_owned(),
                expected: "a number above 0".to_owned(),
                got: minutes.to_string(),
                help: "the 20-minute setting is `--minutes 20`".to_owned(),
            });
        }
        config.budget.minutes = Some(minutes);
        config.budget.steps = None;
    }
    check_state(&config.work, own)?;
    record_missing(shared, &config, console)?;
    let interrupt = Interrupt::install(StopSwitch::default(), Leaving::WhenSaved);
    let mut watcher = Watcher::new(console, interrupt.clone());
    let trained = train(&config, &mut watcher)?;
    watcher.end(&config, &trained)?;
    Ok(if interrupt.is_wanted() {
        INTERRUPTED
    } else {
        exit::DONE
    })
}

/// Trains the planner's embedded language model.
fn train_planner(own: &TrainArguments, console: Console) -> Result<u8, Failure> {
    let mut config = LanguageConfig::open(&own.config_file)?;
    if let Some(minutes) = own.minutes {
        config.budget.minutes = Some(minutes);
        config.budget.steps = None;
    }
    check_state(&config.work, own)?;
    let interrupt = Interrupt::install(StopSwitch::default(), Leaving::WhenSaved);
    let watcher = Watcher::new(console, interrupt.clone());
    let mut fault = None;
    let bar = watcher.bar.clone();
    let mut watch = |step: u64, progress: f64, loss: f64, right: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to the bar's length"
        )]
        bar.set_position((progress * BAR_LENGTH as f64) as u64);
        bar.set_message(format!("step {step}, loss {loss:.3}"));
        if console.is_json() && step.is_multiple_of(REPORT_EVERY) {
            let line = json!({"step": step, "progress": progress, "loss": loss, "right": right});
            if let Err(error) = console.object(&line) {
                fault = Some(error);
                return Flow::Stop;
            }
        }
        if interrupt.is_wanted() {
            Flow::Stop
        } else {
            Flow::Continue
        }
    };
    let mut note = |text: &str| {
        if console.is_json() {
            tracing::info!("{text}");
        } else {
            bar.suspend(|| tracing::info!("{text}"));
        }
    };
    let trained = train_language(&config, &mut watch, &mut note)?;
    bar.finish_and_clear();
    if let Some(fault) = fault {
        return Err(fault);
    }
    if console.is_json() {
        console.object(&json!({"steps": trained.step, "seconds": trained.seconds, "complete": trained.complete}))?;
    } else if trained.complete {
        console.line(&format!(
            "{} steps in {:.0} min; the model is in {}, the losses in {}",
            trained.step,
            trained.seconds / 60.0,
            config.out.display(),
            config.work.join("loss.png").display()
        ))?;
    }
    Ok(if trained.complete {
        exit::DONE
    } else {
        INTERRUPTED
    })
}

/// A training starts anew only where nothing is lost by it.
fn check_state(work: &Path, own: &TrainArguments) -> Result<(), Failure> {
    let state = work.join("resume.safetensors");
    if own.resume || !state.exists() {
        return Ok(());
    }
    Err(Failure::Content {
        path: state,
        reason: "a training has begun here".to_owned(),
        help: "go on with `--resume`, or remove the folder to start anew",
    })
}

/// Records the data folders that are not there yet, as the configuration says.
fn record_missing(
    shared: &SharedArguments,
    config: &TrainConfig,
    console: Console,
) -> Result<(), Failure> {
    for folder in config.data.iter().filter(|folder| !folder.exists()) {
        let Some(wish) = config.record.iter().find(|wish| wish.folder == *folder) else {
            return Err(Failure::Content {
                path: folder.clone(),
                reason: "the configuration's data folder is missing".to_owned(),
                help: "record it with `vola record --expert --out FOLDER`, or say how in [[record]]",
            });
        };
        tracing::warn!(folder = %folder.display(), "the data folder is missing and is recorded first");
        let tasks = match wish.tasks.as_slice() {
            [] => record::default_tasks(),
            tasks => tasks.to_vec(),
        };
        let arguments = RecordArguments {
            expert: true,
            fast: false,
            episodes: wish.episodes,
            seed: wish.seed,
            out: folder.clone(),
            tasks,
            arms: wish.arms.clone(),
            workers: u16::try_from(config.batch.threads).unwrap_or(2).max(1),
            clean: false,
            corrections: wish.corrections,
            keep_failing: false,
            takeovers: false,
            perturb: "none".to_owned(),
            perturb_seed: None,
        };
        record::run(shared, &arguments, console)?;
    }
    Ok(())
}

/// Shows a training.
struct Watcher {
    console: Console,
    bar: ProgressBar,
    interrupt: Interrupt,
    fault: Option<Failure>,
}

impl Watcher {
    fn new(console: Console, interrupt: Interrupt) -> Self {
        let target = if console.is_json() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(Some(BAR_LENGTH), target);
        if let Ok(style) =
            ProgressStyle::with_template("training {bar:28} {percent:>3} %  {msg}  {elapsed}")
        {
            bar.set_style(style.progress_chars("━━╌"));
        }
        Self {
            console,
            bar,
            interrupt,
            fault: None,
        }
    }

    /// Prints; a failure stops the training, since nobody could see its end.
    fn print(&mut self, print: impl FnOnce(Console) -> Result<(), Failure>) {
        if self.fault.is_none() {
            let console = self.console;
            self.fault = self.bar.suspend(|| print(console)).err();
        }
    }

    fn end(self, config: &TrainConfig, trained: &Trained) -> Result<(), Failure> {
        self.bar.finish_and_clear();
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if self.console.is_json() {
            return self.console.object(&json!({"trained": {
                "complete": trained.complete, "steps": trained.step, "seconds": trained.seconds,
                "bundle": config.out, "validation": trained.validation,
            }}));
        }
        let style = self.console.style();
        let text = if trained.complete {
            let told = format!(
                "trained {} steps in {:.0} s; bundle {}",
                trained.step,
                trained.seconds,
                config.out.display()
            );
            style.paint(Tone::Good, &told)
        } else {
            let told = format!("stopped at step {}; go on with --resume", trained.step);
            style.paint(Tone::Warning, &told)
        };
        self.console.line(&text)?;
        let calibration = config.out.join(CALIBRATION_FILE);
        if trained.complete && calibration.exists() {
            let told = format!(
                "{} was made for the policy before: run `vola calibrate`, or delete it; until then this policy does not run",
                calibration.display()
            );
            self.console.line(&style.paint(Tone::Warning, &told))?;
        }
        Ok(())
    }
}

impl Observer for Watcher {
    fn step(&mut self, report: &StepReport<'_>) -> Flow {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of 0..=1 of a bar"
        )]
        self.bar
            .set_position((report.progress.clamp(0.0, 1.0) * BAR_LENGTH as f64) as u64);
        if report.step.is_multiple_of(10) {
            self.bar
                .set_message(format!("step {}  loss {:.4}", report.step, report.loss));
        }
        if self.console.is_json() && report.step.is_multiple_of(REPORT_EVERY) {
            let object = json!({"step": report.step, "seconds": report.seconds, "progress": report.progress,
                "rate": report.rate, "loss": report.loss, "parts": report.parts});
            self.print(|console| console.object(&object));
        }
        if self.interrupt.is_wanted() || self.fault.is_some() {
            Flow::Stop
        } else {
            Flow::Continue
        }
    }

    fn validation(&mut self, report: &ValidationReport) {
        let report = report.clone();
        self.print(move |console| {
            if console.is_json() {
                return console.object(&json!({"validation": report}));
            }
            let seen = if report.labelled == 0 {
                "target and scene are not known".to_owned()
            } else {
                format!(
                    "target {:.1} mm (90 %: {:.1} mm)  scene {:.1} % found, {:.1} % right, {:.1} mm",
                    report.target_median_mm, report.target_p90_mm,
                    100.0 * report.scene_recall, 100.0 * report.scene_precision, report.scene_median_mm
                )
            };
            console.line(&format!(
                "step {:>6}  action {:.4}  gripper {:.4}  {seen}",
                report.step, report.action, report.gripper
            ))
        });
    }

    fn note(&mut self, text: &str) {
        let text = text.to_owned();
        self.print(move |console| {
            if console.is_json() {
                console.object(&json!({"note": text}))
            } else {
                console.line(&text)
            }
        });
    }
}
