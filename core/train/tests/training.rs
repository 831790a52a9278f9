//! Training on a painted world: gradients everywhere, losses that fall, exact resumption.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::float_cmp,
    reason = "helpers of tests may fail loudly and compare exactly"
)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use support::{config, record};
use vola_nn::{Chain, StageContext, StageEnv};
use vola_train::{
    AugmentConfig, BatchConfig, BatchMaker, Flow, FrameSource, LossConfig, Observer, PolicyFile,
    Rng, ShardReader, StepReport, TrainConfig, TrainError, Trainer, ValidationReport, train,
};

/// Keeps the loss of every step, and stops after some.
#[derive(Default)]
struct Log {
    losses: Vec<f64>,
    parts: Vec<BTreeMap<&'static str, f64>>,
    stop_after: Option<u64>,
    notes: String,
}

impl Observer for Log {
    fn step(&mut self, report: &StepReport<'_>) -> Flow {
        self.losses.push(report.loss);
        self.parts.push(report.parts.clone());
        if self.stop_after == Some(report.step) {
            Flow::Stop
        } else {
            Flow::Continue
        }
    }

    fn validation(&mut self, report: &ValidationReport) {
        println!("{report:?}");
    }

    fn note(&mut self, text: &str) {
        self.notes.push_str(text);
    }
}

fn run(config: &TrainConfig, stop_after: Option<u64>) -> Log {
    let mut log = Log {
        stop_after,
        ..Log::default()
    };
    train(config, &mut log).unwrap();
    log
}

#[test]
fn every_parameter_gets_a_gradient() {
    let folder = tempfile::tempdir().unwrap();
    record(&folder.path().join("data"), 6, 4);
    let config = config(folder.path(), 1);
    let source = ShardReader::open(&config.data).unwrap();
    let trainer = Trainer::new(config, &source).unwrap();
    let without = trainer.parameters_without_gradient(3).unwrap();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn a_small_set_is_learned_by_heart() {
    let folder = tempfile::tempdir().unwrap();
    record(&folder.path().join("data"), 3, 4);
    let plain = TrainConfig {
        batch: BatchConfig {
            threads: 2,
            size: 6,
            grounding: 2,
            scene: 2,
            scene_raised: 0.4,
            scene_every: 1,
        },
        loss: LossConfig {
            head_share: 1.0,
            ..LossConfig::default()
        },
        augment: AugmentConfig {
            channel_gain: 0.0,
            gain: 0.0,
            offset: 0.0,
            state_noise_m: 0.0,
            goal_noise_m: 0.0,
            goal_wrong: 0.0,
            word_drop: 0.0,
            word_insert: 0.0,
            word_unknown: 0.0,
            ..AugmentConfig::default()
        },
        ..config(folder.path(), 350)
    };
    let log = run(&plain, None);
    let mean = |range: std::ops::Range<usize>, part: &str| {
        let values: Vec<f64> = log.parts[range]
            .iter()
            .filter_map(|p| p.get(part).copied())
            .collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    for (part, factor) in [
        ("action", 8.0),
        ("target", 8.0),
        ("attention", 5.0),
        ("gripper", 10.0),
        ("scene_heat", 10.0),
        ("scene_color", 5.0),
    ] {
        let (before, after) = (mean(0..4, part), mean(330..350, part));
        assert!(after * factor < before, "{part}: {before} -> {after}");
    }
    let loss = |range: std::ops::Range<usize>| {
        log.losses[range.clone()].iter().sum::<f64>() / range.len() as f64
    };
    assert!(
        loss(330..350) * 10.0 < loss(0..4),
        "{} -> {}",
        loss(0..4),
        loss(330..350)
    );
    for file in ["history.json", "loss.png", "resume.safetensors"] {
        assert!(folder.path().join("work").join(file).exists(), "{file}");
    }
    let history = vola_train::History::open(&folder.path().join("work/history.json")).unwrap();
    assert_eq!((history.training.len(), history.validation.len()), (7, 1));
}

#[test]
fn the_same_seed_gives_the_same_losses_with_and_without_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    record(&data, 4, 4);
    let at = |name: &str| TrainConfig {
        data: vec![data.clone()],
        ..config(&folder.path().join(name), 8)
    };
    let whole = run(&at("whole"), None);
    assert_eq!(whole.losses, run(&at("again"), None).losses);
    let first = run(&at("stopped"), Some(4));
    assert!(
        first.notes.contains("stopped and saved at step 4"),
        "{}",
        first.notes
    );
    assert!(
        !folder
            .path()
            .join("stopped/bundle/model.safetensors")
            .exists()
    );
    let second = run(&at("stopped"), None);
    assert!(
        second.notes.contains("resumed at step 4"),
        "{}",
        second.notes
    );
    assert_eq!(whole.losses, [first.losses, second.losses].concat());
    let weights = |name: &str| {
        std::fs::read(folder.path().join(name).join("bundle/model.safetensors")).unwrap()
    };
    assert!(weights("whole") == weights("stopped"));

    let other = TrainConfig {
        seed: 6,
        ..at("stopped")
    };
    let error = train(&other, &mut Log::default()).unwrap_err().to_string();
    assert!(
        error.contains("another configuration") && error.contains("resume.safetensors"),
        "{error}"
    );
}

#[test]
fn the_bundle_runs_and_gives_what_was_trained() {
    let folder = tempfile::tempdir().unwrap();
    record(&folder.path().join("data"), 4, 3);
    let config = config(folder.path(), 3);
    run(&config, None);
    let policy = PolicyFile::open(&config.out.join("policy.toml")).unwrap();
    let env = StageEnv {
        bundle: config.out.clone(),
    };
    let mut chain =
        Chain::open(&policy.stages, &env, &config.out.join("model.safetensors")).unwrap();
    let source = ShardReader::open(&config.data).unwrap();
    let maker = BatchMaker::new(&source, policy.grid(), None);
    let batch = maker.policy(&[0, 1], &[], &mut Rng::new(0)).unwrap();
    chain.reset(0);
    let out = chain
        .forward(
            &StageContext::run(0, 0),
            &batch.inputs,
            &["action", "progress", "target", "scene.objects"],
        )
        .unwrap();
    for (name, dims) in [
        ("action", &[2, 4, 8, 7][..]),
        ("progress", &[2, 2]),
        ("target", &[2, 3]),
        ("attention", &[2, 4, 768]),
        ("scene.objects", &[2, 12, 8]),
    ] {
        assert_eq!(out[name].dims(), dims, "{name}");
        let numbers = out[name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(numbers.iter().all(|x| x.is_finite()), "{name}");
    }
    let bundle = vola_bundle::Bundle::open(&config.out).unwrap();
    for robot in bundle.manifest().embodiments() {
        bundle.check_statistics(robot).unwrap();
        bundle.processors(robot).unwrap();
    }
    let size = std::fs::metadata(config.out.join("model.safetensors"))
        .unwrap()
        .len();
    assert!(size < 20_000_000, "{size}");
}

/// Writes two shards' worth of episodes, damages something, and returns the error.
fn damaged(change: impl Fn(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), 2, 2);
    change(folder.path());
    match ShardReader::open(&[folder.path().to_path_buf()]) {
        Ok(_) => "no error".to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn shards_round_trip_and_damage_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), 3, 2);
    record(folder.path(), 2, 2); // goes on with the next number
    let source = ShardReader::open(&[folder.path().to_path_buf()]).unwrap();
    assert_eq!((source.len(), source.episodes()), (10, 5));
    assert_eq!(source.frames_of(3), 6..8);
    let frame = source.frame(7);
    assert_eq!(
        (frame.episode, frame.state.len(), frame.image.len()),
        (3, 9, 96 * 128 * 3)
    );
    assert_eq!(
        frame.image,
        source.frame(1).image,
        "both recordings have the same seeds"
    );
    assert_eq!(source.episode(3), source.episode(0));

    let check = |change: &dyn Fn(&Path), words: &str| {
        let message = damaged(change);
        assert!(message.contains(words), "{message}");
    };
    let shard = "shard-00000.safetensors";
    check(
        &|f| std::fs::remove_file(f.join("shard-00000.json")).unwrap(),
        "shard-00000.json",
    );
    check(
        &|f| {
            let bytes = std::fs::read(f.join(shard)).unwrap();
            std::fs::write(f.join(shard), &bytes[..bytes.len() - 9]).unwrap();
        },
        "blake3",
    );
    check(
        &|f| {
            let text = std::fs::read_to_string(f.join("shard-00000.json")).unwrap();
            std::fs::write(
                f.join("shard-00000.json"),
                text.replace("\"format\":2", "\"format\":3"),
            )
            .unwrap();
        },
        "format: expected 2, got 3",
    );
    check(
        &|f| {
            for name in ["shard-00000.json", shard] {
                std::fs::remove_file(f.join(name)).unwrap();
            }
        },
        "no frames",
    );
}

#[test]
fn episodes_that_cannot_be_used_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let shape = vola_train::FrameShape::tabletop();
    let mut writer = vola_train::ShardWriter::create(folder.path(), shape).unwrap();
    let step: vola_train::StepWords =
        serde_json::from_str(r#"{"op":"pick","object":{"kind":"block","color":"red"}}"#).unwrap();
    let meta = vola_train::EpisodeMeta {
        seed: 1,
        task: String::new(),
        embodiment: 0,
        step: Some(step),
    };
    let frame = vola_train::FrameRecord {
        image: vec![0; shape.image_bytes()],
        state: vec![0.0; 9],
        action: vec![0.0; 56],
        ..vola_train::FrameRecord::default()
    };
    let mut check = |frame: vola_train::FrameRecord, field: &str| {
        let episode = vola_train::EpisodeRecord {
            meta: meta.clone(),
            frames: vec![frame],
        };
        match writer.push(episode) {
            Err(TrainError::Episode {
                index: 0,
                field: got,
                ..
            }) => assert_eq!(got, field),
            other => panic!("{other:?}"),
        }
    };
    check(
        vola_train::FrameRecord {
            image: vec![0; 5],
            ..frame.clone()
        },
        "image",
    );
    check(
        vola_train::FrameRecord {
            action: vec![f32::NAN; 56],
            ..frame.clone()
        },
        "action",
    );
    check(
        vola_train::FrameRecord {
            state: vec![0.0; 8],
            ..frame.clone()
        },
        "state",
    );
    check(
        vola_train::FrameRecord {
            objects: vec![[0.0; 10]; 13],
            ..frame
        },
        "objects",
    );
}

#[test]
fn shipped_configurations_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/train");
    let config = TrainConfig::open(&root.join("tabletop.toml")).unwrap();
    assert_eq!(config.loss, LossConfig::default());
    assert_eq!(config.augment, AugmentConfig::default());
    assert_eq!(config.batch, BatchConfig::default());
    let second = TrainConfig::open(&root.join("tabletop_corrections.toml")).unwrap();
    assert_eq!(second.start.as_ref(), Some(&config.out));
    assert!(second.data.starts_with(&config.data));
    let third = TrainConfig::open(&root.join("tabletop_scene.toml")).unwrap();
    assert_eq!(
        (third.start.as_ref(), third.batch.size),
        (Some(&config.out), 0)
    );
    let policy = PolicyFile::open(&root.join("tabletop.policy.toml")).unwrap();
    assert_eq!(policy.stages.len(), 8);
}
