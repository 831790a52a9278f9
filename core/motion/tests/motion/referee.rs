//! Checks what left a filter, by means of its own.

use vola_motion::{CollisionModel, JointLimits, Limits, SafeCommand};

use crate::arms::ArmUnderTest;

/// Control period (s).
pub(crate) const PERIOD: f64 = 1e-3;

/// Relative slack of velocity, acceleration, jerk and tool speed: the referee's own
/// rounding. The filter keeps clear of the limits by what its rounding needs.
const SLACK: f64 = 1e-9;
/// Slack of positions, as a part of their range.
const POSITION_SLACK: f64 = 1e-9;

/// Largest use of each limit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    pub(crate) velocity: f64,
    pub(crate) acceleration: f64,
    pub(crate) jerk: f64,
    pub(crate) tool_speed: f64,
}

/// Checks a stream of commands by differences of its positions alone, as a
/// robot's own controller would; with an arm also tool and distances.
pub(crate) struct Referee {
    limits: Limits,
    last: Vec<[f64; 3]>,
    around: Option<Around>,
    pub(crate) used: Used,
    /// Smallest distance less the margin seen (m).
    pub(crate) spare_m: f64,
}

/// Tool limits and distances, by forward kinematics and `parry3d`.
struct Around {
    arm: ArmUnderTest,
    between_links: CollisionModel,
    to_boxes: CollisionModel,
    before: nalgebra::Vector3<f64>,
}

impl Referee {
    pub(crate) fn new(limits: &Limits, start: &[f64]) -> Self {
        Self {
            limits: limits.clone(),
            last: start.iter().map(|q| [*q, 0.0, 0.0]).collect(),
            around: None,
            used: Used::default(),
            spare_m: f64::INFINITY,
        }
    }

    /// Also looks at tool and surroundings.
    pub(crate) fn with_surroundings(mut self, arm: ArmUnderTest) -> Self {
        let model = || arm.model.clone();
        let home = &arm.clearance.home;
        let capsules = &arm.clearance.capsules;
        let between_links = CollisionModel::new(model(), capsules, home).unwrap();
        let mut to_boxes = between_links.clone();
        let boxes: Vec<_> = arm.clearance.forbidden.iter().map(obstacle).collect();
        to_boxes.set_obstacles(&boxes).unwrap();
        let before = arm.model.tool_in_base(home).unwrap().translation.vector;
        self.around = Some(Around {
            between_links,
            to_boxes,
            before,
            arm,
        });
        self
    }

    /// Position, velocity and acceleration of every joint.
    pub(crate) fn states(&self) -> impl Iterator<Item = [f64; 3]> {
        self.last.iter().copied()
    }

    /// Panics at a broken limit.
    pub(crate) fn check(&mut self, command: &SafeCommand) {
        if let Some(broken) = self.judge(command) {
            panic!("{broken}");
        }
    }

    /// The first limit that a command breaks, if any.
    pub(crate) fn judge(&mut self, command: &SafeCommand) -> Option<String> {
        assert_eq!(command.positions().len(), self.last.len());
        let mut broken = None;
        let mut note = |what: String| broken = broken.take().or(Some(what));
        let joints = command.positions().iter().zip(self.limits.joints());
        for (index, (q, limits)) in joints.enumerate() {
            let [q0, v0, a0] = self.last[index];
            let v = (q - q0) / PERIOD;
            let a = (v - v0) / PERIOD;
            let j = (a - a0) / PERIOD;
            // Each difference doubles what rounding leaves in a position.
            let rounding = 2.0 * f64::EPSILON * q.abs().max(1.0);
            let uses = [
                (
                    (v, limits.velocity, rounding / PERIOD),
                    "velocity",
                    &mut self.used.velocity,
                ),
                (
                    (a, limits.acceleration, 2.0 * rounding / PERIOD.powi(2)),
                    "acceleration",
                    &mut self.used.acceleration,
                ),
                (
                    (j, limits.jerk, 4.0 * rounding / PERIOD.powi(3)),
                    "jerk",
                    &mut self.used.jerk,
                ),
            ];
            for ((value, limit, rounding), what, most) in uses {
                let share = value.abs() / limit;
                if !(share <= 1.0 + SLACK + rounding / limit) {
                    note(format!("joint {index}: {what} at {share} of its limit"));
                }
                *most = most.max(share);
            }
            let span = limits.position_max - limits.position_min;
            let outside = |q: f64| (limits.position_min - q).max(q - limits.position_max);
            if !(outside(*q) <= POSITION_SLACK * span) {
                note(format!("joint {index}: {} outside", outside(*q)));
            }
            // Where the fastest stop from here ends; a tick of doubt between the
            // discrete and the continuous motion.
            let doubt = PERIOD * (1.5 * v.abs() + PERIOD * a.abs());
            let rest = q + fastest_stop([*q, v, a], limits).1;
            if !(outside(rest) <= 1e-6 * span + doubt) {
                note(format!(
                    "joint {index}: no stop inside is left, {} beyond",
                    outside(rest)
                ));
            }
            if (command.velocities()[index] - v).abs() > 1e-9 {
                note(format!("joint {index}: its velocity is not its motion"));
            }
            self.last[index] = [*q, v, a];
        }
        if let Some(around) = &mut self.around {
            let (speed, spare) = around.judge(command.positions(), &mut note);
            self.used.tool_speed = self.used.tool_speed.max(speed);
            self.spare_m = self.spare_m.min(spare);
        }
        broken
    }
}

impl Around {
    /// Tool speed over its limit, and distance less margin (m).
    fn judge(&mut self, positions: &[f64], note: &mut impl FnMut(String)) -> (f64, f64) {
        let arm = &self.arm;
        let q = &positions[..arm.model.joint_count()];
        let tool = arm.model.tool_in_base(q).unwrap().translation.vector;
        let speed = (tool - self.before).norm() / PERIOD / arm.tool.max_speed_m_per_s;
        if !(speed <= 1.0 + SLACK) {
            note(format!("tool at {speed} of its speed limit"));
        }
        self.before = tool;
        if !arm.tool.workspace.contains(tool.into()) {
            note(format!("tool outside its workspace: {tool:?}"));
        }
        if arm
            .clearance
            .forbidden
            .iter()
            .any(|zone| zone.contains(tool.into()))
        {
            note(format!("tool in a forbidden box: {tool:?}"));
        }
        // Distances in f32: a hundredth of a millimetre of doubt.
        let margin = arm.clearance.margin_m;
        let mut spare = f64::INFINITY;
        for model in [&mut self.between_links, &mut self.to_boxes] {
            if let Some(pair) = model.nearest(q, margin + 0.05).unwrap() {
                spare = spare.min(pair.distance_m - margin);
                if !(pair.distance_m >= margin - 1e-5) {
                    note(format!("{} m between {pair:?}", pair.distance_m));
                }
            }
        }
        (speed, spare)
    }
}

fn obstacle(zone: &vola_types::WorkspaceBox) -> vola_motion::Obstacle {
    let (low, high) = (
        nalgebra::Point3::from(zone.min),
        nalgebra::Point3::from(zone.max),
    );
    vola_motion::Obstacle::Box {
        center: nalgebra::center(&low, &high),
        half_extents: ((high - low) * 0.5).into(),
    }
}

/// Duration (s) and length of the time-optimal stop in continuous time.
pub(crate) fn fastest_stop([_, v, a]: [f64; 3], limits: &JointLimits) -> (f64, f64) {
    let (max_a, j) = (limits.acceleration, limits.jerk);
    let v = v - 0.5 * a * PERIOD;
    let sign = if v + 0.5 * a * a.abs() / j >= 0.0 {
        1.0
    } else {
        -1.0
    };
    let (v, a) = (sign * v, sign * a);
    let peak = (j * v + 0.5 * a * a)
        .max(0.0)
        .sqrt()
        .max(-a)
        .min(max_a.max(-a));
    let down = (a + peak) / j;
    let up = peak / j;
    // What the ramps do not take away is taken away at the level.
    let ramps = 0.5 * (a - peak) * down - 0.5 * peak * up;
    let level = if peak > 0.0 {
        ((v + ramps) / peak).max(0.0)
    } else {
        0.0
    };
    let (mut x, mut speed, mut acc) = (0.0, v, a);
    for (time, jerk) in [(down, -j), (level, 0.0), (up, j)] {
        x += time * (speed + time * (0.5 * acc + time * jerk / 6.0));
        speed += time * (acc + 0.5 * time * jerk);
        acc += time * jerk;
    }
    (down + level + up, sign * x)
}
