//! One episode's stream, as an MCAP file that is whole at every moment.
//!
//! Messages gather in a chunk that is appended to the file four times a second,
//! so that a process that is killed loses at most that. Nothing written is ever
//! changed. The data set is made from this file alone, also after a crash.

use std::{
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use vola_types::{RunEvent, RunEventKind};

use crate::{
    EpisodeEnd, Gate, Layout, MotionSample, Phase, Pixels, Pose, RecorderError, Result, Who,
    channels::{Channels, Own},
    event_words::event_words,
    folder::open_stem,
    foxglove,
    mcap_writer::McapWriter,
    png_picture::encode_png,
};

/// Longest time that something recorded is not in the file yet (ns).
pub(crate) const FLUSH_NS: u64 = 250_000_000;
/// Largest chunk (bytes).
const CHUNK_BYTES: usize = 4 << 20;
/// Name of the metadata record that says what the stream is.
pub(crate) const METADATA: &str = "vola.recording";

/// When what was written is forced to the disk. A killed process loses nothing
/// by waiting; a machine without power does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Several times a second.
    #[default]
    Second,
    /// At an episode's end.
    Episode,
    /// When the system does it.
    System,
}

/// How an episode begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EpisodeStart {
    /// What was asked for.
    pub task: String,
    /// When (ns, on the runtime's clock).
    pub time_ns: u64,
    /// The runtime's zero since 1970 (ns); 0 in virtual time, so that the same
    /// run gives the same file.
    pub epoch_ns: u64,
    /// Hashes of bundle and plugins, versions: the session's header.
    pub header: Value,
}

/// One frame as the stream holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FrameMessage {
    /// Number of the frame period since the episode began; a gap is a frame
    /// that was lost.
    pub(crate) frame: u64,
    pub(crate) t_ns: u64,
    pub(crate) state: Vec<f64>,
    pub(crate) position: Vec<f64>,
    pub(crate) command: Vec<f64>,
    pub(crate) tool: Pose,
    pub(crate) tool_command: Pose,
    pub(crate) who: Who,
    pub(crate) phase: Phase,
    pub(crate) task: String,
    /// Whether a primitive runs: such frames belong to the data set.
    pub(crate) running: bool,
    pub(crate) score: f64,
    pub(crate) threshold: f64,
}

/// The newest picture of a camera.
#[derive(Debug, Default)]
struct Newest {
    time_ns: u64,
    pixels: Pixels,
    is_new: bool,
    is_there: bool,
}

/// An open stream.
pub(crate) struct StreamWriter {
    path: PathBuf,
    file: File,
    writer: McapWriter<BufWriter<File>>,
    channels: Channels,
    layout: Layout,
    durability: Durability,
    start: EpisodeStart,
    newest: Vec<Newest>,
    first_frame_ns: Option<u64>,
    next_frame_ns: u64,
    flushed_ns: u64,
    last_ns: u64,
    sequence: u32,
    bytes: u64,
    running: Option<String>,
    who: Who,
    phase: Phase,
    gate: (f64, f64),
}

impl StreamWriter {
    /// Begins a file; it must not exist.
    pub(crate) fn begin(
        path: &Path,
        layout: &Layout,
        start: EpisodeStart,
        durability: Durability,
    ) -> Result<Self> {
        let file = File::create_new(path).map_err(RecorderError::io(path))?;
        let same = file.try_clone().map_err(RecorderError::io(path))?;
        let fail = || RecorderError::io(path);
        let library = concat!("vola ", env!("CARGO_PKG_VERSION"));
        let mut writer = McapWriter::begin(BufWriter::new(file), library).map_err(fail())?;
        let text = |value: &Value| value.to_string();
        let about = [
            ("format", "1".to_owned()),
            ("stream", open_stem(path).unwrap_or_default().to_owned()),
            ("layout", text(&json!(layout))),
            ("task", start.task.clone()),
            ("epoch_ns", start.epoch_ns.to_string()),
            ("began_ns", start.time_ns.to_string()),
            ("header", text(&start.header)),
        ];
        writer.metadata(METADATA, &about).map_err(fail())?;
        let channels = Channels::add(&mut writer, layout);
        let mut stream = Self {
            path: path.to_owned(),
            file: same,
            writer,
            channels,
            newest: layout.cameras.iter().map(|_| Newest::default()).collect(),
            layout: layout.clone(),
            durability,
            first_frame_ns: None,
            next_frame_ns: 0,
            flushed_ns: start.time_ns,
            last_ns: start.time_ns,
            sequence: 0,
            bytes: 0,
            running: None,
            who: Who::Planner,
            phase: Phase::Hold,
            gate: (1.0, 0.0),
            start,
        };
        let began = json!({"state": "began", "task": stream.start.task});
        stream.own(Own::Episode, stream.start.time_ns, &began)?;
        stream.tell_control(stream.start.time_ns)?;
        stream.flush()?;
        Ok(stream)
    }

    /// Bytes of messages so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Time of the newest message (ns).
    pub(crate) fn last_ns(&self) -> u64 {
        self.last_ns
    }

    /// How the episode began.
    pub(crate) fn start(&self) -> &EpisodeStart {
        &self.start
    }

    /// What the stream is in the middle of: task, who, phase.
    pub(crate) fn situation(&self) -> (Option<String>, Who, Phase) {
        (self.running.clone(), self.who, self.phase)
    }

    /// A measured instant; a frame when one is due.
    pub(crate) fn motion(&mut self, sample: &MotionSample) -> Result<()> {
        let t = sample.time_ns;
        let at = self.start.epoch_ns + t;
        let names = &self.layout.joints;
        let states = foxglove::joint_states(at, names, &sample.position, &sample.velocity);
        let commands = foxglove::joint_states(at, names, &sample.command, &[]);
        let places = [("tool", sample.tool), ("tool_command", sample.tool_command)];
        self.put(self.channels.joint_states, t, &states)?;
        self.put(self.channels.joint_commands, t, &commands)?;
        self.put(
            self.channels.transforms,
            t,
            &foxglove::frame_transforms(at, &places),
        )?;
        self.put(
            self.channels.tool,
            t,
            &foxglove::pose_in_frame(at, sample.tool),
        )?;
        let wanted = foxglove::pose_in_frame(at, sample.tool_command);
        self.put(self.channels.tool_command, t, &wanted)?;
        if t >= self.next_frame_ns && self.newest.iter().all(|newest| newest.is_there) {
            self.frame(sample)?;
        }
        if t.saturating_sub(self.flushed_ns) >= FLUSH_NS {
            self.flushed_ns = t;
            self.flush()?;
        }
        Ok(())
    }

    /// Keeps a picture for the next frame.
    pub(crate) fn picture(&mut self, camera: usize, time_ns: u64, pixels: Pixels) {
        if let Some(newest) = self.newest.get_mut(camera) {
            *newest = Newest {
                time_ns,
                pixels,
                is_new: true,
                is_there: true,
            };
        }
    }

    /// A primitive begins.
    pub(crate) fn primitive_began(&mut self, time_ns: u64, task: &str, who: Who) -> Result<()> {
        self.running = Some(task.to_owned());
        self.own(
            Own::Primitive,
            time_ns,
            &json!({"state": "began", "task": task}),
        )?;
        self.gate = (1.0, 0.0);
        self.control(time_ns, who, Phase::Auto)
    }

    /// A primitive ended; the arm is at rest.
    pub(crate) fn primitive_ended(&mut self, time_ns: u64, outcome: &str) -> Result<()> {
        let task = self.running.take().unwrap_or_default();
        let ended = json!({"state": "ended", "task": task, "outcome": outcome});
        self.own(Own::Primitive, time_ns, &ended)?;
        self.control(time_ns, Who::Planner, Phase::Hold)
    }

    /// Somebody else is in control, or in another phase.
    pub(crate) fn control(&mut self, time_ns: u64, who: Who, phase: Phase) -> Result<()> {
        if (who, phase) == (self.who, self.phase) {
            return Ok(());
        }
        (self.who, self.phase) = (who, phase);
        self.tell_control(time_ns)
    }

    fn tell_control(&mut self, time_ns: u64) -> Result<()> {
        let told = json!({"who": self.who, "phase": self.phase});
        self.own(Own::Control, time_ns, &told)
    }

    /// What the gate said of a decision.
    pub(crate) fn gate(&mut self, time_ns: u64, gate: &Gate) -> Result<()> {
        self.gate = (finite(gate.score, 0.0), finite(gate.threshold, 0.0));
        let signals: serde_json::Map<String, Value> = gate
            .signals
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        let mut told = json!({"score": gate.score, "threshold": gate.threshold, "low": gate.low,
            "signals": signals, "millis": gate.millis});
        if let Some((done, failing)) = gate.progress {
            told["done"] = json!(done);
            told["failing"] = json!(failing);
        }
        self.own(Own::Gate, time_ns, &told)
    }

    /// Something happened.
    pub(crate) fn event(&mut self, time_ns: u64, event: &RunEvent) -> Result<()> {
        self.own(Own::Event, time_ns, &json!(event))?;
        if let RunEventKind::Plan { plan } = &event.kind {
            self.own(Own::Plan, time_ns, &json!(plan))?;
        }
        if let Some((level, words)) = event_words(event) {
            let at = self.start.epoch_ns + time_ns;
            self.put(
                self.channels.log,
                time_ns,
                &foxglove::log(at, level, &words),
            )?;
        }
        Ok(())
    }

    /// Ends the file; `lost` is how much could not be taken.
    pub(crate) fn end(mut self, time_ns: u64, end: &EpisodeEnd, lost: u64) -> Result<PathBuf> {
        let told = json!({"state": "ended", "task": self.start.task, "success": end.success,
            "outcome": end.outcome, "lost": lost});
        self.own(Own::Episode, time_ns, &told)?;
        self.writer
            .finish()
            .map_err(RecorderError::io(&self.path))?;
        if self.durability != Durability::System {
            self.file
                .sync_data()
                .map_err(RecorderError::io(&self.path))?;
        }
        Ok(self.path)
    }

    /// Gives the episode up: nothing of it stays.
    pub(crate) fn discard(self) -> Result<()> {
        let Self {
            path, writer, file, ..
        } = self;
        drop((writer, file));
        fs::remove_file(&path).map_err(RecorderError::io(&path))
    }

    /// Hands everything to the system.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.writer.flush().map_err(RecorderError::io(&self.path))?;
        if self.durability == Durability::Second {
            self.file
                .sync_data()
                .map_err(RecorderError::io(&self.path))?;
        }
        Ok(())
    }

    fn frame(&mut self, sample: &MotionSample) -> Result<()> {
        let (t, period) = (sample.time_ns, self.layout.period_ns());
        let first = *self
            .first_frame_ns
            .get_or_insert(t / period.max(1) * period);
        // The grid is the clock's own, so that frames and decisions meet.
        self.next_frame_ns = (t / period.max(1) + 1) * period;
        for camera in 0..self.newest.len() {
            self.write_picture(camera, t)?;
        }
        let frame = FrameMessage {
            frame: t.saturating_sub(first) / period.max(1),
            t_ns: t,
            state: sample.state.clone(),
            position: sample.position.clone(),
            command: sample.command.clone(),
            tool: sample.tool,
            tool_command: sample.tool_command,
            who: self.who,
            phase: self.phase,
            task: self.running.clone().unwrap_or_default(),
            running: self.running.is_some(),
            score: self.gate.0,
            threshold: self.gate.1,
        };
        self.own(Own::Frame, t, &json!(frame))
    }

    /// A picture that no frame had yet.
    fn write_picture(&mut self, camera: usize, time_ns: u64) -> Result<()> {
        let (Some(newest), Some(channel)) = (
            self.newest.get_mut(camera),
            self.channels.cameras.get(camera).copied(),
        ) else {
            return Ok(());
        };
        if !std::mem::take(&mut newest.is_new) {
            return Ok(());
        }
        let png = encode_png(&newest.pixels)?;
        let key = self
            .layout
            .cameras
            .get(camera)
            .map_or("", |camera| camera.key.as_str());
        let at = self.start.epoch_ns + newest.time_ns;
        let message = foxglove::compressed_image(at, key, &png);
        self.put(channel, time_ns, &message)
    }

    fn own(&mut self, kind: Own, time_ns: u64, value: &Value) -> Result<()> {
        let text = value.to_string();
        self.put(self.channels.own(kind), time_ns, text.as_bytes())
    }

    fn put(&mut self, channel_id: u16, time_ns: u64, data: &[u8]) -> Result<()> {
        self.last_ns = self.last_ns.max(time_ns);
        let log_time = self.start.epoch_ns + time_ns;
        self.writer
            .message(channel_id, self.sequence, log_time, data);
        self.sequence = self.sequence.wrapping_add(1);
        self.bytes += data.len() as u64;
        if self.writer.waiting() > CHUNK_BYTES {
            self.writer.flush().map_err(RecorderError::io(&self.path))?;
        }
        Ok(())
    }
}

/// JSON has no other numbers, and frames need one.
fn finite(value: f64, otherwise: f64) -> f64 {
    if value.is_finite() { value } else { otherwise }
}
