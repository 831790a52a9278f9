use std::path::Path;

use super::*;
use crate::fixtures::{manifest, manifest_with};
use crate::manifest::ExecutionMode;

fn resolve(execution: &str, manifest: &crate::Manifest) -> ResolvedExecution {
    let text = format!(
        "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundle = 'b'\n[execution]\n{execution}"
    );
    let deployment = Deployment::parse(&text, Path::new("d.toml")).unwrap();
    let action = manifest.embodiments()[0].action();
    deployment.execution().resolve(manifest.hints(), action)
}

#[test]
fn the_file_wins_over_hints_and_hints_over_defaults() {
    let hinted = manifest();
    let plain = manifest_with(&[("[execution]\nmode = \"receding\"\nexecute_rows = 2\n", "")]);
    for (execution, manifest, mode, period_ms) in [
        ("", &hinted, ExecutionMode::Receding, 200),
        ("", &plain, ExecutionMode::Receding, 400),
        ("mode = 'sync'", &hinted, ExecutionMode::Sync, 800),
        ("mode = 'ensemble'", &hinted, ExecutionMode::Ensemble, 100),
        ("execute_rows = 3", &hinted, ExecutionMode::Receding, 300),
        ("execute_rows = 30", &hinted, ExecutionMode::Receding, 800),
        ("period_ms = 50", &hinted, ExecutionMode::Receding, 50),
    ] {
        let resolved = resolve(execution, manifest);
        assert_eq!(
            (resolved.mode, resolved.period_ns),
            (mode, period_ms * 1_000_000),
            "{execution}"
        );
    }
    assert!((resolve("", &hinted).ensemble_decay - 0.01).abs() < 1e-12);
}

#[test]
fn a_robot_needs_no_policy_but_a_policy_needs_a_bundle() {
    let robot = "[robot]\nplugin = 'my_arm/arm'\n";
    let file = Path::new("d.toml");
    assert!(Deployment::parse(robot, file).unwrap().policy().is_none());
    let error = Deployment::parse(&format!("{robot}[policy]\nthreads = 2"), file).unwrap_err();
    assert!(error.to_string().contains("policy.bundle"), "{error}");
}

#[test]
fn an_absent_section_has_the_documented_defaults() {
    let text = "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundle = 'b'";
    let one = Deployment::parse(text, Path::new("configs/d.toml")).unwrap();
    let policy = one.policy().unwrap();
    assert_eq!(policy.bundle(), Path::new("configs/b"));
    assert_eq!((policy.threads(), policy.latency_ms()), (2, 20));
    assert_eq!(one.safety().deadlines().chunk.as_millis(), 500);
    assert_eq!(one.safety().deadlines().camera_stop.as_millis(), 500);
    let control = one.control();
    assert_eq!((control.priority(), control.missed_ticks()), (80, 20));
    assert!(control.lock_memory() && control.core().is_none() && control.spin().is_zero());
    assert_eq!(one.handoff().timeout().as_secs(), 120);
    assert_eq!(one.handoff().safe_stop(), SafeStop::Hold);
    assert_eq!(one.handoff().dead_man().as_millis(), 300);
    let monitoring = one.monitoring();
    assert_eq!((monitoring.runs(), monitoring.decision_ms()), (20, None));
    let adaptation = one.adaptation();
    assert_eq!(
        (adaptation.after_corrections(), adaptation.steps()),
        (None, 800)
    );
    assert_eq!(one.planner().backends(), [Backend::Rules]);
    assert_eq!(one.planner().budget().answer.as_secs(), 20);
    assert!(one.planner().decisions().is_none() && !one.planner().send_image());
    assert_eq!(one.confidence().signals(), None);
    assert!(one.confidence().thresholds().is_empty());
    assert_eq!(one.confidence().per_primitive(), 5);
    assert!(one.safety().workspace().is_none() && one.record().folder().is_none());
}

#[test]
fn a_plugins_own_isolation_goes_before_its_library_s() {
    let text = "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundle = 'b'\n[plugins]\n\
                isolation = { heads = 'process', 'heads/progress' = 'none' }";
    let deployment = Deployment::parse(text, Path::new("a.toml")).unwrap();
    let said = |id: &str| {
        let id = vola_types::PluginId::parse(id).unwrap();
        deployment.plugins().isolation(&id)
    };
    assert_eq!(said("heads/chunk"), Some(Isolation::Process));
    assert_eq!(said("heads/progress"), Some(Isolation::None));
    assert_eq!(said("fusion/film"), None);
}

#[test]
fn control_and_deadlines_are_kept_in_their_ranges() {
    let base = "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundle = 'b'\n";
    let parse = |text: &str| Deployment::parse(&format!("{base}{text}"), Path::new("d.toml"));
    let one =
        parse("[control]\npriority = 0\ncore = 1\nspin_us = 50\nlock_memory = false").unwrap();
    assert_eq!(
        (one.control().priority(), one.control().core()),
        (0, Some(1))
    );
    let one = parse("[safety]\ncamera_deadline_ms = 900").unwrap();
    assert_eq!(one.safety().deadlines().camera_stop.as_millis(), 900);
    for (text, key) in [
        ("[control]\npriority = 100", "control.priority"),
        ("[control]\nmissed_ticks = 0", "control.missed_ticks"),
        ("[control]\nspin_us = 501", "control.spin_us"),
        ("[safety]\ncamera_stop_ms = 100", "safety.camera_stop_ms"),
        (
            "[adaptation]\nafter_corrections = 4",
            "adaptation.after_corrections",
        ),
        ("[adaptation]\nsteps = 0", "adaptation.steps"),
        ("[monitoring]\nruns = 4", "monitoring.runs"),
        (
            "[monitoring]\nleast_success = nan",
            "monitoring.least_success",
        ),
        (
            "[monitoring]\nmost_handoffs = 2",
            "monitoring.most_handoffs",
        ),
        ("[monitoring]\ndecision_ms = 0", "monitoring.decision_ms"),
        ("[monitoring]\nmost_shift = inf", "monitoring.most_shift"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn confidence_names_the_nearest_signal_and_its_ranges() {
    let parse = |confidence: &str| {
        let text = format!(
            "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundle = 'b'\n[confidence]\n{confidence}"
        );
        Deployment::parse(&text, Path::new("configs/d.toml"))
    };
    let good = "signals = ['stall', 'jerk']\nneeded = 2\nwindow = 3\nrelease = 0.5\nbudget = { per_hour = 4 }\nthresholds = { jerk = 3.0 }";
    let one = parse(good).unwrap();
    let signals = [vola_types::Signal::Stall, vola_types::Signal::Jerk];
    assert_eq!(one.confidence().signals(), Some(&signals[..]));
    assert_eq!(
        (one.confidence().needed(), one.confidence().per_hour()),
        (Some(2), 4)
    );
    for (bad, words) in [
        (
            "signals = ['sampel_spread']",
            ["confidence.signals", "sample_spread"],
        ),
        (
            "thresholds = { jrek = 1.0 }",
            ["confidence.thresholds", "jerk"],
        ),
        ("needed = 5\nwindow = 3", ["confidence.needed", "window"]),
        ("release = nan", ["confidence.release", "0 to 1"]),
        ("again_s = 0.0", ["confidence.again_s", "0"]),
        (
            "false_hold_rate = 0.9",
            ["confidence.false_hold_rate", "0.5"],
        ),
        ("budget = { per_day = 1 }", ["confidence.budget", "per_"]),
    ] {
        let error = parse(bad).unwrap_err().to_string();
        assert!(
            words.iter().all(|word| error.contains(word)),
            "{bad}: {error}"
        );
    }
}
