//! Chains of stages: wiring, equality with single stages, memory, every kind of stage.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::float_cmp,
    reason = "helpers of tests may fail loudly and compare exactly"
)]

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use vola_nn::{
    Chain, NamedTensors, ParamStore, Params, StageContext, StageEnv, StageSpec, WordTokenizer,
    build_stage, stage_infos,
};

fn spec(name: &str, plugin: &str, inputs: &[&str], outputs: &[&str], settings: Value) -> StageSpec {
    let own = |names: &[&str]| names.iter().map(|n| (*n).to_string()).collect();
    StageSpec {
        name: name.into(),
        plugin: plugin.into(),
        inputs: own(inputs),
        outputs: own(outputs),
        settings,
        prefix: format!("{name}."),
    }
}

const PROPRIO: [&str; 6] = [
    "observation.state",
    "goal.object",
    "goal.object_mask",
    "goal.target",
    "goal.target_mask",
    "embodiment.index",
];
const FUSED: [&str; 3] = ["language.features", "vision.tokens", "proprio.features"];

/// A small policy on images of 16 x 24 px with the given vision and fusion.
fn specs(
    vision: (&str, Value),
    fusion: (&str, Value),
    fused: &[&str],
    context: usize,
) -> Vec<StageSpec> {
    vec![
        // Out of order on purpose: the chain sorts.
        spec(
            "actions",
            "heads/chunk",
            &["context"],
            &["action"],
            json!({"hidden": 16, "heads": 3, "context_width": context}),
        ),
        spec("fusion", fusion.0, &FUSED, fused, fusion.1),
        spec(
            "vision",
            vision.0,
            &["observation.images.front", "language.features"],
            &["vision.tokens"],
            vision.1,
        ),
        spec(
            "language",
            "encoders/words",
            &["task"],
            &["language.features"],
            json!({}),
        ),
        spec(
            "proprio",
            "encoders/proprio",
            &PROPRIO,
            &["proprio.features"],
            json!({}),
        ),
        spec(
            "progress",
            "heads/progress",
            &["context"],
            &["progress"],
            json!({"context_width": context}),
        ),
        spec(
            "map",
            "encoders/conv",
            &["observation.images.front"],
            &["scene.map"],
            json!({"image": [16, 24], "film": false, "channels": [4, 6, 8]}),
        ),
        spec(
            "scene",
            "heads/scene",
            &["scene.map"],
            &["scene.objects"],
            json!({"grid": [4, 6], "map_width": 8, "threshold": 0.0}),
        ),
    ]
}

fn conv() -> (&'static str, Value) {
    (
        "encoders/conv",
        json!({"image": [16, 24], "channels": [4, 6, 8]}),
    )
}

fn attention() -> (&'static str, Value) {
    (
        "fusion/cross_attention",
        json!({"grid": [4, 6], "vision_width": 8}),
    )
}

const ATTENDED: [&str; 3] = ["context", "attention", "target"];

fn plain(id: &str) -> (&str, Value) {
    (
        id,
        json!({"grid": [4, 6], "vision_width": 8, "context_width": 40}),
    )
}

fn default_specs() -> Vec<StageSpec> {
    specs(conv(), attention(), &ATTENDED, 376)
}

fn inputs(batch: usize, seed: usize) -> BTreeMap<String, Tensor> {
    let device = &Device::Cpu;
    let wave = |dims: &[usize], low: f32, high: f32| {
        let count: usize = dims.iter().product();
        let values: Vec<f32> = (0..count)
            .map(|i| {
                low + (high - low)
                    * (((i + seed * 977) as f32 * 12.9898).sin() * 43_758.547)
                        .fract()
                        .abs()
            })
            .collect();
        Tensor::from_vec(values, dims, device).unwrap()
    };
    let mut map = BTreeMap::from([
        (
            "observation.images.front".to_string(),
            wave(&[batch, 3, 16, 24], 0.0, 1.0),
        ),
        (
            "observation.state".to_string(),
            wave(&[batch, 9], -1.0, 1.0),
        ),
        (
            "task".to_string(),
            Tensor::from_vec(b"pick the red block\0\0".repeat(batch), (batch, 20), device).unwrap(),
        ),
        (
            "embodiment.index".to_string(),
            Tensor::from_vec(vec![1_i64; batch], batch, device).unwrap(),
        ),
        ("anchor".to_string(), wave(&[batch, 4], -1.0, 1.0)),
    ]);
    for goal in ["object", "target"] {
        map.insert(format!("goal.{goal}"), wave(&[batch, 3], -1.0, 1.0));
        map.insert(
            format!("goal.{goal}_mask"),
            Tensor::ones((batch, 1), DType::F32, device).unwrap(),
        );
    }
    map
}

fn env(folder: &Path) -> StageEnv {
    std::fs::write(
        folder.join("tokenizer.json"),
        WordTokenizer::from_words(["pick the red block"]).to_json(),
    )
    .unwrap();
    StageEnv {
        bundle: folder.to_path_buf(),
    }
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

const WANTED: [&str; 3] = ["action", "progress", "scene.objects"];

#[test]
fn a_saved_chain_equals_its_stages_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path());
    let store = ParamStore::trainable(3);
    let chain = Chain::build(&default_specs(), &env, &store).unwrap();
    let weights = folder.path().join("model.safetensors");
    let tensors = store
        .vars()
        .into_iter()
        .map(|(n, v)| (n, v.as_detached_tensor()))
        .collect();
    vola_nn::save_tensors(&weights, &tensors, BTreeMap::new()).unwrap();
    let loaded = Chain::open(&default_specs(), &env, &weights).unwrap();
    let ctx = StageContext::run(0, 0);
    let given = inputs(2, 1);
    let trained = chain.forward(&ctx, &given, &WANTED).unwrap();
    let run = loaded.forward(&ctx, &given, &WANTED).unwrap();
    let mut board = given.clone();
    for spec in loaded.specs() {
        // As a plugin does: only the tensors under its prefix, without the others.
        let own = vola_nn::Checkpoint::open_under(&weights, &spec.prefix).unwrap();
        let store = ParamStore::frozen(own);
        let stage = build_stage(
            &spec.plugin,
            &spec.settings,
            &env,
            &store.under(&spec.prefix),
        )
        .unwrap();
        let roles: NamedTensors = stage
            .input_roles()
            .iter()
            .zip(&spec.inputs)
            .map(|(r, n)| ((*r).to_string(), board[n].clone()))
            .collect();
        let made = stage.forward(&ctx, &roles).unwrap();
        assert_eq!(
            made.iter().map(|(r, _)| r.as_str()).collect::<Vec<_>>(),
            stage.output_roles()
        );
        board.extend(
            spec.outputs
                .iter()
                .cloned()
                .zip(made.into_iter().map(|(_, t)| t)),
        );
    }
    for (name, tensor) in &run {
        assert_eq!(numbers(tensor), numbers(&board[name]), "{name}");
        assert_eq!(numbers(tensor), numbers(&trained[name]), "{name}");
    }
    assert_eq!(run["action"].dims(), [2, 3, 8, 7]);
    assert_eq!(run["scene.objects"].dims(), [2, 12, 8]);
}

#[test]
fn every_stage_trains_and_gives_gradients_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path());
    let patch = (
        "encoders/patch",
        json!({"image": [16, 24], "patch": 4, "width": 8, "heads": 2}),
    );
    for specs in [
        default_specs(),
        specs(patch.clone(), attention(), &ATTENDED, 376),
        specs(conv(), plain("fusion/concat"), &["context"], 40),
        specs(patch, plain("fusion/film"), &["context", "attention"], 40),
    ] {
        let store = ParamStore::trainable(1);
        let chain = Chain::build(&specs, &env, &store).unwrap();
        let mut seen: BTreeMap<String, bool> =
            store.vars().keys().map(|n| (n.clone(), false)).collect();
        // Two inputs, so that a ReLU that is closed for one is open for the other.
        for seed in 0..4 {
            let out = chain
                .forward(&StageContext::train(), &inputs(3, seed), &WANTED)
                .unwrap();
            let read = [
                "actions.steps",
                "actions.gripper_logits",
                "progress.logits",
                "scene.raw",
            ];
            let loss = read
                .iter()
                .map(|name| out[*name].sqr().unwrap().sum_all().unwrap())
                .reduce(|a, b| (a + b).unwrap())
                .unwrap();
            let grads = loss.backward().unwrap();
            for (name, var) in store.vars() {
                let alive = grads
                    .get(&var)
                    .is_some_and(|g| numbers(g).iter().any(|x| *x != 0.0));
                *seen.get_mut(&name).unwrap() |= alive;
            }
        }
        let dead: Vec<&String> = seen
            .iter()
            .filter(|(_, alive)| !**alive)
            .map(|(n, _)| n)
            .collect();
        assert!(dead.is_empty(), "{dead:?}");
    }
}

#[test]
fn the_first_target_of_an_episode_is_latched() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::build(
        &default_specs(),
        &env(folder.path()),
        &ParamStore::trainable(3),
    )
    .unwrap();
    let context = |chain: &Chain, step, seed| {
        let out = chain
            .forward(&StageContext::run(0, step), &inputs(1, seed), &["context"])
            .unwrap();
        (numbers(&out["context"]), numbers(&out["target"]))
    };
    // The last columns are target - tool, target - anchor, anchor - tool, target - goal, valid.
    let from_anchor = |context: &[f32]| context[context.len() - 10..context.len() - 7].to_vec();
    let (first, latched) = context(&chain, 0, 1);
    assert_eq!(from_anchor(&first), [0.0; 3]);
    let (second, moved) = context(&chain, 1, 2);
    for ((gap, now), then) in from_anchor(&second).iter().zip(&moved).zip(&latched) {
        assert!((gap - (now - then) * 3.0).abs() < 1e-5 && gap.abs() > 1e-6);
    }
    chain.reset(0);
    let (fresh, _) = context(&chain, 1, 2); // a reset alone forgets, whatever the step says
    assert_eq!(from_anchor(&fresh), [0.0; 3]);
}

#[test]
fn goal_points_count_only_with_their_mask() {
    let folder = tempfile::tempdir().unwrap();
    let mut chain = Chain::build(
        &default_specs(),
        &env(folder.path()),
        &ParamStore::trainable(3),
    )
    .unwrap();
    let mut action = |goal: f32, mask: f32| {
        let mut given = inputs(1, 1);
        given.insert(
            "goal.object".into(),
            Tensor::full(goal, (1, 3), &Device::Cpu).unwrap(),
        );
        given.insert(
            "goal.object_mask".into(),
            Tensor::full(mask, (1, 1), &Device::Cpu).unwrap(),
        );
        chain.reset(0);
        numbers(
            &chain
                .forward(&StageContext::run(0, 0), &given, &["action"])
                .unwrap()["action"],
        )
    };
    assert_eq!(action(0.1, 0.0), action(0.9, 0.0));
    assert_ne!(action(0.1, 1.0), action(0.9, 1.0));
}

#[test]
fn wrong_wirings_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path());
    let check = |change: &dyn Fn(&mut Vec<StageSpec>), words: &str| {
        let mut specs = default_specs();
        change(&mut specs);
        let message = match Chain::build(&specs, &env, &ParamStore::trainable(0)) {
            Ok(chain) => chain
                .forward(&StageContext::run(0, 0), &inputs(1, 0), &WANTED)
                .map(drop)
                .unwrap_err()
                .to_string(),
            Err(error) => error.to_string(),
        };
        assert!(message.contains(words), "{message}");
    };
    check(
        &|s| s[2].plugin = "encoders/convv".into(),
        "unknown stage `encoders/convv`",
    );
    check(
        &|s| s[2].plugin = "heads/conv".into(),
        "unknown stage `heads/conv`",
    );
    check(
        &|s| s[2].settings = json!({"colour": 1}),
        "unknown field `colour`",
    );
    check(&|s| s[2].settings = json!({"image": [15, 24]}), "image");
    check(&|s| drop(s[1].inputs.pop()), "expected 3 tensor names");
    check(&|s| s[1].inputs[0] = "action".into(), "wait for each other");
    check(
        &|s| s[5].outputs[0] = "action".into(),
        "also made by stage `actions`",
    );
    check(
        &|s| s[4].inputs[0] = "observation.joints".into(),
        "its input `observation.joints` was not given",
    );
    check(
        &|s| s[4].inputs[0] = "anchor".into(),
        "proprio.state: expected shape [any, 9], got [1, 4]",
    );
    check(
        &|s| s[3].settings = json!({"tokenizer": "none.json"}),
        "none.json",
    );
    check(
        &|s| s[4].prefix = "language.".into(),
        "two parameters have this name",
    );
}

#[test]
fn every_schema_is_json_and_names_every_setting() {
    let folder = tempfile::tempdir().unwrap();
    let env = env(folder.path());
    for info in stage_infos() {
        let schema: Value = serde_json::from_str(info.schema).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        // The defaults of the schema are the defaults of the type: building with them works.
        let defaults: serde_json::Map<String, Value> = properties
            .iter()
            .map(|(k, v)| (k.clone(), v["default"].clone()))
            .collect();
        let store = ParamStore::trainable(0);
        let build = |settings: &Value, params: &Params<'_>| {
            build_stage(
                &format!("{}/{}", info.library, info.name),
                settings,
                &env,
                params,
            )
        };
        let stage = build(&Value::Object(defaults), &store.under("a.")).unwrap();
        assert_eq!(stage.kind(), info.kind);
        build(&Value::Null, &store.under("b.")).unwrap();
        let shapes = |prefix: &str| -> Vec<Vec<usize>> {
            store
                .vars()
                .iter()
                .filter(|(n, _)| n.starts_with(prefix))
                .map(|(_, v)| v.dims().to_vec())
                .collect()
        };
        assert_eq!(shapes("a."), shapes("b."), "{}", info.name);
    }
}
