//! Forward kinematics, Jacobian and inverse kinematics against independent mathematics.

use nalgebra::{Isometry3, Matrix4, Translation3, UnitQuaternion, Vector3};
use proptest::prelude::*;
use vola_motion::{IkSettings, InverseKinematics, KinematicModel, MotionError, pose_error};

use crate::arms::{PANDA, READY, panda};

/// Product of the maker's Craig (modified) Denavit–Hartenberg matrices, then
/// flange, hand and fingertips.
fn denavit_hartenberg(q: &[f64]) -> Matrix4<f64> {
    use std::f64::consts::FRAC_PI_2;
    let rows = [
        (0.0, 0.333, 0.0),
        (0.0, 0.0, -FRAC_PI_2),
        (0.0, 0.316, FRAC_PI_2),
        (0.0825, 0.0, FRAC_PI_2),
        (-0.0825, 0.384, -FRAC_PI_2),
        (0.0, 0.0, FRAC_PI_2),
        (0.088, 0.0, FRAC_PI_2),
    ];
    let mut pose: Matrix4<f64> = Matrix4::identity();
    for ((a, d, alpha), theta) in rows.into_iter().zip(q) {
        let ((st, ct), (sa, ca)) = (theta.sin_cos(), f64::sin_cos(alpha));
        pose *= Matrix4::new(
            ct,
            -st,
            0.0,
            a, //
            st * ca,
            ct * ca,
            -sa,
            -d * sa, //
            st * sa,
            ct * sa,
            ca,
            d * ca, //
            0.0,
            0.0,
            0.0,
            1.0,
        );
    }
    let half = std::f64::consts::FRAC_1_SQRT_2;
    pose * Matrix4::new(
        half,
        half,
        0.0,
        0.0, //
        -half,
        half,
        0.0,
        0.0, //
        0.0,
        0.0,
        1.0,
        0.107 + 0.1034, //
        0.0,
        0.0,
        0.0,
        1.0,
    )
}

fn positions() -> impl Strategy<Value = Vec<f64>> {
    panda()
        .urdf_limits()
        .map(|limits| limits.position_min..limits.position_max)
        .collect::<Vec<_>>()
}

#[test]
fn tool_points_down_in_the_ready_posture() {
    let tool = panda().tool_in_base(&READY).unwrap();
    let down = tool.rotation * Vector3::z();
    assert!((down + Vector3::z()).norm() < 1e-12, "tool z is {down}");

    let expected = denavit_hartenberg(&READY);
    assert!((tool.translation.x - expected[(0, 3)]).abs() < 1e-12);
    assert!(
        (tool.translation.x - 0.3069).abs() < 1e-4,
        "x is {}",
        tool.translation.x
    );
    assert!(tool.translation.y.abs() < 1e-12);
    assert!(
        (tool.translation.z - 0.4869).abs() < 1e-4,
        "z is {}",
        tool.translation.z
    );
}

#[test]
fn link_poses_end_where_the_tool_starts() {
    let model = panda();
    let mut poses = [Isometry3::identity(); 7];
    model.link_poses(&READY, &mut poses).unwrap();
    let frame = model.link_frame("tool").unwrap();
    let tool = poses[frame.carrier.unwrap()] * frame.in_carrier;
    let direct = model.tool_in_base(&READY).unwrap();
    assert!((tool.to_homogeneous() - direct.to_homogeneous()).norm() < 1e-12);
    assert_eq!(model.link_names().last(), Some("panda_link7"));
    assert_eq!(model.link_frame("panda_link0").unwrap().carrier, None);
    assert_eq!(model.link_frame("panda_camera").unwrap().carrier, Some(6));
}

#[test]
fn max_tool_travel_bounds_every_jacobian_column() {
    let model = panda();
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        },
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    runner
        .run(&positions(), |q| {
            let jacobian = model.jacobian(&q).unwrap();
            for (column, reach) in jacobian
                .columns()
                .iter()
                .zip(model.max_tool_travel_per_joint())
            {
                prop_assert!(column.fixed_rows::<3>(0).norm() <= reach + 1e-12);
            }
            Ok(())
        })
        .unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn forward_kinematics_is_the_product_of_dh_matrices(q in positions()) {
        let tool = panda().tool_in_base(&q).unwrap().to_homogeneous();
        prop_assert!((tool - denavit_hartenberg(&q)).norm() < 1e-12);
    }

    #[test]
    fn jacobian_is_the_derivative_of_forward_kinematics(q in positions()) {
        let model = panda();
        let jacobian = model.jacobian(&q).unwrap();
        let step = 1e-6;
        for (joint, column) in jacobian.columns().iter().enumerate() {
            let (mut before, mut after) = (q.clone(), q.clone());
            before[joint] -= step;
            after[joint] += step;
            let (linear, angular) =
                pose_error(&model.tool_in_base(&before).unwrap(), &model.tool_in_base(&after).unwrap());
            prop_assert!((linear / (2.0 * step) - column.fixed_rows::<3>(0)).norm() < 1e-8);
            prop_assert!((angular / (2.0 * step) - column.fixed_rows::<3>(3)).norm() < 1e-8);
        }
    }
}

/// Near a singularity, or where a joint limit is in the way, damped least
/// squares may stop short; then it must say so, with the error that is left.
#[test]
fn inverse_kinematics_reaches_targets_near_the_seed() {
    use proptest::strategy::{Strategy, ValueTree};
    const CASES: usize = 2000;
    let model = panda();
    let solver = InverseKinematics::new(&model, IkSettings::default()).unwrap();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let cases = (positions(), prop::array::uniform7(-0.15..0.15_f64));
    let mut reached = 0;
    for _ in 0..CASES {
        let (q, offset) = cases.new_tree(&mut runner).unwrap().current();
        let goal: Vec<f64> = model
            .urdf_limits()
            .zip(q.iter().zip(offset))
            .map(|(limits, (value, change))| {
                (value + change).clamp(limits.position_min, limits.position_max)
            })
            .collect();
        let target = model.tool_in_base(&goal).unwrap();
        match solver.solve(&model, &target, &q) {
            Ok(found) => {
                let tool = model.tool_in_base(&found.q).unwrap();
                let (linear, angular) = pose_error(&tool, &target);
                assert!(linear.norm() <= 1e-4 && angular.norm() <= 1e-3, "{found:?}");
                for (value, limits) in found.q.iter().zip(model.urdf_limits()) {
                    assert!(*value >= limits.position_min && *value <= limits.position_max);
                }
                reached += 1;
            }
            Err(MotionError::Unreachable {
                position_error_m,
                rotation_error_rad,
                ..
            }) => {
                assert!(position_error_m > 1e-4 || rotation_error_rad > 1e-3);
            }
            Err(other) => panic!("{other}"),
        }
    }
    println!("reached {reached} of {CASES}");
    assert!(
        reached * 1000 >= CASES * 995,
        "reached {reached} of {CASES}"
    );
}

#[test]
fn a_three_centimetre_step_takes_few_iterations() {
    let model = panda();
    let solver = InverseKinematics::new(&model, IkSettings::default()).unwrap();
    let mut target = model.tool_in_base(&READY).unwrap();
    target.translation.x += 0.03;
    let found = solver.solve(&model, &target, &READY).unwrap();
    assert!(found.iterations <= 4, "{found:?}");
}

#[test]
fn the_rest_posture_draws_the_null_space_without_moving_the_tool() {
    let model = panda();
    let settings = IkSettings {
        rest_gain: 0.2,
        max_iterations: 200,
        ..IkSettings::default()
    };
    let mut rest = READY;
    rest[2] = 0.4;
    let seed = READY;
    let mut target = model.tool_in_base(&READY).unwrap();
    target.translation.z += 0.1;
    let plain = InverseKinematics::new(&model, settings)
        .unwrap()
        .solve(&model, &target, &seed)
        .unwrap();
    let drawn = InverseKinematics::new(&model, settings)
        .unwrap()
        .with_rest_posture(&rest)
        .unwrap()
        .solve(&model, &target, &seed)
        .unwrap();
    assert!(plain.q[2].abs() < 1e-3, "{plain:?}");
    assert!(drawn.q[2] > 0.02, "{drawn:?}");
}

#[test]
fn out_of_reach_says_how_far() {
    let model = panda();
    let solver = InverseKinematics::new(&model, IkSettings::default()).unwrap();
    let target =
        Isometry3::from_parts(Translation3::new(2.0, 0.0, 0.3), UnitQuaternion::identity());
    match solver.solve(&model, &target, &READY).unwrap_err() {
        MotionError::Unreachable {
            position_error_m,
            iterations,
            ..
        } => {
            assert!(
                position_error_m > 0.9 && position_error_m < 1.8,
                "{position_error_m}"
            );
            assert_eq!(iterations, 100);
        }
        other => panic!("{other}"),
    }
}

#[test]
fn bad_input_is_named() {
    let model = panda();
    let text = |error: MotionError| error.to_string();
    assert_eq!(
        text(model.tool_in_base(&[0.0; 6]).unwrap_err()),
        "q: expected 7 values, got 6"
    );
    let mut q = READY;
    q[3] = f64::NAN;
    assert_eq!(
        text(model.jacobian(&q).unwrap_err()),
        "q[3]: expected a finite number, got NaN"
    );
    let missing = text(KinematicModel::from_urdf(PANDA, "tol").unwrap_err());
    assert!(
        missing.contains("no link `tol`") && missing.contains("panda_hand, "),
        "{missing}"
    );
    let finger = text(model.link_frame("panda_leftfinger").unwrap_err());
    assert!(
        finger.contains("`panda_leftfinger` does not move with the chain to `tool`"),
        "{finger}"
    );
    let fixed = text(KinematicModel::from_urdf(PANDA, "panda_link0").unwrap_err());
    assert!(fixed.contains("expected 1 to 16 joints, got 0"), "{fixed}");
    let cases = [
        (r#"type="revolute">"#, r#"type="planar">"#, "got planar"),
        (
            r#"lower="-2.8973""#,
            r#"lower="3""#,
            "lower less than upper, got lower 3",
        ),
        (
            r#"<axis xyz="0 0 1"/>"#,
            r#"<axis xyz="0 0 0"/>"#,
            "not zero, got 0 0 0",
        ),
        (
            r#"child link="panda_link1""#,
            r#"child link="panda_link2""#,
            "both lead to link `panda_link2`",
        ),
        (
            r#"parent link="panda_link0""#,
            r#"parent link="panda_link7""#,
            "its own ancestor",
        ),
        ("<robot", "<robt", "cannot be read"),
    ];
    for (from, to, expected) in cases {
        let error =
            text(KinematicModel::from_urdf(&PANDA.replacen(from, to, 1), "tool").unwrap_err());
        assert!(error.contains(expected), "{to}: {error}");
    }
}
