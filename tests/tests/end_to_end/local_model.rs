//! The shipped language model, in the real binary.

use std::{path::Path, time::Duration};

use serde_json::Value;
use vola_tests::{Finished, workspace};

const LIMIT: Duration = Duration::from_secs(120);
const SCENE: &str = r#"{"objects":[
 {"id":"red_block","kind":"block","color":"red","position":[0.40,0.15,0.02],"on":"table"},
 {"id":"green_block","kind":"block","color":"green","position":[0.45,-0.20,0.02],"on":"table"},
 {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.35,-0.05,0.03],"on":"table"},
 {"id":"drawer","kind":"drawer","open":false}]}"#;

/// A deployment with this model and a scene.
fn workplace(model: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let bundle = workspace().root.join("configs/policies/tabletop");
    let deployment = format!(
        "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundle = '{}'\n\
         [planner]\nbackends = ['local', 'rules']\ndecisions = 'decisions'\n\
         local = {{ model = '{}' }}\n",
        bundle.display(),
        model.display()
    );
    std::fs::write(folder.path().join("d.toml"), deployment).unwrap();
    std::fs::write(folder.path().join("scene.json"), SCENE).unwrap();
    folder
}

fn vola(folder: &Path, arguments: &[&str]) -> Finished {
    let config = folder.join("d.toml").display().to_string();
    let all = [arguments, &["--json", "--config", &config]].concat();
    workspace().run_vola(&all, "", LIMIT)
}

fn plan(folder: &Path, sentence: &str, more: &[&str]) -> Value {
    let scene = folder.join("scene.json").display().to_string();
    let all = [&["plan", sentence, "--scene", &scene], more].concat();
    let run = vola(folder, &all);
    assert_eq!(run.code, Some(0), "{sentence}: {}", run.stderr);
    run.json_lines().remove(0)
}

#[test]
fn the_shipped_model_reads_free_speech_and_urdu_and_its_decisions_replay() {
    let folder = workplace(&workspace().root.join("configs/planner/tabletop"));
    for (sentence, verdict, target) in [
        (
            "could you pop the crimson cube into that blue dish?",
            "execute",
            "blue_bowl",
        ),
        ("لال بلاک کو نیلے پیالے میں رکھ دو", "execute", "blue_bowl"),
        (
            "laal block ko neelay pyalay mein daal do",
            "execute",
            "blue_bowl",
        ),
        ("fetch me a cup of coffee", "infeasible", ""),
        ("good morning", "chat", ""),
    ] {
        let plan = plan(folder.path(), sentence, &["--backend", "local"]);
        assert_eq!(plan["verdict"], verdict, "{sentence}: {plan}");
        assert_eq!(plan["backend"], "local", "{sentence}: {plan}");
        if !target.is_empty() {
            assert_eq!(plan["steps"][1]["target"], target, "{sentence}: {plan}");
        }
        let id = plan["id"].as_str().unwrap();
        let config = folder.path().join("d.toml").display().to_string();
        let replay = ["plan", "--replay", id, "--json", "--config", &config];
        let replay = workspace().run_vola(&replay, "", LIMIT);
        assert_eq!(replay.code, Some(0), "{}", replay.stderr);
        assert_eq!(replay.json_lines()[0]["identical"], true, "{sentence}");
    }
    // A plain command does not need the model.
    let plain = plan(folder.path(), "put the red block in the blue bowl", &[]);
    assert_eq!(plain["backend"], "rules");
    let free = plan(
        folder.path(),
        "the green cube would be happier living inside that bowl",
        &[],
    );
    assert_eq!(free["backend"], "local", "{free}");
}

#[test]
fn without_a_calibration_of_its_weights_every_plan_of_a_model_is_asked_about() {
    let shipped = workspace().root.join("configs/planner/tabletop");
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&shipped).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let folder = workplace(copy.path());
    let sentence = "could you pop the crimson cube into that blue dish?";
    let asked = || {
        let plan = plan(folder.path(), sentence, &["--backend", "local"]);
        assert_eq!(plan["backend"], "local", "{plan}");
        (plan["verdict"].clone(), plan["options"].clone())
    };
    assert_eq!(asked().0, "execute");
    let file = copy.path().join("asking.json");
    let mut calibration: Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    calibration["model"] = Value::from("of other weights");
    std::fs::write(&file, calibration.to_string()).unwrap();
    let (verdict, options) = asked();
    assert_eq!(verdict, "ask");
    assert_eq!(options[0]["steps"][1]["target"], "blue_bowl", "{options}");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(asked().0, "ask");
}

#[test]
fn a_model_that_is_none_is_named_and_the_grammar_answers() {
    let nowhere = tempfile::tempdir().unwrap();
    for model in ["missing.gguf", "empty.gguf"] {
        let path = nowhere.path().join(model);
        if model == "empty.gguf" {
            std::fs::write(&path, b"GGUF and then nothing of use").unwrap();
        }
        let folder = workplace(&path);
        let plan = plan(
            folder.path(),
            "put the red block in the blue bowl",
            &["--backend", "local"],
        );
        assert_eq!(plan["backend"], "rules", "{plan}");
        let reason = plan["fallbacks"][0]["reason"].as_str().unwrap();
        assert!(reason.contains(model), "{reason}");
    }
}
