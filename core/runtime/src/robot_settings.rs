//! The settings that a robot's plugin is given.

use serde_json::Value;
use vola_bundle::Deployment;
use vola_types::{PluginDescription, PluginId};

use crate::PluginRegistry;

/// The setting by which a robot is told how hard it may grip (N).
const GRIPPER_FORCE: &str = "gripper_force_n";

/// Settings with the keys of `over` put over those of `base`.
pub(crate) fn merged(base: &Value, over: &Value) -> Value {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            let mut all = base.clone();
            for (key, value) in over {
                let merged_value = merged(base.get(key).unwrap_or(&Value::Null), value);
                all.insert(key.clone(), merged_value);
            }
            Value::Object(all)
        }
        (base, Value::Null) => base.clone(),
        (_, over) => over.clone(),
    }
}

/// The settings, with the deployment's limit of the grasp force put in where the
/// robot has such a setting, grips harder by itself, and nothing is said of it.
pub(crate) fn gripping_no_harder(
    mut settings: Value,
    deployment: &Deployment,
    registry: &PluginRegistry,
    id: &PluginId,
) -> Value {
    let Some(limit_n) = deployment.safety().gripper_force_n() else {
        return settings;
    };
    let plugins = registry.libraries().iter().flat_map(|library| {
        let name = library.name().to_owned();
        let named =
            move |plugin: &&PluginDescription| format!("{name}/{}", plugin.name) == id.to_string();
        library.plugins().iter().filter(named)
    });
    let usual_n = plugins
        .filter_map(|plugin| {
            let path = format!("/properties/{GRIPPER_FORCE}/default");
            plugin.settings_schema.pointer(&path)?.as_f64()
        })
        .next();
    if settings.is_null() {
        settings = Value::Object(serde_json::Map::new());
    }
    if let (Some(usual_n), Some(settings)) = (usual_n, settings.as_object_mut())
        && usual_n > limit_n
    {
        settings.entry(GRIPPER_FORCE).or_insert(limit_n.into());
    }
    settings
}
