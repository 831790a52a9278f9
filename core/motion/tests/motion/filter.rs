//! The safety filter against hostile, random and ordinary commands.

use nalgebra::{Translation3, Vector3};
use proptest::prelude::*;
use vola_motion::{
    Decision, FilterSettings, IkSettings, InverseKinematics, JointVec, Limit, Limits, Rejection,
    SafetyFilter, ToolLimits,
};
use vola_types::{Gripper, WorkspaceBox};

use crate::arms::{
    ArmUnderTest, READY, panda, panda_limits, panda_limits_with_gripper, six_joint_limits,
};
use crate::hostile::hostile;
use crate::random::Random;
use crate::referee::{PERIOD, Referee, fastest_stop};

/// Without a gripper, with checks of measurement and start that never fire.
fn open_settings() -> FilterSettings {
    FilterSettings {
        gripper: Gripper::None,
        max_first_jump: f64::MAX,
        max_tracking_error: f64::MAX,
        ..FilterSettings::default()
    }
}

fn middle(limits: &Limits) -> Vec<f64> {
    limits
        .joints()
        .iter()
        .map(|joint| 0.5 * (joint.position_min + joint.position_max))
        .collect()
}

/// The work that the proof of the filter times is as much as it says.
#[test]
fn a_full_filter_holds_the_distances_of_seventy_pairs() {
    let pairs = ArmUnderTest::franka().full().clearance_pairs();
    assert!(pairs >= 70, "{pairs}");
}

/// A stretch of equal commands: where each joint is sent, in parts of its range
/// or as it is; how often; and what may be wrong with it.
#[derive(Clone, Debug)]
struct Stretch {
    parts: Vec<f64>,
    ticks: usize,
    speed_scale: f64,
    flaw: Option<(usize, f64)>,
    more_values: isize,
}

/// The arms, with boxes on all sides and with room.
const ARMS: [fn() -> ArmUnderTest; 4] = [
    ArmUnderTest::franka,
    ArmUnderTest::ur5e,
    || ArmUnderTest::franka().with_room(),
    || ArmUnderTest::ur5e().with_room(),
];
/// Joints of the larger arm, with its gripper.
const MOST_JOINTS: usize = READY.len() + 1;

fn stretch() -> impl Strategy<Value = Stretch> {
    let part = prop_oneof![4 => 0.0..1.0_f64, 1 => -2.0..3.0_f64, 1 => any::<f64>()];
    let joints = MOST_JOINTS;
    (
        prop::collection::vec(part, joints),
        1..250_usize,
        prop_oneof![6 => Just(1.0), 1 => 0.0..1.0_f64, 1 => any::<f64>()],
        prop::option::weighted(0.1, (0..joints, any::<f64>())),
        prop_oneof![20 => Just(0), 1 => -8..5_isize],
    )
        .prop_map(|(parts, ticks, speed_scale, flaw, more_values)| Stretch {
            parts,
            ticks,
            speed_scale,
            flaw,
            more_values,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is asked for, in whatever order: no limit of joints, tool or
    /// distances is broken, a stop inside is left after every tick, and what is
    /// no command is refused whole.
    #[test]
    fn no_sequence_of_commands_breaks_a_limit(
        make in prop::sample::select(ARMS.to_vec()),
        stretches in prop::collection::vec(stretch(), 1..12),
    ) {
        let arm = make();
        let mut filter = arm.full();
        let mut referee = Referee::new(&arm.limits, &arm.start).with_surroundings(make());
        for stretch in stretches {
            let joints = stretch.parts.iter().zip(arm.limits.joints());
            let mut raw: Vec<f64> = joints
                .map(|(part, joint)| {
                    joint.position_min + part * (joint.position_max - joint.position_min)
                })
                .collect();
            if let Some((joint, value)) = stretch.flaw {
                let joints = raw.len();
                raw[joint % joints] = value;
            }
            raw.resize(raw.len().saturating_add_signed(stretch.more_values), 0.0);
            let is_command =
                raw.len() == arm.start.len() && raw.iter().all(|value| value.is_finite());
            filter.set_speed_scale(stretch.speed_scale);
            for _ in 0..stretch.ticks {
                let measured = filter.positions();
                let verdict = filter.step(&raw, &measured);
                let broken = referee.judge(&verdict.command);
                prop_assert!(broken.is_none(), "{broken:?}");
                let expected = if is_command { Decision::Continue } else { Decision::Hold };
                prop_assert_eq!(verdict.decision, expected);
            }
        }
        // Whatever came before, it can be stopped.
        let mut ticks = 0;
        while !filter.is_at_rest() {
            let broken = referee.judge(&filter.hold());
            prop_assert!(broken.is_none(), "{broken:?}");
            ticks += 1;
            prop_assert!(ticks < 2000, "it never came to rest");
        }
    }
}

#[test]
fn hold_stops_from_any_moving_state_inside_limits_and_fast() {
    for (limits, seed) in [(panda_limits(), 3), (six_joint_limits(), 4)] {
        let mut random = Random::new(seed);
        let start = middle(&limits);
        let mut filter = SafetyFilter::new(limits.clone(), open_settings(), &start).unwrap();
        let mut referee = Referee::new(&limits, &start);
        let (mut worst_lateness, mut longest) = (0.0_f64, 0);
        for _ in 0..200 {
            for _ in 0..6 {
                let raw = hostile(&mut random, &filter.positions(), &limits);
                for _ in 0..random.below(60) {
                    let measured = filter.positions();
                    referee.check(&filter.step(&raw, &measured).command);
                }
            }
            let best = referee
                .states()
                .zip(limits.joints())
                .map(|(state, joint)| fastest_stop(state, joint).0)
                .fold(0.0, f64::max);
            let mut ticks = 0;
            while !filter.is_at_rest() {
                referee.check(&filter.hold());
                ticks += 1;
                assert!(ticks < 2000, "never came to rest");
            }
            worst_lateness = worst_lateness.max(f64::from(ticks) - best / PERIOD);
            longest = longest.max(ticks);
            let rest = filter.positions();
            referee.check(&filter.hold());
            assert_eq!(filter.positions(), rest);
        }
        println!("longest stop {longest} ms, at most {worst_lateness:.1} ms over the optimum");
        assert!(
            worst_lateness <= 4.0,
            "{worst_lateness} ticks over the optimum"
        );
    }
}

#[test]
fn a_feasible_path_passes_unchanged() {
    let limits = panda_limits();
    let mut filter = SafetyFilter::new(limits.clone(), open_settings(), &READY).unwrap();
    let mut referee = Referee::new(&limits, &READY);
    for tick in 1..4000 {
        let t = f64::from(tick) * PERIOD;
        // A sine that grows softly from rest, in every joint.
        let raw: JointVec = READY
            .iter()
            .map(|q| q + 0.2 * (1.0 - (-t).exp()).powi(3) * (2.0 * t).sin())
            .collect();
        let verdict = filter.step(&raw, &raw);
        referee.check(&verdict.command);
        assert!(
            verdict.interventions.is_empty(),
            "tick {tick}: {:?}",
            verdict.interventions.joint(0)
        );
        assert_eq!(verdict.command.positions(), &*raw);
    }
}

#[test]
fn a_step_is_reached_fast_and_without_overshoot() {
    let limits = panda_limits();
    let mut filter = SafetyFilter::new(limits.clone(), open_settings(), &READY).unwrap();
    let mut referee = Referee::new(&limits, &READY);
    let goal: Vec<f64> = READY.iter().map(|q| q + 0.5).collect();
    let mut arrival = 0;
    for tick in 1..1000 {
        let measured = filter.positions();
        let verdict = filter.step(&goal, &measured);
        referee.check(&verdict.command);
        for ((q, goal), joint) in verdict
            .command
            .positions()
            .iter()
            .zip(&goal)
            .zip(limits.joints())
        {
            assert!(*q <= goal + 2e-5, "overshoot of {} rad", q - goal);
            assert!(joint.position_max > 0.0 || *q <= joint.position_max);
        }
        if verdict.interventions.is_empty() && arrival == 0 {
            arrival = tick;
        }
    }
    // The slowest joint: 0.5 rad at 7.5 rad/s² and back need 516.4 ms.
    assert!((517..=525).contains(&arrival), "arrived after {arrival} ms");
    assert!(filter.is_at_rest());
    assert_eq!(&*filter.positions(), &goal[..]);
}

#[test]
fn a_moving_command_is_caught_up_with_not_trailed() {
    let limits = panda_limits();
    let mut filter = SafetyFilter::new(limits, open_settings(), &READY).unwrap();
    let mut caught = 0;
    for tick in 1..1500 {
        // All joints jump to a ramp of 0.3 rad/s.
        let raw: JointVec = READY
            .iter()
            .map(|q| q + 0.05 + 0.3 * f64::from(tick) * PERIOD)
            .collect();
        let measured = filter.positions();
        let verdict = filter.step(&raw, &measured);
        caught = if verdict.interventions.is_empty() {
            caught + 1
        } else {
            0
        };
    }
    assert!(
        caught > 1200,
        "followed exactly for the last {caught} ticks only"
    );
}

#[test]
fn commands_beyond_a_position_limit_stop_at_it() {
    let limits = panda_limits();
    let mut filter = SafetyFilter::new(limits.clone(), open_settings(), &READY).unwrap();
    let beyond = [9.0, 9.0, -9.0, 9.0, -9.0, -9.0, 1e308];
    let mut seen = 0;
    for _ in 0..4000 {
        let measured = filter.positions();
        seen += usize::from(
            filter
                .step(&beyond, &measured)
                .interventions
                .joint(3)
                .contains(Limit::Position),
        );
    }
    assert_eq!(seen, 4000);
    for ((q, joint), raw) in filter.positions().iter().zip(limits.joints()).zip(beyond) {
        let limit = if raw > 0.0 {
            joint.position_max
        } else {
            joint.position_min
        };
        assert!((q - limit).abs() < 1e-9, "{q} against {limit}");
    }
}

#[test]
fn what_is_wrong_is_said_and_a_safe_stop_stays() {
    let start: Vec<f64> = READY.into_iter().chain([1.0]).collect();
    let limits = panda_limits_with_gripper();
    let mut filter = SafetyFilter::new(limits.clone(), FilterSettings::default(), &start).unwrap();
    let check = |filter: &mut SafetyFilter, raw: &[f64], measured: &[f64], decision, rejection| {
        let verdict = filter.step(raw, measured);
        assert_eq!((verdict.decision, verdict.rejection), (decision, rejection));
    };
    let with = |index: usize, value: f64| {
        let mut out = start.clone();
        out[index] = value;
        out
    };
    let jump = Rejection::FirstJump {
        joint: 2,
        distance: 0.4,
    };
    check(
        &mut filter,
        &with(2, 0.4),
        &start,
        Decision::Hold,
        Some(jump),
    );
    check(
        &mut filter,
        &start[..7],
        &start,
        Decision::Hold,
        Some(Rejection::Length {
            expected: 8,
            got: 7,
        }),
    );
    check(
        &mut filter,
        &with(7, f64::NAN),
        &start,
        Decision::Hold,
        Some(Rejection::NotFinite { joint: 7 }),
    );
    assert!(filter.is_at_rest());
    // The gripper may jump, and rightly does not reach what it holds.
    check(&mut filter, &with(7, 0.0), &start, Decision::Continue, None);
    check(&mut filter, &with(2, 0.4), &start, Decision::Continue, None);
    let off = Rejection::TrackingError {
        joint: 1,
        distance: 0.3,
    };
    let verdict = filter.step(&start, &with(1, READY[1] + 0.3));
    assert_eq!(verdict.decision, Decision::SafeStop);
    match (verdict.rejection, off) {
        (
            Some(Rejection::TrackingError { joint, distance }),
            Rejection::TrackingError {
                joint: j,
                distance: d,
            },
        ) => {
            assert!(joint == j && (distance - d).abs() < 1e-3);
        }
        other => panic!("{other:?}"),
    }
    check(
        &mut filter,
        &start,
        &start,
        Decision::SafeStop,
        Some(Rejection::Stopped),
    );
    filter.reset_to(&start).unwrap();
    check(
        &mut filter,
        &start,
        &start[..5],
        Decision::SafeStop,
        Some(Rejection::BadMeasurement),
    );
    let outside = filter.reset_to(&with(3, 0.2)).unwrap_err().to_string();
    assert!(
        outside.contains("joint `joint4` stands at 0.2, more than 0.02 outside"),
        "{outside}"
    );
    assert_eq!(Decision::default(), Decision::SafeStop);
}

#[test]
fn a_joint_that_starts_outside_comes_back_in() {
    let limits = panda_limits();
    let mut start = READY;
    start[3] = -0.06;
    let mut filter = SafetyFilter::new(limits.clone(), open_settings(), &start).unwrap();
    let mut before = start[3];
    for _ in 0..2000 {
        let measured = filter.positions();
        let q = filter.step(&[0.0; 7], &measured).command.positions()[3];
        assert!(q <= before.max(-0.0698) + 1e-9, "{q} after {before}");
        before = q;
    }
    assert!((before + 0.0698).abs() < 1e-9, "{before}");
}

#[test]
fn the_speed_scale_slows_and_stops() {
    let limits = panda_limits();
    let mut filter = SafetyFilter::new(limits.clone(), open_settings(), &READY).unwrap();
    let mut referee = Referee::new(&limits, &READY);
    let goal: Vec<f64> = READY.iter().map(|q| q - 0.6).collect();
    let mut run = |filter: &mut SafetyFilter, scale: f64, ticks: usize| {
        filter.set_speed_scale(scale);
        let mut fastest = 0.0_f64;
        for tick in 0..ticks {
            let measured = filter.positions();
            let command = filter.step(&goal, &measured).command;
            referee.check(&command);
            if tick + 20 > ticks {
                fastest = command
                    .velocities()
                    .iter()
                    .zip(limits.joints())
                    .map(|(v, l)| v.abs() / l.velocity)
                    .fold(fastest, f64::max);
            }
        }
        fastest
    };
    assert!(run(&mut filter, 1.0, 150) > 0.5);
    let slowed = run(&mut filter, 0.1, 200);
    assert!(slowed <= 0.1 + 1e-6 && slowed > 0.05, "{slowed}");
    assert_eq!(run(&mut filter, 0.0, 400), 0.0);
    run(&mut filter, 1.0, 1500);
    assert_eq!(&*filter.positions(), &goal[..]);
}

/// Runs random joint commands under tool limits; checks box and speed on every
/// tick by forward kinematics.
#[test]
fn the_tool_stays_in_its_box_and_below_its_speed() {
    let model = panda();
    let limits = panda_limits_with_gripper();
    let start: Vec<f64> = READY.into_iter().chain([0.5]).collect();
    let workspace = WorkspaceBox {
        min: [0.2, -0.3, 0.02],
        max: [0.65, 0.3, 0.7],
    };
    let tool = ToolLimits {
        workspace,
        max_speed_m_per_s: 0.8,
    };
    let settings = FilterSettings {
        max_first_jump: 10.0,
        ..FilterSettings::default()
    };
    let mut filter = SafetyFilter::new(limits.clone(), settings, &start)
        .unwrap()
        .with_tool_limits(model.clone(), &tool)
        .unwrap();
    let mut referee = Referee::new(&limits, &start);
    let mut random = Random::new(7);
    let mut before = model.tool_in_base(&READY).unwrap().translation.vector;
    let (mut outside, mut fastest, mut at_wall, mut too_fast) = (f64::NEG_INFINITY, 0.0_f64, 0, 0);
    let mut raw = start.clone();
    for tick in 0..40_000 {
        if tick % 400 == 0 {
            raw = limits
                .joints()
                .iter()
                .zip(&start)
                .map(|(joint, q)| {
                    q + 0.25 * (joint.position_max - joint.position_min) * (random.unit() - 0.5)
                })
                .collect();
        }
        if tick % 2000 == 1600 {
            raw = start.clone();
        }
        let measured = filter.positions();
        let verdict = filter.step(&raw, &measured);
        referee.check(&verdict.command);
        let tool = model
            .tool_in_base(&verdict.command.positions()[..7])
            .unwrap()
            .translation
            .vector;
        for axis in 0..3 {
            outside = outside
                .max(workspace.min[axis] - tool[axis])
                .max(tool[axis] - workspace.max[axis]);
        }
        fastest = fastest.max((tool - before).norm() / PERIOD);
        at_wall += usize::from(verdict.interventions.workspace);
        too_fast += usize::from(verdict.interventions.tool_speed);
        before = tool;
    }
    println!(
        "outside at most {outside:.2e} m, fastest {fastest:.4} m/s; slowed for the wall in {at_wall} ticks, for speed in {too_fast}"
    );
    assert!(
        at_wall > 100 && too_fast > 100,
        "the limits were hardly touched: {at_wall} {too_fast}"
    );
    assert!(outside <= 0.0, "{outside} m outside");
    assert!(fastest <= 0.8, "{fastest} m/s");
    // Motion back in is always possible.
    for _ in 0..3000 {
        let measured = filter.positions();
        filter.step(&start, &measured);
    }
    let home = model.tool_in_base(&READY).unwrap().translation.vector;
    let here = model
        .tool_in_base(&filter.positions()[..7])
        .unwrap()
        .translation
        .vector;
    assert!(
        (home - here).norm() < 1e-6,
        "stuck {} m from home",
        (home - here).norm()
    );
}

/// A straight line asked for at twice the tool's speed limit.
#[test]
fn a_path_that_is_too_fast_for_the_tool_is_nearly_kept() {
    let model = panda();
    let limits = panda_limits();
    let solver = InverseKinematics::new(&model, IkSettings::default()).unwrap();
    let tool = ToolLimits {
        workspace: WorkspaceBox {
            min: [0.0, -0.5, 0.0],
            max: [0.8, 0.5, 0.9],
        },
        max_speed_m_per_s: 0.25,
    };
    let mut filter = SafetyFilter::new(limits, open_settings(), &READY)
        .unwrap()
        .with_tool_limits(model.clone(), &tool)
        .unwrap();
    let home = model.tool_in_base(&READY).unwrap();
    let along = Vector3::new(0.6, 0.8, 0.0);
    let mut seed = JointVec::from_slice("seed", &READY).unwrap();
    let (mut off, mut slowed, mut way) = (0.0_f64, 0, 0.0);
    for tick in 0..2500 {
        // 0.5 m/s with a soft start, 0.35 m long.
        let t = f64::from(tick) * PERIOD;
        let asked = (0.5 * (t - 0.1 * (1.0 - (-t / 0.1).exp()))).min(0.35);
        let mut target = home;
        target.translation = Translation3::from(home.translation.vector + along * asked);
        seed = solver.solve(&model, &target, &seed).unwrap().q;
        let measured = filter.positions();
        let verdict = filter.step(&seed, &measured);
        slowed += usize::from(verdict.interventions.tool_speed);
        let here = model.tool_in_base(verdict.command.positions()).unwrap();
        let from_start = here.translation.vector - home.translation.vector;
        way = from_start.dot(&along);
        off = off.max((from_start - along * way).norm());
    }
    println!(
        "slowed in {slowed} ticks, {:.2} mm off the line, {way:.4} m along it",
        off * 1e3
    );
    assert!(
        slowed > 500 && (way - 0.35).abs() < 1e-6,
        "{slowed} ticks, {way} m"
    );
    // The command runs 17 cm ahead, and the joints go straight towards it, which
    // is not quite straight for the tool. Each joint slowed by itself: 68 mm.
    assert!(off < 0.02, "{off} m off the line");
}

#[test]
fn the_arm_stands_before_a_forbidden_box_and_leaves_it_again() {
    for mut arm in [ArmUnderTest::franka(), ArmUnderTest::ur5e()] {
        let start = arm.start.clone();
        // The base turns the tool into a box.
        let mut into = start.clone();
        into[0] += 0.9;
        let joints = arm.model.joint_count();
        let tool = arm
            .model
            .tool_in_base(&into[..joints])
            .unwrap()
            .translation
            .vector;
        arm.clearance.forbidden = vec![WorkspaceBox {
            min: [tool.x - 0.04, tool.y - 0.04, tool.z - 0.04],
            max: [tool.x + 0.04, tool.y + 0.04, tool.z + 0.04],
        }];
        let mut filter = arm.full();
        let mut stopped = 0;
        for _ in 0..4000 {
            let measured = filter.positions();
            let verdict = filter.step(&into, &measured);
            stopped += usize::from(verdict.interventions.clearance);
        }
        assert!(stopped > 1000, "{}: slowed in {stopped} ticks", arm.name);
        assert!(filter.is_at_rest(), "{} still moves", arm.name);
        assert!(
            (filter.positions()[0] - into[0]).abs() > 0.05,
            "{} went on",
            arm.name
        );
        for _ in 0..4000 {
            let measured = filter.positions();
            filter.step(&start, &measured);
        }
        assert_eq!(
            &*filter.positions(),
            &start[..],
            "{} did not leave",
            arm.name
        );
    }
}

#[test]
fn a_home_pose_inside_a_forbidden_box_is_refused() {
    let mut arm = ArmUnderTest::franka();
    let tool = arm.model.tool_in_base(&READY).unwrap().translation.vector;
    let refused = |arm: &ArmUnderTest| {
        let filter = arm.joints_only();
        let result = filter.with_clearance(arm.model.clone(), &arm.clearance);
        result.map(|_| ()).unwrap_err().to_string()
    };
    arm.clearance.forbidden[1] = WorkspaceBox {
        min: [tool.x - 0.01, tool.y - 0.01, tool.z - 0.01],
        max: [tool.x + 0.01, tool.y + 0.01, tool.z + 0.01],
    };
    assert!(refused(&arm).contains("forbidden box 1: the home pose is 0.0000 m from it"));
    arm.clearance.margin_m = f64::NAN;
    assert!(refused(&arm).contains("collision margin (m): expected a finite number >= 0, got NaN"));
}
