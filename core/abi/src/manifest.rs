//! What a library says of itself, as JSON: it evolves without a new layout.

use serde::{Deserialize, Serialize};
use vola_types::PluginDescription;

/// A library's manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LibraryManifest {
    /// First half of the ids of its plugins; `[a-z0-9_]+`.
    pub library: String,
    /// Version of the library's crate.
    pub version: String,
    /// Version of the SDK it was built with.
    #[serde(default)]
    pub sdk: String,
    /// Its plugins.
    pub plugins: Vec<PluginDescription>,
    /// Plugins that could not describe themselves, each with the reason. They
    /// are not among `plugins`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

/// Why a manifest is not understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "the library's manifest is not understood: {reason}\nhelp: rebuild the plugin with the vola-plugin SDK of this Vola"
)]
pub struct ManifestError {
    /// What the JSON reader said.
    pub reason: String,
}

impl LibraryManifest {
    /// Reads a manifest. Unknown fields are ignored: a newer SDK may add some.
    ///
    /// # Errors
    /// When the text is not the JSON of a manifest.
    pub fn from_json(text: &str) -> Result<Self, ManifestError> {
        serde_json::from_str(text).map_err(|error| ManifestError {
            reason: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_fields_are_ignored_and_older_ones_may_be_missing() {
        let text = r#"{"library":"x","version":"1.0.0","plugins":[{"name":"a","version":"1.0.0",
            "kind":"head","summary":"","settings_schema":{},"future":1}],"more":true}"#;
        let manifest = LibraryManifest::from_json(text).unwrap();
        assert_eq!(manifest.plugins[0].name, "a");
        assert!(manifest.faults.is_empty() && manifest.sdk.is_empty());
        let again = serde_json::to_string(&manifest).unwrap();
        assert_eq!(LibraryManifest::from_json(&again).unwrap(), manifest);
    }

    #[test]
    fn another_text_is_refused_with_the_place() {
        let error = LibraryManifest::from_json(r#"{"library":"x"}"#).unwrap_err();
        assert!(
            error.to_string().contains("missing field `version`"),
            "{error}"
        );
    }
}
