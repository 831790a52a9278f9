//! What a plugin says of itself: identity, kind, capabilities, settings.

use serde::{Deserialize, Serialize};

use crate::DType;

/// The four kinds of plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginKind {
    /// Observation → features.
    Encoder,
    /// Features → context.
    Fusion,
    /// Context → action, scene or progress.
    Head,
    /// A robot, real or simulated.
    Embodiment,
}

impl PluginKind {
    /// The word in TOML and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encoder => "encoder",
            Self::Fusion => "fusion",
            Self::Head => "head",
            Self::Embodiment => "embodiment",
        }
    }
}

impl std::fmt::Display for PluginKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What a head produces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadOutput {
    /// Action chunks.
    Action,
    /// Objects found in the picture.
    Scene,
    /// Whether the primitive is done or failing.
    Progress,
}

/// Optional abilities of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// An action head that returns several samples: `[B, N, horizon, dim]`.
    Samples,
    /// An action head that continues a running chunk (real-time chunking).
    Prefix,
    /// A head that can be fine-tuned: `adapt`, `snapshot`, `restore`.
    Adapt,
    /// A stage that offers a map of where it looked.
    Attention,
}

/// Identity and abilities of one plugin in a library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PluginDescription {
    /// Second half of the id, as in `tabletop/franka`; `[a-z0-9_]+`.
    pub name: String,
    /// Semantic version of the plugin.
    pub version: String,
    /// What it is.
    pub kind: PluginKind,
    /// One line for people.
    pub summary: String,
    /// For heads: what it produces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub produces: Option<HeadOutput>,
    /// Optional abilities.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// JSON schema of its settings. Its standard keyword `examples` may hold
    /// settings to try the plugin with.
    pub settings_schema: serde_json::Value,
    /// For stages: tensors to try the plugin with. Without them the conformance
    /// kit cannot call it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub example_inputs: Vec<ExampleInput>,
}

/// One tensor that a stage takes, as the conformance kit makes it up: floats
/// in 0..1 (1 in masks), a sentence for bytes of rank 2, else zeros.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleInput {
    /// Name in the stage graph.
    pub name: String,
    /// Element type; `resident` cannot be made up.
    pub dtype: DType,
    /// Size of each dimension, the batch first.
    pub shape: Vec<u64>,
}

impl ExampleInput {
    /// An example tensor of a name, type and shape.
    pub fn new(name: impl Into<String>, dtype: DType, shape: &[u64]) -> Self {
        Self {
            name: name.into(),
            dtype,
            shape: shape.to_vec(),
        }
    }
}

/// A plugin id, `library/plugin`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PluginId {
    library: String,
    plugin: String,
}

/// Why a text is not a plugin id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "plugin id `{text}`: expected `library/plugin` in lower-case letters, digits and `_`, for example `tabletop/franka`"
)]
pub struct PluginIdError {
    /// The text.
    pub text: String,
}

impl PluginId {
    /// Checks and splits a `library/plugin` text.
    ///
    /// # Errors
    /// When either half is empty or holds anything but `[a-z0-9_]`.
    pub fn parse(text: &str) -> Result<Self, PluginIdError> {
        match text.split_once('/') {
            Some((library, plugin)) if is_word(library) && is_word(plugin) => Ok(Self {
                library: library.to_owned(),
                plugin: plugin.to_owned(),
            }),
            _ => Err(PluginIdError {
                text: text.to_owned(),
            }),
        }
    }

    /// The library that holds the plugin.
    #[must_use]
    pub fn library(&self) -> &str {
        &self.library
    }

    /// The plugin inside the library.
    #[must_use]
    pub fn plugin(&self) -> &str {
        &self.plugin
    }
}

/// Whether a text may name a library or a plugin: `[a-z0-9_]+`.
#[must_use]
pub fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

impl TryFrom<String> for PluginId {
    type Error = PluginIdError;

    fn try_from(text: String) -> Result<Self, PluginIdError> {
        Self::parse(&text)
    }
}

impl From<PluginId> for String {
    fn from(id: PluginId) -> Self {
        id.to_string()
    }
}

impl std::fmt::Display for PluginId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.library, self.plugin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_parse_or_name_the_text() {
        let id = PluginId::parse("tabletop/franka").unwrap();
        assert_eq!((id.library(), id.plugin()), ("tabletop", "franka"));
        for bad in [
            "",
            "tabletop",
            "/franka",
            "tabletop/",
            "a/b/c",
            "Tab/x",
            "../x",
            "a b/c",
        ] {
            assert_eq!(PluginId::parse(bad).unwrap_err().text, bad);
        }
    }
}
