//! The chain that training builds and the one that a deployment loads are the
//! same function: the shipped bundle gives equal numbers through both.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use candle_core::{DType, Device, Tensor};
use vola_abi::{
    HostData, HostServicesAbi, StageBox, TensorAbi,
    abi_stable::std_types::{ROption, RString},
};
use vola_nn::{Chain, StageContext, StageEnv, StageSpec};
use vola_tests::workspace;
use vola_train::PolicyFile;
use vola_types::DType as FlatType;

use crate::plugins::host::{call, services, stage, values};

/// Largest difference of one number, of the order of one.
const TOLERANCE: f32 = 1e-5;
/// What the heads of the shipped bundle make.
const WANTED: [&str; 3] = ["action", "progress", "scene.objects"];

fn bundle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/policies/tabletop")
}

/// Numbers in 0..1 that follow no pattern.
fn noise(dims: &[usize], seed: usize) -> Tensor {
    let count: usize = dims.iter().product();
    let number = |index: usize| {
        let x = ((index + seed * 977) as f32 * 12.9898).sin() * 43_758.547;
        x.fract().abs()
    };
    let numbers: Vec<f32> = (0..count).map(number).collect();
    Tensor::from_vec(numbers, dims, &Device::Cpu).unwrap()
}

/// What cameras, joints and the planner give, of the shipped bundle's shapes.
fn observation(seed: usize) -> BTreeMap<String, Tensor> {
    let sentence = b"put the red block in the blue bowl".to_vec();
    let length = sentence.len();
    let task = Tensor::from_vec(sentence, (1, length), &Device::Cpu).unwrap();
    let index = Tensor::from_vec(vec![(seed % 2) as i64], 1, &Device::Cpu).unwrap();
    let mut made = BTreeMap::from([
        (
            "observation.images.front".to_owned(),
            noise(&[1, 3, 96, 128], seed),
        ),
        ("observation.state".to_owned(), noise(&[1, 9], seed + 1)),
        ("task".to_owned(), task),
        ("embodiment.index".to_owned(), index),
    ]);
    for (offset, goal) in ["object", "target"].into_iter().enumerate() {
        let point = noise(&[1, 3], seed + 2 + offset);
        made.insert(format!("goal.{goal}"), point);
        let mask = Tensor::ones((1, 1), DType::F32, &Device::Cpu).unwrap();
        made.insert(format!("goal.{goal}_mask"), mask);
    }
    made
}

/// A tensor as it crosses the boundary.
fn crossing(name: &str, tensor: &Tensor) -> TensorAbi {
    let flat = tensor.flatten_all().unwrap();
    let (dtype, bytes): (FlatType, Vec<u8>) = match tensor.dtype() {
        DType::F32 => {
            let numbers = flat.to_vec1::<f32>().unwrap();
            let bytes = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
            (FlatType::F32, bytes)
        }
        DType::I64 => {
            let numbers = flat.to_vec1::<i64>().unwrap();
            let bytes = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
            (FlatType::I64, bytes)
        }
        _ => (FlatType::U8, flat.to_vec1::<u8>().unwrap()),
    };
    let shape: Vec<u64> = tensor.dims().iter().map(|size| *size as u64).collect();
    TensorAbi {
        name: RString::from(name),
        dtype: TensorAbi::dtype_code(dtype),
        shape: shape.into(),
        bytes: bytes.into(),
        resident: ROption::RNone,
    }
}

/// A stage of the bundle from its built library, with its weights.
fn loaded(spec: &StageSpec) -> StageBox {
    let (library, plugin) = spec.plugin.split_once('/').unwrap();
    let mut loaded = stage(library, plugin, &spec.settings.to_string());
    let data = HostData {
        threads: 1,
        bundle_folder: bundle().display().to_string(),
        stage: spec.name.clone(),
        weights_file: bundle().join("model.safetensors").display().to_string(),
        weights_prefix: spec.prefix.clone(),
        inputs: spec.inputs.clone(),
        outputs: spec.outputs.clone(),
    };
    let services = HostServicesAbi {
        data: RString::from(serde_json::to_string(&data).unwrap()),
        ..services()
    };
    loaded.activate(services).into_result().unwrap();
    loaded.reset(1).into_result().unwrap();
    loaded
}

/// Everything that the loaded stages make of an observation.
fn through_plugins(
    stages: &mut [(StageSpec, StageBox)],
    observation: &BTreeMap<String, Tensor>,
) -> BTreeMap<String, TensorAbi> {
    let mut known: BTreeMap<String, TensorAbi> = observation
        .iter()
        .map(|(name, tensor)| (name.clone(), crossing(name, tensor)))
        .collect();
    for (spec, stage) in stages {
        let lent: Vec<_> = spec.inputs.iter().map(|name| known[name].lend()).collect();
        let made = call(stage, 0, &lent).unwrap();
        for tensor in made {
            known.insert(tensor.name.to_string(), tensor);
        }
    }
    known
}

#[test]
fn the_trained_chain_is_the_loaded_chain() {
    workspace();
    let policy = PolicyFile::open(&bundle().join("policy.toml")).unwrap();
    let env = StageEnv { bundle: bundle() };
    let weights = bundle().join("model.safetensors");
    let mut chain = Chain::open(&policy.stages, &env, &weights).unwrap();
    chain.reset(1);
    let in_order: Vec<StageSpec> = chain.specs().cloned().collect();
    let mut plugins: Vec<(StageSpec, StageBox)> = in_order
        .into_iter()
        .map(|spec| {
            let stage = loaded(&spec);
            (spec, stage)
        })
        .collect();
    for seed in 0..4 {
        let observation = observation(seed);
        let trained = chain
            .forward(&StageContext::run(1, 0), &observation, &WANTED)
            .unwrap();
        let run = through_plugins(&mut plugins, &observation);
        for name in WANTED {
            let expected = trained[name].flatten_all().unwrap();
            let expected = expected.to_vec1::<f32>().unwrap();
            let got = values(&run[name]);
            assert_eq!(got.len(), expected.len(), "{name}");
            for (index, (a, b)) in expected.iter().zip(&got).enumerate() {
                let bound = TOLERANCE * a.abs().max(1.0);
                assert!((a - b).abs() <= bound, "{name}[{index}]: {a} against {b}");
            }
        }
    }
}
