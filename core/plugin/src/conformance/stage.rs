//! Checks of an encoder, a fusion or a head.

use vola_abi::{
    CallContext, CallResult, StageBox, TensorAbi, TensorRefAbi,
    abi_stable::std_types::{RSlice, RStr, RVec},
};
use vola_types::DType;

use super::{
    Subject, example, log,
    report::{Flaw, Rows, Verdict, refused, succeeded, survived},
};

const SEED: u64 = 7;
const CONFIGURE_HELP: &str = "list working settings under \"examples\" in the settings schema, or pass settings to the check";

pub(super) fn check(rows: &mut Rows<'_>, subject: &Subject<'_>) {
    rows.record(
        "every entry before configure is an error",
        before_configure(subject),
    );
    rows.record("wrong settings are refused", wrong_settings(subject));
    if !rows.record(
        "takes its settings",
        configured(subject).map(|_| subject.settings.to_string()),
    ) {
        return;
    }
    let activated = active(subject).map(|_stage| "ready".to_owned());
    if !rows.record("activates and resets", activated) {
        return;
    }
    rows.record("outputs are whole and finite", whole_outputs(subject));
    rows.record("same seed and inputs, same outputs", deterministic(subject));
    rows.record("two instances do not mix", independent(subject));
    rows.record(
        "missing and misshapen inputs do no harm",
        bad_inputs(subject),
    );
    rows.record("deactivates; drops without deactivate", ends(subject));
}

fn created(subject: &Subject<'_>) -> Result<StageBox, Flaw> {
    let create = subject.module.create_stage();
    let name = RStr::from(subject.description.name.as_str());
    succeeded(
        "create_stage",
        create(name),
        "list the type among `stages` in `export!`",
    )
}

fn configured(subject: &Subject<'_>) -> Result<StageBox, Flaw> {
    let mut stage = created(subject)?;
    let settings = subject.settings.to_string();
    succeeded(
        "configure",
        stage.configure(RStr::from(settings.as_str())),
        CONFIGURE_HELP,
    )?;
    Ok(stage)
}

/// A stage after `activate` and `reset`. A stage that refuses to activate
/// without its weights is in order; it cannot be called here.
fn active(subject: &Subject<'_>) -> Result<StageBox, Flaw> {
    let mut stage = configured(subject)?;
    let help = "return a fault that names the missing file";
    let answer = stage
        .activate(log::services(&subject.options.host))
        .into_result();
    if let Err(fault) = answer {
        let reason = fault.message.to_string();
        survived::<()>(Err(fault).into(), help)?;
        return Err(Flaw::skipped(format!(
            "calls need more than the kit has: {reason}"
        )));
    }
    succeeded(
        "reset",
        stage.reset(SEED),
        "a reset of an active stage must succeed",
    )?;
    Ok(stage)
}

fn call(stage: &mut StageBox, step: u64, inputs: &[TensorAbi]) -> CallResult<RVec<TensorAbi>> {
    let lent: Vec<TensorRefAbi<'_>> = inputs.iter().map(TensorAbi::lend).collect();
    let context = CallContext {
        seed: SEED,
        step,
        deadline_ns: 0,
    };
    stage.call(&context, RSlice::from_slice(&lent))
}

fn called(stage: &mut StageBox, step: u64, inputs: &[TensorAbi]) -> Result<RVec<TensorAbi>, Flaw> {
    let help = "a call with the `example_inputs` must succeed";
    succeeded("call", call(stage, step, inputs), help)
}

fn before_configure(subject: &Subject<'_>) -> Verdict {
    let help = "answer with a fault until `configure` has succeeded";
    let mut stage = created(subject)?;
    refused(
        "activate",
        stage.activate(log::services(&subject.options.host)),
        help,
    )?;
    refused("reset", stage.reset(SEED), help)?;
    refused("call", call(&mut stage, 0, &[]), help)
}

fn wrong_settings(subject: &Subject<'_>) -> Verdict {
    let help = "check the settings in `configure`: deny unknown keys and return Fault::settings";
    let bad = subject.bad_settings();
    for (what, settings) in &bad {
        let mut stage = created(subject)?;
        let answer = stage.configure(RStr::from(settings.to_string().as_str()));
        refused(&format!("configure with {what}"), answer, help)?;
    }
    Ok(format!("{} kinds of wrong settings", bad.len()))
}

fn whole_outputs(subject: &Subject<'_>) -> Verdict {
    let inputs = example::make(&subject.description.example_inputs, SEED)?;
    let outputs = called(&mut active(subject)?, 0, &inputs)?;
    for (index, tensor) in outputs.iter().enumerate() {
        let name = tensor.name.as_str();
        if let Err(text) = tensor.lend().check() {
            return Err(Flaw::fault(
                text,
                "the bytes of an output must fit its shape",
            ));
        }
        if outputs
            .iter()
            .take(index)
            .any(|other| other.name == tensor.name)
        {
            return Err(Flaw::fault(
                format!("two outputs are named `{name}`"),
                "name each output once",
            ));
        }
        if let Some(place) = first_non_finite(tensor) {
            return Err(Flaw::fault(
                format!("output `{name}`: element {place} is not finite"),
                "guard divisions and logarithms; return a fault rather than NaN",
            ));
        }
    }
    let names: Vec<String> = outputs
        .iter()
        .map(|it| format!("{} {:?}", it.name, it.shape.as_slice()))
        .collect();
    if names.is_empty() {
        return Err(Flaw::fault("no output", "return at least one tensor"));
    }
    Ok(names.join(", "))
}

fn first_non_finite(tensor: &TensorAbi) -> Option<usize> {
    let bytes = tensor.bytes.as_slice();
    match TensorAbi::dtype_from_code(tensor.dtype) {
        Some(DType::F32) => bytes
            .chunks_exact(4)
            .filter_map(|four| four.try_into().ok().map(f32::from_le_bytes))
            .position(|value| !value.is_finite()),
        Some(DType::F64) => bytes
            .chunks_exact(8)
            .filter_map(|eight| eight.try_into().ok().map(f64::from_le_bytes))
            .position(|value| !value.is_finite()),
        _ => None,
    }
}

/// Two calls in a row after a reset.
fn two_calls(stage: &mut StageBox, inputs: &[TensorAbi]) -> Result<[RVec<TensorAbi>; 2], Flaw> {
    succeeded(
        "reset",
        stage.reset(SEED),
        "a reset of an active stage must succeed",
    )?;
    Ok([called(stage, 0, inputs)?, called(stage, 1, inputs)?])
}

fn deterministic(subject: &Subject<'_>) -> Verdict {
    let inputs = example::make(&subject.description.example_inputs, SEED)?;
    let mut stage = active(subject)?;
    let first = two_calls(&mut stage, &inputs)?;
    let second = two_calls(&mut stage, &inputs)?;
    equal(
        &first,
        &second,
        "draw random numbers from `CallContext::seed` alone, and forget everything in `reset`",
    )?;
    Ok("two calls after a reset, twice".to_owned())
}

fn independent(subject: &Subject<'_>) -> Verdict {
    let inputs = example::make(&subject.description.example_inputs, SEED)?;
    let others = example::make(&subject.description.example_inputs, SEED + 1)?;
    let expected = two_calls(&mut active(subject)?, &inputs)?;
    let (mut one, mut other) = (active(subject)?, active(subject)?);
    let first = called(&mut one, 0, &inputs)?;
    called(&mut other, 0, &others)?;
    let second = called(&mut one, 1, &inputs)?;
    equal(
        &expected,
        &[first, second],
        "keep state in the instance, never in a static",
    )?;
    Ok("calls of one do not change the other".to_owned())
}

fn equal(
    expected: &[RVec<TensorAbi>; 2],
    got: &[RVec<TensorAbi>; 2],
    help: &str,
) -> Result<(), Flaw> {
    for (step, (expected, got)) in expected.iter().zip(got).enumerate() {
        if expected.len() != got.len() {
            return Err(Flaw::fault(
                format!("call {step}: another number of outputs"),
                help,
            ));
        }
        for (left, right) in expected.iter().zip(got.iter()) {
            let same =
                left.name == right.name && left.shape == right.shape && left.bytes == right.bytes;
            if !same {
                return Err(Flaw::fault(
                    format!("call {step}: output `{}` differs", left.name),
                    help,
                ));
            }
        }
    }
    Ok(())
}

fn bad_inputs(subject: &Subject<'_>) -> Verdict {
    let help = "check the shapes of the inputs and return Fault::input";
    let examples = &subject.description.example_inputs;
    example::make(examples, SEED)?;
    refused(
        "call without inputs",
        call(&mut active(subject)?, 0, &[]),
        help,
    )?;
    for index in 0..examples.len() {
        let mut changed = examples.clone();
        if let Some(example) = changed.get_mut(index) {
            example.shape = vec![1];
        }
        let inputs = example::make(&changed, SEED)?;
        survived(call(&mut active(subject)?, 0, &inputs), help)?;
    }
    Ok(format!("{} misshapen inputs, none at all", examples.len()))
}

fn ends(subject: &Subject<'_>) -> Verdict {
    let help = "nothing in `deactivate` or `Drop` may panic";
    let (mut stage, abandoned) = (active(subject)?, active(subject)?);
    log::take_errors();
    succeeded("deactivate", stage.deactivate(), help)?;
    drop(stage);
    drop(abandoned);
    match log::take_errors().pop() {
        Some(error) => Err(Flaw::fault(error, help)),
        None => Ok("quietly".to_owned()),
    }
}
