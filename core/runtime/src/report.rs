//! What a running primitive tells its owner, and what it asks.

use vola_bundle::ActionChunk;
use vola_confidence::ConfidenceReading;
use vola_types::{DType, Outcome};

use crate::{Picture, Session};

/// Watches a primitive. Called on the thread that runs it.
pub trait PrimitiveObserver {
    /// After every decision of the policy, before its chunk is followed.
    fn decision(&mut self, decision: &DecisionReport<'_>) {
        let _ = decision;
    }

    /// Whether a person's word, or hand, still stands for the policy's own doubt:
    /// then it goes on though it is unsure, and nobody is asked. Must not wait.
    ///
    /// # Units
    /// `now_ns` is the runtime's clock (ns).
    fn is_trusted(&mut self, now_ns: u64) -> bool {
        let _ = now_ns;
        false
    }

    /// The handoff has changed: the arm was told to hold, and brakes. Its transitions
    /// can be told, so that people know before it stands. Must not wait.
    fn handed(&mut self, session: &mut Session) {
        let _ = session;
    }

    /// The policy is unsure. The arm already holds and stays at rest until the
    /// answer; the call may wait for a person. Without a person: abort.
    fn low_confidence(&mut self, reading: &ConfidenceReading) -> HandoffAnswer {
        let _ = reading;
        HandoffAnswer::Abort
    }

    /// Whether the primitive is to come to rest now and end as interrupted. Asked
    /// before every decision, and every 20 ms of a motion that the runtime makes
    /// itself; must not wait.
    ///
    /// # Units
    /// `now_ns` is the runtime's clock (ns).
    fn is_rest_wanted(&mut self, now_ns: u64) -> bool {
        let _ = now_ns;
        false
    }

    /// The safety layer changed, refused or stopped something.
    fn safety(&mut self, note: &SafetyNote<'_>) {
        let _ = note;
    }
}

/// What the safety layer did, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SafetyNote<'a> {
    /// When (ns, on the runtime's clock).
    pub time_ns: u64,
    /// The limit or watchdog, as one word where it has one.
    pub limit: &'a str,
    /// What was done about it.
    pub action: &'a str,
}

/// An observer that looks away; an unsure policy ends its primitive.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl PrimitiveObserver for Unobserved {}

/// What a person decided when the policy was unsure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoffAnswer {
    /// Go on as if sure.
    Continue,
    /// Begin the primitive anew.
    Retry,
    /// Leave the primitive, count it as done.
    Skip,
    /// Leave the primitive, it failed.
    Abort,
    /// Leave the primitive at rest; the question is still to be asked, and nothing
    /// moves until it is answered.
    Defer,
}

/// One decision of the policy (or of the expert that is recorded).
pub struct DecisionReport<'a> {
    /// Time of the observation (ns).
    pub time_ns: u64,
    /// How sure.
    pub confidence: ConfidenceReading,
    /// Probabilities of (done, failing), where the bundle has a progress head.
    pub progress: Option<(f64, f64)>,
    /// Duration of the whole decision, pictures to checked chunk (ms); 0 for the
    /// expert.
    pub millis: f64,
    /// Duration of each stage in this decision (ms), 0 for those whose outputs
    /// were kept from an earlier one; empty for the expert.
    pub stage_millis: Vec<(String, f64)>,
    /// The pictures of the observation, by camera key.
    pub pictures: &'a [(String, Picture)],
    /// Raw state, by name.
    pub state: &'a [f64],
    /// Names of `state`.
    pub state_names: &'a [String],
    /// What an expert's demonstration carried for training.
    pub labels: &'a [LabelTensor],
    /// The chunk that will be followed.
    pub chunk: &'a ActionChunk,
    /// The input of the action head, where it can be read; only in sessions that
    /// survey the confidence.
    pub features: Option<&'a [f32]>,
}

/// A tensor of a demonstration.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelTensor {
    /// Name.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Shape.
    pub shape: Vec<usize>,
    /// Little-endian elements.
    pub bytes: Vec<u8>,
}

impl LabelTensor {
    /// The elements when they are f32; empty for other types.
    #[must_use]
    pub fn f32s(&self) -> Vec<f32> {
        if self.dtype != DType::F32 {
            return Vec::new();
        }
        little_endian_f32(&self.bytes).collect()
    }
}

/// The numbers in little-endian bytes; what is left of an incomplete one is not
/// read.
pub(crate) fn little_endian_f32(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.as_chunks().0.iter().copied().map(f32::from_le_bytes)
}

/// How a primitive ended.
#[derive(Clone, Debug, PartialEq)]
pub struct PrimitiveReport {
    /// The outcome.
    pub outcome: Outcome,
    /// Why, when it is not done.
    pub reason: Option<String>,
    /// Its length on the runtime's clock (s).
    pub seconds: f64,
    /// Policy decisions taken.
    pub decisions: u32,
    /// Mean confidence; 1 without decisions.
    pub mean_confidence: f64,
    /// Whether it held because the policy was unsure.
    pub held: bool,
    /// Root mean square of the commanded joint jerk (rad/s³).
    pub rms_jerk_rad_per_s3: f64,
}

/// Who drives the policy's primitives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Driver {
    /// The bundle's policy.
    #[default]
    Policy,
    /// The bundle's policy, while the simulation's scripted expert says at every
    /// decision what it would do, to record corrections. A policy that is unsure
    /// goes on.
    Corrected,
    /// The simulation's scripted expert, to record demonstrations.
    Expert {
        /// Disturbance of what is executed; labels stay clean.
        noise: ExpertNoise,
    },
}

/// Seeded disturbance of an expert's motion.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExpertNoise {
    /// Standard deviation of each row's translation (m); the vertical one is 2/3 of it.
    pub translation_m: f64,
    /// Standard deviation of each row's turn about the vertical (rad).
    pub rotation_rad: f64,
    /// Probability of a kick at a decision.
    pub kick_probability: f64,
    /// Standard deviation of a kick (m).
    pub kick_m: f64,
    /// Standard deviation of a kick's turn about the vertical (rad).
    pub kick_rad: f64,
    /// Probability of a wrong gripper command at a decision.
    pub gripper_flip_probability: f64,
}

/// Where the arm is, as measured.
#[derive(Clone, Debug, PartialEq)]
pub struct ArmState {
    /// Joint names with positions (rad, m), base to tip.
    pub joints: Vec<(String, f64)>,
    /// Gripper value, 0 closed to 1 open; none without a gripper.
    pub gripper: Option<f64>,
    /// Tool position (m, base frame).
    pub tool_position: [f64; 3],
    /// When it was measured (ns).
    pub time_ns: u64,
}

/// What the camera shows, as far as the policy's scene head can tell.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneReading {
    /// Objects found, most certain first.
    pub objects: Vec<Detection>,
    /// Whether the gripper is open.
    pub gripper_open: bool,
    /// Whether the fingers are stopped by something.
    pub gripper_holding: bool,
    /// Tool position (m, base frame).
    pub tool_position: [f64; 3],
    /// Time of the picture (ns).
    pub time_ns: u64,
}

/// One object found.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// Its kind, as the bundle names it.
    pub kind: String,
    /// Its colour; none for kinds without one.
    pub color: Option<String>,
    /// Centre (m, base frame).
    pub position: [f64; 3],
    /// 0 … 1.
    pub confidence: f64,
    /// For drawers: 0 closed … 1 open.
    pub openness: Option<f64>,
}
