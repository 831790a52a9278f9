//! A chain of three stages, and one with a resident tensor.

use vola_plugin::{
    CallContext, Fault, Inputs, Stage, Tensor, TensorView,
    serde_json::{Value, json},
    types::{DType, ExampleInput, HeadOutput, PluginDescription, PluginKind},
};

/// Rows of a chunk.
const HORIZON: usize = 8;
/// Numbers in a row.
const DIM: usize = 3;

fn description(name: &str, kind: PluginKind, summary: &str) -> PluginDescription {
    PluginDescription {
        name: name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        kind,
        summary: summary.to_owned(),
        produces: None,
        capabilities: vec![],
        settings_schema: json!({"type": "object", "properties": {}, "additionalProperties": false}),
        example_inputs: vec![],
    }
}

/// Refuses any settings but `{}`.
fn no_settings(settings: &Value) -> Result<(), Fault> {
    match settings.as_object() {
        Some(table) if table.is_empty() => Ok(()),
        _ => Err(Fault::settings(format!(
            "expected no settings, got {settings}"
        ))),
    }
}

/// The rows of an f32 `[batch, n]` tensor.
fn rows<'a>(view: &TensorView<'a>) -> Result<(usize, usize, Vec<f32>), Fault> {
    match view.shape() {
        [batch, columns] => Ok((
            *batch as usize,
            *columns as usize,
            view.f32s()?.into_owned(),
        )),
        shape => Err(Fault::input(format!(
            "tensor `{}`: expected [batch, n], got {shape:?}",
            view.name()
        ))),
    }
}

/// Copies the proprioception.
pub(crate) struct Encode;

impl Stage for Encode {
    fn describe() -> PluginDescription {
        PluginDescription {
            example_inputs: vec![ExampleInput::new(
                "observation.state",
                DType::F32,
                &[1, DIM as u64],
            )],
            ..description("encode", PluginKind::Encoder, "copies the proprioception")
        }
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        no_settings(&settings).map(|()| Self)
    }

    fn call(&mut self, _: &CallContext, inputs: &Inputs<'_>) -> Result<Vec<Tensor>, Fault> {
        let (batch, columns, values) = rows(&inputs.get("observation.state")?)?;
        Ok(vec![Tensor::f32(
            "proprio.features",
            &[batch, columns],
            &values,
        )?])
    }
}

/// Hands the features on as context.
pub(crate) struct Fuse;

impl Stage for Fuse {
    fn describe() -> PluginDescription {
        PluginDescription {
            example_inputs: vec![ExampleInput::new(
                "proprio.features",
                DType::F32,
                &[1, DIM as u64],
            )],
            ..description("fuse", PluginKind::Fusion, "hands the features on")
        }
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        no_settings(&settings).map(|()| Self)
    }

    fn call(&mut self, _: &CallContext, inputs: &Inputs<'_>) -> Result<Vec<Tensor>, Fault> {
        let (batch, columns, values) = rows(&inputs.get("proprio.features")?)?;
        Ok(vec![Tensor::f32("context", &[batch, columns], &values)?])
    }
}

/// Repeats the context over the horizon: the robot stays where it is.
pub(crate) struct Act {
    calls: u64,
}

impl Stage for Act {
    fn describe() -> PluginDescription {
        PluginDescription {
            produces: Some(HeadOutput::Action),
            example_inputs: vec![ExampleInput::new("context", DType::F32, &[1, DIM as u64])],
            ..description(
                "act",
                PluginKind::Head,
                "repeats the context over the horizon",
            )
        }
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        no_settings(&settings).map(|()| Self { calls: 0 })
    }

    fn reset(&mut self, _: u64) -> Result<(), Fault> {
        self.calls = 0;
        Ok(())
    }

    fn call(&mut self, context: &CallContext, inputs: &Inputs<'_>) -> Result<Vec<Tensor>, Fault> {
        if context.step != self.calls {
            return Err(Fault::input(format!(
                "step {}, expected {}",
                context.step, self.calls
            )));
        }
        self.calls += 1;
        let (batch, columns, values) = rows(&inputs.get("context")?)?;
        if columns != DIM {
            return Err(Fault::input(format!(
                "tensor `context`: expected [batch, {DIM}], got [{batch}, {columns}]"
            )));
        }
        let chunk: Vec<f32> = values
            .chunks(DIM)
            .flat_map(|row| row.repeat(HORIZON))
            .collect();
        Ok(vec![Tensor::f32(
            "action",
            &[batch, 1, HORIZON, DIM],
            &chunk,
        )?])
    }
}

/// What only this library can read.
struct Memory(Vec<f32>);

/// Without `memory` it makes one from `x`; with it, it tells the sum.
pub(crate) struct Remember;

impl Stage for Remember {
    fn describe() -> PluginDescription {
        PluginDescription {
            example_inputs: vec![ExampleInput::new("x", DType::F32, &[1, 4])],
            ..description("remember", PluginKind::Encoder, "keeps a resident tensor")
        }
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        no_settings(&settings).map(|()| Self)
    }

    fn call(&mut self, _: &CallContext, inputs: &Inputs<'_>) -> Result<Vec<Tensor>, Fault> {
        if let Some(memory) = inputs.find("memory") {
            let sum: f32 = memory.resident::<Memory>()?.0.iter().sum();
            return Ok(vec![Tensor::f32("sum", &[1, 1], &[sum])?]);
        }
        let x = inputs.get("x")?;
        let values = x.f32s()?;
        let address = values.as_ptr().addr() as i64;
        Ok(vec![
            Tensor::resident("memory", &[1], Memory(values.to_vec())),
            // Where the input lies, so that a test sees that nothing was copied.
            Tensor::i64(
                "address",
                &[1],
                &[if inputs.find("tell").is_some() {
                    address
                } else {
                    0
                }],
            )?,
        ])
    }
}

/// Tells the sum of its input `x` and the address where it lies.
pub(crate) struct Look;

impl Stage for Look {
    fn describe() -> PluginDescription {
        PluginDescription {
            example_inputs: vec![ExampleInput::new("x", DType::U8, &[1, 64])],
            ..description("look", PluginKind::Encoder, "tells what it sees, and where")
        }
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        no_settings(&settings).map(|()| Self)
    }

    fn call(&mut self, _: &CallContext, inputs: &Inputs<'_>) -> Result<Vec<Tensor>, Fault> {
        let x = inputs.get("x")?;
        let bytes = x.bytes();
        // One byte a page: the pages are there, not only their addresses.
        let sum: i64 = bytes
            .iter()
            .step_by(4096)
            .map(|byte| i64::from(*byte))
            .sum();
        // The conformance kit calls twice and wants the same answer.
        let address = match inputs.find("tell") {
            Some(_) => bytes.as_ptr().addr() as i64,
            None => 0,
        };
        Ok(vec![Tensor::i64("seen", &[1, 2], &[sum, address])?])
    }
}
