//! Stages with one flaw each.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use vola_plugin::{
    CallContext, Fault, Host, Inputs, Stage, Tensor,
    serde_json::{Value, json},
    types::{DType, ExampleInput, HeadOutput, PluginDescription, PluginKind},
};

const ROWS: usize = 8;
const DIM: usize = 3;

/// The flaw of `BadStage<N>` is `FLAWS[N]`, which is also its name.
const FLAWS: [&str; 16] = [
    "panic_in_describe",
    "panic_in_configure",
    "panic_in_activate",
    "panic_in_reset",
    "panic_in_call",
    "panic_in_deactivate",
    "panic_in_drop",
    "nan_output",
    "wrong_shape",
    "wrong_name",
    "slow",
    "error_in_call",
    "error_in_activate",
    "takes_any_settings",
    "counts_in_a_static",
    "ignores_the_seed",
];

/// Calls of `counts_in_a_static` and `ignores_the_seed`, in all instances.
static CALLS: AtomicU32 = AtomicU32::new(0);

/// A head with the flaw `FLAWS[N]`.
pub(crate) struct BadStage<const N: usize>;

impl<const N: usize> BadStage<N> {
    const FLAW: &'static str = FLAWS[N];

    fn panic_at(entry: &str) {
        assert!(Self::FLAW != entry, "on purpose: {entry}");
    }
}

impl<const N: usize> Stage for BadStage<N> {
    fn describe() -> PluginDescription {
        Self::panic_at("panic_in_describe");
        PluginDescription {
            name: Self::FLAW.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kind: PluginKind::Head,
            summary: format!("wrong on purpose: {}", Self::FLAW),
            produces: Some(HeadOutput::Action),
            capabilities: vec![],
            settings_schema: json!({"type": "object", "properties": {}}),
            example_inputs: vec![ExampleInput::new("context", DType::F32, &[1, DIM as u64])],
        }
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        Self::panic_at("panic_in_configure");
        match settings.as_object() {
            _ if Self::FLAW == "takes_any_settings" => Ok(Self),
            Some(table) if table.is_empty() => Ok(Self),
            _ => Err(Fault::settings(format!(
                "expected no settings, got {settings}"
            ))),
        }
    }

    fn activate(&mut self, _: &Host) -> Result<(), Fault> {
        Self::panic_at("panic_in_activate");
        if Self::FLAW == "error_in_activate" {
            return Err(Fault::failed("weights: expected a file, got none"));
        }
        Ok(())
    }

    fn reset(&mut self, _: u64) -> Result<(), Fault> {
        Self::panic_at("panic_in_reset");
        Ok(())
    }

    fn call(&mut self, _: &CallContext, inputs: &Inputs<'_>) -> Result<Vec<Tensor>, Fault> {
        Self::panic_at("panic_in_call");
        let context = inputs.get("context")?;
        let mut values = context.f32s()?.into_owned();
        if context.shape() != [1, DIM as u64] {
            return Err(Fault::input(format!(
                "context: expected [1, 3], got {:?}",
                context.shape()
            )));
        }
        match Self::FLAW {
            "nan_output" => values[1] = f32::NAN,
            "error_in_call" => return Err(Fault::failed("the gears are stuck")),
            "slow" => std::thread::sleep(Duration::from_millis(300)),
            "counts_in_a_static" | "ignores_the_seed" => {
                values[0] += CALLS.fetch_add(1, Ordering::SeqCst) as f32;
            }
            _ => {}
        }
        let (name, rows) = match Self::FLAW {
            "wrong_name" => ("actoin", ROWS),
            "wrong_shape" => ("action", ROWS / 2),
            _ => ("action", ROWS),
        };
        Ok(vec![Tensor::f32(
            name,
            &[1, 1, rows, DIM],
            &values.repeat(rows),
        )?])
    }

    fn deactivate(&mut self) -> Result<(), Fault> {
        Self::panic_at("panic_in_deactivate");
        Ok(())
    }
}

impl<const N: usize> Drop for BadStage<N> {
    fn drop(&mut self) {
        Self::panic_at("panic_in_drop");
    }
}
