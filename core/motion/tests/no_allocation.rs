//! Nothing of the control path allocates after construction.
//!
//! Lies in its own binary because it replaces the global allocator.
#![allow(
    unsafe_code,
    reason = "a global allocator that counts is unsafe by its trait"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests index arrays they built, may panic, and compare exact zeros"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use nalgebra::{Isometry3, Point3};
use vola_motion::{
    Capsule, ClearanceLimits, CollisionModel, FilterSettings, IkSettings, InverseKinematics,
    JointLimits, JointState, KinematicModel, Limits, Obstacle, ReferencePath, SafetyFilter,
    ToolLimits, Tracker,
};
use vola_types::{Gripper, WorkspaceBox};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract is passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `work` and asserts that it did not allocate.
fn free_of_allocation<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let before = ALLOCATIONS.with(Cell::get);
    let out = work();
    let count = ALLOCATIONS.with(Cell::get) - before;
    assert_eq!(count, 0, "{what} allocated {count} times");
    out
}

const READY: [f64; 7] = [0.0, -0.785, 0.0, -2.356, 0.0, 1.571, 0.785];

fn limits(model: &KinematicModel) -> Limits {
    let joints: Vec<_> = model
        .urdf_limits()
        .map(|urdf| JointLimits {
            position_min: urdf.position_min,
            position_max: urdf.position_max,
            velocity: urdf.velocity,
            acceleration: 10.0,
            jerk: 5000.0,
        })
        .collect();
    Limits::new(model.joint_names().zip(joints)).unwrap()
}

#[test]
fn the_counter_counts() {
    let before = ALLOCATIONS.with(Cell::get);
    std::hint::black_box(Box::new(1_u64));
    assert!(ALLOCATIONS.with(Cell::get) > before);
}

#[test]
fn kinematics_do_not_allocate() {
    let model = KinematicModel::from_urdf(include_str!("data/panda.urdf"), "tool").unwrap();
    let settings = IkSettings {
        rest_gain: 0.1,
        ..IkSettings::default()
    };
    let solver = InverseKinematics::new(&model, settings)
        .unwrap()
        .with_rest_posture(&READY)
        .unwrap();
    let mut target = model.tool_in_base(&READY).unwrap();
    target.translation.y += 0.03;
    let mut poses = [Isometry3::identity(); 7];
    free_of_allocation("kinematics", || {
        model.tool_in_base(&READY).unwrap();
        model.jacobian(&READY).unwrap();
        model.link_poses(&READY, &mut poses).unwrap();
        solver.solve(&model, &target, &READY).unwrap();
    });
}

#[test]
fn collision_distance_does_not_allocate() {
    let model = KinematicModel::from_urdf(include_str!("data/panda.urdf"), "tool").unwrap();
    let capsules: Vec<_> = ["panda_link1", "panda_link4", "panda_link5", "panda_hand"]
        .iter()
        .map(|link| Capsule {
            link: (*link).to_owned(),
            start: Point3::origin(),
            end: Point3::new(0.0, 0.05, 0.05),
            radius_m: 0.05,
        })
        .collect();
    let mut collision = CollisionModel::new(model, &capsules, &READY).unwrap();
    let block = Obstacle::Box {
        center: Point3::new(0.4, 0.0, 0.1),
        half_extents: [0.1, 0.1, 0.1],
    };
    collision
        .set_obstacles(&[Obstacle::Below { height_m: 0.0 }, block])
        .unwrap();
    free_of_allocation("collision distance", || {
        collision.nearest(&READY, 1.0).unwrap().unwrap()
    });
}

#[test]
fn a_tick_does_not_allocate_even_with_a_hostile_command() {
    let model = KinematicModel::from_urdf(include_str!("data/panda.urdf"), "tool").unwrap();
    let limits = limits(&model);
    let mut path = ReferencePath::resting(&READY).unwrap();
    let mut tracker = Tracker::new(&limits, 1_000_000, &READY).unwrap();
    let tool = ToolLimits {
        workspace: WorkspaceBox {
            min: [0.2, -0.4, 0.0],
            max: [0.7, 0.4, 0.8],
        },
        max_speed_m_per_s: 0.5,
    };
    let settings = FilterSettings {
        gripper: Gripper::None,
        ..FilterSettings::default()
    };
    let capsule = |link: &str| Capsule {
        link: link.to_owned(),
        start: Point3::origin(),
        end: Point3::new(0.0, 0.0, 0.05),
        radius_m: 0.05,
    };
    let clearance = ClearanceLimits {
        capsules: ["panda_link1", "panda_link4", "panda_link5", "panda_hand"]
            .map(capsule)
            .to_vec(),
        forbidden: vec![WorkspaceBox {
            min: [0.4, 0.1, 0.0],
            max: [0.6, 0.3, 0.4],
        }],
        margin_m: 0.01,
        home: READY.to_vec(),
    };
    let mut filter = SafetyFilter::new(limits, settings, &READY)
        .unwrap()
        .with_tool_limits(model.clone(), &tool)
        .unwrap()
        .with_clearance(model, &clearance)
        .unwrap();
    let rows: Vec<Vec<f64>> = (1..9)
        .map(|row| {
            READY
                .iter()
                .map(|q| q + 0.06 * f64::from(row % 4))
                .collect()
        })
        .collect();
    free_of_allocation("ticks", || {
        for tick in 0..4000_u64 {
            let now = tick * 1_000_000;
            if tick % 400 == 0 {
                let chunk = rows.iter().enumerate();
                path.splice(
                    now,
                    chunk.map(|(index, row)| (now + (index as u64 + 1) * 100_000_000, &row[..])),
                )
                .unwrap();
            }
            let state = *tracker.step(&path.sample(now + 1_000_000));
            let measured = filter.positions();
            match tick % 500 {
                0 => {
                    filter.step(&[f64::NAN; 7], &measured);
                }
                1 => {
                    filter.step(&[0.0; 3], &measured);
                }
                2 => {
                    filter.step(&[1e9; 7], &measured);
                }
                3..30 => {
                    filter.hold();
                }
                _ => {
                    filter.step(&state.q, &measured);
                }
            }
        }
        tracker.step(&JointState::default());
        tracker.brake();
        filter.step(&READY, &[f64::NAN; 7]);
        filter.reset_to(&READY).unwrap();
    });
}
