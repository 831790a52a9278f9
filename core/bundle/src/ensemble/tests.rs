use super::*;
use crate::fixtures::{manifest, manifest_with, statistics};
use crate::manifest::{Manifest, NormaliseMode};

const PERIOD: u64 = 100_000_000;

fn ensembler(manifest: &Manifest, normaliser: Normaliser, decay: f64) -> Ensembler {
    let action = manifest
        .embodiment("tabletop/franka")
        .unwrap()
        .action()
        .clone();
    Ensembler::new(action, normaliser, decay).unwrap()
}

/// An absolute space with one column, three rows a chunk.
fn one_column(decay: f64) -> Ensembler {
    let manifest = manifest_with(&[(
        r#"space = "tool_delta", names = ["dx", "dy", "dz", "rx", "ry", "rz", "gripper"], rate_hz = 10, horizon = 8"#,
        r#"space = "joint_position", names = ["a"], rate_hz = 10, horizon = 3"#,
    )]);
    ensembler(&manifest, Normaliser::identity(1), decay)
}

fn close(got: &[f64], expected: &[f64]) {
    assert_eq!(got.len(), expected.len(), "{got:?}");
    for (a, b) in got.iter().zip(expected) {
        assert!((a - b).abs() < 1e-9, "{got:?} is not {expected:?}");
    }
}

#[test]
fn weights_fall_from_the_oldest_on() {
    // exp(−m·i) with m = ln 2: the oldest counts 1, then 1/2, then 1/4.
    let mut ensembler = one_column(2.0f64.ln());
    let first = ensembler
        .push(&[1.0, 2.0, 3.0], 0, Reference::Absolute)
        .unwrap();
    close(&first.rows, &[1.0, 2.0, 3.0]);
    let second = ensembler
        .push(&[20.0, 30.0, 40.0], PERIOD, Reference::Absolute)
        .unwrap();
    // (2 + 20/2) / 1.5 = 8, (3 + 30/2) / 1.5 = 12, and 40 alone.
    close(&second.rows, &[8.0, 12.0, 40.0]);
    assert_eq!(second.counts, [2, 2, 1]);
    let third = ensembler
        .push(&[300.0, 400.0, 500.0], 2 * PERIOD, Reference::Absolute)
        .unwrap();
    // (3 + 30/2 + 300/4) / 1.75, (40 + 400/2) / 1.5, and 500 alone.
    close(&third.rows, &[93.0 / 1.75, 160.0, 500.0]);
    assert_eq!(third.counts, [3, 2, 1]);
}

#[test]
fn rows_meet_by_time_not_by_place() {
    let mut ensembler = one_column(0.0);
    ensembler
        .push(&[1.0, 2.0, 3.0], 0, Reference::Absolute)
        .unwrap();
    // Two periods later: only the first row has an old one; 4 ms of jitter count as none.
    let late = ensembler
        .push(
            &[5.0, 6.0, 7.0],
            2 * PERIOD + 4_000_000,
            Reference::Absolute,
        )
        .unwrap();
    close(&late.rows, &[4.0, 6.0, 7.0]);
    // Much later nothing is left of the old ones.
    let alone = ensembler
        .push(&[9.0, 9.0, 9.0], 20 * PERIOD, Reference::Absolute)
        .unwrap();
    assert_eq!(alone.counts, [1, 1, 1]);
    ensembler.reset();
    ensembler.push(&[1.0], 0, Reference::Absolute).unwrap();
}

#[test]
fn displacements_are_moved_to_the_newest_pose() {
    let manifest = manifest();
    let statistics = statistics();
    let normaliser =
        Normaliser::new(NormaliseMode::MeanStd, Some(&statistics), "action", 7).unwrap();
    let mut ensembler = ensembler(&manifest, normaliser.clone(), 0.3);
    let quarter = [0.0, 0.0, 0.125];
    let normalised = |physical: [f64; 7]| -> Vec<f64> {
        physical
            .iter()
            .enumerate()
            .map(|(i, value)| normaliser.forward(i, *value))
            .collect()
    };
    // One target, x = 0.5, yaw 0.5, seen from three poses: the mean must not move.
    let target =
        |x: f64, yaw: f64| normalised([0.5 - x, 0.0, 0.0, 0.0, 0.0, 0.5 - yaw, 1.0]).repeat(8);
    let mut last = None;
    for step in 0..3u64 {
        let part = step as f64;
        let (x, yaw) = (0.4 + 0.03 * part, 0.125 * part);
        let pose = Reference::Tool {
            position: [x, 0.0, 0.2],
            orientation: rotation::from_vector(quarter.map(|value| value * part)),
        };
        last = Some(
            ensembler
                .push(&target(x, yaw), step * PERIOD, pose)
                .unwrap(),
        );
    }
    let last = last.unwrap();
    assert_eq!(last.counts[0], 3);
    let expected = target(0.46, 0.25);
    for (got, expected) in last.rows.iter().zip(&expected) {
        assert!((got - expected).abs() < 1e-6, "{got} {expected}");
    }
}

#[test]
fn joint_displacements_are_moved_too() {
    let manifest = manifest_with(&[(
        r#"space = "tool_delta", names = ["dx", "dy", "dz", "rx", "ry", "rz", "gripper"], rate_hz = 10, horizon = 8"#,
        r#"space = "joint_delta", names = ["a", "gripper"], rate_hz = 10, horizon = 2"#,
    )]);
    let mut ensembler = ensembler(&manifest, Normaliser::identity(2), 0.0);
    ensembler
        .push(&[1.0, 0.0, 2.0, 0.0], 0, Reference::Joints(vec![10.0]))
        .unwrap();
    let both = ensembler
        .push(&[4.0, 1.0, 5.0, 1.0], PERIOD, Reference::Joints(vec![11.0]))
        .unwrap();
    // Row 1 of the old chunk: 10 + 2 = 12, seen from 11: 1. Mean with 4: 2.5.
    close(&both.rows, &[2.5, 0.5, 5.0, 1.0]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut ensembler = one_column(0.0);
    assert!(ensembler.push(&[], 0, Reference::Absolute).is_err());
    assert!(
        ensembler
            .push(&[1.0], 0, Reference::Joints(vec![0.0]))
            .is_err()
    );
    ensembler.push(&[1.0], 5, Reference::Absolute).unwrap();
    let text = ensembler
        .push(&[1.0], 5, Reference::Absolute)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("expected one observed after 5 ns, got 5 ns"),
        "{text}"
    );
    let action = manifest().embodiments()[0].action().clone();
    assert!(Ensembler::new(action, Normaliser::identity(7), f64::NAN).is_err());
}
