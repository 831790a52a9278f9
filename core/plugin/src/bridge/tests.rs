//! The bridge seen from the host's side, without a library between.

use serde_json::{Value, json};
use vola_abi::{FaultKind, StageBox};
use vola_types::{DType, PluginDescription, PluginKind};

use super::*;
use crate::export::find_stage;

/// Does what its input `op` says with its input `x`.
struct Probe {
    scale: f32,
    made: Option<u64>,
}

impl Stage for Probe {
    fn describe() -> PluginDescription {
        PluginDescription {
            name: "probe".to_owned(),
            version: "0.1.0".to_owned(),
            kind: PluginKind::Encoder,
            summary: String::new(),
            produces: None,
            capabilities: vec![],
            settings_schema: json!({"type": "object"}),
            example_inputs: vec![],
        }
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        match settings.get("scale").and_then(Value::as_f64) {
            Some(scale) => Ok(Self {
                scale: scale as f32,
                made: None,
            }),
            None => Err(Fault::settings("scale: expected a number")),
        }
    }

    fn activate(&mut self, host: &Host) -> Result<(), Fault> {
        self.made = Some(host.threads() as u64);
        Ok(())
    }

    fn call(&mut self, context: &CallContext, inputs: &Inputs<'_>) -> Result<Vec<Tensor>, Fault> {
        let op = inputs.get("op")?.texts()?;
        let x = inputs.get("x")?;
        let number = |value: usize| Tensor::i64("y", &[1], &[value as i64]);
        Ok(vec![match op.first().copied() {
            Some("scale") => {
                let scaled: Vec<f32> = x.f32s()?.iter().map(|value| value * self.scale).collect();
                Tensor::f32("y", &[scaled.len()], &scaled)?
            }
            Some("address") => number(x.f32s()?.as_ptr().addr())?,
            Some("sum") => number(x.f32s()?.iter().sum::<f32>() as usize)?,
            Some("seed") => number((context.seed + context.step) as usize)?,
            Some("hide") => Tensor::resident("y", &[1], Secret(41)),
            Some("reveal") => number(x.resident::<Secret>()?.0)?,
            Some("mistake") => number(*x.resident::<usize>()?)?,
            Some("texts") => Tensor::u8("y", &[1], &[x.texts()?.len() as u8])?,
            _ => return Err(Fault::input(format!("op {op:?}"))),
        }])
    }
}

struct Secret(usize);

impl Drop for Secret {
    fn drop(&mut self) {
        panic!("the host drops it last");
    }
}

fn configured() -> StageBox {
    let mut stage = find_stage::<Probe>("probe").unwrap();
    stage
        .configure(RStr::from(r#"{"scale": 2.5}"#))
        .into_result()
        .unwrap();
    stage
}

fn x(dtype: DType, shape: &[u64], bytes: &[u8]) -> TensorAbi {
    TensorAbi {
        name: RString::from("x"),
        dtype: TensorAbi::dtype_code(dtype),
        shape: shape.to_vec().into(),
        bytes: bytes.into(),
        resident: ROption::RNone,
    }
}

fn call<'a>(stage: &mut StageBox, op: &str, x: TensorRefAbi<'a>) -> Result<TensorAbi, FaultAbi> {
    let op = Tensor::u8("op", &[1, op.len() + 2], &[op.as_bytes(), &[0, 0]].concat())
        .unwrap()
        .into_abi();
    let inputs = [x, op.lend()];
    let context = CallContext {
        seed: 5,
        step: 2,
        deadline_ns: 0,
    };
    let mut outputs = stage
        .call(&context, RSlice::from_slice(&inputs))
        .into_result()?;
    Ok(outputs.remove(0))
}

fn answer(stage: &mut StageBox, op: &str, x: &TensorAbi) -> i64 {
    let y = call(stage, op, x.lend()).unwrap();
    i64::from_le_bytes(y.bytes.as_slice().try_into().unwrap())
}

fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

#[test]
fn a_direct_call_equals_one_through_the_bridge() {
    let values = [1.0_f32, -2.5, 1e-30, 3.0e30];
    let mut direct = Probe::configure(json!({"scale": 2.5})).unwrap();
    let tensors = [
        Tensor::f32("x", &[4], &values).unwrap(),
        Tensor::u8("op", &[1, 5], b"scale").unwrap(),
    ];
    let mut expected = Inputs::lend(&tensors, |inputs| {
        direct.call(&CallContext::default(), inputs)
    })
    .unwrap();
    let got = call(
        &mut configured(),
        "scale",
        x(DType::F32, &[4], &floats(&values)).lend(),
    );
    let (expected, got) = (expected.remove(0).into_abi(), got.unwrap());
    assert_eq!(
        (expected.name, expected.shape, expected.bytes),
        (got.name, got.shape, got.bytes)
    );
}

#[test]
fn aligned_inputs_are_borrowed_and_unaligned_ones_copied() {
    let stage = &mut configured();
    let values = [1.0_f32, 2.0, 3.0];
    // A spare element, so that there is room to begin one byte further.
    let mut store = [0.0_f32; 4];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut store);
    for (offset, borrowed) in [(0, true), (4, true), (1, false), (3, false)] {
        bytes[offset..offset + 12].copy_from_slice(&floats(&values));
        let shape = [3_u64];
        let lent = TensorRefAbi {
            name: RStr::from("x"),
            dtype: TensorAbi::dtype_code(DType::F32),
            shape: RSlice::from_slice(&shape),
            bytes: RSlice::from_slice(&bytes[offset..offset + 12]),
            resident: ROption::RNone,
        };
        let y = call(stage, "address", lent.clone()).unwrap();
        let address = i64::from_le_bytes(y.bytes.as_slice().try_into().unwrap());
        assert_eq!(
            address as usize == bytes[offset..].as_ptr().addr(),
            borrowed,
            "{offset}"
        );
        let y = call(stage, "sum", lent).unwrap();
        assert_eq!(y.bytes.as_slice(), 6_i64.to_le_bytes(), "{offset}");
    }
}

#[test]
fn wrong_tensors_never_reach_the_author() {
    for (tensor, text) in [
        (x(DType::F32, &[2], &[0; 7]), "needs 8 bytes, got 7"),
        (x(DType::F32, &[u64::MAX, u64::MAX], &[]), "is too large"),
        (x(DType::Resident, &[1], &[]), "expected a resident handle"),
    ] {
        let fault = call(&mut configured(), "scale", tensor.lend()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Input);
        assert!(fault.message.contains(text), "{fault}");
    }
}

#[test]
fn views_name_the_tensor_and_the_types() {
    for (op, tensor, text) in [
        (
            "scale",
            x(DType::I64, &[1], &[0; 8]),
            "tensor `x`: expected f32, got i64",
        ),
        (
            "texts",
            x(DType::F32, &[1, 1], &[0; 4]),
            "expected u8 [batch, length], got f32 [1, 1]",
        ),
        (
            "texts",
            x(DType::U8, &[1, 2], &[0xff, 0]),
            "tensor `x`: not UTF-8",
        ),
        (
            "texts",
            x(DType::U8, &[u64::MAX, 0], &[]),
            "at most 4096 empty texts",
        ),
        (
            "reveal",
            x(DType::U8, &[1], &[0]),
            "expected a resident tensor of this library",
        ),
        ("unknown", x(DType::U8, &[1], &[0]), "op [\"unknown\"]"),
    ] {
        let fault = call(&mut configured(), op, tensor.lend()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Input, "{op}");
        assert!(fault.message.contains(text), "{op}: {fault}");
    }
    let empty = x(DType::U8, &[3, 0], &[]);
    assert_eq!(
        call(&mut configured(), "texts", empty.lend())
            .unwrap()
            .bytes
            .as_slice(),
        [3]
    );
    let mut stage = configured();
    let fault = stage
        .call(&CallContext::default(), RSlice::from_slice(&[]))
        .into_result();
    assert!(fault.unwrap_err().message.contains("no input `op`"));
}

#[test]
fn a_resident_tensor_is_read_by_its_own_type_and_dropped_in_the_guard() {
    let stage = &mut configured();
    let secret = call(stage, "hide", x(DType::U8, &[1], &[0]).lend()).unwrap();
    let mut lent = secret.lend();
    lent.name = RStr::from("x");
    let y = call(stage, "reveal", lent.clone()).unwrap();
    assert_eq!(y.bytes.as_slice(), 41_i64.to_le_bytes());
    let fault = call(stage, "mistake", lent).unwrap_err();
    assert!(
        fault
            .message
            .contains("expected a resident tensor of this library"),
        "{fault}"
    );
    // Its `Drop` panics; the test ends well only inside the guard.
    drop(secret);
}

#[test]
fn context_and_life_cycle_reach_the_author() {
    let stage = &mut configured();
    assert_eq!(answer(stage, "seed", &x(DType::U8, &[1], &[0])), 7);
    let mut fresh = find_stage::<Probe>("probe").unwrap();
    let fault = fresh.reset(0).into_result().unwrap_err();
    assert_eq!(fault.message.as_str(), "`reset` before `configure`");
    for (settings, text) in [("{", "JSON: "), ("{}", "scale: expected a number")] {
        let fault = fresh
            .configure(RStr::from(settings))
            .into_result()
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Settings);
        assert!(fault.message.contains(text), "{fault}");
    }
    let fault = stage.snapshot().into_result().unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unsupported);
    assert!(find_stage::<Probe>("other").is_none());
}
