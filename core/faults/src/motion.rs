//! What was commanded and what was measured, tick by tick, and what can be read
//! from it by means of its own: limits, braking, rest, drift.

use vola_abi::{CommandFrame, StateFrame};
use vola_motion::KinematicModel;
use vola_types::JointDescription;

/// Control period (s).
const PERIOD_S: f64 = 1e-3;
/// Relative slack of limits: third differences of rounded positions.
const SLACK: f64 = 1e-6;
/// Commanded joint speed (rad/s, m/s) that counts as rest: 10⁻⁹ a tick.
const REST: f64 = 1e-6;

/// One tick.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tick {
    /// When (ns).
    pub(crate) time_ns: u64,
    /// Commanded positions, arm joints and then the gripper.
    pub(crate) command: Vec<f64>,
    /// Positions that the robot truly had before the command.
    pub(crate) measured: Vec<f64>,
}

/// A recording.
#[derive(Debug, Default)]
pub(crate) struct Motion {
    ticks: Vec<Tick>,
    measured: Vec<f64>,
}

impl Motion {
    pub(crate) fn state(&mut self, frame: &StateFrame) {
        self.measured = frame.positions().to_vec();
    }

    pub(crate) fn command(&mut self, frame: &CommandFrame) {
        self.ticks.push(Tick {
            time_ns: frame.time_ns,
            command: frame.positions().to_vec(),
            measured: self.measured.clone(),
        });
    }

    pub(crate) fn into_ticks(self) -> Vec<Tick> {
        self.ticks
    }
}

/// A recording of one arm.
#[derive(Debug)]
pub(crate) struct ArmMotion<'a> {
    ticks: &'a [Tick],
    /// Position, velocity and acceleration of each joint after each tick.
    states: Vec<Vec<[f64; 3]>>,
    joints: &'a [JointDescription],
}

impl<'a> ArmMotion<'a> {
    /// The arm stands when the recording begins.
    pub(crate) fn new(ticks: &'a [Tick], joints: &'a [JointDescription]) -> Self {
        let mut last: Vec<[f64; 3]> = ticks.first().map_or_else(Vec::new, |first| {
            first.command.iter().map(|q| [*q, 0.0, 0.0]).collect()
        });
        let states = ticks.iter().map(|tick| {
            last = last
                .iter()
                .zip(&tick.command)
                .map(|([q0, v0, _], q)| {
                    let v = (q - q0) / PERIOD_S;
                    [*q, v, (v - v0) / PERIOD_S]
                })
                .collect();
            last.iter().copied().take(joints.len()).collect()
        });
        Self {
            ticks,
            states: states.collect(),
            joints,
        }
    }

    /// Whether no command of a recording differs from the first.
    pub(crate) fn stands(ticks: &[Tick]) -> bool {
        ticks.iter().all(|tick| {
            let pairs = tick
                .command
                .iter()
                .zip(ticks.iter().flat_map(|it| &it.command));
            pairs.map(|(q, was)| (q - was).abs()).fold(0.0, f64::max) <= REST * PERIOD_S
        })
    }

    /// The first limit that a command broke, and how many did.
    pub(crate) fn violations(&self) -> (usize, Option<String>) {
        let mut first = None;
        let mut count = 0;
        let still = vec![[0.0; 3]; self.joints.len()];
        let before = std::iter::once(&still).chain(&self.states);
        for ((tick, state), old) in self.ticks.iter().zip(&self.states).zip(before) {
            for ((joint, [q, v, a]), [_, _, a0]) in self.joints.iter().zip(state).zip(old) {
                let jerk = (a - a0) / PERIOD_S;
                let uses = [
                    ("velocity", v.abs() / joint.max_velocity),
                    ("acceleration", a.abs() / joint.max_acceleration),
                    ("jerk", jerk.abs() / joint.max_jerk),
                ];
                let broken = uses.into_iter().find(|(_, share)| !(*share <= 1.0 + SLACK));
                let span = joint.position_max - joint.position_min;
                let doubt = SLACK * span;
                let is_inside =
                    *q >= joint.position_min - doubt && *q <= joint.position_max + doubt;
                let broken = broken.or((!is_inside).then_some(("position", *q)));
                if let Some((limit, share)) = broken {
                    count += 1;
                    first.get_or_insert_with(|| {
                        let (at_s, name) = (tick.time_ns as f64 * 1e-9, &joint.name);
                        format!("{name} at {at_s:.3} s: {limit} {share:.4}")
                    });
                }
            }
        }
        (count, first)
    }

    /// Ticks from `from_ns` until the fastest joint brakes: its acceleration
    /// falls at half its jerk limit at least, or pulls against the motion
    /// already. None when it never does; 0 for an arm that stands.
    pub(crate) fn ticks_to_braking(&self, from_ns: u64) -> Option<usize> {
        let first = self.index(from_ns)?;
        let before = self.states.get(first.saturating_sub(1))?;
        let speed = |state: &[f64; 3]| state[1].abs();
        let fastest = (0..before.len()).max_by(|a, b| {
            let of = |joint: &usize| before.get(*joint).map_or(0.0, speed);
            of(a).total_cmp(&of(b))
        })?;
        let [_, v, mut a] = *before.get(fastest)?;
        if v.abs() <= REST {
            return Some(0);
        }
        let joint = self.joints.get(fastest)?;
        let fall = 0.5 * joint.max_jerk * PERIOD_S;
        self.states.get(first..)?.iter().position(|state| {
            let Some([_, _, now]) = state.get(fastest) else {
                return false;
            };
            let against = -v.signum();
            let falls = (now - a) * against >= fall;
            let pulls = now * against > 0.0;
            a = *now;
            falls || pulls
        })
    }

    /// When the commands had come to rest for good (ns), from `from_ns` on.
    pub(crate) fn rest_ns(&self, from_ns: u64) -> Option<u64> {
        let first = self.index(from_ns)?;
        let moves = |state: &Vec<[f64; 3]>| state.iter().any(|[_, v, _]| v.abs() > REST);
        let last_moving = self.states.iter().rposition(moves);
        let at = last_moving.map_or(first, |index| (index + 1).max(first));
        self.ticks.get(at).map(|tick| tick.time_ns)
    }

    /// Greatest motion of a measured joint (rad, m) after `rest_ns`.
    pub(crate) fn drift(&self, rest_ns: u64) -> f64 {
        let Some(first) = self.index(rest_ns) else {
            return 0.0;
        };
        let after = self.ticks.get(first..).unwrap_or_default();
        let Some(rest) = after.first() else {
            return 0.0;
        };
        let arm = self.joints.len();
        let moved = |tick: &Tick| {
            let joints = tick.measured.iter().zip(&rest.measured).take(arm);
            joints.map(|(q, was)| (q - was).abs()).fold(0.0, f64::max)
        };
        after.iter().map(moved).fold(0.0, f64::max)
    }

    /// Greatest commanded way of a joint (rad, m) between two times.
    pub(crate) fn way(&self, from_ns: u64, to_ns: u64) -> f64 {
        let inside = |tick: &&Tick| tick.time_ns >= from_ns && tick.time_ns <= to_ns;
        let mut ticks = self.ticks.iter().filter(inside);
        let Some(start) = ticks.next() else {
            return 0.0;
        };
        let way = |tick: &Tick| {
            let joints = tick.command.iter().zip(&start.command);
            let way = joints
                .take(self.joints.len())
                .map(|(q, was)| (q - was).abs());
            way.fold(0.0, f64::max)
        };
        ticks.map(way).fold(0.0, f64::max)
    }

    /// When (ns) a joint was first commanded farther than `way` (rad, m) from
    /// where it was at `from_ns`.
    pub(crate) fn goes_away_ns(&self, from_ns: u64, way: f64) -> Option<u64> {
        let from = self.index(from_ns)?;
        let start = &self.ticks.get(from)?.command;
        self.first_apart(from, way, |_| start)
    }

    /// When (ns) the tool was first commanded farther than `way_m` from where it was at
    /// `from_ns`.
    pub(crate) fn tool_goes_away_ns(
        &self,
        arm: &KinematicModel,
        from_ns: u64,
        way_m: f64,
    ) -> Option<u64> {
        let place = |tick: &Tick| {
            let q = tick.command.get(..self.joints.len())?;
            Some(arm.tool_in_base(q).ok()?.translation.vector)
        };
        let mut after = self.ticks.get(self.index(from_ns)?..)?.iter();
        let from = place(after.next()?)?;
        let is_away = |tick: &&Tick| place(tick).is_some_and(|at| (at - from).norm() > way_m);
        after.find(is_away).map(|tick| tick.time_ns)
    }

    /// When (ns), from `from_ns` on, a measured joint was first farther than
    /// `way` (rad, m) from its command.
    pub(crate) fn lags_ns(&self, from_ns: u64, way: f64) -> Option<u64> {
        self.first_apart(self.index(from_ns)?, way, |tick| &tick.measured)
    }

    fn first_apart<'t>(
        &'t self,
        from: usize,
        way: f64,
        other: impl Fn(&'t Tick) -> &'t Vec<f64>,
    ) -> Option<u64> {
        let is_apart = |tick: &&'t Tick| {
            let pairs = tick.command.iter().zip(other(tick)).take(self.joints.len());
            pairs.map(|(q, was)| (q - was).abs()).fold(0.0, f64::max) > way
        };
        let mut after = self.ticks.get(from..)?.iter();
        after.find(is_apart).map(|tick| tick.time_ns)
    }

    fn index(&self, time_ns: u64) -> Option<usize> {
        self.ticks.iter().position(|tick| tick.time_ns >= time_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joint() -> JointDescription {
        JointDescription {
            name: "elbow".to_owned(),
            kind: vola_types::JointKind::Revolute,
            position_min: -1.0,
            position_max: 1.0,
            max_velocity: 2.0,
            max_acceleration: 10.0,
            max_jerk: 5000.0,
        }
    }

    /// Positions from accelerations, one a tick.
    fn ticks(accelerations: impl IntoIterator<Item = f64>) -> Vec<Tick> {
        let (mut q, mut v) = (0.0, 0.0);
        accelerations
            .into_iter()
            .zip(0..)
            .map(|(a, index)| {
                v += a * PERIOD_S;
                q += v * PERIOD_S;
                Tick {
                    time_ns: index * 1_000_000,
                    command: vec![q, 1.0],
                    measured: vec![q, 1.0],
                }
            })
            .collect()
    }

    fn trapeze(levels: &[(f64, usize)]) -> Vec<Tick> {
        let each = |(level, count): &(f64, usize)| std::iter::repeat_n(*level, *count);
        ticks(std::iter::once(0.0).chain(levels.iter().flat_map(each)))
    }

    #[test]
    fn a_stop_is_read_from_positions_alone() {
        // Up to 0.25 rad/s, from tick 51 on down again.
        let record = trapeze(&[(5.0, 50), (0.0, 50), (-5.0, 50), (0.0, 100)]);
        let joints = [joint()];
        let motion = ArmMotion::new(&record, &joints);
        assert_eq!(motion.violations(), (0, None));
        assert_eq!(motion.ticks_to_braking(101_000_000), Some(0));
        assert_eq!(motion.ticks_to_braking(91_000_000), Some(10));
        assert_eq!(motion.rest_ns(101_000_000), Some(150_000_000));
        assert!(motion.drift(150_000_000) < 1e-12);
        assert!((motion.way(0, 250_000_000) - 0.025).abs() < 1e-3);
        let away = motion.goes_away_ns(0, 0.01).unwrap_or_default();
        assert!((60_000_000..70_000_000).contains(&away), "{away}");
        assert_eq!(motion.goes_away_ns(0, 0.03), None);
        assert_eq!(motion.lags_ns(0, 1e-9), None);
    }

    #[test]
    fn the_tool_is_away_once_it_is_far_from_where_it_was() {
        let urdf = r#"<robot name="arm"><link name="base"/><link name="arm"/><link name="tool"/>
            <joint name="elbow" type="revolute"><parent link="base"/><child link="arm"/>
            <axis xyz="0 0 1"/><limit lower="-3" upper="3" velocity="2" effort="1"/></joint>
            <joint name="reach" type="fixed"><parent link="arm"/><child link="tool"/>
            <origin xyz="0.5 0 0"/></joint></robot>"#;
        let arm = KinematicModel::from_urdf(urdf, "tool").unwrap();
        // 0.0125 rad there in 101 ticks, and the same way back, at half a metre.
        let there = [(5.0, 50), (0.0, 1), (-5.0, 50)];
        let back = [(-5.0, 50), (0.0, 1), (5.0, 50)];
        let record = trapeze(&[&there[..], &back[..]].concat());
        let joints = [joint()];
        let motion = ArmMotion::new(&record, &joints);
        let at = |from_ns: u64, way_m: f64| motion.tool_goes_away_ns(&arm, from_ns, way_m);
        let (early, late) = (at(0, 0.005).unwrap(), at(101_000_000, 0.005).unwrap());
        assert!((60..80).contains(&(early / 1_000_000)), "{early}");
        assert!((160..180).contains(&(late / 1_000_000)), "{late}");
        // There and back it has gone farther, and never was farther away.
        assert_eq!(at(0, 0.008), None);
    }

    #[test]
    fn broken_limits_are_counted_and_the_first_is_named() {
        let record = trapeze(&[(5.0, 10), (11.0, 3), (0.0, 10)]);
        let joints = [joint()];
        let (count, first) = ArmMotion::new(&record, &joints).violations();
        // Three ticks of too much acceleration, and an end that is too much jerk.
        assert_eq!(count, 4);
        let first = first.unwrap_or_default();
        assert!(first.starts_with("elbow at 0.011 s: "), "{first}");
        let mut record = trapeze(&[(0.0, 3)]);
        record[2].command[0] = f64::NAN;
        assert!(ArmMotion::new(&record, &joints).violations().0 > 0);
    }

    #[test]
    fn what_moves_after_rest_is_drift() {
        let mut record = trapeze(&[(5.0, 20), (-5.0, 20), (0.0, 60)]);
        record[80].measured[0] += 0.07;
        let joints = [joint()];
        let motion = ArmMotion::new(&record, &joints);
        let rest = motion.rest_ns(0).unwrap_or_default();
        assert_eq!(rest, 40_000_000);
        assert!((motion.drift(rest) - 0.07).abs() < 1e-9);
        assert_eq!(motion.lags_ns(0, 0.05), Some(80_000_000));
    }
}
