use super::*;
use crate::{Stage, StageContext};

const PREFIX: &str = "actions.";

fn settings() -> serde_json::Value {
    serde_json::json!({"heads":2,"hidden":16,"layers":2,"horizon":3,"action_width":4,"context_width":5})
}

fn env() -> StageEnv {
    StageEnv {
        bundle: std::path::PathBuf::new(),
    }
}

fn tuned_stage<'a>(settings: &'a serde_json::Value, env: &'a StageEnv) -> TunedStage<'a> {
    TunedStage {
        id: "chunk",
        settings,
        env,
        prefix: PREFIX,
    }
}

/// Weights as a bundle would hold them.
fn weights() -> Checkpoint {
    let store = ParamStore::trainable(3);
    build_stage("chunk", &settings(), &env(), &store.under(PREFIX)).unwrap();
    let vars = store.vars().into_iter();
    let tensors = vars.map(|(name, var)| (name, var.as_tensor().copy().unwrap()));
    Checkpoint::of(Path::new("test"), tensors.collect())
}

fn running(weights: &Checkpoint) -> Box<dyn Stage> {
    let store = ParamStore::frozen(weights.clone());
    let stage = build_stage("chunk", &settings(), &env(), &store.under(PREFIX)).unwrap();
    store.finish(PREFIX).unwrap();
    stage
}

fn examples(count: usize) -> NamedTensors {
    let mut random = Draw::new(1, 1);
    let mut numbers = |count: usize| -> Vec<f32> {
        (0..count)
            .map(|_| (random.unit() * 2.0 - 1.0) as f32)
            .collect()
    };
    let context = Tensor::from_vec(numbers(count * 5), (count, 5), &Device::Cpu).unwrap();
    let weight = Tensor::ones(count, candle_core::DType::F32, &Device::Cpu).unwrap();
    // A chunk that follows from the context: its first four values, three times over.
    let row = context.narrow(1, 0, 4).unwrap().unsqueeze(1).unwrap();
    let action = row.repeat((1, 3, 1)).unwrap();
    vec![
        ("context".to_string(), context),
        ("action".to_string(), action),
        (EXAMPLE_WEIGHT.to_string(), weight),
    ]
}

fn output(stage: &dyn Stage, examples: &NamedTensors) -> Vec<f32> {
    let made = stage
        .forward(&StageContext::run(0, 0), &examples[..1])
        .unwrap();
    made[0].1.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn the_loss_falls_and_slices_end_where_one_call_ends() {
    let (settings_json, env) = (settings(), env());
    let (from, weights, examples) = (tuned_stage(&settings_json, &env), weights(), examples(200));
    let settings = TuneSettings {
        steps: 120,
        total: 120,
        learning_rate: 1e-2,
        ..TuneSettings::default()
    };
    let mut whole = Tuner::new(&from, &weights).unwrap();
    let report = whole.run(&examples, &settings, 7).unwrap();
    assert!(
        report.loss_after < 0.5 * report.loss_before && report.steps == 120,
        "{report:?}"
    );
    let mut sliced = Tuner::new(&from, &weights).unwrap();
    let slice = TuneSettings {
        steps: 40,
        ..settings
    };
    for _ in 0..3 {
        assert!(
            (sliced.run(&examples, &slice, 7).unwrap().loss_before - report.loss_before).abs()
                < 1e-12
        );
    }
    let (a, b) = (whole.weights().unwrap(), sliced.weights().unwrap());
    assert_eq!(a.to_bytes().unwrap(), b.to_bytes().unwrap());
    // What was tuned is what runs after it crossed as bytes.
    let back = Checkpoint::parse(Path::new("bytes"), &a.to_bytes().unwrap(), PREFIX).unwrap();
    assert_eq!(
        output(running(&a).as_ref(), &examples),
        output(running(&back).as_ref(), &examples)
    );
    assert_ne!(
        output(running(&weights).as_ref(), &examples),
        output(running(&back).as_ref(), &examples)
    );
}

#[test]
fn examples_that_are_no_numbers_or_do_not_fit_are_refused() {
    let (settings_json, env) = (settings(), env());
    let from = tuned_stage(&settings_json, &env);
    let good = examples(8);
    let check = |change: &dyn Fn(&mut NamedTensors), word: &str| {
        let mut tuner = Tuner::new(&from, &weights()).unwrap();
        let mut wrong = good.clone();
        change(&mut wrong);
        let error = tuner.run(&wrong, &TuneSettings::default(), 0).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(tuner.steps(), 0);
    };
    let nan = |tensor: &Tensor| (tensor * f64::NAN).unwrap();
    check(&|all| all[0].1 = nan(&all[0].1), "examples.context");
    check(&|all| all[1].1 = nan(&all[1].1), "examples.action");
    check(
        &|all| all[2].1 = (&all[2].1 * 0.0).unwrap(),
        "some weight above 0",
    );
    check(
        &|all| all[1].1 = all[1].1.narrow(0, 0, 4).unwrap(),
        "[8, …]",
    );
    check(&|all| drop(all.remove(1)), "action");
    check(&|all| drop(all.remove(2)), "weight");
    let wrong = TuneSettings {
        learning_rate: f64::NAN,
        ..TuneSettings::default()
    };
    assert!(wrong.check().is_err());
}

#[test]
fn a_stage_without_a_loss_cannot_be_tuned() {
    let (settings, env) = (serde_json::json!({}), env());
    let from = TunedStage {
        id: "concat",
        settings: &settings,
        env: &env,
        prefix: "",
    };
    let none = Checkpoint::of(Path::new("none"), BTreeMap::new());
    assert!(Tuner::new(&from, &none).is_err());
}
