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
fn an_absent_section_has_the_documented_defaults() {
    let text = "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundle = 'b'";
    let one = Deployment::parse(text, Path::new("configs/d.toml")).unwrap();
    assert_eq!(one.policy().bundle(), Path::new("configs/b"));
    assert_eq!((one.policy().threads(), one.policy().latency_ms()), (2, 20));
    assert_eq!(one.safety().deadlines().chunk.as_millis(), 500);
    assert_eq!(one.handoff().timeout().as_secs(), 120);
    assert_eq!(one.handoff().then(), Unanswered::Abort);
    assert_eq!(one.planner().backends(), [Backend::Rules]);
    assert_eq!(one.planner().budget().answer.as_secs(), 20);
    assert!(one.planner().decisions().is_none() && !one.planner().send_image());
    assert_eq!(
        one.confidence().signals(),
        [Signal::SampleSpread, Signal::ChunkConsistency]
    );
    assert_eq!(one.confidence().threshold(Signal::SampleSpread), None);
    assert!(one.safety().workspace().is_none() && one.record().folder().is_none());
}
