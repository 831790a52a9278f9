//! CPU time of the parts of a control tick, seven joints: median, 99th and 99.9th
//! percentile and greatest of single calls, on the thread's CPU clock. The whole
//! tick is measured by the example `safety_filter_proof`.

use std::hint::black_box;

use nalgebra::{Isometry3, Point3};
use rustix::time::{ClockId, clock_gettime};
use vola_motion::{
    Capsule, CollisionModel, FilterSettings, IkSettings, InverseKinematics, JointLimits, JointVec,
    KinematicModel, Limits, MotionError, Obstacle, ReferencePath, SafetyFilter, ToolLimits,
    Tracker,
};
use vola_types::{Gripper, WorkspaceBox};

const READY: [f64; 7] = [0.0, -0.785, 0.0, -2.356, 0.0, 1.571, 0.785];
const SAMPLES: usize = 20_000;

/// Times single calls; the clock's own cost (about 0.3 µs) is in them.
fn report(name: &str, mut call: impl FnMut(usize)) {
    let mut nanos: Vec<u64> = Vec::with_capacity(SAMPLES);
    for sample in 0..SAMPLES {
        let start = thread_cpu_ns();
        call(sample);
        nanos.push(thread_cpu_ns() - start);
    }
    nanos.sort_unstable();
    let at = |share: usize| {
        nanos
            .get((nanos.len() - 1) * share / 1000)
            .copied()
            .unwrap_or_default() as f64
            / 1e3
    };
    println!(
        "{name:<44} p50 {:>8.2}  p99 {:>8.2}  p99.9 {:>8.2}  max {:>8.2} µs CPU",
        at(500),
        at(990),
        at(999),
        at(1000)
    );
}

/// CPU time of this thread (ns).
fn thread_cpu_ns() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec);
    u64::try_from(nanos).unwrap_or(0)
}

fn limits(model: &KinematicModel) -> Result<Limits, MotionError> {
    let joints: Vec<_> = model
        .urdf_limits()
        .zip([15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0])
        .map(|(urdf, acceleration)| JointLimits {
            position_min: urdf.position_min,
            position_max: urdf.position_max,
            velocity: urdf.velocity,
            acceleration,
            jerk: 500.0 * acceleration,
        })
        .collect();
    Limits::new(model.joint_names().zip(joints))
}

fn kinematics(model: &KinematicModel) -> Result<(), MotionError> {
    let mut poses = [Isometry3::identity(); 7];
    report("forward kinematics [7]", |_| {
        drop(black_box(model.tool_in_base(black_box(&READY))))
    });
    report("link poses [7]", |_| {
        drop(black_box(model.link_poses(black_box(&READY), &mut poses)))
    });
    report("forward kinematics and Jacobian [6, 7]", |_| {
        drop(black_box(model.tool_and_jacobian(black_box(&READY))))
    });
    let solver = InverseKinematics::new(model, IkSettings::default())?;
    let mut target = model.tool_in_base(&READY)?;
    target.translation.x += 0.03;
    report("inverse kinematics, 3 cm from the seed [7]", |_| {
        drop(black_box(solver.solve(model, black_box(&target), &READY)))
    });
    let links = [
        "panda_link0",
        "panda_link1",
        "panda_link3",
        "panda_link4",
        "panda_link5",
        "panda_link7",
        "panda_hand",
    ];
    let capsules: Vec<_> = links
        .iter()
        .map(|link| Capsule {
            link: (*link).to_owned(),
            start: Point3::origin(),
            end: Point3::new(0.0, 0.05, 0.05),
            radius_m: 0.05,
        })
        .collect();
    let mut collision = CollisionModel::new(model.clone(), &capsules, &READY)?;
    let boxes: Vec<_> = (0..8)
        .map(|index| Obstacle::Box {
            center: Point3::new(0.4, 0.1 * f64::from(index) - 0.4, 0.02),
            half_extents: [0.02; 3],
        })
        .chain([Obstacle::Below { height_m: 0.0 }])
        .collect();
    collision.set_obstacles(&boxes)?;
    report("collision, 7 capsules, 8 boxes, within 5 cm", |_| {
        drop(black_box(collision.nearest(&READY, 0.05)))
    });
    report("collision, 7 capsules, 8 boxes, all", |_| {
        drop(black_box(collision.nearest(&READY, 10.0)))
    });
    Ok(())
}

fn main() -> Result<(), MotionError> {
    let model = KinematicModel::from_urdf(include_str!("../tests/data/panda.urdf"), "tool")?;
    kinematics(&model)?;
    let limits = limits(&model)?;
    let rows: Vec<Vec<f64>> = (1..64)
        .map(|row| {
            READY
                .iter()
                .map(|q| q + 0.1 * (0.4 * f64::from(row)).sin())
                .collect()
        })
        .collect();
    let timed = || {
        rows.iter()
            .enumerate()
            .map(|(index, row)| ((index as u64 + 1) * 300_000_000, &row[..]))
    };
    let mut path = ReferencePath::resting(&READY)?;
    path.splice(0, timed())?;
    report("reference path sample [7]", |sample| {
        black_box(path.sample(sample as u64 * 900_000));
    });
    let mut other = path.clone();
    report("reference path splice, 8 rows [7]", |_| {
        drop(black_box(other.splice(0, timed().take(8))))
    });

    let mut tracker = Tracker::new(&limits.scaled(0.98)?, 1_000_000, &READY)?;
    let mut states: Vec<JointVec> = Vec::with_capacity(SAMPLES);
    report("tracker step, reference met [7]", |sample| {
        states.push(tracker.step(&path.sample((sample as u64 + 1) * 900_000)).q);
    });
    let far: Vec<JointVec> = rows
        .iter()
        .map(|row| row.iter().map(|q| q + 0.3).collect())
        .collect();
    report("tracker step, catching up [7]", |sample| {
        let mut state = path.sample(0);
        state.q = far
            .get((sample / 200) % far.len())
            .copied()
            .unwrap_or_default();
        black_box(tracker.step(&state));
    });
    let settings = FilterSettings {
        gripper: Gripper::None,
        max_tracking_error: 9.0,
        max_first_jump: 9.0,
        ..FilterSettings::default()
    };
    let mut filter = SafetyFilter::new(limits.clone(), settings, &READY)?;
    report("filter step, command passes [7]", |sample| {
        black_box(filter.step(states.get(sample).map_or(&READY[..], |q| &**q), &READY));
    });
    filter.reset_to(&READY)?;
    let goal = |sample: usize| {
        far.get((sample / 200) % far.len())
            .copied()
            .unwrap_or_default()
    };
    report("filter step, command out of reach [7]", |sample| {
        black_box(filter.step(&goal(sample), &READY));
    });
    report("filter hold [7]", |_| {
        black_box(filter.hold());
    });
    let tool = ToolLimits {
        workspace: WorkspaceBox {
            min: [0.2, -0.5, 0.0],
            max: [0.8, 0.5, 1.0],
        },
        max_speed_m_per_s: 0.7,
    };
    let mut filter = SafetyFilter::new(limits, settings, &READY)?.with_tool_limits(model, &tool)?;
    report("filter step with tool limits, passes [7]", |sample| {
        black_box(filter.step(states.get(sample).map_or(&READY[..], |q| &**q), &READY));
    });
    report("filter step with tool limits, in the way [7]", |sample| {
        let wild: JointVec = READY
            .iter()
            .map(|q| q + if (sample / 400) % 2 == 0 { 1.0 } else { -1.0 })
            .collect();
        black_box(filter.step(&wild, &READY));
    });
    Ok(())
}
