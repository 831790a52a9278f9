//! The parts together, as the runtime's virtual clock uses them.

use serde_json::{Value, json};
use vola_plugin::{CommandFrame, Embodiment, ImageBuffer, Parts, StateFrame, StopCategory};
use vola_types::Op;

use super::{Franka, Ur5e};

const TICK: u64 = 1_000_000;

fn state(parts: &mut Parts) -> StateFrame {
    let mut frame = StateFrame::default();
    parts.actuator.state(&mut frame).unwrap();
    frame
}

fn command(values: &[f64], time_ns: u64) -> CommandFrame {
    let mut frame = CommandFrame {
        time_ns,
        count: values.len() as u32,
        ..CommandFrame::default()
    };
    frame.position[..values.len()].copy_from_slice(values);
    frame
}

fn reset(parts: &mut Parts, seed: u64, task: Value) -> Value {
    parts
        .simulation
        .as_mut()
        .unwrap()
        .reset(seed, &task)
        .unwrap()
}

fn step(parts: &mut Parts) {
    parts.simulation.as_mut().unwrap().step(TICK).unwrap();
}

fn picture(parts: &mut Parts, key: &str, width: u32, height: u32) -> Vec<u8> {
    let mut data = vec![0; (width * height * 3) as usize];
    let camera = &mut parts
        .cameras
        .iter_mut()
        .find(|(name, _)| name == key)
        .unwrap()
        .1;
    camera
        .grab(&mut ImageBuffer {
            width,
            height,
            capture_time_ns: 0,
            data: &mut data,
        })
        .unwrap();
    data
}

#[test]
fn both_arms_describe_themselves_without_fault() {
    let franka = Franka::configure(json!({})).unwrap().describe().unwrap();
    let ur5e = Ur5e::configure(json!({"drawer":"never"}))
        .unwrap()
        .describe()
        .unwrap();
    for (description, joints) in [(&franka, 7), (&ur5e, 6)] {
        description.check().unwrap();
        assert_eq!(description.joints.len(), joints);
        let text = serde_json::to_string(description).unwrap();
        serde_json::from_str::<vola_types::EmbodimentDescription>(&text)
            .unwrap()
            .check()
            .unwrap();
        assert_eq!(description.camera("front").unwrap().width, 128);
    }
    assert!(franka.ops.contains(&Op::Open) && !ur5e.ops.contains(&Op::Open));
}

#[test]
fn a_command_acts_in_the_step_after_it_and_silence_stops_the_arm() {
    let mut parts = Franka::configure(json!({})).unwrap().open().unwrap();
    reset(&mut parts, 3, json!({}));
    let start = state(&mut parts);
    let mut goal = start.positions().to_vec();
    goal[0] += 0.001;
    parts.actuator.command(&command(&goal, 5 * TICK)).unwrap();
    step(&mut parts);
    let moved = state(&mut parts);
    assert!(
        (moved.position[0] - goal[0]).abs() < 1e-12,
        "{}",
        moved.position[0]
    );
    assert_eq!(moved.capture_time_ns, 6 * TICK);
    assert!(moved.velocity[0] > 0.5);
    for _ in 0..300 {
        step(&mut parts);
    }
    let rest = state(&mut parts);
    assert!(rest.velocity[0].abs() < 1e-12);
    parts.actuator.stop(StopCategory::One).unwrap();
    goal[0] += 0.5;
    parts.actuator.command(&command(&goal, 400 * TICK)).unwrap();
    step(&mut parts);
    assert_eq!(
        state(&mut parts).position[0].to_bits(),
        rest.position[0].to_bits()
    );
    parts.actuator.reset().unwrap();
    parts.actuator.command(&command(&goal, 401 * TICK)).unwrap();
    step(&mut parts);
    assert!(state(&mut parts).position[0] > rest.position[0]);
    assert!(parts.actuator.command(&command(&[f64::NAN; 8], 0)).is_err());
    assert!(parts.actuator.command(&command(&[0.0; 7], 0)).is_err());
}

#[test]
fn the_same_seed_and_commands_give_the_same_pixels_and_states() {
    let run = || {
        let mut parts = Ur5e::configure(json!({})).unwrap().open().unwrap();
        let episode = reset(&mut parts, 11, json!({"task":"place_in","start":"varied"}));
        let start = state(&mut parts);
        for tick in 0..400_u64 {
            let mut goal = start.positions().to_vec();
            goal[1] += 0.05 * (tick as f64 * 0.01).sin();
            goal[6] = if tick > 200 { 1.0 } else { 0.0 };
            parts
                .actuator
                .command(&command(&goal, tick * TICK))
                .unwrap();
            step(&mut parts);
        }
        let bits: Vec<u64> = state(&mut parts)
            .positions()
            .iter()
            .map(|value| value.to_bits())
            .collect();
        (
            episode,
            bits,
            picture(&mut parts, "front", 128, 96),
            picture(&mut parts, "wrist", 64, 64),
        )
    };
    assert_eq!(run(), run());
}

#[test]
fn episodes_round_trip_as_goals_and_carry_labels() {
    let mut parts = Franka::configure(json!({})).unwrap().open().unwrap();
    for task in [
        "pick",
        "place_in",
        "place_on_region",
        "stack",
        "relation",
        "push",
        "drawer",
        "place_in_drawer",
    ] {
        let episode = reset(&mut parts, 21, json!({"task":task,"start":"varied"}));
        assert_eq!(episode["op"], episode["steps"][0]["op"], "{task}");
        let world = parts.simulation.as_mut().unwrap();
        world.set_goal(&episode["steps"][0]).unwrap();
        assert!(!world.goal_reached().unwrap(), "{task} is reached at once");
        let names = [
            "scene.objects",
            "action",
            "progress",
            "anchor",
            "anchor.uv",
            "anchor.mask",
            "object",
            "object.uv",
            "object.mask",
            "destination",
            "destination.uv",
            "destination.mask",
            "target",
            "target.uv",
            "target.mask",
        ];
        let tensors = world.demonstrate().unwrap();
        let found: Vec<String> = tensors
            .iter()
            .map(|tensor| tensor.view(|view| view.name().to_owned()))
            .collect();
        assert_eq!(found, names);
        let finite = tensors
            .iter()
            .all(|tensor| tensor.view(|view| view.f32s().unwrap().iter().all(|v| v.is_finite())));
        assert!(finite, "{task}");
    }
    let world = parts.simulation.as_mut().unwrap();
    let error = world
        .set_goal(&json!({"op":"push","object":{"kind":"bowl","color":"mauve"}}))
        .unwrap_err();
    assert!(error.to_string().contains("mauve"), "{error}");
    let error = world
        .set_goal(&json!({"op":"home"}))
        .unwrap_err()
        .to_string();
    assert!(error.contains("home"), "{error}");
    assert!(
        world
            .reset(1, &json!({"task":"dance"}))
            .unwrap_err()
            .to_string()
            .contains("dance")
    );
}

#[test]
fn a_reset_takes_milliseconds() {
    let mut parts = Franka::configure(json!({})).unwrap().open().unwrap();
    let clock = std::time::Instant::now();
    for seed in 0..20 {
        reset(&mut parts, seed, json!({"task":"stack","start":"varied"}));
    }
    let each = clock.elapsed().as_secs_f64() * 50.0;
    let clock = std::time::Instant::now();
    for _ in 0..1000 {
        step(&mut parts);
    }
    println!(
        "reset {each:.1} ms, a second of world {:.0} ms",
        clock.elapsed().as_secs_f64() * 1e3
    );
    assert!(each < 500.0);
}

/// The front picture of a scene under a perturbation, after some time.
fn perturbed(parts: &mut Parts, perturb: &[&str], ticks: u32) -> Vec<u8> {
    reset(
        parts,
        5,
        json!({"task":"pick","drawer":"never","perturb":perturb}),
    );
    for _ in 0..ticks {
        step(parts);
    }
    picture(parts, "front", 128, 96)
}

#[test]
fn what_is_seen_of_a_perturbation_changes_the_picture_and_a_clean_scene_does_not() {
    let mut parts = Franka::configure(json!({})).unwrap().open().unwrap();
    let clean = perturbed(&mut parts, &[], 1);
    assert_eq!(clean, perturbed(&mut parts, &[], 1));
    for name in [
        "camera_moved",
        "light",
        "color_shift",
        "occluder",
        "unseen_object",
        "clutter",
    ] {
        let seen = perturbed(&mut parts, &[name], 1);
        let changed = clean
            .iter()
            .zip(&seen)
            .filter(|(a, b)| a.abs_diff(**b) > 8)
            .count();
        assert!(changed > 30, "{name}: {changed} values differ");
        assert_eq!(seen, perturbed(&mut parts, &[name], 1), "{name} repeats");
    }
    for name in [
        "slippery_block",
        "weak_gripper",
        "proprioception_bias",
        "command_delay",
    ] {
        assert_eq!(
            clean,
            perturbed(&mut parts, &[name], 1),
            "{name} is not seen"
        );
    }
    let before = perturbed(&mut parts, &["block_moved"], 100);
    assert_eq!(perturbed(&mut parts, &[], 100), before);
    assert_ne!(
        perturbed(&mut parts, &[], 2600),
        perturbed(&mut parts, &["block_moved"], 2600)
    );
}

#[test]
fn a_biased_sensor_and_a_late_command_are_those_of_the_episode_alone() {
    let mut parts = Franka::configure(json!({})).unwrap().open().unwrap();
    let at = |parts: &mut Parts, perturb: &[&str]| {
        reset(parts, 5, json!({"task":"pick","perturb":perturb}));
        step(parts);
        state(parts).positions().to_vec()
    };
    let clean = at(&mut parts, &[]);
    let off: Vec<f64> = at(&mut parts, &["proprioception_bias"])
        .iter()
        .zip(&clean)
        .map(|(a, b)| (a - b).abs())
        .collect();
    assert_eq!(
        off.iter().filter(|value| **value > 1e-3).count(),
        2,
        "{off:?}"
    );
    assert_eq!(at(&mut parts, &[]), clean);

    let moved = |parts: &mut Parts, perturb: &[&str]| {
        let from = at(parts, perturb);
        let mut target = from.clone();
        target[0] += 0.05;
        for tick in 0..300_u64 {
            let time_ns = state(parts).capture_time_ns + TICK;
            parts.actuator.command(&command(&target, time_ns)).unwrap();
            step(parts);
            let now = state(parts).positions()[0];
            if (now - from[0]).abs() > 0.01 {
                return Some(tick);
            }
        }
        None
    };
    let usual = moved(&mut parts, &[]).unwrap();
    let late = moved(&mut parts, &["command_delay"]).unwrap();
    assert!(late >= usual + 40, "{usual} and {late} ms");
}

#[test]
fn late_commands_make_the_same_path_later_and_none_outlives_a_stop() {
    let mut parts = Franka::configure(json!({})).unwrap().open().unwrap();
    // A smooth way of the first joint, a command a tick; where it then was.
    let mut follow = |perturb: &[&str], ticks: u32| -> (usize, Vec<f64>) {
        let episode = reset(&mut parts, 5, json!({"task":"pick","perturb":perturb}));
        let drawn = episode["perturbations"][0]["strength"].as_f64();
        let from = state(&mut parts).positions().to_vec();
        let mut time_ns = state(&mut parts).capture_time_ns;
        let path: Vec<f64> = (1..=ticks)
            .map(|tick| {
                let angle = f64::from(tick) * 1e-3 * std::f64::consts::TAU;
                let mut values = from.clone();
                values[0] += 0.05 * (1.0 - angle.cos());
                let mut frame = command(&values, time_ns);
                frame.velocity[0] = 0.05 * std::f64::consts::TAU * angle.sin();
                parts.actuator.command(&frame).unwrap();
                step(&mut parts);
                time_ns += TICK;
                state(&mut parts).position[0]
            })
            .collect();
        let late = (drawn.unwrap_or(0.0) * 1e3).ceil();
        (late as usize, path)
    };
    let (_, clean) = follow(&[], 1000);
    let (late, delayed) = follow(&["command_delay"], 1000);
    assert!((40..=160).contains(&late), "{late} ms");
    let start = clean[0];
    assert!(delayed[..late].iter().all(|at| (at - start).abs() < 1e-5));
    for (tick, (now, then)) in delayed[late..].iter().zip(&clean).enumerate() {
        assert!((now - then).abs() < 1e-9, "tick {tick}: {now}, not {then}");
    }

    // In the middle of it, fast: a stop is not late, and what was under way is void.
    let _ = follow(&["command_delay"], late as u32 + 250);
    parts.actuator.stop(StopCategory::One).unwrap();
    for _ in 0..500 {
        step(&mut parts);
    }
    let rest = state(&mut parts);
    assert!(rest.velocity[0].abs() < 1e-9);
    parts.actuator.reset().unwrap();
    for _ in 0..700 {
        step(&mut parts);
    }
    let after = state(&mut parts);
    assert_eq!(after.position[0].to_bits(), rest.position[0].to_bits());
}
