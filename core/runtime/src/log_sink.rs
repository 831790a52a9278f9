//! Where plugins' log lines arrive in the host.

use vola_abi::{LogLevel, abi_stable::std_types::RStr};

/// Passes a plugin's line to the host's `tracing`.
///
/// Given to every plugin at `activate`; may be called from any thread.
pub(crate) extern "C" fn plugin_log(level: LogLevel, target: RStr<'_>, message: RStr<'_>) {
    // A panic here would cross the boundary; the formatting below has none, and
    // a subscriber that panics is caught.
    let _ = std::panic::catch_unwind(|| {
        let (from, text) = (target.as_str(), message.as_str());
        match level {
            LogLevel::Error => tracing::error!(target: "plugin", from, "{text}"),
            LogLevel::Warn => tracing::warn!(target: "plugin", from, "{text}"),
            LogLevel::Info => tracing::info!(target: "plugin", from, "{text}"),
            LogLevel::Debug => tracing::debug!(target: "plugin", from, "{text}"),
            LogLevel::Trace => tracing::trace!(target: "plugin", from, "{text}"),
        }
    });
}
