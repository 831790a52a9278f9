//! The channels of a stream: topic, schema, and their numbers in a file.

use std::io::Write;

use serde_json::{Value, json};

use crate::{Layout, foxglove::Schema, mcap_writer::McapWriter};

/// Own messages, as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// One frame of the data set.
    Frame,
    /// A run event, as `vola run --json` prints it.
    Event,
    /// A plan.
    Plan,
    /// A primitive began or ended.
    Primitive,
    /// What the confidence gate said of a decision.
    Gate,
    /// Who is in control, and in which phase.
    Control,
    /// The episode began or ended.
    Episode,
}

impl Own {
    const ALL: [Self; 7] = [
        Self::Frame,
        Self::Event,
        Self::Plan,
        Self::Primitive,
        Self::Gate,
        Self::Control,
        Self::Episode,
    ];

    /// Its topic.
    pub(crate) fn topic(self) -> &'static str {
        match self {
            Self::Frame => "/vola/frame",
            Self::Event => "/vola/event",
            Self::Plan => "/vola/plan",
            Self::Primitive => "/vola/primitive",
            Self::Gate => "/vola/gate",
            Self::Control => "/vola/control",
            Self::Episode => "/vola/episode",
        }
    }

    fn schema(self) -> (&'static str, Value) {
        let number = json!({"type": "number"});
        let text = json!({"type": "string"});
        let numbers = json!({"type": "array", "items": number});
        let pose =
            json!({"type": "object", "properties": {"position": numbers, "orientation": numbers}});
        let (name, properties) = match self {
            Self::Frame => (
                "vola.Frame",
                json!({"frame": {"type": "integer"}, "t_ns": {"type": "integer"}, "state": numbers,
                    "position": numbers, "command": numbers, "tool": pose, "tool_command": pose,
                    "who": text, "phase": text, "task": text, "running": {"type": "boolean"},
                    "score": number, "threshold": number}),
            ),
            Self::Event => ("vola.Event", json!({"t": number, "event": text})),
            Self::Plan => (
                "vola.Plan",
                json!({"verdict": text, "say": text, "steps": {"type": "array", "items": {"type": "object"}},
                    "confidence": number, "backend": text}),
            ),
            Self::Primitive => (
                "vola.Primitive",
                json!({"state": text, "task": text, "outcome": text}),
            ),
            Self::Gate => (
                "vola.Gate",
                json!({"score": number, "threshold": number, "low": {"type": "boolean"},
                    "signals": {"type": "object", "additionalProperties": number},
                    "done": number, "failing": number, "millis": number}),
            ),
            Self::Control => ("vola.Control", json!({"who": text, "phase": text})),
            Self::Episode => (
                "vola.Episode",
                json!({"state": text, "task": text, "success": {"type": "boolean"}, "outcome": text,
                    "lost": {"type": "integer"}}),
            ),
        };
        (name, json!({"type": "object", "properties": properties}))
    }
}

/// Numbers of the channels in one file.
#[derive(Debug)]
pub(crate) struct Channels {
    pub(crate) cameras: Vec<u16>,
    pub(crate) joint_states: u16,
    pub(crate) joint_commands: u16,
    pub(crate) transforms: u16,
    pub(crate) tool: u16,
    pub(crate) tool_command: u16,
    pub(crate) log: u16,
    own: [u16; Own::ALL.len()],
}

impl Channels {
    /// Adds schemas and channels to a file.
    pub(crate) fn add<W: Write>(writer: &mut McapWriter<W>, layout: &Layout) -> Self {
        let mut known = |topic: &str, schema: Schema| {
            let set = schema.descriptor_set();
            let id = writer.schema(schema.name(), "protobuf", &set);
            writer.channel(id, topic, "protobuf")
        };
        let cameras = layout
            .cameras
            .iter()
            .map(|camera| known(&camera_topic(&camera.key), Schema::CompressedImage))
            .collect();
        let joint_states = known("/joint_states", Schema::JointStates);
        let joint_commands = known("/joint_commands", Schema::JointStates);
        let transforms = known("/tf", Schema::FrameTransforms);
        let tool = known("/tool", Schema::PoseInFrame);
        let tool_command = known("/tool_command", Schema::PoseInFrame);
        let log = known("/log", Schema::Log);
        let own = Own::ALL.map(|kind| {
            let (name, schema) = kind.schema();
            let id = writer.schema(name, "jsonschema", schema.to_string().as_bytes());
            writer.channel(id, kind.topic(), "json")
        });
        Self {
            cameras,
            joint_states,
            joint_commands,
            transforms,
            tool,
            tool_command,
            log,
            own,
        }
    }

    /// The channel of own messages of a kind.
    pub(crate) fn own(&self, kind: Own) -> u16 {
        let place = Own::ALL.iter().position(|one| *one == kind);
        place
            .and_then(|place| self.own.get(place))
            .copied()
            .unwrap_or(0)
    }
}

/// Topic of a camera.
pub(crate) fn camera_topic(key: &str) -> String {
    format!("/camera/{key}")
}
