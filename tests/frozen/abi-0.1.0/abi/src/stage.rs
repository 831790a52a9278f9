//! Encoder, fusion and head as they cross the boundary.
//!
//! The three kinds share one trait, because they share one exchange: a list of
//! named tensors in, a list of named tensors out.

use abi_stable::{
    sabi_trait,
    std_types::{RBox, RSlice, RStr, RString, RVec},
};

use crate::{CallContext, CallResult, HostServicesAbi, TensorAbi, TensorRefAbi};

/// A stage of the policy. Called on the policy thread only.
#[sabi_trait]
pub trait StageAbi: Send {
    /// Takes the settings (JSON). Nothing is loaded yet.
    fn configure(&mut self, settings: RStr<'_>) -> CallResult<()>;

    /// Loads weights and gets ready.
    fn activate(&mut self, host: HostServicesAbi) -> CallResult<()>;

    /// Forgets everything carried from call to call; a primitive begins.
    fn reset(&mut self, seed: u64) -> CallResult<()>;

    /// One forward pass.
    fn call<'a>(
        &mut self,
        context: &CallContext,
        inputs: RSlice<'a, TensorRefAbi<'a>>,
    ) -> CallResult<RVec<TensorAbi>>;

    /// Frees what `activate` took.
    fn deactivate(&mut self) -> CallResult<()>;

    /// Fine-tunes on contexts and targets; the answer is a JSON report.
    fn adapt<'a>(
        &mut self,
        context: &CallContext,
        examples: RSlice<'a, TensorRefAbi<'a>>,
    ) -> CallResult<RString>;

    /// The present weights.
    fn snapshot(&mut self) -> CallResult<RVec<u8>>;

    /// Weights of an earlier `snapshot`.
    #[sabi(last_prefix_field)]
    fn restore(&mut self, snapshot: RSlice<'_, u8>) -> CallResult<()>;
}

/// An owned stage.
pub type StageBox = StageAbi_TO<'static, RBox<()>>;
