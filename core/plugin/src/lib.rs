//! The SDK for authors of Vola plugins.
//!
//! Implement [`Stage`] (an encoder, fusion or head) or [`Embodiment`] (a robot),
//! list the types in [`export!`], build a `cdylib`. The SDK does the rest: it
//! mirrors the types over the stable boundary, guards every entry and every
//! `Drop` against panics (a panic that reached the boundary would end the host
//! process), and routes `tracing` and panic messages to the host's log.
//!
//! A plugin crate depends on this crate alone and needs no `unsafe`. Rejected:
//! to let authors use the ABI crate directly, since one missing guard there
//! stops a robot without running any `Drop`.
//!
//! `vola plugin new NAME --kind …` writes a crate to start from;
//! [`check_library`] (`vola plugin check`) tells whether a library keeps the
//! rules.
//!
//! # A complete library
//! ```
//! use vola_plugin::{
//!     CallContext, Fault, Inputs, Stage, Tensor,
//!     serde::Deserialize,
//!     serde_json::{self, Value, json},
//!     types::{DType, ExampleInput, PluginDescription, PluginKind},
//! };
//!
//! #[derive(Deserialize)]
//! #[serde(crate = "vola_plugin::serde", deny_unknown_fields)]
//! struct Settings {
//!     #[serde(default = "one")]
//!     gain: f32,
//! }
//!
//! fn one() -> f32 {
//!     1.0
//! }
//!
//! /// Multiplies the proprioception by a gain.
//! struct Scale {
//!     gain: f32,
//! }
//!
//! impl Stage for Scale {
//!     fn describe() -> PluginDescription {
//!         PluginDescription {
//!             name: "scale".to_owned(),
//!             version: "0.1.0".to_owned(),
//!             kind: PluginKind::Encoder,
//!             summary: "multiplies the proprioception by a gain".to_owned(),
//!             produces: None,
//!             capabilities: vec![],
//!             settings_schema: json!({
//!                 "type": "object",
//!                 "properties": { "gain": { "type": "number", "default": 1.0 } },
//!             }),
//!             example_inputs: vec![ExampleInput::new("observation.state", DType::F32, &[1, 9])],
//!         }
//!     }
//!
//!     fn configure(settings: Value) -> Result<Self, Fault> {
//!         let settings: Settings = serde_json::from_value(settings)?;
//!         if settings.gain.is_finite() && settings.gain > 0.0 {
//!             Ok(Self { gain: settings.gain })
//!         } else {
//!             Err(Fault::settings(format!("gain: expected a number > 0, got {}", settings.gain)))
//!         }
//!     }
//!
//!     fn call(&mut self, _: &CallContext, inputs: &Inputs<'_>) -> Result<Vec<Tensor>, Fault> {
//!         let state = inputs.get("observation.state")?;
//!         let scaled: Vec<f32> = state.f32s()?.iter().map(|value| value * self.gain).collect();
//!         let shape: Vec<usize> = state.shape().iter().map(|size| *size as usize).collect();
//!         Ok(vec![Tensor::f32("proprio.features", &shape, &scaled)?])
//!     }
//! }
//!
//! vola_plugin::export! {
//!     library: "scaling",
//!     stages: [Scale],
//!     embodiments: [],
//! }
//!
//! // Plugin types are plain types: test them without a library.
//! fn main() -> Result<(), Fault> {
//!     let mut stage = Scale::configure(json!({ "gain": 2.0 }))?;
//!     let state = Tensor::f32("observation.state", &[1, 2], &[0.5, -1.0])?;
//!     let outputs =
//!         Inputs::lend(&[state], |inputs| stage.call(&CallContext::default(), inputs))?;
//!     outputs[0].view(|view| assert_eq!(*view.f32s().unwrap(), [1.0, -2.0]));
//!     assert!(Scale::configure(json!({ "gian": 2.0 })).is_err());
//!     Ok(())
//! }
//! ```

mod bridge;
mod conformance;
mod embodiment;
mod export;
mod fault;
mod guard;
mod host;
mod stage;
mod tensor;

pub use conformance::{Check, CheckOptions, CheckOutcome, check_library, check_library_with};
pub use embodiment::{Actuator, Camera, Embodiment, ImageBuffer, Parts, Simulation};
pub use fault::Fault;
pub use host::Host;
pub use stage::Stage;
pub use tensor::{Inputs, Tensor, TensorView};
pub use vola_abi::{
    ABI_REVISION, CallContext, CommandFrame, FRAME_JOINTS, FaultKind, HostData, StateFrame,
    StopCategory,
};
pub use vola_types as types;
/// Re-exported so that plugins read settings and log without a dependency of their own.
pub use {serde, serde_json, tracing};

#[doc(hidden)]
pub mod __private {
    pub use crate::export::{find_embodiment, find_stage, manifest, unknown_plugin};
    pub use crate::guard::guard;
    pub use vola_abi::abi_stable;
    pub use vola_abi::{
        ABI_REVISION, CallResult, EmbodimentBox, FaultAbi, FaultKind, PluginModule,
        PluginModule_Ref, StageBox,
    };
}
