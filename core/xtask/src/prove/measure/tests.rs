use serde_json::json;

use super::*;
use crate::prove::figure::value;

#[test]
fn figures_of_an_evaluation() {
    let printed = [
        json!({"task": "pick", "episodes": 200, "handoffs": 3,
            "success": {"rate": 0.93, "low": 0.89, "high": 0.96}}),
        json!({"task": "scene", "episodes": 200, "success": {"rate": 1.0, "low": 0.98, "high": 1.0},
            "recall": 0.998, "precision": 1.0, "median_error_m": 0.0023, "objects": 900}),
        json!({"summary": {"episodes": 400, "handoffs": 3, "missed_failures": 1,
            "episodes_per_second": 1.25}}),
    ];
    let bars = [
        ("pick", Bar::AtLeast(0.97)),
        ("recall", Bar::AtLeast(0.98)),
        ("held", Bar::AtMost(0.08)),
    ];
    let figures = eval_figures(&printed, &bars).unwrap();
    let pick = value(&figures, "pick");
    assert_eq!((pick.count, pick.is_met()), (Some(200), Some(false)));
    assert_eq!(pick.interval, Some((0.89, 0.96)));
    assert_eq!(value(&figures, "recall").is_met(), Some(true));
    assert_eq!(value(&figures, "precision").is_met(), None);
    let held = value(&figures, "held");
    assert!((held.value - 3.0 / 400.0).abs() < 1e-12 && held.is_met() == Some(true));
    assert_eq!(value(&figures, "episodes_per_second").unit, "1/s");
    // A bar without its figure is an error, not a silence.
    let missing = eval_figures(&printed, &[("push", Bar::AtLeast(0.9))]).unwrap_err();
    assert!(missing.contains("push"), "{missing}");
    assert!(eval_figures(&printed[..1], &[]).is_err());
}

#[test]
fn figures_of_the_expert() {
    let printed = [json!({"recorded": {"tried": 8, "kept": 7,
        "tasks": {"pick": {"tried": 4, "kept": 4}, "push": {"tried": 4, "kept": 3}}}})];
    let figures = expert_figures("tabletop/franka", &printed).unwrap();
    assert_eq!(value(&figures, "tabletop/franka pick").count, Some(4));
    let all = value(&figures, "tabletop/franka, all tasks");
    assert_eq!(all.is_met(), Some(false));
    assert!(expert_figures("tabletop/franka", &[]).is_err());
}

#[test]
fn figures_of_the_boundary() {
    let said = "running 3 tests\n\
        boundary: reset 9 ns (p50 10), state of three joints 21 ns (p50 22)\n\
        boundary: stage call with one small tensor in and out 310 ns (p50 320)\n\
        boundary: loading 812.5µs at best, Some(1.2ms) at worst\n";
    let figures = boundary_figures(said).unwrap();
    let values: Vec<f64> = figures.iter().map(|figure| figure.value).collect();
    assert_eq!(values, [9.0, 21.0, 310.0, 0.8125]);
    assert!(figures.iter().all(|figure| figure.is_met() != Some(false)));
    assert!(boundary_figures("boundary: reset 9 ns").is_err());
}

#[test]
fn times_are_read_with_their_units() {
    for (text, expected) in [
        ("12 ns (p50", Some(12.0)),
        ("1.5ms at", Some(1.5e6)),
        ("980.1µs", Some(980_100.0)),
        ("2s", Some(2e9)),
        ("ns", None),
        ("12 apples", None),
    ] {
        let found = nanoseconds(text);
        let fits = match (found, expected) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-6 * b,
            (None, None) => true,
            _ => false,
        };
        assert!(fits, "{text}: {found:?}");
    }
}
