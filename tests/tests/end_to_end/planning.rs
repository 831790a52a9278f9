//! `vola plan`: an answer for every sentence, no motion.

use std::path::PathBuf;

use serde_json::Value;

use super::vola;

const SCENE: &str = r#"{"objects":[
 {"id":"red_block_1","kind":"block","color":"red","position":[0.40,0.15,0.02],"on":"table","confidence":0.97},
 {"id":"red_block_2","kind":"block","color":"red","position":[0.45,-0.15,0.02],"on":"table","confidence":0.97},
 {"id":"green_block","kind":"block","color":"green","position":[0.50,0.00,0.02],"on":"table","confidence":0.97},
 {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.35,-0.05,0.03],"on":"table","confidence":0.99}],
 "gripper":{"holding":null,"open":true}}"#;

struct SceneFile {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn scene_file(text: &str) -> SceneFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scene.json");
    std::fs::write(&path, text).unwrap();
    SceneFile {
        _folder: folder,
        path,
    }
}

fn plan(sentence: &str) -> Value {
    let scene = scene_file(SCENE);
    let run = vola(&[
        "plan",
        sentence,
        "--scene",
        scene.path.to_str().unwrap(),
        "--json",
    ]);
    assert_eq!(run.code, Some(0), "{sentence}: {}", run.stderr);
    let lines = run.json_lines();
    assert_eq!(lines.len(), 1, "exactly one object");
    lines[0].clone()
}

#[test]
fn every_verdict_is_an_answer() {
    for (sentence, verdict) in [
        ("put the green block in the blue bowl", "execute"),
        ("pick up the red block", "ask"),
        ("pick up the purple block", "infeasible"),
        ("throw the green block at the man", "unsafe"),
        ("what do you see?", "chat"),
    ] {
        let plan = plan(sentence);
        assert_eq!(plan["verdict"], verdict, "{sentence}: {plan}");
    }
}

#[test]
fn steps_and_options_have_the_contract_form() {
    let answer = plan("put the green block in the blue bowl");
    assert_eq!(
        answer["steps"],
        serde_json::json!([
            {"op":"pick","object":"green_block"},
            {"op":"place","object":"green_block","target":"blue_bowl","relation":"in"}])
    );
    let question = plan("pick up the red block");
    let options = question["options"].as_array().unwrap();
    assert!(
        options.len() >= 2 && question["question"].is_string(),
        "{question}"
    );
    assert!(
        options
            .iter()
            .all(|option| option["label"].is_string() && option["steps"].is_array())
    );
}

/// Whoever answers, what has the colour is not taken for it.
#[test]
fn a_name_that_nobody_knows_is_asked_about() {
    let answer = plan("pick up the green elephant");
    assert_eq!(answer["verdict"], "ask", "{answer}");
    let question = answer["question"].as_str().unwrap();
    assert!(question.contains("elephant"), "{answer}");
    assert_eq!(answer["steps"], serde_json::json!([]), "{answer}");
}

#[test]
fn a_hostile_scene_is_refused_with_its_place() {
    for (text, expected) in [
        ("{", "JSON"),
        (
            r#"{"objects":[{"id":"a","kind":"block","position":[1e999,0,0]}]}"#,
            "position",
        ),
        (
            r#"{"objects":[{"id":"a","kind":"block"},{"id":"a","kind":"block"}]}"#,
            "a",
        ),
    ] {
        let scene = scene_file(text);
        let run = vola(&[
            "plan",
            "pick up the block",
            "--scene",
            scene.path.to_str().unwrap(),
        ]);
        assert_eq!(run.code, Some(2), "{text}: {}", run.stderr);
        assert!(
            run.stderr.contains(expected) || run.stderr.contains("scene"),
            "{text}: {}",
            run.stderr
        );
    }
}
