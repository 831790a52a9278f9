//! `vola plan` with a model, against a server on this machine that stands for
//! the real one.

#[allow(
    clippy::expect_used,
    dead_code,
    unreachable_pub,
    reason = "shared with the planner's own tests"
)]
#[path = "../../../planner/tests/support/loopback.rs"]
pub(super) mod loopback;

use std::{path::Path, process::Command, time::Duration};

use loopback::{Answer, Loopback, message_stream};
use serde_json::Value;
use vola_tests::{Finished, run_limited, workspace};

const KEY: &str = "sk-test-5ecre7-5ecre7-5ecre7";
const LIMIT: Duration = Duration::from_secs(120);
const SCENE: &str = r#"{"objects":[
 {"id":"red_block","kind":"block","color":"red","position":[0.40,0.15,0.02],"on":"table"},
 {"id":"blue_bowl","kind":"bowl","color":"blue","position":[0.35,-0.05,0.03],"on":"table"}]}"#;
const PLAN: &str = r#"{"verdict":"execute","say":"Into the bowl it goes.","question":null,"options":[],"goal":"put the red block away","subtasks":[{"goal":"put it away","steps":[{"op":"pick","object":"red_block"},{"op":"place","object":"red_block","target":"blue_bowl","relation":"in"}]}],"confidence":0.9}"#;

/// A deployment that records decisions, and a scene.
fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let bundle = workspace().root.join("configs/policies/tabletop");
    let deployment = format!(
        "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundle = '{}'\n\
         [planner]\nbackends = ['claude', 'openai', 'rules']\nfast_path = false\ndecisions = 'decisions'\n",
        bundle.display()
    );
    std::fs::write(folder.path().join("d.toml"), deployment).unwrap();
    std::fs::write(folder.path().join("scene.json"), SCENE).unwrap();
    folder
}

/// Runs `vola` in the folder with these variables and no others of the kind.
fn vola(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Finished {
    let mut command = Command::new(workspace().vola());
    for name in [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_API_KEY_FILE",
        "ANTHROPIC_BASE_URL",
        "OPENAI_API_KEY",
        "OPENAI_API_KEY_FILE",
        "OPENAI_BASE_URL",
    ] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied()).current_dir(folder);
    command.args(["--config", "d.toml", "--log", "trace"]);
    let run = run_limited(command.args(arguments), "", LIMIT);
    for output in [&run.stdout, &run.stderr] {
        assert!(!output.contains(KEY), "the key is shown: {output}");
    }
    run
}

const ASK: [&str; 6] = [
    "plan",
    "tidy the red one away, would you",
    "--scene",
    "scene.json",
    "--backend",
    "claude",
];

#[test]
fn a_model_plans_and_its_decision_replays() {
    let server = Loopback::start(|request, _| match request.method.as_str() {
        "GET" => Answer::json(200, "{}"),
        _ => Answer::stream(message_stream(PLAN, "end_turn")),
    });
    let folder = workplace();
    let url = server.url();
    let variables = [
        ("ANTHROPIC_API_KEY", KEY),
        ("ANTHROPIC_BASE_URL", url.as_str()),
    ];
    let run = vola(
        folder.path(),
        &variables,
        &[ASK.as_slice(), &["--json"]].concat(),
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let plan = run.json_lines().remove(0);
    assert_eq!(plan["backend"], "claude", "{plan}");
    assert_eq!(plan["steps"][1]["target"], "blue_bowl");
    assert_eq!(plan["tokens"]["in"], 900);
    assert_eq!(server.posts()[0].header("x-api-key"), Some(KEY));
    drop(server);

    let id = plan["id"].as_str().unwrap();
    let file = folder.path().join(format!("decisions/{id}.json"));
    let mut record = std::fs::read_to_string(&file).unwrap();
    assert!(!record.contains(KEY));
    let replay = vola(folder.path(), &[], &["plan", "--replay", id, "--json"]);
    assert_eq!(replay.code, Some(0), "{}", replay.stderr);
    assert_eq!(replay.json_lines()[0]["identical"], true);
    record = record.replace("blue_bowl\\\"", "moon\\\"");
    std::fs::write(&file, record).unwrap();
    let replay = vola(folder.path(), &[], &["plan", "--replay", id, "--json"]);
    assert_eq!(replay.code, Some(1), "{}", replay.stdout);
    assert_eq!(replay.json_lines()[0]["identical"], false);
}

#[test]
fn a_failing_model_is_named_and_the_grammar_answers() {
    let server = Loopback::start(|_, _| {
        let body = format!(r#"{{"error":{{"type":"authentication_error","message":"no {KEY}"}}}}"#);
        Answer::json(401, body)
    });
    let folder = workplace();
    let url = server.url();
    let variables = [
        ("ANTHROPIC_API_KEY", KEY),
        ("ANTHROPIC_BASE_URL", url.as_str()),
    ];
    let ask = [
        "plan",
        "put the red block in the blue bowl",
        "--scene",
        "scene.json",
    ];
    let run = vola(
        folder.path(),
        &variables,
        &[ask.as_slice(), &["--json"]].concat(),
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let plan: Value = run.json_lines().remove(0);
    assert_eq!(
        (&plan["backend"], &plan["verdict"]),
        (&"rules".into(), &"execute".into())
    );
    let reasons: Vec<&str> = plan["fallbacks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["reason"].as_str().unwrap())
        .collect();
    assert!(
        reasons[0].contains("authentication_error: no [key]"),
        "{reasons:?}"
    );
    assert!(
        reasons[1].contains("OPENAI_BASE_URL is not set"),
        "{reasons:?}"
    );
    // A person is told the same.
    let run = vola(folder.path(), &variables, &ask);
    assert!(run.stdout.contains("claude gave no plan"), "{}", run.stdout);
    assert!(run.stdout.contains("answered by rules"), "{}", run.stdout);
}
