//! What a run's log begins with: which plugins and bundle move the robot.

use serde_json::Value;
use vola_types::PluginId;

use crate::{
    PluginLibrary, PluginRegistry, Robot, RuntimeError, policy::Policy, safety_setup::FilterUse,
};

/// Adds fields to a header.
pub(crate) fn add<const N: usize>(header: &mut Value, more: [(&str, Value); N]) {
    if let Some(fields) = header.as_object_mut() {
        fields.extend(more.map(|(field, value)| (field.to_owned(), value)));
    }
}

/// Versions, hashes, trust and isolation of what a session runs.
///
/// # Errors
/// When the bundle cannot be read again.
pub(crate) fn header(
    registry: &PluginRegistry,
    policy: Option<&Policy>,
    robot: &Robot,
    filter: FilterUse,
) -> Result<Value, RuntimeError> {
    let plugins: Vec<Value> = registry
        .libraries()
        .iter()
        .map(|library| {
            serde_json::json!({
                "library": library.name(),
                "version": library.version(),
                "sdk": library.sdk(),
                "path": library.path(),
                "blake3": library.hash().to_hex().to_string(),
                "trust": library.standing().as_str(),
                "isolated": isolated(registry, library),
                "confinement": library.confinement(),
            })
        })
        .collect();
    let bundle = policy
        .map(|policy| {
            Ok::<Value, RuntimeError>(serde_json::json!({
                "folder": policy.bundle().folder(),
                "blake3": policy.bundle().hash()?,
                "version": policy.versions.header(),
            }))
        })
        .transpose()?;
    Ok(serde_json::json!({
        "vola": env!("CARGO_PKG_VERSION"),
        "abi_revision": vola_abi::ABI_REVISION,
        "embodiment": robot.id().to_string(),
        "safety_filter": match filter {
            FilterUse::On => "on",
            FilterUse::OffInSimulation => "off",
        },
        "plugins": plugins,
        "plugin_lock": registry.rules().trust().lock().map(vola_isolation::PluginLock::file),
        "allow_unlocked": registry.rules().trust().allows_unlocked(),
        "bundle": bundle,
        "last_motion": robot.process().map(|it| &it.last_motion),
        "robot_confinement": robot.process().map(|it| &it.confinement),
    }))
}

/// Plugins of a library that run in a process of their own.
fn isolated(registry: &PluginRegistry, library: &PluginLibrary) -> Vec<String> {
    library
        .plugins()
        .iter()
        .filter_map(|plugin| PluginId::parse(&format!("{}/{}", library.name(), plugin.name)).ok())
        .filter(|id| registry.is_isolated(id))
        .map(|id| id.to_string())
        .collect()
}
