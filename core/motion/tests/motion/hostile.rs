//! Random and hostile commands through a filter, every limit watched.

use vola_motion::{Decision, Limits, SafetyFilter};

use crate::arms::ArmUnderTest;
use crate::random::Random;
use crate::referee::{PERIOD, Referee, Used};

/// What is watched at every command that leaves the filter.
#[allow(dead_code, reason = "printed by the example")]
pub(crate) const LIMITS: [&str; 9] = [
    "position",
    "velocity",
    "acceleration",
    "jerk",
    "a stop inside is left",
    "workspace of the tool",
    "forbidden boxes",
    "speed of the tool",
    "distances of links and boxes",
];

/// What a stream of commands did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    pub(crate) commands: u64,
    /// Commands refused as a whole: wrong length or not finite.
    pub(crate) refused: u64,
    /// Commands that were followed, but changed.
    pub(crate) modified: u64,
    /// Ticks in which tool or distances slowed the arm.
    pub(crate) slowed: u64,
    pub(crate) violations: u64,
    pub(crate) first_violation: Option<String>,
    pub(crate) used: Used,
    pub(crate) spare_m: f64,
    /// Way of all joints together (rad).
    pub(crate) way_rad: f64,
}

/// One hostile command. `near` is where the arm is.
pub(crate) fn hostile(random: &mut Random, near: &[f64], limits: &Limits) -> Vec<f64> {
    const WORST: [f64; 12] = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e308,
        -1e308,
        f64::MIN_POSITIVE,
        5e-324,
        -0.0,
        1e-12,
        -1e17,
        1e9,
        -1e-300,
    ];
    let kind = random.below(9);
    let mut raw: Vec<f64> = near
        .iter()
        .zip(limits.joints())
        .map(|(q, joint)| {
            let span = joint.position_max - joint.position_min;
            match kind {
                0 => joint.position_min + span * random.unit(),
                1 => joint.position_min + span * (3.0 * random.unit() - 1.0),
                2 => q + joint.velocity * PERIOD * (4.0 * random.unit() - 2.0),
                3 => q + joint.jerk * PERIOD.powi(3) * (4.0 * random.unit() - 2.0),
                4 => {
                    if random.unit() < 0.5 {
                        joint.position_min
                    } else {
                        joint.position_max
                    }
                }
                5 => -q,
                6 => q + 0.5 * (random.unit() - 0.5),
                _ => *q,
            }
        })
        .collect();
    match random.below(12) {
        0 => raw[random.below(near.len())] = WORST[random.below(WORST.len())],
        1 => raw.truncate(random.below(near.len())),
        2 => raw.push(0.0),
        _ => {}
    }
    raw
}

/// Sends `count` commands; some last, so that the arm gets up to speed, and now
/// and then it is sent home, so that it does not stay in a corner.
pub(crate) fn stream(
    filter: &mut SafetyFilter,
    referee: &mut Referee,
    home: &[f64],
    count: u64,
    seed: u64,
) -> Stream {
    let mut random = Random::new(seed);
    let limits = filter.limits().clone();
    let mut raw = home.to_vec();
    let mut out = Stream::default();
    for tick in 0..count {
        if tick % 7000 > 5500 {
            raw = home.to_vec();
        } else if tick % 97 == 0 || random.below(300) == 0 || (tick / 4000) % 5 == 0 {
            raw = hostile(&mut random, &filter.positions(), &limits);
        }
        filter.set_speed_scale(if random.below(2000) == 0 {
            f64::NAN
        } else {
            1.0
        });
        let measured = filter.positions();
        let verdict = filter.step(&raw, &measured);
        let mut broken = referee.judge(&verdict.command);
        let good = raw.len() == home.len() && raw.iter().all(|value| value.is_finite());
        let expected = if good {
            Decision::Continue
        } else {
            Decision::Hold
        };
        if verdict.decision != expected {
            broken = Some(format!("{:?} at {raw:?}", verdict.decision));
        }
        let done = &verdict.interventions;
        out.commands += 1;
        out.refused += u64::from(!good);
        out.modified += u64::from(good && !done.is_empty());
        out.slowed += u64::from(done.workspace || done.tool_speed || done.clearance);
        out.violations += u64::from(broken.is_some());
        out.first_violation = out
            .first_violation
            .or_else(|| broken.map(|what| format!("tick {tick}: {what}")));
        out.way_rad += verdict
            .command
            .velocities()
            .iter()
            .map(|v| v.abs() * PERIOD)
            .sum::<f64>();
    }
    out.used = referee.used;
    out.spare_m = referee.spare_m;
    out
}

/// What is around an arm. Its filter holds every limit in either: of joints,
/// tool and distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Around {
    /// Room, so that the joints reach their full speed.
    Room,
    /// Forbidden boxes on all sides, a small workspace and a slow tool.
    Boxes,
}

/// Both arms, with room and between boxes: `count` commands in all, every limit
/// watched at each of them. One thread an arm.
pub(crate) fn campaign(count: u64, seed: u64) -> Vec<(&'static str, Around, Stream)> {
    let arms: [fn() -> ArmUnderTest; 2] = [ArmUnderTest::franka, ArmUnderTest::ur5e];
    std::thread::scope(|scope| {
        let threads: Vec<_> = arms
            .into_iter()
            .enumerate()
            .map(|(index, make)| {
                let body = move || {
                    [Around::Room, Around::Boxes].map(|around| {
                        let seed = seed + 10 * index as u64 + u64::from(around == Around::Room);
                        campaign_of(make(), around, count / 4, seed)
                    })
                };
                let name = format!("arm-{index}");
                std::thread::Builder::new()
                    .name(name)
                    .spawn_scoped(scope, body)
                    .unwrap()
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

fn campaign_of(
    arm: ArmUnderTest,
    around: Around,
    count: u64,
    seed: u64,
) -> (&'static str, Around, Stream) {
    let arm = match around {
        Around::Room => arm.with_room(),
        Around::Boxes => arm,
    };
    let (name, start) = (arm.name, arm.start.clone());
    let mut filter = arm.full();
    let mut referee = Referee::new(&arm.limits, &start).with_surroundings(arm);
    let result = stream(&mut filter, &mut referee, &start, count, seed);
    (name, around, result)
}

#[cfg(test)]
#[test]
fn hostile_commands_never_break_a_limit() {
    for (arm, around, result) in campaign(100_000, 1) {
        println!("{arm}, {around:?}: {result:?}");
        assert_eq!(result.violations, 0, "{:?}", result.first_violation);
        let used = result.used;
        assert!(
            result.way_rad > 20.0,
            "the test hardly moved: {}",
            result.way_rad
        );
        match around {
            Around::Room => {
                assert!(used.velocity > 0.99 && used.acceleration > 0.99 && used.jerk > 0.99);
                assert!(used.tool_speed > 0.5, "{used:?}");
            }
            Around::Boxes => {
                assert!(used.tool_speed > 0.8 && result.slowed > 500 && result.spare_m < 0.005);
            }
        }
    }
}

/// A low jerk limit and a range shorter than the braking distance.
#[cfg(test)]
#[test]
fn hostile_commands_never_break_a_limit_of_six_slow_joints() {
    let limits = crate::arms::six_joint_limits();
    let start: Vec<f64> = limits
        .joints()
        .iter()
        .map(|joint| 0.5 * (joint.position_min + joint.position_max))
        .collect();
    let settings = vola_motion::FilterSettings {
        gripper: vola_types::Gripper::None,
        ..ArmUnderTest::settings()
    };
    let mut filter = SafetyFilter::new(limits.clone(), settings, &start).unwrap();
    let mut referee = Referee::new(&limits, &start);
    let result = stream(&mut filter, &mut referee, &start, 50_000, 2);
    println!("{result:?}");
    assert_eq!(result.violations, 0, "{:?}", result.first_violation);
    assert!(result.used.velocity > 0.99 && result.way_rad > 50.0);
}
