//! House rules that no compiler checks: which crate may know which, who may
//! print, how long a file may be.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Most lines of a source file.
const MAX_LINES: usize = 800;

/// What each crate of the workspace may depend on. A crate that is not listed
/// is refused: decide its place first.
const MAY_KNOW: [(&str, &[&str]); 25] = [
    ("vola-types", &[]),
    ("vola-abi", &["vola-types"]),
    ("vola-plugin", &["vola-types", "vola-abi"]),
    ("vola-isolation", &["vola-types", "vola-abi"]),
    ("vola-motion", &["vola-types"]),
    ("vola-bundle", &["vola-types"]),
    ("vola-confidence", &["vola-types"]),
    ("vola-nn", &["vola-types", "vola-bundle"]),
    (
        "vola-runtime",
        &[
            "vola-types",
            "vola-abi",
            "vola-isolation",
            "vola-motion",
            "vola-bundle",
            "vola-confidence",
        ],
    ),
    (
        "vola-faults",
        &[
            "vola-types",
            "vola-abi",
            "vola-bundle",
            "vola-motion",
            "vola-runtime",
        ],
    ),
    ("vola-console", &["vola-types"]),
    ("vola-recorder", &["vola-types"]),
    (
        "vola-train",
        &["vola-types", "vola-bundle", "vola-nn", "vola-recorder"],
    ),
    ("vola-planner", &["vola-types", "vola-nn"]),
    ("vola-documents", &[]),
    ("vola-phrasebook", &["vola-types", "vola-planner"]),
    (
        "vola-language-model",
        &[
            "vola-types",
            "vola-nn",
            "vola-train",
            "vola-planner",
            "vola-phrasebook",
        ],
    ),
    ("vola-nn-bridge", &["vola-plugin", "vola-nn"]),
    (
        "vola-plugin-encoders",
        &["vola-plugin", "vola-nn", "vola-nn-bridge"],
    ),
    (
        "vola-plugin-fusion",
        &["vola-plugin", "vola-nn", "vola-nn-bridge"],
    ),
    (
        "vola-plugin-heads",
        &["vola-plugin", "vola-nn", "vola-nn-bridge"],
    ),
    (
        "vola-tabletop",
        &["vola-plugin", "vola-types", "vola-motion"],
    ),
    (
        "vola",
        &[
            "vola-types",
            "vola-abi",
            "vola-plugin",
            "vola-isolation",
            "vola-motion",
            "vola-bundle",
            "vola-confidence",
            "vola-nn",
            "vola-runtime",
            "vola-train",
            "vola-recorder",
            "vola-faults",
            "vola-console",
            "vola-planner",
            "vola-documents",
            "vola-phrasebook",
            "vola-language-model",
        ],
    ),
    ("xtask", &[]),
    (
        "vola-tests",
        &[
            "vola-abi",
            "vola-plugin",
            "vola-isolation",
            "vola-types",
            "vola-bundle",
            "vola-nn",
            "vola-runtime",
            "vola-train",
        ],
    ),
];

/// Foreign crates that only some of ours may know: a prefix of their name, and
/// prefixes of the folders of ours.
const ONLY_IN: [(&str, &[&str]); 8] = [
    ("axum", &["core/console"]),
    (
        "candle-",
        &[
            "core/nn",
            "core/train",
            "plugins/",
            "planner/language-model",
            "tests",
        ],
    ),
    ("ort", &["core/nn", "core/train", "plugins/"]),
    ("abi_stable", &["core/abi"]),
    ("tantivy", &["planner/documents"]),
    ("reqwest", &["planner"]),
    ("rustls", &["planner"]),
    (
        "tokio",
        &["planner", "core/runtime", "core/console", "core/cli"],
    ),
];

struct Member {
    name: String,
    folder: String,
    is_cdylib: bool,
    dependencies: BTreeSet<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn members() -> Vec<Member> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--offline",
            "--no-deps",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let member = |package: &Value| {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let folder = manifest.parent().unwrap().strip_prefix(root()).unwrap();
        let has = |target: &Value| target["crate_types"].to_string().contains("\"cdylib\"");
        let names = package["dependencies"].as_array().unwrap().iter();
        Member {
            name: package["name"].as_str().unwrap().to_owned(),
            folder: folder.to_str().unwrap().replace('\\', "/"),
            is_cdylib: package["targets"].as_array().unwrap().iter().any(has),
            dependencies: names
                .map(|it| it["name"].as_str().unwrap().to_owned())
                .collect(),
        }
    };
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(member)
        .collect()
}

#[test]
fn crates_know_only_what_they_may() {
    let rules: BTreeMap<&str, &[&str]> = MAY_KNOW.into_iter().collect();
    let members = members();
    let ours: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut faults = Vec::new();
    for member in &members {
        let allowed: &[&str] = if member.folder.starts_with("tests/plugins/") {
            &["vola-plugin"]
        } else if let Some(allowed) = rules.get(member.name.as_str()) {
            allowed
        } else {
            faults.push(format!(
                "{}: has no place in tests/tests/layering.rs yet",
                member.name
            ));
            continue;
        };
        for dependency in &member.dependencies {
            if ours.contains(dependency.as_str()) && !allowed.contains(&dependency.as_str()) {
                faults.push(format!(
                    "{} ({}) must not know {dependency}",
                    member.name, member.folder
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn foreign_crates_stay_where_they_belong() {
    let mut faults = Vec::new();
    for member in members() {
        for (foreign, homes) in ONLY_IN {
            let is_it = |name: &&String| {
                if foreign.ends_with('-') {
                    name.starts_with(foreign)
                } else {
                    *name == foreign
                }
            };
            if let Some(dependency) = member.dependencies.iter().find(is_it)
                && !homes.iter().any(|home| member.folder.starts_with(home))
            {
                faults.push(format!(
                    "{} must not depend on {dependency}: only in {homes:?}",
                    member.folder
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn plugin_libraries_are_never_dependencies() {
    let members = members();
    for library in members.iter().filter(|member| member.is_cdylib) {
        // Two libraries that export a root module do not link together.
        let users: Vec<&str> = members
            .iter()
            .filter(|member| member.dependencies.contains(&library.name))
            .map(|member| member.name.as_str())
            .collect();
        assert!(
            users.is_empty(),
            "{} is a dependency of {users:?}",
            library.name
        );
    }
    assert!(members.iter().filter(|member| member.is_cdylib).count() >= 4);
}

/// Every Rust file of the tree, with its path from the root.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && name != "data" && !name.starts_with('.') {
                    walk(&path, found);
                }
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort();
    let read = |path: &PathBuf| {
        let relative = path
            .strip_prefix(root())
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/");
        (relative, std::fs::read_to_string(path).unwrap())
    };
    found.iter().map(read).collect()
}

/// Lines of a file that are neither comments nor unit tests, with numbers.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line));
    // By custom the unit tests come last in a file.
    numbered
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn is_test_code(path: &str) -> bool {
    path.starts_with("tests/")
        || path.ends_with("/tests.rs")
        || ["/tests/", "/benches/", "/examples/"]
            .iter()
            .any(|folder| path.contains(folder))
}

#[test]
fn only_the_command_line_prints_or_exits() {
    let words = ["println!", "print!", "process::exit", "dbg!"];
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let speaks = path.starts_with("core/cli/src/") || path.starts_with("core/xtask/");
        if speaks || is_test_code(&path) {
            continue;
        }
        for (number, line) in code_lines(&text) {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                faults.push(format!(
                    "{path}:{number}: `{word}` belongs in core/cli or core/xtask"
                ));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn files_are_short_and_finished() {
    // In two halves, so that this file passes.
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
    ];
    let mut faults = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > MAX_LINES {
            faults.push(format!(
                "{path}: {lines} lines, at most {MAX_LINES}: split it by concept"
            ));
        }
        for (index, line) in text.lines().enumerate() {
            let mut words = line.split(|it: char| !it.is_ascii_alphanumeric());
            if words.any(|word| marks.contains(&word)) {
                faults.push(format!("{path}:{}: unfinished: {}", index + 1, line.trim()));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    for member in members() {
        let manifest = root().join(&member.folder).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap();
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{}: no workspace lints",
            member.folder
        );
    }
}
