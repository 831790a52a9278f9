//! LeRobot data sets: what LeRobot itself wrote is read, trained on, and mixed with shards; what is
//! damaged or does not fit is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::float_cmp,
    reason = "helpers of tests may fail loudly and compare exactly"
)]

mod lerobot_folder;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use lerobot_folder::{Folder, Values, picture};
use serde::Deserialize;
use serde_json::json;
use support::{config, record};
use vola_bundle::Manifest;
use vola_nn::Checkpoint;
use vola_train::{
    AugmentConfig, Demonstrations, EpisodeMeta, Flow, Frame, FrameShape, FrameSource, Labels,
    LerobotReader, Observer, OptimizerConfig, StepReport, TrainConfig, Trainer, ValidationReport,
    canonical, train,
};

/// What the script beside the data set worked out.
#[derive(Deserialize)]
struct Expected {
    episodes: Vec<ExpectedEpisode>,
    frames: Vec<ExpectedFrame>,
}

#[derive(Deserialize)]
struct ExpectedEpisode {
    task: String,
    frames: usize,
}

#[derive(Deserialize)]
struct ExpectedFrame {
    state: Vec<f32>,
    chunk: Vec<Vec<f32>>,
    done: u8,
    pixels: Option<Vec<u8>>,
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn fixture() -> PathBuf {
    data().join("lerobot_v3")
}

fn manifest() -> Manifest {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/train");
    Manifest::load(&root.join("tabletop.policy.toml")).unwrap()
}

/// Keeps losses, their parts and notes.
#[derive(Default)]
struct Log {
    losses: Vec<f64>,
    parts: BTreeSet<&'static str>,
    notes: Vec<String>,
    validation: Option<ValidationReport>,
}

impl Observer for Log {
    fn step(&mut self, report: &StepReport<'_>) -> Flow {
        self.losses.push(report.loss);
        self.parts.extend(report.parts.keys());
        Flow::Continue
    }

    fn validation(&mut self, report: &ValidationReport) {
        self.validation = Some(report.clone());
    }

    fn note(&mut self, text: &str) {
        self.notes.push(text.to_string());
    }
}

fn run(config: &TrainConfig) -> Log {
    let mut log = Log::default();
    train(config, &mut log).unwrap();
    assert!(
        log.losses.iter().all(|loss| loss.is_finite()),
        "{:?}",
        log.losses
    );
    log
}

/// Without random variation, so that losses can be compared.
fn plain() -> AugmentConfig {
    AugmentConfig {
        channel_gain: 0.0,
        gain: 0.0,
        offset: 0.0,
        word_drop: 0.0,
        word_insert: 0.0,
        word_unknown: 0.0,
        ..AugmentConfig::default()
    }
}

#[test]
fn frames_are_what_lerobot_wrote() {
    let text = std::fs::read_to_string(data().join("lerobot_v3.expected.json")).unwrap();
    let expected: Expected = serde_json::from_str(&text).unwrap();
    assert!(LerobotReader::is_data_set(&fixture()));
    let source = LerobotReader::open(&fixture(), &manifest()).unwrap();
    let shape = FrameShape {
        objects: 0,
        ..FrameShape::tabletop()
    };
    assert_eq!(source.shape(), shape);
    assert_eq!(source.len(), expected.frames.len());
    assert_eq!(source.episodes(), expected.episodes.len());
    let mut start = 0;
    for (i, episode) in expected.episodes.iter().enumerate() {
        let meta = source.episode(i);
        assert_eq!(
            (meta.task.as_str(), meta.embodiment),
            (episode.task.as_str(), 0)
        );
        assert_eq!(meta.step.is_none(), meta.task.contains("towel"), "{meta:?}");
        assert_eq!(source.frames_of(i), start..start + episode.frames);
        assert!((start..start + episode.frames).all(|t| source.frame(t).episode == i));
        start += episode.frames;
    }
    let said = |i: usize| source.episode(i).step.as_ref().map(canonical).unwrap();
    assert_eq!(said(3), "pick up the yellow block");
    assert_eq!(said(4), "place the yellow block in the cyan bowl");

    let close = |a: &[f32], b: &[f32], most: f32| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= most)
    };
    let mut looked_at = 0;
    for (t, expected) in expected.frames.iter().enumerate() {
        let frame = source.frame(t);
        assert!(close(frame.state, &expected.state, 1e-6), "state of {t}");
        let chunk = expected.chunk.concat();
        assert!(
            close(frame.action, &chunk, 1e-5),
            "{t}: {:?} {chunk:?}",
            frame.action
        );
        assert_eq!(frame.done > 0.5, expected.done == 1, "done of {t}");
        assert!(frame.labels.done && !frame.labels.failing);
        assert!(!frame.labels.target && !frame.labels.objects && frame.objects.is_empty());
        for (got, expected) in
            (frame.image.iter().step_by(601)).zip(expected.pixels.iter().flatten())
        {
            assert!(
                got.abs_diff(*expected) <= 1,
                "pixels of {t}: {got} {expected}"
            );
            looked_at += 1;
        }
    }
    assert!(looked_at > 500);
}

#[test]
fn a_lerobot_set_is_learned_and_what_it_lacks_teaches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // A bundle from shards first: its scene head must come through unchanged.
    record(&folder.path().join("shards"), 4, 3);
    let first = TrainConfig {
        data: vec![folder.path().join("shards")],
        ..config(&folder.path().join("first"), 2)
    };
    run(&first);
    let second = TrainConfig {
        data: vec![fixture()],
        start: Some(first.out.clone()),
        augment: plain(),
        optimizer: OptimizerConfig {
            warmup_steps: 2,
            ..OptimizerConfig::default()
        },
        ..config(&folder.path().join("second"), 20)
    };
    let log = run(&second);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (early, late) = (mean(&log.losses[..4]), mean(&log.losses[16..]));
    assert!(late < 0.9 * early, "{early} {late} {:?}", log.losses);
    assert_eq!(
        log.parts,
        ["action", "done", "gripper"].into(),
        "nothing else is known"
    );
    assert!(
        log.notes[0].contains("LeRobotDataset v3.0, 5 episodes, 69 frames"),
        "{:?}",
        log.notes
    );
    let report = log.validation.unwrap();
    assert_eq!(report.labelled, 0);
    assert!(
        report.action > 0.0 && report.done > 0.0 && report.failing == 0.0,
        "{report:?}"
    );

    let words = std::fs::read_to_string(second.out.join("tokenizer.json")).unwrap();
    assert!(words.contains("\"towel\""));
    let tensors = |bundle: &Path| -> BTreeMap<String, Vec<f32>> {
        let file = Checkpoint::open(&bundle.join("model.safetensors")).unwrap();
        let values = |t: &candle_core::Tensor| t.flatten_all().unwrap().to_vec1().unwrap();
        file.iter()
            .map(|(name, t)| (name.to_string(), values(t)))
            .collect()
    };
    let (before, after) = (tensors(&first.out), tensors(&second.out));
    let mut kept = 0;
    for (name, values) in &before {
        let same = values == &after[name];
        if name.starts_with("scene") {
            assert!(same, "{name} was changed");
            kept += 1;
        }
        assert!(
            !same || !name.starts_with("actions."),
            "{name} was not trained"
        );
    }
    assert!(kept > 5);
}

/// A source whose unknown labels hold nonsense.
struct Nonsense(LerobotReader);

impl FrameSource for Nonsense {
    fn shape(&self) -> FrameShape {
        self.0.shape()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn frame(&self, index: usize) -> Frame<'_> {
        Frame {
            failing: 1.0,
            object_xyz: [9.0; 3],
            target_xyz: [-7.0; 3],
            target_uv: [0.3; 2],
            target_visible: 1.0,
            ..self.0.frame(index)
        }
    }

    fn episodes(&self) -> usize {
        self.0.episodes()
    }

    fn episode(&self, index: usize) -> &EpisodeMeta {
        self.0.episode(index)
    }

    fn frames_of(&self, index: usize) -> Range<usize> {
        self.0.frames_of(index)
    }
}

#[test]
fn unknown_labels_reach_no_loss() {
    let folder = tempfile::tempdir().unwrap();
    let losses = |name: &str, source: &dyn FrameSource| {
        let config = TrainConfig {
            data: vec![fixture()],
            ..config(&folder.path().join(name), 3)
        };
        let mut log = Log::default();
        Trainer::new(config, source).unwrap().run(&mut log).unwrap();
        log.losses
    };
    let open = || LerobotReader::open(&fixture(), &manifest()).unwrap();
    assert_eq!(
        losses("zeros", &open()),
        losses("nonsense", &Nonsense(open()))
    );
}

#[test]
fn shards_and_lerobot_sets_mix() {
    let folder = tempfile::tempdir().unwrap();
    record(&folder.path().join("shards"), 4, 3);
    let mixed = TrainConfig {
        data: vec![fixture(), folder.path().join("shards")],
        ..config(folder.path(), 6)
    };
    let source = Demonstrations::open(&mixed).unwrap();
    assert_eq!((source.len(), source.episodes()), (12 + 69, 4 + 6));
    assert_eq!(source.shape(), FrameShape::tabletop());
    assert_eq!(source.frames_of(5), 12 + 14..12 + 26);
    for index in 0..source.len() {
        let frame = source.frame(index);
        assert!(source.frames_of(frame.episode).contains(&index));
        assert_eq!(frame.labels == Labels::ALL, index < 12);
    }
    assert_eq!(source.episode(5).task, "push the green block to the left");
    let log = run(&mixed);
    for part in [
        "action",
        "done",
        "failing",
        "target",
        "turn",
        "grounding",
        "scene_heat",
    ] {
        assert!(log.parts.contains(part), "{part}");
    }
}

#[test]
fn jpeg_pictures_and_a_done_column_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut set = Folder::good();
    let jpeg = std::fs::read(data().join("picture.jpg")).unwrap();
    *set.column("observation.images.front") = Values::Pictures(vec![jpeg; 11]);
    set.info["features"]["next.done"] = json!({"dtype": "bool", "shape": [1], "names": null});
    let done: Vec<bool> = (0..11).map(|row| row % 4 == 0).collect();
    set.data.push(("next.done", Values::Flags(done.clone())));
    set.write(folder.path());
    let source = LerobotReader::open(folder.path(), &manifest()).unwrap();
    assert_eq!(source.episode(0).task, "pick up the red block");
    assert_eq!(source.episode(1).embodiment, 1, "robot_type says so");
    for (row, done) in done.into_iter().enumerate() {
        let frame = source.frame(row);
        assert_eq!(frame.done > 0.5, done, "{row}");
        // The ramp of the JPEG: red grows by 8 a column, four times as wide here.
        let pixel = &frame.image[(48 * 128 + 64) * 3..][..3];
        for (got, expected) in pixel.iter().zip([125_u8, 128, 120]) {
            assert!(got.abs_diff(expected) <= 6, "{pixel:?}");
        }
    }
}

/// The error of a data set after a change.
fn refused(change: impl Fn(&mut Folder)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut set = Folder::good();
    change(&mut set);
    set.write(folder.path());
    match LerobotReader::open(folder.path(), &manifest()) {
        Ok(_) => "no error".to_string(),
        Err(error) => error.to_string(),
    }
}

type Change = Box<dyn Fn(&mut Folder)>;

/// A change of `info.json` by JSON pointer.
fn info(pointer: &'static str, value: serde_json::Value) -> Change {
    Box::new(move |set| *set.info.pointer_mut(pointer).unwrap() = value.clone())
}

#[test]
fn data_sets_that_do_not_fit_are_refused() {
    assert_eq!(refused(|_| ()), "no error");
    let state = "/features/observation.state/names";
    let cases: Vec<(Change, &[&str])> = vec![
        (
            info("/codebase_version", json!("v2.1")),
            &["codebase_version", "v3.*", "`v2.1`"],
        ),
        (
            info("/fps", json!(15)),
            &["info.json: fps", "expected 10", "got 15"],
        ),
        (info("/fps", json!(-1)), &["fps", "got -1"]),
        (
            info("/robot_type", json!("so101")),
            &["robot_type", "tabletop/ur5e", "so101"],
        ),
        (
            info("/total_frames", json!(1_u64 << 40)),
            &["total_frames", "1 to 1000000"],
        ),
        (
            info("/total_frames", json!(12)),
            &["total_frames", "11", "12"],
        ),
        (
            info("/total_tasks", json!(3)),
            &["tasks.parquet: rows", "expected 3", "got 2"],
        ),
        (
            info("/data_path", json!("/etc/{chunk_index}")),
            &["data_path", "/etc/"],
        ),
        (
            info("/features", json!({})),
            &["features.observation.state"],
        ),
        (
            info("/features/observation.state/names/2", json!("speed")),
            &["`speed` is not wanted", "observation.state.names"],
        ),
        (
            info(state, json!(["tool.x"])),
            &["observation.state.shape", "[1]", "[9]"],
        ),
        (
            info(state, json!(null)),
            &["observation.state.names", "null"],
        ),
        (
            info("/features/action/names/motors/0", json!("dy")),
            &["features.action.names", "`dy` comes twice"],
        ),
        (
            info("/features/action/dtype", json!("int8")),
            &["features.action.dtype", "int8"],
        ),
        (
            info("/features/observation.images.front/dtype", json!("video")),
            &["video is not read", "images.front"],
        ),
        (
            info(
                "/features/observation.images.front/shape",
                json!([24, 33, 3]),
            ),
            &["33×24", "32×24", "row 0"],
        ),
        (
            info(
                "/features/observation.images.front/shape",
                json!([90_000, 90_000, 3]),
            ),
            &["images.front.shape", "90000"],
        ),
    ];
    for (change, words) in cases {
        let error = refused(change);
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{words:?}: {error}"
        );
    }
    let error = refused(|set| {
        let camera = set.info["features"]["observation.images.front"].take();
        set.info["features"] = json!({"observation.images.top": camera,
            "observation.state": set.info["features"]["observation.state"],
            "action": set.info["features"]["action"]});
    });
    assert!(
        error.contains("observation.images.top") && error.contains("images.front"),
        "{error}"
    );
}

/// The checksum of a PNG chunk (CRC-32).
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(sum & 1))
        })
    })
}

#[test]
fn damaged_rows_are_refused() {
    let floats = |name: &'static str, at: usize, value: f32| -> Change {
        Box::new(move |set| match set.column(name) {
            Values::Floats(_, list) | Values::Float(list) => list[at] = value,
            _ => panic!("{name} has no floats"),
        })
    };
    let integer = |name: &'static str, at: usize, value: i64| -> Change {
        Box::new(move |set| match set.column(name) {
            Values::Integers(list) => list[at] = value,
            _ => panic!("{name} has no integers"),
        })
    };
    let bytes = |at: usize, bytes: Vec<u8>| -> Change {
        Box::new(move |set| match set.column("observation.images.front") {
            Values::Pictures(list) => list[at] = bytes.clone(),
            _ => panic!("no pictures"),
        })
    };
    let episode = |column: usize, values: [i64; 2]| -> Change {
        Box::new(move |set| set.episodes[column].1 = Values::Integers(values.to_vec()))
    };
    let png = picture(0);
    let mut huge = png.clone();
    // Sides of the header, and its checksum.
    huge[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let sum = checksum(&huge[12..29]).to_be_bytes();
    huge[29..33].copy_from_slice(&sum);
    let cases: Vec<(Change, &[&str])> = vec![
        (
            floats("action", 7, f32::NAN),
            &["data/chunk-000/file-000.parquet", "action, row 1", "NaN"],
        ),
        (
            floats("observation.state", 0, f32::INFINITY),
            &["observation.state, row 0", "inf"],
        ),
        (floats("action", 13, 1.5), &["row 1", "gripper", "1.5"]),
        (
            floats("timestamp", 8, 0.25),
            &["timestamp, row 8", "0.2 s", "got 0.25"],
        ),
        (
            integer("index", 4, 5),
            &["index, row 4", "expected 4, got 5"],
        ),
        (
            integer("frame_index", 6, 6),
            &["frame_index, row 6", "expected 0"],
        ),
        (
            integer("task_index", 3, -1),
            &["task_index, row 3", "got -1"],
        ),
        (
            bytes(5, png[..png.len() / 2].to_vec()),
            &["images.front, row 5", "PNG"],
        ),
        (
            bytes(5, huge),
            &["images.front, row 5", "32×24", "2147483647"],
        ),
        (bytes(2, b"GIF89a".to_vec()), &["row 2", "PNG or JPEG"]),
        (episode(1, [6, -5]), &["length, row 1", "got -5"]),
        (
            episode(4, [0, 7]),
            &["dataset_from_index, row 1", "expected 6, got 7"],
        ),
        (episode(3, [0, i64::MAX]), &["data/file_index, row 1"]),
        (
            episode(3, [0, 1]),
            &["expected 6 as in meta/episodes, got 11"],
        ),
        (
            Box::new(|set| set.data.retain(|(name, _)| *name != "action")),
            &["action: expected this column"],
        ),
        (
            Box::new(|set| *set.column("action") = Values::Integers(vec![0; 11])),
            &["action", "INT64"],
        ),
        (
            Box::new(|set| *set.column("action") = Values::Floats(6, vec![0.0; 66])),
            &["action", "rows of 7 values"],
        ),
        (
            Box::new(|set| set.tasks[1].1 = Values::Texts(vec!["x".repeat(1001), "y".into()])),
            &["tasks.parquet: task, row 0", "1000 bytes"],
        ),
        (
            Box::new(|set| set.tasks[0].1 = Values::Integers(vec![0, 0])),
            &["tasks.parquet: row 1", "once"],
        ),
    ];
    for (change, words) in cases {
        let error = refused(change);
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{words:?}: {error}"
        );
    }
}

#[test]
fn broken_files_are_errors_and_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    Folder::good().write(folder.path());
    let manifest = manifest();
    let open = || match LerobotReader::open(folder.path(), &manifest) {
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    };
    let data = "data/chunk-000/file-000.parquet";
    for name in [
        data,
        "meta/episodes/chunk-000/file-000.parquet",
        "meta/tasks.parquet",
    ] {
        let path = folder.path().join(name);
        let good = std::fs::read(&path).unwrap();
        for length in (0..good.len()).step_by(good.len() / 60 + 1) {
            std::fs::write(&path, &good[..length]).unwrap();
            let error = open().expect("a cut file is an error");
            assert!(error.contains(name), "{error}");
        }
        // A changed byte may still mean something: whatever comes back, it comes back.
        let mut refused = 0;
        for at in (0..good.len()).step_by(good.len() / 250 + 1) {
            for flip in [0x01, 0x80, 0xff] {
                let mut bad = good.clone();
                bad[at] ^= flip;
                std::fs::write(&path, &bad).unwrap();
                refused += usize::from(open().is_some());
            }
        }
        assert!(refused > 50, "{name}: {refused}");
        std::fs::remove_file(&path).unwrap();
        let error = open().unwrap();
        assert!(
            error.contains(name.split("/chunk").next().unwrap()),
            "{error}"
        );
        std::fs::write(&path, &good).unwrap();
    }
    std::fs::write(
        folder.path().join("meta/info.json"),
        "{\"codebase_version\": \"v3.0\"",
    )
    .unwrap();
    assert!(open().unwrap().contains("info.json"));
}
