//! The sources that a plugin of one's own is built with: a workspace of the few
//! crates that plugins depend on.

use std::path::Path;

use toml::{Table, Value};

use super::{Contents, Packed, add_folder, read};

/// Folder of the sources in the archive; `vola plugin new` looks there.
pub(super) const SDK: &str = "sdk";
/// The crates, as folders of the workspace.
const CRATES: [&str; 3] = ["core/types", "core/abi", "core/plugin"];

/// Adds the crates and a workspace for them.
///
/// # Errors
/// When a crate, or what the workspace says for all crates, is missing.
pub(super) fn add_sdk(root: &Path, contents: &mut Contents) -> Result<(), String> {
    let mut sources = Contents::new();
    for folder in CRATES {
        add_folder(root, &root.join(folder), &mut sources)?;
    }
    let manifest = root.join("Cargo.toml");
    let text = String::from_utf8(read(&manifest)?)
        .map_err(|error| format!("{}: {error}", manifest.display()))?;
    let workspace =
        workspace_of(&text).map_err(|error| format!("{}: {error}", manifest.display()))?;
    sources.insert(
        "Cargo.toml".to_owned(),
        Packed::text(workspace.into_bytes()),
    );
    for (path, file) in sources {
        contents.insert(format!("{SDK}/{path}"), file);
    }
    Ok(())
}

/// The workspace's manifest with these crates alone.
fn workspace_of(text: &str) -> Result<String, String> {
    let mut all: Table = text.parse().map_err(|error| format!("{error}"))?;
    let Some(Value::Table(mut workspace)) = all.remove("workspace") else {
        return Err("expected [workspace], found none".to_owned());
    };
    let members = CRATES.map(|folder| Value::String(folder.to_owned()));
    workspace.insert("members".to_owned(), Value::Array(members.to_vec()));
    workspace.remove("exclude");
    let Some(Value::Table(dependencies)) = workspace.get_mut("dependencies") else {
        return Err("expected [workspace.dependencies], found none".to_owned());
    };
    dependencies.retain(|_, needed| {
        let path = needed.get("path").and_then(Value::as_str);
        path.is_none_or(|path| CRATES.contains(&path))
    });
    let manifest = Table::from_iter([("workspace".to_owned(), Value::Table(workspace))]);
    toml::to_string(&manifest).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_has_only_what_is_packed() {
        let text = workspace_of(
            r#"
[workspace]
resolver = "3"
members = ["core/types", "core/cli"]
exclude = ["tests/fuzz"]
[workspace.package]
version = "0.1.0"
[workspace.dependencies]
vola-types = { path = "core/types" }
vola-cli = { path = "core/cli" }
serde = "1"
[profile.dev]
opt-level = 3
"#,
        )
        .unwrap();
        let made: Table = text.parse().unwrap();
        let workspace = made["workspace"].as_table().unwrap();
        let members = workspace["members"].as_array().unwrap();
        assert_eq!(members.len(), CRATES.len());
        let dependencies = workspace["dependencies"].as_table().unwrap();
        let names: Vec<&str> = dependencies.keys().map(String::as_str).collect();
        assert_eq!(names, ["serde", "vola-types"]);
        assert!(!workspace.contains_key("exclude") && !made.contains_key("profile"));
        assert!(workspace_of("a = 1").is_err());
    }
}
