//! What every plugin library must do right, checked from the host's side.
//!
//! `vola plugin check` prints these rows. The kit sees a library only through
//! the boundary, as the runtime does, so it also judges plugins that were made
//! without this SDK. It never moves a robot that has no simulation: of such a
//! one it reads the state, lets it hold, and takes pictures.

mod actuator;
mod embodiment;
mod example;
mod log;
mod manifest;
mod motion;
mod report;
mod stage;

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;
use vola_abi::{HostData, LoadedModule};
use vola_types::PluginKind;

pub use report::{Check, CheckOutcome};

use report::{Flaw, Rows};

/// What the kit may be told of a library.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// Settings to try a plugin with, by plugin name. Otherwise the first of
    /// the schema's `examples`, or else `{}`.
    pub settings: BTreeMap<String, Value>,
    /// Host data given to stages, such as the weights file of a bundle.
    pub host: HostData,
}

/// Loads a library and checks everything it offers.
///
/// # Timing
/// Runs the plugins: seconds for a simulated robot.
#[must_use]
pub fn check_library(path: &Path) -> Vec<Check> {
    check_library_with(path, &CheckOptions::default())
}

/// [`check_library`] with settings or weights for plugins that need them.
#[must_use]
pub fn check_library_with(path: &Path, options: &CheckOptions) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut rows = Rows::new("library", &mut checks);
    let loaded = match LoadedModule::load(path) {
        Ok(loaded) => loaded,
        Err(error) => {
            let text = error.to_string();
            let (detail, help) = text.split_once("\nhelp: ").unwrap_or((&text, "see above"));
            rows.record("loads", Err(Flaw::fault(detail, help)));
            return checks;
        }
    };
    rows.record(
        "loads",
        Ok(format!("interface revision {}", vola_abi::ABI_REVISION)),
    );
    let loaded = match loaded.whose_panics_are_caught(path) {
        Ok(loaded) => loaded,
        Err(_) => {
            rows.record(
                "panics are caught",
                Err(Flaw::fault(
                    "it was built with `panic = \"abort\"`: a panic in it ends the whole process; nothing more was tried in this one",
                    "set `panic = \"unwind\"` in the profile that builds it",
                )),
            );
            return checks;
        }
    };
    let Some(manifest) = manifest::check(&mut rows, &loaded) else {
        return checks;
    };
    for description in &manifest.plugins {
        let subject = Subject {
            module: loaded.module(),
            description,
            settings: chosen_settings(description, options),
            options,
        };
        let mut rows = Rows::new(
            format!("{}/{}", manifest.library, description.name),
            &mut checks,
        );
        match description.kind {
            PluginKind::Embodiment => embodiment::check(&mut rows, &subject),
            PluginKind::Encoder | PluginKind::Fusion | PluginKind::Head => {
                stage::check(&mut rows, &subject);
            }
        }
    }
    checks
}

/// One plugin under test.
struct Subject<'a> {
    module: vola_abi::PluginModule_Ref,
    description: &'a vola_types::PluginDescription,
    settings: Value,
    options: &'a CheckOptions,
}

impl Subject<'_> {
    /// Settings that no plugin may accept, each with what is wrong in them.
    fn bad_settings(&self) -> Vec<(String, Value)> {
        let mut bad = vec![(
            "a text instead of a table".to_owned(),
            Value::from("settings"),
        )];
        let mut unknown = self.settings.clone();
        if let Some(table) = unknown.as_object_mut() {
            table.insert("no_such_setting_anywhere".to_owned(), Value::from(1));
            bad.push(("an unknown key".to_owned(), unknown));
        }
        let properties = self.description.settings_schema.get("properties");
        for (key, schema) in properties.and_then(Value::as_object).into_iter().flatten() {
            let wrong = match schema.get("type").and_then(Value::as_str) {
                Some("string") => Value::from(17),
                Some("integer" | "number" | "boolean" | "array" | "object") => {
                    Value::from("a text")
                }
                _ => continue,
            };
            let mut spoiled = self.settings.clone();
            if let Some(table) = spoiled.as_object_mut() {
                table.insert(key.clone(), wrong);
                bad.push((format!("`{key}` of a wrong type"), spoiled));
            }
        }
        bad
    }
}

fn chosen_settings(description: &vola_types::PluginDescription, options: &CheckOptions) -> Value {
    let example = || description.settings_schema.get("examples")?.get(0).cloned();
    options
        .settings
        .get(&description.name)
        .cloned()
        .or_else(example)
        .unwrap_or_else(|| Value::Object(serde_json::Map::new()))
}
