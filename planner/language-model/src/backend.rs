//! The back end `local`: a language model in this process.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use minijinja::{Value, context};
use vola_planner::asking::AskingCalibration;
use vola_planner::readings::{Asking, Reading, ScoredLine, answer, readings};
use vola_planner::{Backend, BackendError, Exchange, PlanDraft, PlanRequest, compact, situation};
use vola_types::TokenCount;

use crate::{ChatMessage, Completion, LanguageModel, LanguageModelError, Limits, Result};

/// What a model is told that was not trained for this.
const INSTRUCTIONS: &str = include_str!("instructions.md");
/// Most tokens of a line unless set otherwise.
const MOST_TOKENS: usize = 160;

/// Settings of the back end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalSettings {
    /// A GGUF file, or a folder with a model.
    pub model: PathBuf,
    /// Most tokens of one line; none for the default.
    pub max_tokens: Option<u32>,
    /// Lines that are compared; more is slower and reads hard words better.
    pub lines: usize,
}

impl LocalSettings {
    /// Most tokens of one line.
    fn most_tokens(&self) -> usize {
        self.max_tokens.map_or(MOST_TOKENS, |it| it as usize)
    }
}

/// Plans with a model in this process. It is opened at the first request and
/// kept; one request runs at a time, on a thread of its own, and is given up
/// when nobody waits any more.
pub struct LocalBackend {
    settings: LocalSettings,
    opened: Arc<Mutex<Opened>>,
}

#[derive(Default)]
enum Opened {
    #[default]
    NotYet,
    Ready(Box<LanguageModel>, Asking),
    Failed(String),
}

impl LocalBackend {
    /// A back end; nothing is opened yet.
    #[must_use]
    pub fn new(settings: LocalSettings) -> Self {
        Self {
            settings,
            opened: Arc::default(),
        }
    }
}

/// Cancels a completion when the caller goes away.
struct Cancel(Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a completion needs, apart from the request.
struct Job {
    settings: LocalSettings,
    messages: Vec<ChatMessage>,
    planner: Value,
    grammar: String,
    tokens: usize,
    deadline: Option<Instant>,
    is_cancelled: Arc<AtomicBool>,
}

/// A prompt and what came of it.
struct Done {
    prompt: String,
    lines: Vec<Completion>,
    asking: Asking,
}

#[async_trait]
impl Backend for LocalBackend {
    fn name(&self) -> &'static str {
        "local"
    }

    fn is_metered(&self) -> bool {
        true
    }

    async fn plan(&self, request: &PlanRequest) -> std::result::Result<PlanDraft, BackendError> {
        let started = Instant::now();
        let most = self.settings.most_tokens();
        let cancel = Cancel(Arc::default());
        let job = Job {
            settings: self.settings.clone(),
            messages: messages(request),
            planner: about(request),
            grammar: compact::grammar(&request.scene, &request.capabilities),
            tokens: most.min(usize::try_from(request.limits.tokens).unwrap_or(usize::MAX)),
            deadline: request.limits.deadline,
            is_cancelled: Arc::clone(&cancel.0),
        };
        let opened = Arc::clone(&self.opened);
        let done = tokio::task::spawn_blocking(move || run(&opened, &job)).await;
        let done = done
            .map_err(|error| BackendError::BadReply {
                detail: format!("the model's thread ended: {error}"),
            })?
            .map_err(|error| refusal(&error, started.elapsed()))?;
        let tokens = TokenCount {
            input: done.lines.first().map_or(0, |line| line.read as u64),
            output: done
                .lines
                .iter()
                .map(|line| line.probabilities.len() as u64)
                .sum(),
        };
        // Asked again, a model that does not read what was wrong says the same.
        let before = request
            .transcript
            .last()
            .filter(|_| request.feedback.is_some());
        let is_repeated = before.is_some_and(|before| before.prompt == done.prompt);
        let lines = scored(&done.lines);
        let readings = readings(&lines, request);
        let first = readings.first();
        let likeliest = done.lines.first();
        let reply = first.map(|reading| reading.line.clone());
        let is_whole = likeliest.is_some_and(|line| line.is_whole);
        request.transcript.open(Exchange {
            address: "local".to_owned(),
            model: self.settings.model.display().to_string(),
            prompt: done.prompt.clone(),
            reply: reply
                .or_else(|| likeliest.map(|line| line.text.clone()))
                .unwrap_or_default(),
            tokens,
            stop_reason: Some(if is_whole { "end" } else { "limit" }.to_owned()),
            millis: started.elapsed().as_secs_f64() * 1e3,
            lines,
            ask_from: done.asking.bar(),
            ..Exchange::default()
        });
        for reading in &readings {
            tracing::debug!(reading.line, reading.probability, "a reading");
        }
        if is_repeated {
            return Err(BackendError::BadReply {
                detail: "the model does not mend its plans".to_owned(),
            });
        }
        let Some(draft) = answer(readings, done.asking) else {
            return Err(BackendError::BadReply {
                detail: "the model's line was cut off".to_owned(),
            });
        };
        Ok(PlanDraft {
            model: Some(name(&self.settings.model)),
            tokens,
            ..draft
        })
    }
}

/// Reads sentences outside of a ladder, for calibration and measurements.
pub struct Reader {
    model: LanguageModel,
    tokens: usize,
    lines: usize,
}

impl Reader {
    /// Opens the model of these settings.
    ///
    /// # Errors
    /// As [`LanguageModel::open`].
    pub fn open(settings: &LocalSettings) -> Result<Self> {
        Ok(Self {
            model: LanguageModel::open(&settings.model)?,
            tokens: settings.most_tokens(),
            lines: settings.lines,
        })
    }

    /// The readings of a sentence, the one to follow first.
    ///
    /// # Errors
    /// A failing network.
    pub fn readings(&mut self, request: &PlanRequest) -> Result<Vec<Reading>> {
        let lines = self.lines(request)?;
        Ok(readings(&scored(&lines), request))
    }

    /// The likeliest lines for a sentence, as the model wrote them.
    ///
    /// # Errors
    /// A failing network.
    pub fn lines(&mut self, request: &PlanRequest) -> Result<Vec<Completion>> {
        let limits = Limits {
            tokens: self.tokens,
            lines: self.lines,
            deadline: None,
            is_cancelled: &AtomicBool::new(false),
        };
        let planner = about(request);
        keep_beginning(&mut self.model, &planner, limits)?;
        let prompt = self.model.prompt(&messages(request), &planner)?;
        let grammar = compact::grammar(&request.scene, &request.capabilities);
        self.model.complete(&prompt, &grammar, limits)
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &LanguageModel {
        &self.model
    }
}

/// The lines that were not cut off.
fn scored(lines: &[Completion]) -> Vec<ScoredLine> {
    let whole = lines.iter().filter(|line| line.is_whole);
    whole
        .map(|line| ScoredLine {
            line: line.text.clone(),
            probability: line.probability(),
        })
        .collect()
}

/// Where a model's calibration lies: beside a folder's weights, or beside a
/// GGUF file.
#[must_use]
pub fn calibration_file(model: &Path) -> PathBuf {
    if model.is_dir() {
        model.join("asking.json")
    } else {
        model.with_extension("asking.json")
    }
}

/// BLAKE3 hash of a model's weights.
///
/// # Errors
/// A file that cannot be read.
pub fn weights_hash(model: &Path) -> Result<String> {
    let file = if model.is_dir() {
        model.join("model.safetensors")
    } else {
        model.to_path_buf()
    };
    let mut hasher = blake3::Hasher::new();
    let mut opened = std::fs::File::open(&file).map_err(LanguageModelError::file(&file))?;
    std::io::copy(&mut opened, &mut hasher).map_err(LanguageModelError::file(&file))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// The calibration of a model that can be read and is of its weights.
#[must_use]
pub fn calibration(model: &Path) -> Option<AskingCalibration> {
    let text = std::fs::read_to_string(calibration_file(model)).ok()?;
    let calibration: AskingCalibration = serde_json::from_str(&text).ok()?;
    (weights_hash(model).ok()? == calibration.model).then_some(calibration)
}

/// When to ask, by the calibration that belongs to a model. Without one, or with
/// one of other weights, every plan is asked about, and it is said why.
fn asking(model: &Path) -> Asking {
    let file = calibration_file(model);
    let unknown = |reason: &str| {
        tracing::warn!(
            file = %file.display(),
            "{reason}: every plan of this model is asked about; `vola calibrate --planner` makes a calibration"
        );
        Asking::Always
    };
    let Ok(text) = std::fs::read_to_string(&file) else {
        return unknown("there is no calibration");
    };
    let calibration: AskingCalibration = match serde_json::from_str(&text) {
        Ok(calibration) => calibration,
        Err(error) => return unknown(&format!("the calibration cannot be read ({error})")),
    };
    if weights_hash(model).ok().as_deref() != Some(calibration.model.as_str()) {
        return unknown("the calibration is of other weights");
    }
    let asking = calibration.asking();
    if asking == Asking::Always {
        return unknown("the calibration is of too few sentences");
    }
    asking
}

/// The last part of a path: what a person calls the model.
fn name(model: &Path) -> String {
    model.file_name().map_or_else(
        || "local".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn messages(request: &PlanRequest) -> Vec<ChatMessage> {
    let mut all = instructed(situation(request));
    for feedback in request.feedback.iter().flat_map(|it| it.history()) {
        let said = feedback.turn.as_ref().and_then(|turn| turn.as_str());
        all.push(ChatMessage {
            role: "assistant",
            content: said.unwrap_or_default().to_owned(),
        });
        all.push(ChatMessage {
            role: "user",
            content: vola_planner::repair(&feedback.fault),
        });
    }
    all
}

/// The instructions, and what a person says first.
fn instructed(content: String) -> Vec<ChatMessage> {
    let system = ChatMessage {
        role: "system",
        content: INSTRUCTIONS.to_owned(),
    };
    let role = "user";
    vec![system, ChatMessage { role, content }]
}

/// What a template that knows this program may use. No sentence may hold what
/// looks like a mark of the template.
fn about(request: &PlanRequest) -> Value {
    context! {
        sentence => request.sentence.replace(['<', '>'], " "),
        question => request.dialogue.question.is_some(),
        command => request.dialogue.last.is_some(),
    }
}

fn refusal(error: &LanguageModelError, waited: Duration) -> BackendError {
    match error {
        LanguageModelError::Interrupted => BackendError::TimedOut {
            limit_millis: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
        },
        other => BackendError::Unreachable {
            detail: other.to_string(),
        },
    }
}

fn run(opened: &Mutex<Opened>, job: &Job) -> Result<Done> {
    let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
    if let Opened::NotYet = *opened {
        *opened = match LanguageModel::open(&job.settings.model) {
            Ok(model) => Opened::Ready(Box::new(model), asking(&job.settings.model)),
            Err(error) => Opened::Failed(error.to_string()),
        };
    }
    match &mut *opened {
        Opened::Ready(model, asking) => {
            let limits = Limits {
                tokens: job.tokens,
                lines: job.settings.lines,
                deadline: job.deadline,
                is_cancelled: &job.is_cancelled,
            };
            keep_beginning(model, &job.planner, limits)?;
            let prompt = model.prompt(&job.messages, &job.planner)?;
            let lines = model.complete(&prompt, &job.grammar, limits)?;
            Ok(Done {
                prompt,
                lines,
                asking: *asking,
            })
        }
        Opened::NotYet | Opened::Failed(_) => {
            let reason = match &*opened {
                Opened::Failed(reason) => reason.clone(),
                _ => "it was not opened".to_owned(),
            };
            Err(LanguageModelError::Unusable { reason })
        }
    }
}

/// The instructions come first in every prompt: they are read once.
fn keep_beginning(model: &mut LanguageModel, planner: &Value, limits: Limits<'_>) -> Result<()> {
    let with = |content: &str| model.prompt(&instructed(content.to_owned()), planner);
    let (one, other) = (with("a")?, with("b")?);
    let shared: String = one
        .chars()
        .zip(other.chars())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a)
        .collect();
    // Up to a line's end, where pieces of words begin anew.
    match shared.rfind('\n') {
        Some(at) if shared.len() > INSTRUCTIONS.len() / 2 => {
            model.keep_prefix(&shared[..at], limits)
        }
        _ => Ok(()),
    }
}
