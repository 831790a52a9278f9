//! What a back end is asked: the sentence and everything it may depend on.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use vola_types::{Plan, PlanOption, Scene, Step, Verdict};

use crate::capabilities::Capabilities;
use crate::documents::{self, Inquiry};
use crate::draft::PlanDraft;
use crate::transcript::Transcript;
use crate::verifier::PlanFault;

/// Longest sentence that is read, in bytes; a longer one is answered without
/// asking any back end.
pub const MAX_SENTENCE_BYTES: usize = 2000;

/// One question to the planner.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// What the person said.
    pub sentence: String,
    /// What is on the table now.
    pub scene: Scene,
    /// What the robot can do.
    pub capabilities: Capabilities,
    /// What was said before.
    pub dialogue: Dialogue,
    /// What the camera shows, for back ends that look at pictures.
    pub image: Option<EncodedImage>,
    /// Filled by the ladder when the back end's last answer was refused.
    pub feedback: Option<Feedback>,
    /// What documents say to a question of the sentence; filled by the ladder.
    /// The sentence that a back end gets is then the command, where there is one.
    pub inquiry: Option<Inquiry>,
    /// Which of several independent samples is asked for; none: the one answer, as
    /// surely as it can be had.
    pub sample: Option<u32>,
    /// What this call may cost; filled by the ladder.
    pub limits: CallLimits,
    /// Where back ends with a model note what they send and receive.
    pub transcript: Transcript,
}

impl PlanRequest {
    /// A first sentence over a scene, with everything the default tabletop can
    /// do.
    #[must_use]
    pub fn new(sentence: impl Into<String>, scene: Scene) -> Self {
        Self {
            sentence: sentence.into(),
            scene,
            capabilities: Capabilities::default(),
            dialogue: Dialogue::default(),
            image: None,
            feedback: None,
            inquiry: None,
            sample: None,
            limits: CallLimits::default(),
            transcript: Transcript::default(),
        }
    }
}

/// A picture as a file's bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedImage {
    /// `image/png` or `image/jpeg`.
    pub media_type: &'static str,
    /// The file's content.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for EncodedImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes", self.media_type, self.bytes.len())
    }
}

/// What one call of a back end may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// When the answer must be there; none: whenever.
    pub deadline: Option<Instant>,
    /// Tokens that may still be used.
    pub tokens: u64,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            deadline: None,
            tokens: u64::MAX,
        }
    }
}

/// A refused answer and the reason, for the back end's next try.
#[derive(Debug, Clone)]
pub struct Feedback {
    /// The answer that was refused; none when it could not be read as a plan.
    pub draft: Option<PlanDraft>,
    /// Why.
    pub fault: PlanFault,
    /// The model's turn with that answer, in its interface's own form.
    pub turn: Option<serde_json::Value>,
    /// The refusal before this one.
    pub before: Option<Box<Feedback>>,
}

impl Feedback {
    /// This refusal and those before it, the oldest first.
    #[must_use]
    pub fn history(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut next = self;
        while let Some(before) = &next.before {
            all.push(before);
            next = before;
        }
        all.reverse();
        all
    }
}

/// What earlier sentences left behind, so that "the left one", "no, the other
/// one", "the second" and "it" mean something.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Dialogue {
    /// The question that waits for an answer.
    pub question: Option<OpenQuestion>,
    /// Ids of the objects last acted on, latest first.
    pub referents: Vec<String>,
    /// The last command that was carried out or is running.
    pub last: Option<LastCommand>,
    /// The sentence before, where words were the whole answer to it: what it named is
    /// what "it" means next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spoken: Option<String>,
}

/// A question to the person and its possible answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenQuestion {
    /// The question.
    pub question: String,
    /// The answers.
    pub options: Vec<PlanOption>,
}

/// A command that was accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastCommand {
    /// The sentence.
    pub sentence: String,
    /// Its steps.
    pub steps: Vec<Step>,
    /// Steps that were finished; fewer than `steps` while it runs.
    pub finished_steps: usize,
}

impl Dialogue {
    /// Takes note of a sentence and its plan: an `ask` opens a question, an
    /// `execute` closes it and sets what "it" refers to.
    ///
    /// An answer from the documents changes nothing of that.
    pub fn note(&mut self, sentence: &str, plan: &Plan) {
        let is_asked = plan.answer.is_some();
        self.spoken = (plan.verdict == Verdict::Chat && !is_asked).then(|| sentence.to_owned());
        match plan.verdict {
            Verdict::Ask => {
                self.question = plan.question.clone().map(|question| OpenQuestion {
                    question,
                    options: plan.options.clone(),
                });
            }
            Verdict::Execute => {
                self.question = None;
                self.refer_to(&plan.steps);
                self.last = Some(LastCommand {
                    sentence: if is_asked {
                        documents::command_of(sentence)
                    } else {
                        sentence.to_owned()
                    },
                    steps: plan.steps.clone(),
                    finished_steps: 0,
                });
            }
            Verdict::Chat if is_asked => {}
            Verdict::Infeasible | Verdict::Unsafe | Verdict::Chat => self.question = None,
        }
    }

    /// Makes the objects of `steps` the latest referents.
    pub(crate) fn refer_to(&mut self, steps: &[Step]) {
        let mut latest: Vec<String> = Vec::new();
        for id in steps.iter().filter_map(Step::object) {
            if !latest.iter().any(|known| known == id) {
                latest.push(id.to_owned());
            }
        }
        if !latest.is_empty() {
            self.referents = latest;
        }
    }
}
