//! Heads of the shipped bundle learn from examples through the boundary, in this process and in one of
//! their own, and go back.

use std::path::{Path, PathBuf};

use serde_json::Value;
use vola_abi::{
    CallContext, FaultAbi, FaultKind, HostData, HostServicesAbi, StageBox, TensorAbi, TensorRefAbi,
    abi_stable::std_types::{ROption, RSlice, RStr, RString},
};
use vola_tests::workspace;
use vola_types::DType;

use crate::plugins::host::{call, floats, services, stage, values};

/// The shipped action head, as `policy.toml` says.
const SETTINGS: &str =
    r#"{"heads":4,"hidden":256,"layers":3,"horizon":8,"action_width":7,"context_width":376}"#;
const EXAMPLES: usize = 48;
const CONTEXT: usize = 376;
const CHUNK: usize = 8 * 7;

fn bundle() -> PathBuf {
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/policies/tabletop");
    bundle.canonicalize().unwrap()
}

fn activated(mut head: StageBox) -> StageBox {
    let data = HostData {
        threads: 1,
        stage: "actions".to_owned(),
        bundle_folder: bundle().display().to_string(),
        weights_file: bundle().join("model.safetensors").display().to_string(),
        weights_prefix: "actions.".to_owned(),
        inputs: vec!["context".to_owned()],
        outputs: vec!["action".to_owned()],
    };
    let services = HostServicesAbi {
        data: RString::from(serde_json::to_string(&data).unwrap()),
        ..services()
    };
    head.activate(services).into_result().unwrap();
    head.reset(1).into_result().unwrap();
    head
}

fn head() -> StageBox {
    workspace();
    activated(stage("heads", "chunk", SETTINGS))
}

/// Numbers in -1..1 that follow no pattern.
fn noise(count: usize, seed: usize) -> Vec<f32> {
    let number =
        |index: usize| (((index + seed * 977) as f32 * 12.9898).sin() * 43_758.547).fract();
    (0..count).map(number).collect()
}

fn examples() -> Vec<TensorAbi> {
    let count = EXAMPLES as u64;
    let options = br#"{"steps":20,"total":40,"batch":32,"learning_rate":0.001}"#.to_vec();
    vec![
        floats("context", &[count, 376], &noise(EXAMPLES * CONTEXT, 1)),
        floats("action", &[count, 8, 7], &noise(EXAMPLES * CHUNK, 2)),
        floats("weight", &[count], &[1.0; EXAMPLES]),
        TensorAbi {
            name: RString::from("options"),
            dtype: TensorAbi::dtype_code(DType::U8),
            shape: vec![1, options.len() as u64].into(),
            bytes: options.into(),
            resident: ROption::RNone,
        },
    ]
}

fn adapt(head: &mut StageBox, step: u64, examples: &[TensorAbi]) -> Result<Value, FaultAbi> {
    let lent: Vec<TensorRefAbi<'_>> = examples.iter().map(TensorAbi::lend).collect();
    let context = CallContext {
        seed: 3,
        step,
        deadline_ns: 0,
    };
    let report = head
        .adapt(&context, RSlice::from_slice(&lent))
        .into_result()?;
    Ok(serde_json::from_str(&report).unwrap())
}

fn outputs(head: &mut StageBox) -> Vec<f32> {
    let context = floats("context", &[1, 376], &noise(CONTEXT, 9));
    values(&call(head, 0, &[context.lend()]).unwrap()[0])
}

fn snapshot(head: &mut StageBox) -> Vec<u8> {
    head.snapshot().into_result().unwrap().into_vec()
}

fn restore(head: &mut StageBox, bytes: &[u8]) -> Result<(), FaultAbi> {
    head.restore(RSlice::from_slice(bytes)).into_result()
}

#[test]
fn a_head_learns_and_goes_back_bit_for_bit() {
    let mut head = head();
    let (before, base) = (outputs(&mut head), snapshot(&mut head));
    let examples = examples();
    let first = adapt(&mut head, 0, &examples).unwrap();
    let second = adapt(&mut head, 20, &examples).unwrap();
    let loss = |report: &Value, key: &str| report[key].as_f64().unwrap();
    assert!(
        loss(&first, "loss_after") < loss(&first, "loss_before"),
        "{first}"
    );
    assert!(
        loss(&second, "loss_after") < loss(&first, "loss_after"),
        "{second}"
    );
    assert_eq!(
        (&first["steps"], &second["steps"]),
        (&20.into(), &40.into())
    );
    let (learned, tuned) = (outputs(&mut head), snapshot(&mut head));
    assert_ne!(learned, before);
    restore(&mut head, &base).unwrap();
    assert_eq!(outputs(&mut head), before);
    restore(&mut head, &tuned).unwrap();
    assert_eq!(outputs(&mut head), learned);
    // Steps that somebody else made cannot be gone on with.
    let fault = adapt(&mut head, 7, &examples).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Input, "{}", fault.message);
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let mut head = head();
    let (before, base) = (outputs(&mut head), snapshot(&mut head));
    for place in 0..3 {
        let mut wrong = examples();
        wrong[place].bytes[0..4].copy_from_slice(&f32::NAN.to_le_bytes());
        let fault = adapt(&mut head, 0, &wrong).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Input, "{}", fault.message);
    }
    let mut without = examples();
    without.remove(1);
    assert!(adapt(&mut head, 0, &without).is_err());
    let mut endless = examples();
    endless[3].bytes = br#"{"steps":1000000}"#.to_vec().into();
    endless[3].shape = vec![1, 17].into();
    assert!(adapt(&mut head, 0, &endless).is_err());
    // A snapshot is hostile until it is parsed, as a whole.
    let half = &base[..base.len() / 2];
    let mut not_finite = base.clone();
    let end = not_finite.len();
    not_finite[end - 4..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let foreign = std::fs::read(bundle().join("stats/tabletop.safetensors")).unwrap();
    for wrong in [&[][..], half, &not_finite, &foreign] {
        let fault = restore(&mut head, wrong).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Input, "{}", fault.message);
    }
    assert_eq!((outputs(&mut head), snapshot(&mut head)), (before, base));
}

#[cfg(target_os = "linux")]
#[test]
fn in_a_process_of_its_own_it_learns_the_same() {
    use crate::isolation::{Hosting, PATIENT};
    let mut here = head();
    let hosting = Hosting::of("heads", PATIENT);
    let mut there = hosting.bare_stage("chunk", &bundle());
    there.configure(RStr::from(SETTINGS)).into_result().unwrap();
    let mut there = activated(there);
    let examples = examples();
    let expected = adapt(&mut here, 0, &examples).unwrap();
    assert_eq!(adapt(&mut there, 0, &examples).unwrap(), expected);
    assert_eq!(snapshot(&mut there), snapshot(&mut here));
    assert_eq!(outputs(&mut there), outputs(&mut here));
    let base = snapshot(&mut head());
    restore(&mut there, &base).unwrap();
    assert_eq!(outputs(&mut there), outputs(&mut head()));
}
