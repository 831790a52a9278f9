//! A stage in a child, called as the parent says.

#![expect(
    unsafe_code,
    reason = "inputs are lent to the plugin where they lie in the parent's memory"
)]

use vola_abi::{
    CallContext, FaultAbi, HostServicesAbi, StageBox, TensorAbi, TensorRefAbi,
    abi_stable::std_types::{ROption, RSlice, RStr, RString},
};

use super::{failed, log_to_parent, unwrap};
use crate::{
    pool::PoolView,
    sys::Mapping,
    wire::{Ask, Reader, TensorHead, Writer, answer},
};

/// Outputs begin at a multiple of this (bytes).
const ALIGNMENT: usize = 64;

/// The one stage of this process.
pub(super) struct StageHost {
    stage: StageBox,
}

impl StageHost {
    pub(super) fn new(stage: StageBox) -> Self {
        Self { stage }
    }

    /// Carries out one question.
    pub(super) fn answer(
        &mut self,
        ask: Ask,
        mut reader: Reader<'_>,
        pool: &PoolView,
        output: &Mapping,
    ) -> Result<Writer, FaultAbi> {
        let done = || Writer::new(answer::DONE);
        match ask {
            Ask::Configure => {
                let settings = RStr::from(reader.text()?);
                unwrap(self.stage.configure(settings)).map(|()| done())
            }
            Ask::Activate => {
                let services = HostServicesAbi {
                    log: log_to_parent,
                    data: RString::from(reader.text()?),
                };
                unwrap(self.stage.activate(services)).map(|()| done())
            }
            Ask::Reset => unwrap(self.stage.reset(reader.u64()?)).map(|()| done()),
            Ask::Call => {
                let context = context(&mut reader)?;
                let heads = reader.tensors()?;
                let made = with_inputs(pool, &heads, |inputs| {
                    unwrap(self.stage.call(&context, inputs))
                })?;
                place(&made, output).map(|heads| done().tensors(&heads))
            }
            Ask::Adapt => {
                let context = context(&mut reader)?;
                let heads = reader.tensors()?;
                let report = with_inputs(pool, &heads, |examples| {
                    unwrap(self.stage.adapt(&context, examples))
                })?;
                Ok(done().text(&report))
            }
            Ask::Snapshot => {
                let bytes = unwrap(self.stage.snapshot())?;
                let head = TensorHead {
                    name: String::new(),
                    dtype: 0,
                    shape: Vec::new(),
                    offset: 0,
                    length: bytes.len(),
                };
                if !output.write(0, &bytes) {
                    return Err(too_large(bytes.len(), output.length()));
                }
                Ok(done().tensors(&[head]))
            }
            Ask::Restore => {
                let heads = reader.tensors()?;
                with_inputs(pool, &heads, |inputs| {
                    let bytes = inputs.first().map(|tensor| tensor.bytes);
                    unwrap(self.stage.restore(bytes.unwrap_or(RSlice::EMPTY)))
                })
                .map(|()| done())
            }
            Ask::Deactivate => unwrap(self.stage.deactivate()).map(|()| done()),
            _ => Err(failed(
                "a question for the host or a robot, not for a stage",
            )),
        }
    }
}

fn context(reader: &mut Reader<'_>) -> Result<CallContext, FaultAbi> {
    Ok(CallContext {
        seed: reader.u64()?,
        step: reader.u64()?,
        deadline_ns: reader.u64()?,
    })
}

/// Lends the tensors where they lie: nothing is copied.
fn with_inputs<R>(
    pool: &PoolView,
    heads: &[TensorHead],
    body: impl FnOnce(RSlice<'_, TensorRefAbi<'_>>) -> Result<R, FaultAbi>,
) -> Result<R, FaultAbi> {
    let inputs = heads
        .iter()
        .map(|head| {
            // SAFETY: the parent lends these bytes for the time of this call
            // and writes to them neither from its own thread, which waits for
            // the answer, nor from another, since the caller borrowed them; no
            // child can write to the pool. Whoever breaks that harms this
            // process alone, which is why it is one.
            let bytes = unsafe { pool.lend(head.offset, head.length) };
            let bytes = bytes.ok_or_else(|| failed("a tensor outside of the pool"))?;
            Ok(TensorRefAbi {
                name: RStr::from(head.name.as_str()),
                dtype: head.dtype,
                shape: RSlice::from_slice(&head.shape),
                bytes: RSlice::from_slice(bytes),
                resident: ROption::RNone,
            })
        })
        .collect::<Result<Vec<_>, FaultAbi>>()?;
    body(RSlice::from_slice(&inputs))
}

/// Copies what the plugin returned to where the parent reads it.
pub(super) fn place(tensors: &[TensorAbi], output: &Mapping) -> Result<Vec<TensorHead>, FaultAbi> {
    let mut offset = 0_usize;
    tensors
        .iter()
        .map(|tensor| {
            if tensor.resident.is_some() {
                return Err(failed(&format!(
                    "tensor `{}`: a resident tensor cannot leave a plugin's process\nhelp: run this stage in the runtime's process",
                    tensor.name
                )));
            }
            let end = offset.saturating_add(tensor.bytes.len());
            if !output.write(offset, &tensor.bytes) {
                return Err(too_large(end, output.length()));
            }
            let head = TensorHead {
                name: tensor.name.to_string(),
                dtype: tensor.dtype,
                shape: tensor.shape.to_vec(),
                offset,
                length: tensor.bytes.len(),
            };
            offset += tensor.bytes.len().next_multiple_of(ALIGNMENT);
            Ok(head)
        })
        .collect()
}

fn too_large(length: usize, room: usize) -> FaultAbi {
    failed(&format!(
        "outputs of an isolated plugin: expected at most {room} bytes, got {length}"
    ))
}
