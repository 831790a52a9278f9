//! The stage that gives the action chunk, with outputs that can be spoiled.

use std::sync::Arc;

use vola_abi::{
    CallContext, CallResult, FaultAbi, FaultKind, HostServicesAbi, StageAbi, StageAbi_TO, StageBox,
    TensorAbi, TensorRefAbi,
    abi_stable::{
        sabi_trait::TD_Opaque,
        std_types::{RResult, RSlice, RStr, RString, RVec},
    },
};
use vola_types::DType;

use crate::{Fault, injection::Injection};

struct FaultyStage {
    inner: StageBox,
    injection: Arc<Injection>,
    /// The tensor that is spoiled.
    tensor: String,
}

/// Wraps a stage; `tensor` is the one of its outputs that is spoiled.
pub(crate) fn faulty_stage(inner: StageBox, tensor: &str, injection: Arc<Injection>) -> StageBox {
    let faulty = FaultyStage {
        inner,
        injection,
        tensor: tensor.to_owned(),
    };
    StageAbi_TO::from_value(faulty, TD_Opaque)
}

/// Puts a value in the place of the first element.
fn put_first(tensor: &mut TensorAbi, value: f32) {
    for (slot, byte) in tensor.bytes.iter_mut().zip(value.to_le_bytes()) {
        *slot = byte;
    }
}

fn spoil(tensor: &mut TensorAbi, broken: Fault) {
    match broken {
        Fault::ActionNan => put_first(tensor, f32::NAN),
        Fault::ActionInfinite => put_first(tensor, f32::INFINITY),
        Fault::ActionHuge => put_first(tensor, 1e30),
        Fault::ActionShort => {
            // Row-major `[samples, horizon, width]`: one row less of the horizon.
            let length = tensor.shape.len();
            let rows = length
                .checked_sub(2)
                .and_then(|axis| tensor.shape.get_mut(axis));
            if let Some(rows) = rows {
                *rows = rows.saturating_sub(1);
            }
            let elements: u64 = tensor.shape.iter().product();
            let bytes = usize::try_from(elements * 4).unwrap_or(0);
            tensor.bytes.truncate(bytes);
        }
        Fault::ActionType => tensor.dtype = TensorAbi::dtype_code(DType::U32),
        Fault::ActionMissing => tensor.name = RString::from("elsewhere"),
        _ => {}
    }
}

impl StageAbi for FaultyStage {
    fn configure(&mut self, settings: RStr<'_>) -> CallResult<()> {
        self.inner.configure(settings)
    }

    fn activate(&mut self, host: HostServicesAbi) -> CallResult<()> {
        self.inner.activate(host)
    }

    fn reset(&mut self, seed: u64) -> CallResult<()> {
        self.inner.reset(seed)
    }

    fn call<'a>(
        &mut self,
        context: &CallContext,
        inputs: RSlice<'a, TensorRefAbi<'a>>,
    ) -> CallResult<RVec<TensorAbi>> {
        let broken = self.injection.active();
        if broken == Some(Fault::StageError) {
            return RResult::RErr(FaultAbi {
                kind: FaultKind::Failed,
                message: "no memory for the activations (fault lab)".into(),
            });
        }
        let mut answer = self.inner.call(context, inputs);
        if let (RResult::ROk(tensors), Some(broken)) = (&mut answer, broken) {
            let named = |tensor: &&mut TensorAbi| tensor.name.as_str() == self.tensor;
            if let Some(tensor) = tensors.iter_mut().find(named) {
                spoil(tensor, broken);
            }
        }
        answer
    }

    fn deactivate(&mut self) -> CallResult<()> {
        self.inner.deactivate()
    }

    fn adapt<'a>(
        &mut self,
        context: &CallContext,
        examples: RSlice<'a, TensorRefAbi<'a>>,
    ) -> CallResult<RString> {
        self.inner.adapt(context, examples)
    }

    fn snapshot(&mut self) -> CallResult<RVec<u8>> {
        self.inner.snapshot()
    }

    fn restore(&mut self, snapshot: RSlice<'_, u8>) -> CallResult<()> {
        self.inner.restore(snapshot)
    }
}
