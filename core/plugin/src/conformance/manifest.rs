//! Checks of what a library says of itself.

use vola_abi::{LibraryManifest, LoadedModule};
use vola_types::{PluginDescription, PluginKind, is_word};

use super::report::{Flaw, Rows, Verdict};

/// Checks the manifest; none when there is nothing to go on with.
pub(super) fn check(rows: &mut Rows<'_>, loaded: &LoadedModule) -> Option<LibraryManifest> {
    let manifest = match loaded.manifest() {
        Ok(manifest) => manifest,
        Err(error) => {
            let help = "rebuild the library with the vola-plugin SDK of this Vola";
            rows.record("manifest parses", Err(Flaw::fault(error.reason, help)));
            return None;
        }
    };
    let count = manifest.plugins.len();
    rows.record(
        "manifest parses",
        Ok(format!("{count} plugin(s) in `{}`", manifest.library)),
    );
    rows.record("every plugin describes itself", described(&manifest));
    rows.record("names are words, used once", names(&manifest));
    rows.record("versions are semantic", versions(&manifest));
    rows.record("settings schemas are objects", schemas(&manifest));
    rows.record("heads say what they produce", produces(&manifest));
    Some(manifest)
}

fn described(manifest: &LibraryManifest) -> Verdict {
    if manifest.faults.is_empty() && !manifest.plugins.is_empty() {
        return Ok("all of them".to_owned());
    }
    let detail = if manifest.faults.is_empty() {
        "the library holds no plugin".to_owned()
    } else {
        manifest.faults.join("; ")
    };
    Err(Flaw::fault(
        detail,
        "`describe` returns constant data and must not panic; list the types in `export!`",
    ))
}

fn names(manifest: &LibraryManifest) -> Verdict {
    let help = "use lower-case letters, digits and `_`, and each name once";
    if !is_word(&manifest.library) {
        return Err(Flaw::fault(
            format!("library name `{}`", manifest.library),
            help,
        ));
    }
    for (index, plugin) in manifest.plugins.iter().enumerate() {
        if !is_word(&plugin.name) {
            return Err(Flaw::fault(format!("plugin name `{}`", plugin.name), help));
        }
        if manifest
            .plugins
            .iter()
            .take(index)
            .any(|other| other.name == plugin.name)
        {
            return Err(Flaw::fault(
                format!("plugin name `{}` is used twice", plugin.name),
                help,
            ));
        }
    }
    let names: Vec<&str> = manifest
        .plugins
        .iter()
        .map(|plugin| plugin.name.as_str())
        .collect();
    Ok(names.join(", "))
}

fn versions(manifest: &LibraryManifest) -> Verdict {
    let plugins = manifest
        .plugins
        .iter()
        .map(|plugin| (plugin.name.as_str(), &plugin.version));
    for (name, version) in
        std::iter::once((manifest.library.as_str(), &manifest.version)).chain(plugins)
    {
        if let Err(error) = semver::Version::parse(version) {
            return Err(Flaw::fault(
                format!("`{name}` has version `{version}`: {error}"),
                "use `major.minor.patch`, for example env!(\"CARGO_PKG_VERSION\")",
            ));
        }
    }
    Ok(format!("library {}", manifest.version))
}

fn schemas(manifest: &LibraryManifest) -> Verdict {
    match manifest
        .plugins
        .iter()
        .find(|plugin| !is_object_schema(plugin))
    {
        Some(plugin) => Err(Flaw::fault(
            format!(
                "the schema of `{}` is {}",
                plugin.name, plugin.settings_schema
            ),
            "give a JSON schema with \"type\": \"object\" and \"properties\"",
        )),
        None => Ok("all of them".to_owned()),
    }
}

fn is_object_schema(plugin: &PluginDescription) -> bool {
    plugin
        .settings_schema
        .get("type")
        .and_then(serde_json::Value::as_str)
        == Some("object")
}

fn produces(manifest: &LibraryManifest) -> Verdict {
    let wrong = manifest
        .plugins
        .iter()
        .find(|plugin| (plugin.kind == PluginKind::Head) != plugin.produces.is_some());
    match wrong {
        Some(plugin) => Err(Flaw::fault(
            format!(
                "`{}` is of kind {} and produces {:?}",
                plugin.name, plugin.kind, plugin.produces
            ),
            "set `produces` for heads, and for heads only",
        )),
        None => Ok("as they should".to_owned()),
    }
}
