//! What a page is shown of a robot, and the messages in which it comes.
//!
//! # The connection `/api/live`
//! A WebSocket. Every text message is an object with `"v"` ([`LIVE_VERSION`]) and
//! `"type"`; a reader passes over types and fields that it does not know.
//!
//! From the server:
//!
//! | `type` | when | content |
//! |---|---|---|
//! | `hello` | first, once | `robot`: a [`RobotCard`] with the `capabilities` of the server |
//! | `state` | ten times a second | `seq`, and the fields of [`LiveState`] |
//! | `run` | after `hello`, and as soon as it changed | the fields of [`RunView`](crate::RunView): plan, steps, open question |
//! | `confidence` | when there are new ones | `points`: `[t, score, threshold]` of decisions, the oldest first |
//! | `pong` | after a `ping` | `ping`: its number |
//!
//! Pictures come as binary messages: the length of a header (u32, little-endian),
//! the header (JSON text), then the bytes that it describes.
//!
//! | `type` of the header | header | bytes |
//! |---|---|---|
//! | `picture` | `camera`, `t` (s), `width`, `height` (px), `format` `"jpeg"` | a JPEG file |
//! | `attention` | `camera`, `t` (s), `columns`, `rows` | a byte a cell, row-major, 255 counted most |
//!
//! To the server: `{"seen":SEQ}` after every `state` was shown, `{"show":["front"]}`
//! to choose the cameras, `{"ping":N}`. Orders go to `/api/events` or by `POST`.
//!
//! # Slow readers
//! At most [`WINDOW`] states, each with one picture of a camera, are on their way
//! to a page that has not said `seen`. Until then nothing is sent and nothing is
//! kept: the next is the newest there is. A page that says nothing for 15 s is let
//! go.

use serde::Serialize;

/// Version of the messages; raised when a field changes its meaning.
pub const LIVE_VERSION: u32 = 1;
/// States on their way to one page at most.
pub const WINDOW: usize = 3;

/// What a server can do beyond showing, taking sentences and stopping. A page
/// shows the controls of what is listed, and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// `/reset` makes another scene: the world is simulated.
    NewScene,
    /// A person may take the arm over.
    TakeOver,
    /// A person who took over may jog the tool.
    Jog,
    /// A person may give the arm back.
    GiveBack,
    /// What was recorded can be looked at.
    Episodes,
    /// A person may show the robot what a sentence means.
    Teach,
}

/// What does not change while a robot is served.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RobotCard {
    /// Id of the embodiment.
    pub embodiment: String,
    /// Name of the policy's bundle; none without one.
    pub policy: Option<String>,
    /// What the server can do.
    pub capabilities: Vec<Capability>,
    /// Greatest time between signs of life of a person (ms); none when nobody
    /// needs to be there.
    pub dead_man_ms: Option<u64>,
    /// The arm's joints, base to tip.
    pub joints: Vec<JointCard>,
    /// Whether there is a gripper.
    pub has_gripper: bool,
    /// The cameras.
    pub cameras: Vec<CameraCard>,
}

/// A joint as a bar between its limits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JointCard {
    /// Its name.
    pub name: String,
    /// `rad` or `m`.
    pub unit: &'static str,
    /// Least position.
    pub min: f64,
    /// Greatest position.
    pub max: f64,
}

/// A camera that can be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CameraCard {
    /// Its key.
    pub key: String,
    /// Columns (px).
    pub width: u32,
    /// Rows (px).
    pub height: u32,
    /// Whether it is shown to who has not chosen.
    pub is_shown: bool,
}

/// The robot at this moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LiveState {
    /// The runtime's clock (s).
    pub t: f64,
    /// Time since the control loop's last tick (ms): of a loop that runs a few,
    /// of one that does not, ever more.
    pub age_ms: u64,
    /// What the control loop does.
    pub mode: Mode,
    /// Why it has stopped, in words.
    pub reason: Option<String>,
    /// No motion is commanded.
    pub at_rest: bool,
    /// A sentence is being planned or done.
    pub is_busy: bool,
    /// Who moves the arm.
    pub authority: Authority,
    /// Measured positions of the joints, in the card's order (rad, m).
    pub joints: Vec<f64>,
    /// 0 closed to 1 open; none without a gripper.
    pub gripper: Option<f64>,
    /// How the control loop keeps its pace.
    pub control: ControlPace,
    /// What decisions cost; none before the first.
    pub policy: Option<PolicyPace>,
    /// How it has been doing.
    pub health: Vec<HealthFigure>,
    /// What a person shows it; none while nobody does.
    pub teaching: Option<Teaching>,
    /// What it learns from corrections, in words; none while it never did.
    pub learning: Option<String>,
}

/// What a person shows the robot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Teaching {
    /// What was to be shown.
    pub sentence: String,
    /// The step that is shown now.
    pub step: String,
    /// The step after it.
    pub next: Option<String>,
}

/// One figure of how a robot has been doing, and its bound.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthFigure {
    /// The word in logs and metrics.
    pub name: &'static str,
    /// In words for people.
    pub words: &'static str,
    /// The figure; none while there is too little to tell.
    pub value: Option<f64>,
    /// Its bound.
    pub bound: f64,
    /// Whether it shall be no less than the bound; else no more.
    pub is_least: bool,
    /// `share`, `ms`, or empty for plain numbers.
    pub unit: &'static str,
    /// Runs that it was counted over, where it is of runs.
    pub of: Option<usize>,
    /// Whether it is beyond its bound.
    pub is_alarm: bool,
}

/// What a control loop does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It follows a path.
    Following,
    /// It holds the arm.
    #[default]
    Holding,
    /// It holds the arm until a reset.
    Stopped,
}

/// Who moves an arm; one at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// Nobody: it is held.
    #[default]
    Nobody,
    /// The robot itself, by a plan.
    Robot,
    /// A person.
    Person,
}

/// How a control loop keeps its pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ControlPace {
    /// Ticks a second, over the last second.
    pub hz: f64,
    /// Periods without a tick, so far.
    pub missed_ticks: u64,
    /// 99 of 100 ticks begin no later than this after they are due (ms).
    pub late_p99_ms: f64,
}

/// What a policy's decisions cost, pictures to checked chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PolicyPace {
    /// The last one (ms).
    pub last_ms: f64,
    /// Half are no longer (ms).
    pub p50_ms: f64,
    /// 95 of 100 are no longer (ms).
    pub p95_ms: f64,
}

/// Where the policy looked in its last decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Attention {
    /// Time of its picture (s, on the runtime's clock).
    pub t: f64,
    /// Key of the camera.
    pub camera: String,
    /// Cells beside each other.
    pub columns: usize,
    /// Cells below each other.
    pub rows: usize,
    /// `[rows, columns]`, row-major, 0 … 255.
    pub weights: Vec<u8>,
}
