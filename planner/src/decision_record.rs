//! Every decision as one file, so that it can be read and replayed later.
//!
//! A record holds what the decision depended on (sentence, scene, history,
//! robot), what was sent to and received from each model, what the verifier
//! said, and the plan. It holds no key: keys travel in headers, which are not
//! recorded. Files are written whole and then renamed, so a reader never sees
//! half a record.

mod replay;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vola_types::{Plan, Scene};

use crate::capabilities::Capabilities;
use crate::documents::Inquiry;
use crate::request::{Dialogue, PlanRequest};
use crate::transcript::Exchange;

pub use replay::{Replay, replay};

/// Version of the form of a record.
const FORMAT: u32 = 1;

/// Largest record that is read, in bytes: pictures are in it.
const MAX_RECORD_BYTES: u64 = 64 << 20;

/// One decision of the ladder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// Version of this form.
    pub format: u32,
    /// The plan's id.
    pub id: String,
    /// When it was made, in milliseconds since 1970 (UTC).
    pub made_unix_ms: u64,
    /// What was asked.
    pub asked: Asked,
    /// Repairs that were allowed.
    pub repairs_allowed: u32,
    /// The rungs that were asked, in order.
    pub rungs: Vec<RungRecord>,
    /// What came out.
    pub plan: Plan,
}

/// What a decision depended on, pictures aside (they are in the prompts).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// What the person said.
    pub sentence: String,
    /// What was on the table.
    pub scene: Scene,
    /// What the robot could do.
    pub capabilities: Capabilities,
    /// What was said before.
    pub dialogue: Dialogue,
    /// What was found in the documents, where there was a question for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inquiry: Option<Inquiry>,
}

impl Asked {
    /// The part of a request that is recorded.
    pub(crate) fn of(request: &PlanRequest) -> Self {
        Self {
            sentence: request.sentence.clone(),
            scene: request.scene.clone(),
            capabilities: request.capabilities.clone(),
            dialogue: request.dialogue.clone(),
            inquiry: request.inquiry.clone(),
        }
    }

    /// The request that this was.
    pub(crate) fn request(&self) -> PlanRequest {
        let mut request = PlanRequest::new(self.sentence.clone(), self.scene.clone());
        request.capabilities = self.capabilities.clone();
        request.dialogue = self.dialogue.clone();
        request.inquiry = self.inquiry.clone();
        request
    }
}

/// What one rung did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RungRecord {
    /// The back end's name.
    pub backend: String,
    /// Whether it was asked for what documents say, and not for a plan.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_of_question: bool,
    /// Its calls: the first, then one a repair.
    pub attempts: Vec<AttemptRecord>,
}

/// One call of a back end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// What was sent and received; empty for back ends without a model.
    pub exchanges: Vec<Exchange>,
    /// Why it gave no answer.
    #[serde(default)]
    pub error: Option<String>,
    /// Why its answer was refused.
    #[serde(default)]
    pub fault: Option<String>,
    /// Whether it read the sentence as a change of the command before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_correction: bool,
    /// How long it took, in milliseconds.
    pub millis: f64,
}

/// A record that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The folder or file cannot be used.
    #[error("{}: cannot {action} the decision: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is no record of this version.
    #[error("{}: not a decision record: {detail}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// An id is not one.
    #[error("expected the id of a decision, 16 hexadecimal digits, got {got:?}")]
    Id {
        /// What was given.
        got: String,
    },
}

/// A folder of decision records.
#[derive(Debug, Clone)]
pub struct DecisionLog {
    folder: PathBuf,
}

impl DecisionLog {
    /// The log in this folder, which is made when the first record is written.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a record; an equal decision replaces its older record.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, record: &DecisionRecord) -> Result<PathBuf, RecordError> {
        let path = self.file(&record.id)?;
        let fault = |action| {
            let path = path.clone();
            move |source| RecordError::Io {
                path,
                action,
                source,
            }
        };
        std::fs::create_dir_all(&self.folder).map_err(fault("make the folder of"))?;
        let text = serde_json::to_string_pretty(record).map_err(|error| RecordError::Content {
            path: path.clone(),
            detail: error.to_string(),
        })?;
        let unfinished = path.with_extension("unfinished");
        std::fs::write(&unfinished, text).map_err(fault("write"))?;
        std::fs::rename(&unfinished, &path).map_err(fault("rename"))?;
        Ok(path)
    }

    /// Reads the record of a decision.
    ///
    /// # Errors
    /// When the id is none, or there is no such record.
    pub fn read(&self, id: &str) -> Result<DecisionRecord, RecordError> {
        read_record(&self.file(id)?)
    }

    fn file(&self, id: &str) -> Result<PathBuf, RecordError> {
        // An id becomes part of a path: nothing else may pass.
        if id.len() != 16 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(RecordError::Id {
                got: id.chars().take(80).collect(),
            });
        }
        Ok(self.folder.join(format!("{id}.json")))
    }
}

/// Reads a record from a file.
///
/// # Errors
/// When it cannot be read, is too large, or is not a record of this version.
pub fn read_record(path: &Path) -> Result<DecisionRecord, RecordError> {
    let fault = |source| RecordError::Io {
        path: path.to_owned(),
        action: "read",
        source,
    };
    let content = |detail: String| RecordError::Content {
        path: path.to_owned(),
        detail,
    };
    let bytes = std::fs::metadata(path).map_err(fault)?.len();
    if bytes > MAX_RECORD_BYTES {
        return Err(content(format!(
            "{bytes} bytes, at most {MAX_RECORD_BYTES} are read"
        )));
    }
    let text = std::fs::read_to_string(path).map_err(fault)?;
    let record: DecisionRecord =
        serde_json::from_str(&text).map_err(|error| content(error.to_string()))?;
    if record.format != FORMAT {
        return Err(content(format!(
            "expected format {FORMAT}, got {}",
            record.format
        )));
    }
    record
        .asked
        .scene
        .check()
        .map_err(|error| content(error.to_string()))?;
    Ok(record)
}

/// The record of a decision that was just made.
pub(crate) fn record(
    request: &PlanRequest,
    repairs_allowed: u32,
    rungs: Vec<RungRecord>,
    plan: &Plan,
) -> DecisionRecord {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = since.map_or(0, |time| time.as_millis());
    DecisionRecord {
        format: FORMAT,
        id: plan.id.clone(),
        made_unix_ms: u64::try_from(millis).unwrap_or(u64::MAX),
        asked: Asked::of(request),
        repairs_allowed,
        rungs,
        plan: plan.clone(),
    }
}

/// The same for the same plan for the same sentence over the same scene.
pub(crate) fn decision_id(request: &PlanRequest, plan: &Plan) -> String {
    let mut timeless = plan.clone();
    timeless.id.clear();
    timeless.millis = 0.0;
    let mut hasher = blake3::Hasher::new();
    let asked = serde_json::to_vec(&Asked::of(request)).unwrap_or_default();
    let plan = serde_json::to_vec(&timeless).unwrap_or_default();
    for part in [&asked, &plan] {
        hasher.update(&part.len().to_le_bytes());
        hasher.update(part);
    }
    let mut digits = hasher.finalize().to_hex().to_string();
    digits.truncate(16);
    digits
}
