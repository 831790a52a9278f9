//! What a deployment file says, before any check. Defaults stand at each field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vola_types::{ActionSpace, Signal};

use super::adaptation::RawAdaptation;
use super::monitoring::RawMonitoring;

/// The whole of a `configs/*.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawDeployment {
    /// The robot; required.
    pub robot: Option<RawRobot>,
    /// The policy. Without one the robot does what the runtime makes itself: home,
    /// gripper, wait, move_to.
    pub policy: Option<RawPolicy>,
    /// How chunks become motion.
    pub execution: RawExecution,
    /// Limits, narrower than the robot's own.
    pub safety: RawSafety,
    /// How the control thread runs.
    pub control: RawControl,
    /// When the policy is not believed.
    pub confidence: RawConfidence,
    /// Who is asked then.
    pub handoff: RawHandoff,
    /// When it raises an alarm over how it has been doing.
    pub monitoring: RawMonitoring,
    /// What makes plans of sentences.
    pub planner: RawPlanner,
    /// What is recorded.
    pub record: RawRecord,
    /// When it learns from corrections by itself.
    pub adaptation: RawAdaptation,
    /// Where plugins are found.
    pub plugins: RawPlugins,
}

/// `[robot]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawRobot {
    /// Plugin id of the embodiment, as in `tabletop/franka`; required.
    pub plugin: String,
    /// Settings of the plugin. Default: none.
    pub settings: toml::Table,
    /// Action space that the policy must have. Default: any that both know.
    pub action_space: Option<ActionSpace>,
}

/// `[policy]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawPolicy {
    /// Bundle folder, relative to this file; required.
    pub bundle: String,
    /// Device. Default: `cpu`.
    pub device: Option<Device>,
    /// Precision of the weights. Default: `f32`.
    pub precision: Option<Precision>,
    /// Threads of all libraries together, 1 to 256. Default: 2.
    pub threads: Option<u32>,
    /// Virtual time from request to chunk (ms), 0 to 10000. Default: 20.
    pub latency_ms: Option<u32>,
    /// Version of the bundle that runs; `base` is the bundle as it is. Default: what
    /// `vola policy versions --use` chose, else `base`.
    pub version: Option<String>,
    /// Share of the episodes in which it runs, 0 to 1; `base` runs in the others. Default: 1.
    pub version_share: Option<f64>,
}

/// Where networks run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA card.
    Cuda,
    /// An Apple card.
    Metal,
}

/// Precision of the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
    /// 16-bit floats with 8 exponent bits.
    Bf16,
    /// 16-bit floats with 5 exponent bits.
    F16,
    /// 8-bit integers with scales.
    Int8,
}

/// `[execution]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawExecution {
    /// `sync`, `receding` or `ensemble` (`async` and `rtc` are known but not
    /// there yet). Default: the bundle's hint, else `receding`.
    pub mode: Option<String>,
    /// Time between requests to the policy (ms, whole ticks of 1 ms), 1 to
    /// 60000. Default: `execute_rows` rows of the action rate.
    pub period_ms: Option<u32>,
    /// Rows executed before the next chunk is asked for, 1 to 1024; not with
    /// `period_ms`. Default: the bundle's hint, else half the horizon.
    pub execute_rows: Option<u32>,
    /// Decay m of the ensembling weights exp(−m·i), i = 0 the oldest, −10 to
    /// 10. Default: the bundle's hint, else 0.01.
    pub ensemble_decay: Option<f64>,
    /// Longest time of one policy primitive (s), 1 to 3600. Default: 20.
    pub primitive_timeout_s: Option<f64>,
}

/// `[safety]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawSafety {
    /// Box that the tool may not leave (m, base frame). Default: the robot's.
    pub workspace: Option<RawBox>,
    /// Narrower limits by joint name. Default: the robot's.
    pub joints: BTreeMap<String, RawJointLimits>,
    /// Fastest tool motion (m/s), up to 10. Default: the robot's.
    pub max_tool_speed_m_per_s: Option<f64>,
    /// Distance kept from position limits (rad, m), 0 to 1. Default: 0.02.
    pub position_margin: Option<f64>,
    /// Part of the velocity, acceleration and jerk limits that is used, above
    /// 0 up to 1. Default: 1.
    pub limit_scale: Option<f64>,
    /// Boxes (m, base frame) that neither tool nor links may enter, at most 32;
    /// the table is one. Default: none.
    pub forbidden: Vec<RawBox>,
    /// Distance kept between the arm's own links, and of links from forbidden
    /// boxes (m), 0 to 1. Default: 0.01.
    pub collision_margin_m: Option<f64>,
    /// Force at the tool at which the arm stops (N), up to 1000; needs a robot
    /// that measures it. Default: none.
    pub force_stop_n: Option<f64>,
    /// Torque at the tool at which the arm stops (N·m), up to 1000; needs a
    /// robot that measures it. Default: none.
    pub torque_stop_nm: Option<f64>,
    /// Greatest grasp force (N), up to 1000: told to a robot that has the setting
    /// `gripper_force_n`; one that says that it grips harder is refused, and one
    /// that measures more for 100 ms is stopped. Default: the robot's.
    pub gripper_force_n: Option<f64>,
    /// Longest age of a joint state (ms), 1 to 1000; then a controlled stop.
    /// Default: 20.
    pub state_deadline_ms: Option<u32>,
    /// Longest age of a picture that the policy may decide by (ms), 1 to 10000.
    /// Default: 200.
    pub camera_deadline_ms: Option<u32>,
    /// Longest silence of a camera (ms), from `camera_deadline_ms` to 60000;
    /// then a controlled stop. Default: 500, or `camera_deadline_ms` if that is
    /// longer.
    pub camera_stop_ms: Option<u32>,
    /// How much later than its period a chunk may come before the arm holds
    /// (ms), 1 to 60000. Default: 500.
    pub chunk_deadline_ms: Option<u32>,
}

/// `[control]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawControl {
    /// Real-time priority of the control thread, 1 to 99; 0 asks for none.
    /// Default: 80.
    pub priority: Option<u32>,
    /// Processor that the control thread stays on. Default: the last one, once
    /// it has a real-time priority.
    pub core: Option<u32>,
    /// Time before each tick that the thread waits awake (µs), 0 to 500; only
    /// with a real-time priority. Default: 0.
    pub spin_us: Option<u32>,
    /// Whether the thread's stack, frames and queues are locked in memory.
    /// Default: true.
    pub lock_memory: Option<bool>,
    /// Periods in a row without a tick that stop a moving arm, 1 to 1000.
    /// Default: 20.
    pub missed_ticks: Option<u32>,
}

/// A box, by two corners.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawBox {
    /// Least x, y, z (m); required.
    pub min: Option<[f64; 3]>,
    /// Greatest x, y, z (m); required.
    pub max: Option<[f64; 3]>,
}

/// Narrower limits of one joint; each absent one is the robot's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawJointLimits {
    /// Least position (rad, m).
    pub position_min: Option<f64>,
    /// Greatest position (rad, m).
    pub position_max: Option<f64>,
    /// Greatest speed (rad/s, m/s).
    pub max_velocity: Option<f64>,
    /// Greatest acceleration (rad/s², m/s²).
    pub max_acceleration: Option<f64>,
    /// Greatest jerk (rad/s³, m/s³).
    pub max_jerk: Option<f64>,
}

/// `[confidence]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawConfidence {
    /// Signals that may hold. Default: those that every policy has, the spread
    /// of samples, the failing output and the feature distance.
    pub signals: Option<Vec<Signal>>,
    /// Decisions looked at, 1 to 1000. Default: the calibration's, else 4.
    pub window: Option<u32>,
    /// Of which so many must be high, 1 to `window`. Default: the
    /// calibration's, else 3.
    pub needed: Option<u32>,
    /// Value above which the arm holds, by signal, in its unit; above 0. It goes
    /// before the bundle's calibration, and no false-hold rate is kept by it.
    pub thresholds: BTreeMap<String, f64>,
    /// Part of good episodes that may be held, above 0 up to 0.5. Default: 0.05.
    pub false_hold_rate: Option<f64>,
    /// After an answer the arm holds again when the score over its threshold has
    /// once fallen to this, 0 to 1. Default: 0.8.
    pub release: Option<f64>,
    /// Or after this time (s), above 0 up to 3600. Default: 3.
    pub again_s: Option<f64>,
    /// How often a person is asked.
    pub budget: RawAskBudget,
}

/// `confidence.budget`. When it is spent nobody is asked any more, and the arm
/// does not go on unasked: the primitive ends at rest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawAskBudget {
    /// Questions of one primitive, 0 to 1000. Default: 5.
    pub per_primitive: Option<u32>,
    /// Questions in any hour, 0 to 10000. Default: 60.
    pub per_hour: Option<u32>,
}

/// `[handoff]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawHandoff {
    /// Who is asked. Default: `operator`.
    pub ask: Option<Asked>,
    /// How long an answer is awaited (s), above 0 up to 86400. Default: 120.
    pub timeout_s: Option<f64>,
    /// The stop that follows when nobody answers; the section must name it.
    /// Without the section: `hold`.
    pub safe_stop: Option<SafeStop>,
    /// Longest time between two signs of life of a person who moves the arm by
    /// hand (ms), 20 to 2000; then it holds. Default: 300.
    pub dead_man_ms: Option<u32>,
    /// Fastest motion of the tool by hand (m/s), above 0 up to 0.25. Default: 0.15.
    pub jog_m_per_s: Option<f64>,
    /// Fastest turn of the tool, or motion of a joint, by hand (rad/s), above 0
    /// up to 1. Default: 0.6.
    pub jog_rad_per_s: Option<f64>,
}

/// Who is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// The person at the terminal.
    #[default]
    Operator,
    /// The person at the web page.
    Console,
    /// Nobody: the time-out counts as over at once.
    Nobody,
}

/// The stop that follows when nobody answers; the run ends. The arm holds until
/// then in any case, and nothing is done in its stead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SafeStop {
    /// The arm goes on holding under power (category 2).
    #[default]
    Hold,
    /// A controlled stop, latched (category 1).
    ControlledStop,
    /// A request that power be cut, latched (category 0).
    PowerOff,
}

/// `[planner]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawPlanner {
    /// Back ends, the first that answers counts. Default: `rules`.
    pub backends: Option<Vec<Backend>>,
    /// Whether plain commands are planned by `rules` at once where a model comes
    /// before it. Default: true.
    pub fast_path: Option<bool>,
    /// How often `claude` and `openai` are asked for one plan; with more than once
    /// they must agree, else the person is asked. Default: 1.
    pub samples: Option<u32>,
    /// Model of the first back end that has a choice. Default: its own.
    pub model: Option<String>,
    /// Documents that the planner may read, relative to this file. Default: none.
    pub documents: Vec<String>,
    /// Whether models that look at pictures get the camera's. Default: false.
    pub send_image: Option<bool>,
    /// Folder for a record of every decision, relative to this file. Default:
    /// nothing is recorded.
    pub decisions: Option<String>,
    /// Seed of sampling and of the pauses between retries. Default: 0.
    pub seed: Option<u64>,
    /// Anthropic's interface.
    pub claude: RawModel,
    /// OpenAI's interface, or one like it.
    pub openai: RawModel,
    /// A model on this machine.
    pub local: RawLocalModel,
    /// What one run may cost.
    pub budget: RawBudget,
    /// How often a step that fails is tried.
    pub recovery: RawRecovery,
}

/// `planner.recovery`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawRecovery {
    /// Tries of a step, each otherwise than the one before, until the rest is
    /// planned anew, 1 to 10. Default: 2.
    pub attempts: Option<u32>,
    /// New plans in one run until a person is asked, 0 to 10. Default: 2.
    pub replans: Option<u32>,
}

/// `planner.claude` and `planner.openai`. Keys stand in the environment or in a
/// file of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawModel {
    /// Model id. Default: `planner.model`, then the back end's own.
    pub model: Option<String>,
    /// Base address; `ANTHROPIC_BASE_URL` or `OPENAI_BASE_URL` counts more.
    pub base_url: Option<String>,
    /// File with the key, relative to this file, readable by its owner alone
    /// (mode 0600). Default: none.
    pub key_file: Option<String>,
    /// Most tokens of one answer, 64 to 100000. Default: 4096.
    pub max_tokens: Option<u32>,
}

/// `planner.local`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawLocalModel {
    /// A GGUF file, or a folder with a model, relative to this file. Default:
    /// none, and the back end is passed over.
    pub model: Option<String>,
    /// Most tokens of one answer, 16 to 100000. Default: 160.
    pub max_tokens: Option<u32>,
    /// Readings of a sentence that are compared, 1 to 16; more is slower.
    /// Default: 4.
    pub lines: Option<u32>,
}

/// What makes a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Anthropic's interface.
    Claude,
    /// OpenAI's interface, or one like it.
    Openai,
    /// A model on this machine.
    Local,
    /// A grammar of everyday English.
    Rules,
}

/// `planner.budget`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawBudget {
    /// Tokens of one run, 1 to 10 million. Default: 100000.
    pub tokens: Option<u64>,
    /// Longest wait for one plan over all back ends (s), above 0 up to 600.
    /// Default: 20.
    pub seconds: Option<f64>,
    /// Repairs of one plan that the verifier refused, 0 to 2. Default: 2.
    pub repairs: Option<u32>,
}

/// `[record]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawRecord {
    /// Folder, relative to this file. Default: nothing is recorded.
    pub folder: Option<String>,
    /// Whether pictures are recorded too. Default: true.
    pub images: Option<bool>,
    /// Frames a second of the data set: 1, 2, 4, 5, 10, 20, 25, 50 or 100.
    /// Default: the policy's decisions a second.
    pub fps: Option<u32>,
    /// When what was recorded is forced to the disk: `second`, `episode`, or
    /// `system`, when the system does it. Default: `second`.
    pub sync: Option<String>,
    /// Whether the planner's steps are language columns of the data files, which
    /// LeRobot reads from 0.5 on. Default: false.
    pub language: Option<bool>,
}

/// `[plugins]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawPlugins {
    /// Files or folders, relative to this file, searched before the folder of
    /// the program. Default: none.
    pub paths: Vec<String>,
    /// Lock file, relative to this file: only libraries that it lists are
    /// loaded. Default: none.
    pub lock: Option<String>,
    /// minisign public keys: every library must be signed by one of them; only
    /// with `lock`. Default: none.
    pub keys: Vec<String>,
    /// Where a library's plugins (`heads`) or one plugin (`heads/chunk`) run.
    /// Default: in the process of the runtime.
    pub isolation: BTreeMap<String, Isolation>,
    /// Longest time of one call into an isolated plugin (ms), 1 to 600000; in the
    /// process of the runtime ten times as long, after which the arm is stopped
    /// and the program ends. Default: 1000.
    pub call_deadline_ms: Option<u32>,
    /// Longest time an isolated plugin may take to get ready (ms), 1 to
    /// 3600000. Default: 60000.
    pub start_deadline_ms: Option<u32>,
    /// Address space of an isolated plugin's process (MB), 256 to 1048576.
    /// Default: 8192.
    pub memory_mb: Option<u32>,
}

/// Where a plugin runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// In the runtime's own process: fastest, and a crash of it is a crash of
    /// the runtime.
    #[default]
    None,
    /// In a process of its own, which may crash, hang or eat memory.
    Process,
}
