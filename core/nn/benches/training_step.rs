//! Time of one training step and of one forward pass of the tabletop chain, on synthetic numbers.
//!
//! Run with the allocator and thread settings of the product:
//! `MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_ARENA_MAX=1 RAYON_NUM_THREADS=1 cargo bench -p vola-nn`

use std::collections::BTreeMap;
use std::time::Instant;

use candle_core::{DType, Device, Tensor, Var};
use serde_json::{Value, json};
use vola_nn::kernels::{self, Activation, Conv2d, InputLayout};
use vola_nn::{Chain, ParamStore, Result, StageContext, StageEnv, StageSpec, WordTokenizer};

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

fn tabletop() -> Vec<StageSpec> {
    let image = "observation.images.front";
    let goals = [
        "observation.state",
        "goal.object",
        "goal.object_mask",
        "goal.target",
        "goal.target_mask",
        "embodiment.index",
    ];
    vec![
        spec(
            "language",
            "encoders/words",
            &["task"],
            &["language.features"],
            json!({}),
        ),
        spec(
            "vision",
            "encoders/conv",
            &[image, "language.features"],
            &["vision.tokens"],
            json!({}),
        ),
        spec(
            "proprio",
            "encoders/proprio",
            &goals,
            &["proprio.features"],
            json!({}),
        ),
        spec(
            "fusion",
            "fusion/cross_attention",
            &["language.features", "vision.tokens", "proprio.features"],
            &["context", "attention", "target"],
            json!({}),
        ),
        spec(
            "actions",
            "heads/chunk",
            &["context"],
            &["action"],
            json!({}),
        ),
        spec(
            "progress",
            "heads/progress",
            &["context"],
            &["progress"],
            json!({}),
        ),
        spec(
            "scene_vision",
            "encoders/conv",
            &[image],
            &["scene.map"],
            json!({"film": false, "channels": [16, 40, 64]}),
        ),
        spec(
            "scene",
            "heads/scene",
            &["scene.map"],
            &["scene.objects"],
            json!({}),
        ),
    ]
}

fn inputs(batch: usize) -> Result<BTreeMap<String, Tensor>> {
    let device = Device::Cpu;
    let normal = |dims: &[usize]| Tensor::randn(0.0_f32, 0.5, dims, &device);
    let task = b"put the red block in the blue bowl on the left".repeat(batch);
    let mut map = BTreeMap::new();
    map.insert(
        "observation.images.front".into(),
        Tensor::rand(0.0_f32, 1.0, (batch, 3, 96, 128), &device)?,
    );
    map.insert("observation.state".into(), normal(&[batch, 9])?);
    map.insert("task".into(), Tensor::from_vec(task, (batch, 46), &device)?);
    for goal in ["object", "target"] {
        map.insert(format!("goal.{goal}"), normal(&[batch, 3])?);
        map.insert(
            format!("goal.{goal}_mask"),
            Tensor::ones((batch, 1), DType::F32, &device)?,
        );
    }
    map.insert(
        "embodiment.index".into(),
        Tensor::zeros(batch, DType::I64, &device)?,
    );
    map.insert("anchor".into(), normal(&[batch, 4])?);
    Ok(map)
}

/// Runs forward and backward once and returns the number of gradients.
fn step(
    chain: &Chain,
    store: &ParamStore,
    given: &BTreeMap<String, Tensor>,
    wanted: &[&str],
) -> Result<usize> {
    let out = chain.forward(&StageContext::train(), given, wanted)?;
    let read = [
        "actions.steps",
        "actions.gripper_logits",
        "progress.logits",
        "target",
        "fusion.logits",
        "scene.raw",
    ];
    let mut loss = Tensor::zeros((), DType::F32, &Device::Cpu)?;
    for tensor in read.iter().filter_map(|name| out.get(*name)) {
        loss = (loss + tensor.sqr()?.mean_all()?)?;
    }
    let grads = loss.backward()?;
    Ok(store
        .vars()
        .values()
        .filter(|v| grads.get(v).is_some())
        .count())
}

/// Median and fastest of `runs` calls, in milliseconds.
fn time(runs: usize, mut f: impl FnMut() -> Result<()>) -> Result<(f64, f64)> {
    for _ in 0..3 {
        f()?;
    }
    let mut millis = Vec::with_capacity(runs);
    for _ in 0..runs {
        let start = Instant::now();
        f()?;
        millis.push(start.elapsed().as_secs_f64() * 1e3);
    }
    millis.sort_by(f64::total_cmp);
    Ok((millis[runs / 2], millis[0]))
}

fn report(name: &str, (median, fastest): (f64, f64)) {
    println!("{name:44} p50 {median:8.2} ms   fastest {fastest:8.2} ms");
}

fn compare_convolutions() -> Result<()> {
    for (c, h, w, o, k, s) in [
        (3, 96, 128, 16, 4, 2),
        (16, 48, 64, 32, 4, 2),
        (32, 24, 32, 48, 3, 1),
    ] {
        let conv = Conv2d {
            layout: InputLayout::Nchw,
            kernel: k,
            stride: s,
            padding: 1,
            activation: Activation::Linear,
        };
        let x = Var::randn(0.0_f32, 1.0, (16, c, h, w), &Device::Cpu)?;
        let x_nhwc = Var::from_tensor(&x.permute((0, 2, 3, 1))?.contiguous()?)?;
        let ours = Var::randn(0.0_f32, 0.1, (k * k * c, o), &Device::Cpu)?;
        let bias = Var::zeros(o, DType::F32, &Device::Cpu)?;
        let theirs = Var::randn(0.0_f32, 0.1, (o, c, k, k), &Device::Cpu)?;
        let name = format!("conv {c}->{o} k{k} s{s} b16 forward+backward");
        let nhwc = Conv2d {
            layout: InputLayout::Nhwc,
            ..conv
        };
        report(
            &format!("{name} own"),
            time(10, || {
                kernels::conv2d(&x_nhwc, &ours, &bias, nhwc)?
                    .sum_all()?
                    .backward()?;
                Ok(())
            })?,
        );
        report(
            &format!("{name} candle"),
            time(10, || {
                x.conv2d(&theirs, 1, s, 1, 1)?.sum_all()?.backward()?;
                Ok(())
            })?,
        );
    }
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let words = "put the red block in blue bowl on left pick up place push green";
    std::fs::write(
        folder.path().join("tokenizer.json"),
        WordTokenizer::from_words([words]).to_json(),
    )?;
    let env = StageEnv {
        bundle: folder.path().to_path_buf(),
    };
    let store = ParamStore::trainable(0);
    let chain = Chain::build(&tabletop(), &env, &store)?;
    let mut per_stage: BTreeMap<String, usize> = BTreeMap::new();
    for (name, var) in store.vars() {
        *per_stage
            .entry(name.split('.').next().unwrap_or_default().to_string())
            .or_default() += var.elem_count();
    }
    println!(
        "parameters {per_stage:?}, together {}",
        per_stage.values().sum::<usize>()
    );

    let policy = ["action", "progress", "target", "attention"];
    let given = inputs(16)?;
    report(
        "policy step b16, one thread",
        time(20, || step(&chain, &store, &given, &policy).map(drop))?,
    );
    report(
        "scene step b16, one thread",
        time(10, || {
            step(&chain, &store, &given, &["scene.objects"]).map(drop)
        })?,
    );
    let forward = |tensors: &[&str]| {
        chain
            .forward(&StageContext::train(), &given, tensors)
            .map(drop)
    };
    report(
        "policy forward b16, recorded",
        time(10, || forward(&policy))?,
    );
    report(
        "vision forward b16, recorded",
        time(10, || forward(&["vision.tokens"]))?,
    );
    let pair = time(20, || {
        std::thread::scope(|scope| {
            let run = || step(&chain, &store, &given, &policy).is_ok();
            let other = std::thread::Builder::new()
                .name("step".into())
                .spawn_scoped(scope, run);
            assert!(run() && other.is_ok_and(|h| h.join().unwrap_or(false)));
        });
        Ok(())
    })?;
    report("policy step 2 x b16, two threads", pair);
    compare_convolutions()?;

    let weights = folder.path().join("model.safetensors");
    let tensors = store
        .vars()
        .into_iter()
        .map(|(n, v)| (n, v.as_detached_tensor()))
        .collect();
    vola_nn::save_tensors(&weights, &tensors, BTreeMap::new())?;
    let mut chain = Chain::open(&tabletop(), &env, &weights)?;
    chain.reset(0);
    let one = inputs(1)?;
    for (name, wanted) in [
        (
            "whole chain forward b1",
            &["action", "progress", "scene.objects"][..],
        ),
        ("policy alone forward b1", &policy[..]),
    ] {
        report(
            name,
            time(50, || {
                chain
                    .forward(&StageContext::run(0, 1), &one, wanted)
                    .map(drop)
            })?,
        );
    }
    Ok(())
}
