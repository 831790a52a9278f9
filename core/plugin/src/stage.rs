//! The trait of encoders, fusions and heads.

use serde_json::Value;
use vola_types::PluginDescription;

use crate::{CallContext, Fault, Host, Inputs, Tensor};

/// One stage of a policy.
///
/// Life: `configure` → `activate` → (`reset` → `call`…)… → `deactivate` → drop.
/// All on the policy thread. A panic anywhere becomes a fault, and the
/// instance is not called again. A stage never reads a clock and draws random
/// numbers only from `CallContext::seed`.
pub trait Stage: Send + Sized + 'static {
    /// Name, kind, version, abilities and the JSON schema of the settings.
    fn describe() -> PluginDescription;

    /// Checks the settings of the bundle's stage table. Touches no file.
    ///
    /// # Errors
    /// [`Fault::settings`], naming the key, expected and got.
    fn configure(settings: Value) -> Result<Self, Fault>;

    /// Loads weights and takes what later calls need.
    ///
    /// # Errors
    /// When a file is missing or its content is not what the settings ask for.
    fn activate(&mut self, host: &Host) -> Result<(), Fault> {
        let _ = host;
        Ok(())
    }

    /// A primitive begins: forget everything carried from call to call.
    ///
    /// # Errors
    /// When the stage cannot go on.
    fn reset(&mut self, seed: u64) -> Result<(), Fault> {
        let _ = seed;
        Ok(())
    }

    /// One forward pass: the outputs named in the bundle, in any order.
    ///
    /// # Errors
    /// When an input is missing or of another shape, or the numbers went wrong.
    fn call(&mut self, context: &CallContext, inputs: &Inputs<'_>) -> Result<Vec<Tensor>, Fault>;

    /// Frees what `activate` took.
    ///
    /// # Errors
    /// When something could not be freed; the host only logs it.
    fn deactivate(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// Fine-tunes on examples; answers with a JSON report. Needs the capability `adapt`.
    ///
    /// `examples` hold every input and every wanted output of the stage by its name in the bundle,
    /// `[examples, …]`, and `weight` f32 `[examples]`: how much each counts. `options`, where it is
    /// there, is JSON text `[1, length]`: `steps` that this call makes at most, `total` of all calls,
    /// `batch`, `learning_rate`. A stage reads no clock: whoever calls keeps a time budget by calling
    /// again, with `context.step` at the steps made so far (0 begins anew), or not. The report has
    /// `steps` made so far, `loss_before` and `loss_after`. The next `call` has the weights reached.
    ///
    /// # Errors
    /// When the stage does not offer it or training failed; weights are then unchanged.
    fn adapt(&mut self, context: &CallContext, examples: &Inputs<'_>) -> Result<Value, Fault> {
        let _ = (context, examples);
        Err(Fault::unsupported("adapt"))
    }

    /// The present weights, for `restore`.
    ///
    /// # Errors
    /// When the stage does not offer it.
    fn snapshot(&mut self) -> Result<Vec<u8>, Fault> {
        Err(Fault::unsupported("snapshot"))
    }

    /// Goes back to the weights of a `snapshot`.
    ///
    /// # Errors
    /// When the stage does not offer it or the bytes are not a snapshot of it.
    fn restore(&mut self, snapshot: &[u8]) -> Result<(), Fault> {
        let _ = snapshot;
        Err(Fault::unsupported("restore"))
    }
}
