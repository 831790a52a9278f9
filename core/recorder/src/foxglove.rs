//! Foxglove's published schemas: the messages of a recording that viewers know,
//! in protocol buffers.
//!
//! A channel carries its schema as a `FileDescriptorSet`, so that a reader needs
//! nothing else. Field names and numbers are those that Foxglove publishes.
//!
//! # Source
//! <https://docs.foxglove.dev/docs/sdk/schemas> and the `.proto` files in
//! `foxglove/foxglove-sdk`, folder `schemas/proto/foxglove`.

use crate::{protobuf::Message, sample::Pose};

/// A kind of message that viewers know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schema {
    CompressedImage,
    JointStates,
    FrameTransforms,
    PoseInFrame,
    Log,
}

impl Schema {
    /// Name with package.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CompressedImage => "foxglove.CompressedImage",
            Self::JointStates => "foxglove.JointStates",
            Self::FrameTransforms => "foxglove.FrameTransforms",
            Self::PoseInFrame => "foxglove.PoseInFrame",
            Self::Log => "foxglove.Log",
        }
    }

    /// The schema with everything that it refers to.
    pub(crate) fn descriptor_set(self) -> Vec<u8> {
        let mut set = Message::new();
        for file in [timestamp_file(), foxglove_file()] {
            set = set.message(1, file);
        }
        set.into_bytes()
    }
}

/// An encoded picture.
pub(crate) fn compressed_image(time_ns: u64, frame: &str, png: &[u8]) -> Vec<u8> {
    Message::new()
        .message(1, timestamp(time_ns))
        .bytes(2, png)
        .text(3, "png")
        .text(4, frame)
        .into_bytes()
}

/// The picture of such a message.
pub(crate) fn image_bytes(message: &[u8]) -> Option<&[u8]> {
    crate::protobuf::find_bytes(message, 2)
}

/// Positions and, where there are some, velocities.
pub(crate) fn joint_states(
    time_ns: u64,
    names: &[String],
    positions: &[f64],
    velocities: &[f64],
) -> Vec<u8> {
    let mut message = Message::new().message(1, timestamp(time_ns));
    for (i, (name, position)) in names.iter().zip(positions).enumerate() {
        let mut joint = Message::new().text(1, name).double(2, *position);
        if let Some(velocity) = velocities.get(i) {
            joint = joint.double(3, *velocity);
        }
        message = message.message(2, joint);
    }
    message.into_bytes()
}

/// Where child frames lie in the base frame.
pub(crate) fn frame_transforms(time_ns: u64, children: &[(&str, Pose)]) -> Vec<u8> {
    let mut message = Message::new();
    for (child, pose) in children {
        let transform = Message::new()
            .message(1, timestamp(time_ns))
            .text(2, BASE)
            .text(3, child)
            .message(4, vector(pose.position))
            .message(5, quaternion(pose.orientation));
        message = message.message(1, transform);
    }
    message.into_bytes()
}

/// A pose in the base frame.
pub(crate) fn pose_in_frame(time_ns: u64, pose: Pose) -> Vec<u8> {
    let inner = Message::new()
        .message(1, vector(pose.position))
        .message(2, quaternion(pose.orientation));
    Message::new()
        .message(1, timestamp(time_ns))
        .text(2, BASE)
        .message(3, inner)
        .into_bytes()
}

/// How much a line of the log matters; Foxglove's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Info = 2,
    Warning = 3,
    Error = 4,
}

/// A line for people.
pub(crate) fn log(time_ns: u64, level: Level, text: &str) -> Vec<u8> {
    Message::new()
        .message(1, timestamp(time_ns))
        .integer(2, level as u64)
        .text(3, text)
        .text(4, "vola")
        .into_bytes()
}

/// Name of the base frame.
const BASE: &str = "base";

fn timestamp(time_ns: u64) -> Message {
    Message::new()
        .integer(1, time_ns / 1_000_000_000)
        .integer(2, time_ns % 1_000_000_000)
}

fn vector([x, y, z]: [f64; 3]) -> Message {
    Message::new().double(1, x).double(2, y).double(3, z)
}

fn quaternion([x, y, z, w]: [f64; 4]) -> Message {
    Message::new()
        .double(1, x)
        .double(2, y)
        .double(3, z)
        .double(4, w)
}

/// Type of a field in a descriptor.
#[derive(Clone, Copy)]
enum Kind {
    Double,
    Text,
    Bytes,
    Fixed32,
    Int64,
    Int32,
    Of(&'static str),
    ManyOf(&'static str),
    Choice(&'static str),
    /// A double that may be missing: its synthetic group of one.
    Maybe(u64),
}

/// One field: name, number, type.
type Field = (&'static str, u64, Kind);

const TIMESTAMP: &str = ".google.protobuf.Timestamp";

/// The messages of the package, each with its fields.
const MESSAGES: [(&str, &[Field]); 9] = [
    (
        "Vector3",
        &[
            ("x", 1, Kind::Double),
            ("y", 2, Kind::Double),
            ("z", 3, Kind::Double),
        ],
    ),
    (
        "Quaternion",
        &[
            ("x", 1, Kind::Double),
            ("y", 2, Kind::Double),
            ("z", 3, Kind::Double),
            ("w", 4, Kind::Double),
        ],
    ),
    (
        "Pose",
        &[
            ("position", 1, Kind::Of(".foxglove.Vector3")),
            ("orientation", 2, Kind::Of(".foxglove.Quaternion")),
        ],
    ),
    (
        "PoseInFrame",
        &[
            ("timestamp", 1, Kind::Of(TIMESTAMP)),
            ("frame_id", 2, Kind::Text),
            ("pose", 3, Kind::Of(".foxglove.Pose")),
        ],
    ),
    (
        "FrameTransform",
        &[
            ("timestamp", 1, Kind::Of(TIMESTAMP)),
            ("parent_frame_id", 2, Kind::Text),
            ("child_frame_id", 3, Kind::Text),
            ("translation", 4, Kind::Of(".foxglove.Vector3")),
            ("rotation", 5, Kind::Of(".foxglove.Quaternion")),
        ],
    ),
    (
        "FrameTransforms",
        &[("transforms", 1, Kind::ManyOf(".foxglove.FrameTransform"))],
    ),
    (
        "CompressedImage",
        &[
            ("timestamp", 1, Kind::Of(TIMESTAMP)),
            ("frame_id", 4, Kind::Text),
            ("data", 2, Kind::Bytes),
            ("format", 3, Kind::Text),
        ],
    ),
    (
        "JointState",
        &[
            ("name", 1, Kind::Text),
            ("position", 2, Kind::Maybe(0)),
            ("velocity", 3, Kind::Maybe(1)),
            ("acceleration", 4, Kind::Maybe(2)),
            ("effort", 5, Kind::Maybe(3)),
        ],
    ),
    (
        "JointStates",
        &[
            ("timestamp", 1, Kind::Of(TIMESTAMP)),
            ("joints", 2, Kind::ManyOf(".foxglove.JointState")),
        ],
    ),
];

/// The log's message; it has an enumeration inside.
const LOG: (&str, &[Field]) = (
    "Log",
    &[
        ("timestamp", 1, Kind::Of(TIMESTAMP)),
        ("level", 2, Kind::Choice(".foxglove.Log.Level")),
        ("message", 3, Kind::Text),
        ("name", 4, Kind::Text),
        ("file", 5, Kind::Text),
        ("line", 6, Kind::Fixed32),
    ],
);

const LEVELS: [(&str, u64); 6] = [
    ("UNKNOWN", 0),
    ("DEBUG", 1),
    ("INFO", 2),
    ("WARNING", 3),
    ("ERROR", 4),
    ("FATAL", 5),
];

fn timestamp_file() -> Message {
    let fields: &[Field] = &[("seconds", 1, Kind::Int64), ("nanos", 2, Kind::Int32)];
    Message::new()
        .text(1, "google/protobuf/timestamp.proto")
        .text(2, "google.protobuf")
        .message(4, message_type("Timestamp", fields))
        .text(12, "proto3")
}

fn foxglove_file() -> Message {
    let mut file = Message::new()
        .text(1, "foxglove/vola.proto")
        .text(2, "foxglove")
        .text(3, "google/protobuf/timestamp.proto");
    for (name, fields) in MESSAGES {
        file = file.message(4, message_type(name, fields));
    }
    let mut levels = Message::new().text(1, "Level");
    for (name, number) in LEVELS {
        // Numbers of values stand also where they are zero.
        let value = Message::new().text(1, name).present_integer(2, number);
        levels = levels.message(2, value);
    }
    file.message(4, message_type(LOG.0, LOG.1).message(4, levels))
        .text(12, "proto3")
}

/// A `DescriptorProto`.
fn message_type(name: &str, fields: &[Field]) -> Message {
    let mut message = Message::new().text(1, name);
    for field in fields {
        message = message.message(2, field_type(field));
    }
    // Each optional field stands alone in a group with its name.
    for (name, _, kind) in fields {
        if let Kind::Maybe(_) = kind {
            message = message.message(8, Message::new().text(1, &format!("_{name}")));
        }
    }
    message
}

/// A `FieldDescriptorProto`.
fn field_type((name, number, kind): &Field) -> Message {
    const OPTIONAL: u64 = 1;
    const REPEATED: u64 = 3;
    let (label, code, of) = match kind {
        Kind::Double | Kind::Maybe(_) => (OPTIONAL, 1, None),
        Kind::Int64 => (OPTIONAL, 3, None),
        Kind::Int32 => (OPTIONAL, 5, None),
        Kind::Fixed32 => (OPTIONAL, 7, None),
        Kind::Text => (OPTIONAL, 9, None),
        Kind::Of(of) => (OPTIONAL, 11, Some(of)),
        Kind::ManyOf(of) => (REPEATED, 11, Some(of)),
        Kind::Bytes => (OPTIONAL, 12, None),
        Kind::Choice(of) => (OPTIONAL, 14, Some(of)),
    };
    let mut field = Message::new()
        .text(1, name)
        .integer(3, *number)
        .integer(4, label)
        .integer(5, code);
    if let Some(of) = of {
        field = field.text(6, of);
    }
    if let Kind::Maybe(group) = kind {
        // Group 0 must be said too.
        field = field.present_integer(9, *group).integer(17, 1);
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_comes_out_as_it_went_in() {
        let message = compressed_image(1_500_000_000, "front", &[9, 8, 7]);
        assert_eq!(image_bytes(&message), Some(&[9, 8, 7][..]));
        assert_eq!(image_bytes(&message[..4]), None);
    }

    #[test]
    fn every_schema_is_in_its_set() {
        for schema in [
            Schema::CompressedImage,
            Schema::JointStates,
            Schema::FrameTransforms,
            Schema::PoseInFrame,
            Schema::Log,
        ] {
            let set = schema.descriptor_set();
            let name = schema.name().strip_prefix("foxglove.").unwrap();
            let has = set.windows(name.len()).any(|part| part == name.as_bytes());
            assert!(has, "{name}");
        }
    }
}
