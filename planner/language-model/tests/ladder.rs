//! A model of a large family as a rung of the ladder.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use vola_language_model::{LocalBackend, LocalSettings};
use vola_planner::{Backend, Ladder, PlanRequest, RulesBackend};
use vola_types::{Plan, Scene, Step, Verdict};

const SCENE: &str = r#"{"objects":[
 {"id":"red_block","kind":"block","color":"red","position":[0.40,0.20,0.02],"on":"table"},
 {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.40,-0.20,0.02],"on":"table"}],
 "regions":["left side","middle","right side"],"gripper":{"holding":null,"open":true}}"#;

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/reference")
        .join(name)
}

/// The model first, the grammar of plain commands after it.
fn ladder(model: &Path) -> Ladder {
    let local: Arc<dyn Backend> = Arc::new(LocalBackend::new(LocalSettings {
        model: model.to_owned(),
        max_tokens: None,
        lines: 2,
    }));
    Ladder::new(vec![local, Arc::new(RulesBackend::new())])
}

fn plan(ladder: &Ladder, sentence: &str) -> Plan {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let request = PlanRequest::new(sentence, Scene::from_json(SCENE).unwrap());
    runtime.unwrap().block_on(ladder.plan(&request))
}

/// The second rung answers, and the plan says why the first did not.
fn check_passed_over(model: &Path, words: &str) {
    let ladder = ladder(model);
    // Asked again it says the same: it was not opened a second time.
    for _ in 0..2 {
        let plan = plan(&ladder, "pick up the red block");
        assert_eq!((plan.verdict, &*plan.backend), (Verdict::Execute, "rules"));
        let told = format!("{:?}", plan.fallbacks);
        assert!(told.contains("local") && told.contains(words), "{told}");
    }
}

#[test]
fn a_model_that_cannot_be_used_is_passed_over_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    check_passed_over(&folder.path().join("none.gguf"), "none.gguf");
    let bytes = std::fs::read(reference("qwen2.gguf")).unwrap();
    let cut = folder.path().join("cut.gguf");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    check_passed_over(&cut, "cut.gguf");
    check_passed_over(folder.path(), "config.json");
    // Its context does not hold the instructions.
    check_passed_over(&reference("llama.gguf"), "the model's context");
}

/// A copy of a model's folder that reads long prompts.
fn with_long_context(family: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(reference(family)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let file = folder.path().join("config.json");
    let config = std::fs::read_to_string(&file).unwrap();
    let old = "\"max_position_embeddings\": 512";
    assert!(config.contains(old));
    std::fs::write(
        &file,
        config.replace(old, "\"max_position_embeddings\": 8192"),
    )
    .unwrap();
    folder
}

/// A template that fails is told at each request; the model is not opened again
/// for it: its weights are gone by then.
#[test]
fn a_template_that_fails_does_not_open_the_model_again() {
    let model = with_long_context("qwen3");
    std::fs::write(
        model.path().join("chat_template.jinja"),
        "{{ raise_exception('not today') }}",
    )
    .unwrap();
    let ladder = ladder(model.path());
    for round in 0..2 {
        let plan = plan(&ladder, "pick up the red block");
        let told = format!("{:?}", plan.fallbacks);
        assert!(told.contains("not today"), "{round}: {told}");
        let _ = std::fs::remove_file(model.path().join("model.safetensors"));
    }
}

/// Under the grammar even random weights name nothing that is not there.
#[test]
fn random_weights_invent_no_object_and_no_op() {
    let model = with_long_context("qwen3");
    let ladder = ladder(model.path());
    let known = BTreeSet::from(["red_block", "blue_bowl"]);
    let mut answered = 0;
    for sentence in [
        "give me the thing",
        "tidy this up a bit",
        "the other one, quick",
    ] {
        let plan = plan(&ladder, sentence);
        answered += usize::from(plan.backend == "local");
        let mut objects = plan.steps.iter().filter_map(Step::object);
        assert!(objects.all(|id| known.contains(id)), "{:?}", plan.steps);
    }
    assert!(answered > 0);
}

#[test]
fn time_that_is_over_ends_the_reading_and_the_ladder_goes_on() {
    let model = with_long_context("gemma3");
    let ladder = ladder(model.path()).with_deadline(Duration::from_millis(1));
    let plan = plan(&ladder, "pick up the red block");
    assert_eq!(plan.backend, "rules");
    assert_eq!(plan.fallbacks.first().map(|it| &*it.backend), Some("local"));
}
