//! A robot whose every number follows from the time, so that a recording can be
//! compared with what was given.

use std::path::Path;

use serde_json::json;
use vola_recorder::{
    ActionMeaning, CameraLayout, EpisodeEnd, EpisodeStart, Feed, Gate, Layout, MotionSample, Pace,
    Phase, Pixels, Pose, Recorder, RecorderSettings, RepairReport, Who,
};

/// Time between two measured instants (ns).
pub(crate) const STEP_NS: u64 = 10_000_000;
/// Frames a second.
pub(crate) const FPS: u32 = 25;
/// Sides of the pictures (px).
pub(crate) const SIDE: u32 = 96;

pub(crate) fn layout() -> Layout {
    let camera = |key: &str| CameraLayout {
        key: key.to_owned(),
        width: SIDE,
        height: SIDE,
    };
    let joints: Vec<String> = ["j1", "j2", "gripper"].map(str::to_owned).to_vec();
    Layout {
        robot: "synthetic/arm".to_owned(),
        fps: FPS,
        state: vec!["seconds".to_owned(), "tool.x".to_owned()],
        action: ActionMeaning::ToolDelta,
        action_names: ActionMeaning::ToolDelta.names(&joints, true),
        joints,
        cameras: vec![camera("front"), camera("wrist")],
    }
}

pub(crate) fn open(folder: &Path) -> (Recorder, RepairReport) {
    Recorder::open(folder, layout(), RecorderSettings::default()).unwrap()
}

/// Where the tool is: along x with time.
pub(crate) fn tool_x(time_ns: u64) -> f64 {
    0.3 + time_ns as f64 * 1e-10
}

pub(crate) fn sample(time_ns: u64) -> MotionSample {
    let seconds = time_ns as f64 * 1e-9;
    let pose = |x: f64| Pose {
        position: [x, 0.0, 0.2],
        ..Pose::default()
    };
    MotionSample {
        time_ns,
        position: vec![seconds, -seconds, 1.0],
        velocity: vec![1.0, -1.0, 0.0],
        command: vec![seconds + 0.5, -seconds, 0.25],
        state: vec![seconds, tool_x(time_ns)],
        tool: pose(tool_x(time_ns)),
        tool_command: pose(tool_x(time_ns) + 0.01),
    }
}

/// A picture that says its time and camera in its pixels, and compresses as a
/// real one does.
pub(crate) fn picture(camera: usize, time_ns: u64) -> Pixels {
    let mark = (time_ns / STEP_NS) as u32 + 7919 * camera as u32;
    let mut rgb = Vec::with_capacity((SIDE * SIDE * 3) as usize);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let noise = (x * 31 + y * 17 + mark).wrapping_mul(2_654_435_761) >> 29;
            rgb.extend([(x + mark) as u8, (y * 2) as u8, (mark / 3 + noise) as u8]);
        }
    }
    let bytes = mark.to_le_bytes();
    rgb[..4].copy_from_slice(&bytes);
    Pixels {
        width: SIDE,
        height: SIDE,
        rgb,
    }
}

/// The time that a picture says (ns).
pub(crate) fn picture_time_ns(camera: usize, picture: &Pixels) -> u64 {
    let mark = u32::from_le_bytes(picture.rgb[..4].try_into().unwrap());
    u64::from(mark - 7919 * camera as u32) * STEP_NS
}

/// Gives one instant, with pictures where a frame is due.
pub(crate) fn give(feed: &Feed, time_ns: u64) {
    if time_ns.is_multiple_of(1_000_000_000 / u64::from(FPS)) {
        for camera in 0..2 {
            feed.picture(camera, time_ns, picture(camera, time_ns));
        }
    }
    feed.motion(sample(time_ns));
}

pub(crate) fn start(time_ns: u64, task: &str) -> EpisodeStart {
    EpisodeStart {
        task: task.to_owned(),
        time_ns,
        epoch_ns: 0,
        header: json!({"bundle": {"blake3": "0123"}, "plugins": []}),
    }
}

pub(crate) fn done(success: bool) -> EpisodeEnd {
    EpisodeEnd {
        success,
        outcome: "done".to_owned(),
    }
}

/// Records an episode of so many instants; its two halves are two primitives, and
/// a person corrects in the second.
pub(crate) fn episode(feed: &Feed, from_ns: u64, instants: u64, success: bool) {
    feed.begin(start(from_ns, "tidy up"));
    feed.primitive_began(from_ns, "pick up the red block", Who::Policy);
    for i in 0..instants {
        let time_ns = from_ns + i * STEP_NS;
        if i == instants / 2 {
            feed.primitive_ended(time_ns, "done");
            feed.primitive_began(time_ns, "place the red block in the blue bowl", Who::Policy);
            feed.control(time_ns, Who::Human, Phase::Correction);
            feed.gate(
                time_ns,
                Gate {
                    score: 0.25,
                    threshold: 0.5,
                    low: true,
                    signals: vec![("jerk".to_owned(), 1.5)],
                    progress: Some((0.1, 0.2)),
                    millis: 3.0,
                },
            );
        }
        give(feed, time_ns);
    }
    let end_ns = from_ns + instants * STEP_NS;
    feed.primitive_ended(end_ns, "done");
    feed.end(end_ns, done(success));
}

/// A folder with so many episodes of two seconds, recorded in virtual time.
pub(crate) fn folder(episodes: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, _) = open(folder.path());
    let feed = recorder.feed(Pace::Direct).unwrap();
    for number in 0..episodes {
        episode(&feed, number * 3_000_000_000, 200, number % 2 == 0);
    }
    folder
}
