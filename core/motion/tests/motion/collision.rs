//! Collision distances against geometry done by hand.

use nalgebra::Point3;
use vola_motion::{Capsule, CollisionModel, KinematicModel, MotionError, Obstacle, Partner};

use crate::arms::{READY, panda};
use crate::random::Random;

fn capsule(link: &str, start: [f64; 3], end: [f64; 3], radius_m: f64) -> Capsule {
    Capsule {
        link: link.to_owned(),
        start: Point3::from(start),
        end: Point3::from(end),
        radius_m,
    }
}

fn arm() -> Vec<Capsule> {
    vec![
        capsule("panda_link0", [0.0, 0.0, 0.0], [0.0, 0.0, 0.1], 0.09),
        capsule("panda_link1", [0.0, 0.0, -0.2], [0.0, 0.0, 0.0], 0.08),
        capsule("panda_link3", [0.0, 0.0, -0.15], [0.0, 0.0, 0.0], 0.07),
        capsule("panda_link4", [0.0, 0.0, 0.0], [-0.08, 0.1, 0.0], 0.07),
        capsule("panda_link5", [0.0, 0.0, -0.25], [0.0, 0.05, 0.0], 0.06),
        capsule("panda_link7", [0.0, 0.0, 0.0], [0.0, 0.0, 0.1], 0.05),
        capsule("panda_hand", [0.0, -0.08, 0.03], [0.0, 0.08, 0.03], 0.04),
        capsule("tool", [0.0, 0.0, -0.03], [0.0, 0.0, 0.0], 0.01),
    ]
}

#[test]
fn the_finger_tip_is_nearest_to_the_table_and_to_a_box() {
    let mut model = CollisionModel::new(panda(), &arm()[4..], &READY).unwrap();
    let tool = panda().tool_in_base(&READY).unwrap().translation.vector;
    model
        .set_obstacles(&[Obstacle::Below {
            height_m: tool.z - 0.06,
        }])
        .unwrap();
    let nearest = model.nearest(&READY, 0.5).unwrap().unwrap();
    assert_eq!(
        (nearest.capsule, nearest.partner),
        (3, Partner::Obstacle(0))
    );
    assert!((nearest.distance_m - 0.05).abs() < 1e-9, "{nearest:?}");
    let block = Obstacle::Box {
        center: Point3::new(tool.x, tool.y, tool.z - 0.06),
        half_extents: [0.02, 0.02, 0.02],
    };
    model
        .set_obstacles(&[Obstacle::Below { height_m: 0.0 }, block])
        .unwrap();
    let nearest = model.nearest(&READY, 0.5).unwrap().unwrap();
    assert_eq!(
        (nearest.capsule, nearest.partner),
        (3, Partner::Obstacle(1))
    );
    assert!((nearest.distance_m - 0.03).abs() < 1e-4, "{nearest:?}");
    assert_eq!(model.nearest(&READY, 0.01).unwrap(), None);
}

#[test]
fn the_hand_meets_the_base_when_the_arm_folds() {
    let mut model = CollisionModel::new(panda(), &arm(), &READY).unwrap();
    let open = model.nearest(&READY, 10.0).unwrap().unwrap();
    // Shoulder and upper arm are built close together.
    assert!(
        open.distance_m > 0.01 && open.partner == Partner::Capsule(2),
        "{open:?}"
    );
    let folded = [0.0, 0.2, 0.0, -3.0, 0.0, 0.7, 0.8];
    let near = model.nearest(&folded, 10.0).unwrap().unwrap();
    assert!(
        near.distance_m < open.distance_m && near.capsule < 2 && near.partner != open.partner,
        "{near:?}"
    );
}

/// Distances between all pairs, by sampling both axes densely.
#[test]
fn distances_and_culling_agree_with_brute_force() {
    let model: KinematicModel = panda();
    let shapes = vec![
        capsule("panda_link1", [0.0, 0.1, -0.2], [0.0, -0.1, 0.0], 0.03),
        capsule("panda_link5", [0.0, 0.0, -0.25], [0.0, 0.05, 0.0], 0.04),
        capsule("tool", [0.05, 0.0, -0.1], [0.0, 0.0, 0.0], 0.02),
    ];
    let mut collision = CollisionModel::new(model.clone(), &shapes, &READY).unwrap();
    let mut random = Random::new(5);
    let mut poses = [nalgebra::Isometry3::identity(); 7];
    for _ in 0..200 {
        let q: Vec<f64> = model
            .urdf_limits()
            .map(|l| l.position_min + (l.position_max - l.position_min) * random.unit())
            .collect();
        model.link_poses(&q, &mut poses).unwrap();
        let axis = |shape: &Capsule| -> Vec<Point3<f64>> {
            let frame = model.link_frame(&shape.link).unwrap();
            let pose = poses[frame.carrier.unwrap()] * frame.in_carrier;
            (0..=60)
                .map(|step| pose * shape.start.lerp(&shape.end, f64::from(step) / 60.0))
                .collect()
        };
        let mut least = f64::INFINITY;
        for (first, second) in [(0, 1), (0, 2), (1, 2)] {
            for a in axis(&shapes[first]) {
                for b in axis(&shapes[second]) {
                    least = least
                        .min((a - b).norm() - shapes[first].radius_m - shapes[second].radius_m);
                }
            }
        }
        let found = collision.nearest(&q, 10.0).unwrap().unwrap();
        assert!(
            (found.distance_m - least).abs() < 2e-3,
            "{found:?} against {least}"
        );
    }
}

#[test]
fn bad_shapes_are_named() {
    let check = |capsule: Capsule, expected: &str| {
        let error = CollisionModel::new(panda(), &[capsule], &READY)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(capsule("hand", [0.0; 3], [0.0; 3], 0.1), "no link `hand`");
    check(
        capsule("tool", [f64::NAN; 3], [0.0; 3], 0.1),
        "shape 0: start: expected finite coordinates, got NaN",
    );
    check(
        capsule("tool", [0.0; 3], [0.0; 3], 0.0),
        "radius_m: expected a finite number > 0, got 0",
    );
    let mut model = CollisionModel::new(panda(), &arm(), &READY).unwrap();
    let flat = Obstacle::Box {
        center: Point3::origin(),
        half_extents: [1.0, 0.0, 1.0],
    };
    assert!(matches!(
        model.set_obstacles(&[flat]),
        Err(MotionError::BadShape {
            index: 0,
            field: "half_extents",
            ..
        })
    ));
    assert!(model.nearest(&[0.0; 3], 1.0).is_err());
}
