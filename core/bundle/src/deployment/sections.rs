//! The sections of a checked deployment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vola_types::{ActionSpace, PluginId, Signal, WorkspaceBox};

use crate::manifest::{ActionContract, ExecutionHints, ExecutionMode};
use crate::versions::VersionShare;

use super::raw::{Asked, Backend, Device, Isolation, Precision, SafeStop};

/// Getters that copy a field out.
macro_rules! getters {
    ($owner:ident { $( $(#[$doc:meta])* $name:ident: $kind:ty, )* }) => {
        impl $owner {
            $( $(#[$doc])* #[must_use] pub fn $name(&self) -> $kind { self.$name } )*
        }
    };
}

/// `[robot]`.
#[derive(Clone, Debug)]
pub struct RobotSettings {
    pub(super) plugin: PluginId,
    pub(super) settings: serde_json::Value,
    pub(super) action_space: Option<ActionSpace>,
}

impl RobotSettings {
    /// The embodiment plugin.
    #[must_use]
    pub fn plugin(&self) -> &PluginId {
        &self.plugin
    }

    /// Settings of the plugin: a JSON object.
    #[must_use]
    pub fn settings(&self) -> &serde_json::Value {
        &self.settings
    }

    /// Action space that the policy must have; none: any that both know.
    #[must_use]
    pub fn action_space(&self) -> Option<ActionSpace> {
        self.action_space
    }
}

/// `[policy]`.
#[derive(Clone, Debug)]
pub struct PolicySettings {
    pub(super) bundle: PathBuf,
    pub(super) device: Device,
    pub(super) precision: Precision,
    pub(super) threads: u32,
    pub(super) latency_ms: u32,
    pub(super) version: Option<VersionShare>,
}

impl PolicySettings {
    /// The version that runs, and how often; none where the bundle's own choice holds.
    #[must_use]
    pub fn version(&self) -> Option<&VersionShare> {
        self.version.as_ref()
    }

    /// Bundle folder, as seen from the working folder.
    #[must_use]
    pub fn bundle(&self) -> &Path {
        &self.bundle
    }
}

getters!(PolicySettings {
    /// Where networks run.
    device: Device,
    /// Precision of the weights.
    precision: Precision,
    /// Threads of all libraries together.
    threads: u32,
    /// Virtual time from request to chunk (ms).
    latency_ms: u32,
});

/// `[execution]`, as far as the file says; see [`resolve`](Self::resolve).
#[derive(Clone, Debug)]
pub struct ExecutionSettings {
    pub(super) mode: Option<ExecutionMode>,
    pub(super) period_ms: Option<u32>,
    pub(super) execute_rows: Option<u32>,
    pub(super) ensemble_decay: Option<f64>,
    pub(super) primitive_timeout: Duration,
}

getters!(ExecutionSettings {
    /// Mode, when the file says.
    mode: Option<ExecutionMode>,
    /// Time between requests (ms), when the file says.
    period_ms: Option<u32>,
    /// Rows executed before the next request, when the file says.
    execute_rows: Option<u32>,
    /// Decay of ensembling weights, when the file says.
    ensemble_decay: Option<f64>,
    /// Longest time of one policy primitive.
    primitive_timeout: Duration,
});

/// What holds after deployment, bundle hints and defaults are put together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResolvedExecution {
    /// Mode.
    pub mode: ExecutionMode,
    /// Time between requests to the policy (ns), at least one tick of 1 ms.
    pub period_ns: u64,
    /// Decay m of ensembling weights exp(−m·i).
    pub ensemble_decay: f64,
}

impl ExecutionSettings {
    /// Puts the file, the bundle's hints and the defaults together: the file
    /// wins, then the hints, then `receding` after half the horizon (`sync`
    /// after all of it, `ensemble` after every row) with decay 0.01.
    #[must_use]
    pub fn resolve(&self, hints: &ExecutionHints, action: &ActionContract) -> ResolvedExecution {
        let mode = self.mode.or(hints.mode()).unwrap_or_default();
        // A hint on rows was made for the bundle's own mode.
        let hinted = hints
            .execute_rows()
            .filter(|_| hints.mode().is_none_or(|own| own == mode));
        let horizon = u64::try_from(action.horizon()).unwrap_or(u64::MAX);
        let usual = match mode {
            ExecutionMode::Sync => horizon,
            ExecutionMode::Receding => horizon.div_ceil(2),
            ExecutionMode::Ensemble => 1,
        };
        let rows = self
            .execute_rows
            .or(hinted)
            .map_or(usual, u64::from)
            .min(horizon);
        let period_ns = match self.period_ms {
            Some(period) => u64::from(period) * 1_000_000,
            None => rows * action.period_ns(),
        };
        ResolvedExecution {
            mode,
            period_ns: period_ns.max(1_000_000),
            ensemble_decay: self
                .ensemble_decay
                .or(hints.ensemble_decay())
                .unwrap_or(0.01),
        }
    }
}

/// `[safety]`.
#[derive(Clone, Debug)]
pub struct SafetySettings {
    pub(super) workspace: Option<WorkspaceBox>,
    pub(super) joints: BTreeMap<String, JointLimits>,
    pub(super) max_tool_speed_m_per_s: Option<f64>,
    pub(super) position_margin: f64,
    pub(super) limit_scale: f64,
    pub(super) forbidden: Vec<WorkspaceBox>,
    pub(super) collision_margin_m: f64,
    pub(super) force_stop_n: Option<f64>,
    pub(super) torque_stop_nm: Option<f64>,
    pub(super) gripper_force_n: Option<f64>,
    pub(super) deadlines: Deadlines,
}

impl SafetySettings {
    /// Narrower limits by joint name.
    #[must_use]
    pub fn joint_limits(&self) -> &BTreeMap<String, JointLimits> {
        &self.joints
    }

    /// Boxes that neither tool nor links may enter (m, base frame).
    #[must_use]
    pub fn forbidden(&self) -> &[WorkspaceBox] {
        &self.forbidden
    }
}

getters!(SafetySettings {
    /// Box that the tool may not leave (m, base frame); none: the robot's.
    workspace: Option<WorkspaceBox>,
    /// Fastest tool motion (m/s); none: the robot's.
    max_tool_speed_m_per_s: Option<f64>,
    /// Distance kept from position limits (rad, m).
    position_margin: f64,
    /// Part of the velocity, acceleration and jerk limits that is used (0..1].
    limit_scale: f64,
    /// Distance kept between links, and of links from forbidden boxes (m).
    collision_margin_m: f64,
    /// Force at the tool at which the arm stops (N), if any.
    force_stop_n: Option<f64>,
    /// Torque at the tool at which the arm stops (N·m), if any.
    torque_stop_nm: Option<f64>,
    /// Greatest grasp force that the robot may say it has (N), if any.
    gripper_force_n: Option<f64>,
    /// How long the parts may be silent.
    deadlines: Deadlines,
});

/// Narrower limits of one joint; each absent one is the robot's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct JointLimits {
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

/// How long the parts may be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Longest age of a joint state; then a controlled stop.
    pub state: Duration,
    /// Longest age of a picture that the policy may decide by.
    pub camera: Duration,
    /// Longest silence of a camera; then a controlled stop.
    pub camera_stop: Duration,
    /// How much later than its period a chunk may come; then the arm holds.
    pub chunk: Duration,
}

/// `[control]`.
#[derive(Clone, Copy, Debug)]
pub struct ControlSettings {
    pub(super) priority: u8,
    pub(super) core: Option<u32>,
    pub(super) spin: Duration,
    pub(super) lock_memory: bool,
    pub(super) missed_ticks: u64,
}

getters!(ControlSettings {
    /// Real-time priority of the control thread, 1 to 99; 0: none is asked for.
    priority: u8,
    /// Processor that it stays on; none: the last, with a real-time priority.
    core: Option<u32>,
    /// Time before each tick that it waits awake, with a real-time priority.
    spin: Duration,
    /// Whether its stack, frames and queues are locked in memory.
    lock_memory: bool,
    /// Periods in a row without a tick that stop a moving arm.
    missed_ticks: u64,
});

/// `[confidence]`.
#[derive(Clone, Debug)]
pub struct ConfidenceSettings {
    pub(super) signals: Option<Vec<Signal>>,
    pub(super) window: Option<u32>,
    pub(super) needed: Option<u32>,
    pub(super) thresholds: BTreeMap<Signal, f64>,
    pub(super) false_hold_rate: f64,
    pub(super) release: f64,
    pub(super) again: Duration,
    pub(super) per_primitive: u32,
    pub(super) per_hour: u32,
}

impl ConfidenceSettings {
    /// Signals that may hold, when the file says.
    #[must_use]
    pub fn signals(&self) -> Option<&[Signal]> {
        self.signals.as_deref()
    }

    /// Fixed thresholds, in the signals' units.
    #[must_use]
    pub fn thresholds(&self) -> &BTreeMap<Signal, f64> {
        &self.thresholds
    }
}

getters!(ConfidenceSettings {
    /// Decisions looked at, when the file says.
    window: Option<u32>,
    /// Of which so many must be high, when the file says.
    needed: Option<u32>,
    /// Part of good episodes that may be held.
    false_hold_rate: f64,
    /// Score over threshold at which the arm may hold again after an answer.
    release: f64,
    /// Time after which it may in any case.
    again: Duration,
    /// Questions of one primitive.
    per_primitive: u32,
    /// Questions in any hour.
    per_hour: u32,
});

/// `[handoff]`.
#[derive(Clone, Debug)]
pub struct HandoffSettings {
    pub(super) ask: Asked,
    pub(super) timeout: Duration,
    pub(super) safe_stop: SafeStop,
    pub(super) dead_man: Duration,
    pub(super) jog_m_per_s: f64,
    pub(super) jog_rad_per_s: f64,
}

getters!(HandoffSettings {
    /// Who is asked.
    ask: Asked,
    /// How long an answer is awaited.
    timeout: Duration,
    /// The stop that follows without an answer.
    safe_stop: SafeStop,
    /// Longest time between two signs of life of a person who moves the arm.
    dead_man: Duration,
    /// Fastest motion of the tool by hand (m/s).
    jog_m_per_s: f64,
    /// Fastest turn of the tool, or motion of a joint, by hand (rad/s).
    jog_rad_per_s: f64,
});

/// `[planner]`.
#[derive(Clone, Debug)]
pub struct PlannerSettings {
    pub(super) backends: Vec<Backend>,
    pub(super) fast_path: bool,
    pub(super) samples: usize,
    pub(super) model: Option<String>,
    pub(super) documents: Vec<PathBuf>,
    pub(super) send_image: bool,
    pub(super) decisions: Option<PathBuf>,
    pub(super) seed: u64,
    pub(super) claude: ModelSettings,
    pub(super) openai: ModelSettings,
    pub(super) local: LocalModelSettings,
    pub(super) budget: Budget,
    pub(super) recovery: Recovery,
}

impl PlannerSettings {
    /// Back ends in the order they are asked; at least one.
    #[must_use]
    pub fn backends(&self) -> &[Backend] {
        &self.backends
    }

    /// Model of the first back end that has a choice.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Folder for a record of every decision; none: nothing is recorded.
    #[must_use]
    pub fn decisions(&self) -> Option<&Path> {
        self.decisions.as_deref()
    }

    /// `planner.claude`.
    #[must_use]
    pub fn claude(&self) -> &ModelSettings {
        &self.claude
    }

    /// `planner.openai`.
    #[must_use]
    pub fn openai(&self) -> &ModelSettings {
        &self.openai
    }

    /// `planner.local`.
    #[must_use]
    pub fn local(&self) -> &LocalModelSettings {
        &self.local
    }

    /// Documents that the planner may read.
    #[must_use]
    pub fn documents(&self) -> &[PathBuf] {
        &self.documents
    }
}

getters!(PlannerSettings {
    /// Whether plain commands are planned by `rules` before a model is asked.
    fast_path: bool,
    /// How often models behind an interface are asked for one plan.
    samples: usize,
    /// Whether models that look at pictures get the camera's.
    send_image: bool,
    /// Seed of sampling and of the pauses between retries.
    seed: u64,
    /// What one run may cost.
    budget: Budget,
    /// How often a step that fails is tried.
    recovery: Recovery,
});

/// How often a step that fails is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Tries of a step until the rest is planned anew, at least 1.
    pub attempts: u32,
    /// New plans in one run until a person is asked.
    pub replans: u32,
}

/// A model behind an interface; what is absent is the back end's own choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelSettings {
    pub(super) model: Option<String>,
    pub(super) base_url: Option<String>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) max_tokens: Option<u32>,
}

impl ModelSettings {
    /// Model id.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Base address.
    #[must_use]
    pub fn base_url(&self) -> Option<&str> {
        self.base_url.as_deref()
    }

    /// File with the key.
    #[must_use]
    pub fn key_file(&self) -> Option<&Path> {
        self.key_file.as_deref()
    }
}

getters!(ModelSettings {
    /// Most tokens of one answer.
    max_tokens: Option<u32>,
});

/// A model on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalModelSettings {
    pub(super) model: Option<PathBuf>,
    pub(super) max_tokens: Option<u32>,
    pub(super) lines: usize,
}

impl LocalModelSettings {
    /// A GGUF file, or a folder with a model.
    #[must_use]
    pub fn model(&self) -> Option<&Path> {
        self.model.as_deref()
    }
}

getters!(LocalModelSettings {
    /// Most tokens of one answer.
    max_tokens: Option<u32>,
    /// Readings of a sentence that are compared.
    lines: usize,
});

/// What one run of the planner may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Tokens of one run.
    pub tokens: u64,
    /// Longest wait for one plan over all back ends.
    pub answer: Duration,
    /// Repairs of one plan that the verifier refused.
    pub repairs: u32,
}

/// `[record]`.
#[derive(Clone, Debug)]
pub struct RecordSettings {
    pub(super) folder: Option<PathBuf>,
    pub(super) images: bool,
    pub(super) fps: Option<u32>,
    pub(super) sync: RecordSync,
    pub(super) language: bool,
}

/// When a recording is forced to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordSync {
    /// Several times a second.
    #[default]
    Second,
    /// At an episode's end.
    Episode,
    /// When the system does it.
    System,
}

impl RecordSettings {
    /// Folder; none: nothing is recorded.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }
}

getters!(RecordSettings {
    /// Whether pictures are recorded too.
    images: bool,
    /// Frames a second of the data set; none: the policy's decisions a second.
    fps: Option<u32>,
    /// When it is forced to the disk.
    sync: RecordSync,
    /// Whether language rows are columns of the data files.
    language: bool,
});

/// `[plugins]`.
#[derive(Clone, Debug)]
pub struct PluginSettings {
    pub(super) paths: Vec<PathBuf>,
    pub(super) lock: Option<PathBuf>,
    pub(super) keys: Vec<String>,
    pub(super) isolation: BTreeMap<String, Isolation>,
    pub(super) call_deadline: Duration,
    pub(super) start_deadline: Duration,
    pub(super) memory_bytes: u64,
}

getters! { PluginSettings {
    /// Longest time of one call into an isolated plugin.
    call_deadline: Duration,
    /// Longest time an isolated plugin may take to get ready.
    start_deadline: Duration,
    /// Address space of an isolated plugin's process (bytes).
    memory_bytes: u64,
} }

impl PluginSettings {
    /// Plugin files or folders, searched before the folder of the program.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// The lock file.
    #[must_use]
    pub fn lock(&self) -> Option<&Path> {
        self.lock.as_deref()
    }

    /// minisign public keys, one of which must have signed each library.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Libraries and plugins, and where they run.
    pub fn isolation_entries(&self) -> impl Iterator<Item = (&str, Isolation)> {
        self.isolation
            .iter()
            .map(|(name, isolation)| (name.as_str(), *isolation))
    }

    /// Where this plugin runs, when the deployment says: the plugin's own entry
    /// goes before that of its library.
    #[must_use]
    pub fn isolation(&self, id: &PluginId) -> Option<Isolation> {
        self.isolation
            .get(&id.to_string())
            .or_else(|| self.isolation.get(id.library()))
            .copied()
    }
}
