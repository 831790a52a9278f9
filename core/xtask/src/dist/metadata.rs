//! What cargo knows of the workspace: which libraries are shipped, and which
//! crates of others are built into them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde_json::Value;

use crate::workspace::{Workspace, output_of};

/// The package of the binary.
const PROGRAM: &str = "vola";

/// A plugin library that is shipped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ShippedLibrary {
    /// Its name, first half of its plugins' ids.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
}

impl ShippedLibrary {
    /// Its file name on this system.
    pub(crate) fn file(&self) -> String {
        format!(
            "{}{}{}",
            std::env::consts::DLL_PREFIX,
            self.name,
            std::env::consts::DLL_SUFFIX
        )
    }
}

/// A crate of others.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ForeignCrate {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its licence expression; empty when it names a file instead.
    pub(crate) licence: String,
    /// Where its sources are kept, if it says.
    pub(crate) repository: String,
    /// Its folder on this machine.
    pub(crate) folder: PathBuf,
}

/// What is shipped.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// Version of the binary.
    pub(crate) version: String,
    /// Plugin libraries, by name.
    pub(crate) libraries: Vec<ShippedLibrary>,
    /// Crates of others in binary and libraries, by name and version.
    pub(crate) foreign: Vec<ForeignCrate>,
}

impl Metadata {
    /// Asks cargo, for one target.
    ///
    /// # Errors
    /// When cargo fails, or its answer is not of the known form.
    pub(crate) fn read(workspace: &Workspace, triple: &str) -> Result<Self, String> {
        let text = output_of(workspace.cargo().args([
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--filter-platform",
            triple,
        ]))?;
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| format!("cargo metadata: expected JSON: {error}"))?;
        Self::from_json(&value)
    }

    fn from_json(value: &Value) -> Result<Self, String> {
        let packages: BTreeMap<&str, &Value> = list(value, "packages")
            .map(|package| (text(package, "id"), package))
            .collect();
        let members: BTreeSet<&str> = list(value, "workspace_members")
            .filter_map(Value::as_str)
            .collect();
        let is_member = |package: &Value| members.contains(text(package, "id"));
        let program = packages
            .values()
            .find(|package| is_member(package) && text(package, "name") == PROGRAM)
            .ok_or_else(|| format!("cargo metadata: no package `{PROGRAM}` in the workspace"))?;
        let mut roots = vec![text(program, "id")];
        let mut libraries = Vec::new();
        for package in packages.values().filter(|package| is_member(package)) {
            let targets = list(package, "targets");
            for target in targets.filter(|target| has_word(target, "kind", "cdylib")) {
                roots.push(text(package, "id"));
                libraries.push(ShippedLibrary {
                    name: text(target, "name").replace('-', "_"),
                    version: text(package, "version").to_owned(),
                });
            }
        }
        libraries.sort();
        let reached = reached(value.get("resolve").unwrap_or(&Value::Null), roots);
        let mut foreign: Vec<ForeignCrate> = reached
            .into_iter()
            .filter_map(|id| packages.get(id))
            .filter(|package| !is_member(package))
            .map(|package| foreign_crate(package))
            .collect();
        foreign.sort();
        Ok(Self {
            version: text(program, "version").to_owned(),
            libraries,
            foreign,
        })
    }
}

/// Packages that are reached from the roots by normal dependencies: what builds
/// and tests need besides is not in the binaries.
fn reached<'a>(resolve: &'a Value, roots: Vec<&'a str>) -> BTreeSet<&'a str> {
    let nodes: BTreeMap<&str, &Value> = list(resolve, "nodes")
        .map(|node| (text(node, "id"), node))
        .collect();
    let mut reached = BTreeSet::new();
    let mut open = roots;
    while let Some(id) = open.pop() {
        if !reached.insert(id) {
            continue;
        }
        let Some(node) = nodes.get(id) else { continue };
        let normal = list(node, "deps").filter(|dependency| {
            list(dependency, "dep_kinds").any(|kind| kind.get("kind").is_none_or(Value::is_null))
        });
        open.extend(normal.map(|dependency| text(dependency, "pkg")));
    }
    reached
}

fn foreign_crate(package: &Value) -> ForeignCrate {
    let manifest = PathBuf::from(text(package, "manifest_path"));
    ForeignCrate {
        name: text(package, "name").to_owned(),
        version: text(package, "version").to_owned(),
        licence: text(package, "license").to_owned(),
        repository: text(package, "repository").to_owned(),
        folder: manifest.parent().map(PathBuf::from).unwrap_or_default(),
    }
}

fn has_word(value: &Value, key: &str, word: &str) -> bool {
    list(value, key).any(|one| one.as_str() == Some(word))
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_shipped_counts() {
        let package = |id: &str, kind: &str| {
            json!({"id": id, "name": id, "version": "1.0.0", "license": "MIT",
                "repository": null, "manifest_path": format!("/crates/{id}/Cargo.toml"),
                "targets": [{"name": id, "kind": [kind]}]})
        };
        let node = |id: &str, deps: &[(&str, Option<&str>)]| {
            let deps: Vec<_> = deps
                .iter()
                .map(|(pkg, kind)| json!({"pkg": pkg, "dep_kinds": [{"kind": kind}]}))
                .collect();
            json!({"id": id, "deps": deps})
        };
        let value = json!({
            "packages": [
                package("vola", "bin"), package("heads", "cdylib"), package("mock", "example"),
                package("b", "lib"), package("a", "lib"), package("build", "lib"),
                package("test", "lib"), package("mocks_own", "lib")],
            "workspace_members": ["vola", "heads", "mock"],
            "resolve": {"nodes": [
                node("vola", &[("b", None), ("build", Some("build")), ("test", Some("dev"))]),
                node("heads", &[("a", None)]),
                node("a", &[("b", None)]),
                node("mock", &[("mocks_own", None)])]},
        });
        let metadata = Metadata::from_json(&value).unwrap();
        let libraries: Vec<&str> = metadata.libraries.iter().map(|l| l.name.as_str()).collect();
        let foreign: Vec<&str> = metadata.foreign.iter().map(|c| c.name.as_str()).collect();
        assert_eq!((libraries, foreign), (vec!["heads"], vec!["a", "b"]));
        assert_eq!(metadata.foreign[0].folder, PathBuf::from("/crates/a"));
        assert!(Metadata::from_json(&json!({})).is_err());
    }
}
