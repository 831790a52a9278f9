//! Every good file is read; every bad file is refused with the texts beside it.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use vola_bundle::{BundleError, Deployment, Manifest, RawManifest};

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn load(path: &Path) -> Result<(), BundleError> {
    let is_manifest = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("policy"));
    if is_manifest {
        Manifest::load(path).map(|_| ())
    } else {
        Deployment::load(path).map(|_| ())
    }
}

#[test]
fn good_files_are_read() {
    for name in ["policy.toml", "deployment.toml"] {
        load(&tests().join("good").join(name)).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn every_shipped_deployment_is_read() {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let mut count = 0;
    for entry in std::fs::read_dir(configs).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "toml") {
            Deployment::load(&path).unwrap_or_else(|error| panic!("{error}"));
            count += 1;
        }
    }
    assert!(count >= 2, "the default deployments are missing");
}

#[test]
fn bad_files_are_refused_with_the_text_beside_them() {
    let mut count = 0;
    let mut entries: Vec<PathBuf> = std::fs::read_dir(tests().join("bad"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
    {
        let name = path.display();
        let Err(error) = load(path) else {
            panic!("{name}: was accepted")
        };
        let text = error.to_string();
        let expected = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        for line in expected.lines().filter(|line| !line.is_empty()) {
            assert!(text.contains(line), "{name}: no `{line}` in\n{text}");
        }
        assert!(
            text.contains(path.to_str().unwrap()),
            "{name}: the file is not named in\n{text}"
        );
        count += 1;
    }
    assert!(count >= 30, "only {count} bad files");
}

#[test]
fn a_manifest_survives_writing() {
    let text = std::fs::read_to_string(tests().join("good/policy.toml")).unwrap();
    let mut problems = vola_bundle::Problems::default();
    let raw = RawManifest::parse(&text, "policy.toml", &mut problems).unwrap();
    assert!(problems.is_empty(), "{problems}");
    let written = raw.to_toml().unwrap();
    let again = RawManifest::parse(&written, "policy.toml", &mut problems).unwrap();
    assert!(problems.is_empty(), "{problems}\n{written}");
    assert_eq!(raw, again);
    Manifest::from_raw(&raw, "policy.toml").unwrap();
}

#[test]
fn paths_are_taken_from_the_deployment() {
    let file = tests().join("good/deployment.toml");
    let deployment = Deployment::load(&file).unwrap();
    assert_eq!(
        deployment.policy().unwrap().bundle(),
        tests().join("good/policies/tabletop")
    );
    assert_eq!(
        deployment.plugin_paths(),
        [tests().join("good/../target/debug")]
    );
}

/// Values that may stand anywhere in a file by mistake.
const STRAYS: [&str; 9] = [
    "3",
    "-1",
    "nan",
    "'x'",
    "[]",
    "{}",
    "true",
    "[[1]]",
    "1979-05-27",
];

proptest! {
    /// A file with a line lost, or a value of another type, is accepted or
    /// refused with a message; it never panics.
    #[test]
    fn no_slip_in_a_file_panics(
        line in 0usize..200,
        stray in 0usize..STRAYS.len(),
        is_lost in any::<bool>(),
        is_policy in any::<bool>(),
    ) {
        let name = if is_policy { "policy.toml" } else { "deployment.toml" };
        let good = std::fs::read_to_string(tests().join("good").join(name)).unwrap();
        let mut lines: Vec<String> = good.lines().map(ToOwned::to_owned).collect();
        let line = line % lines.len();
        if is_lost {
            lines.remove(line);
        } else if let Some((key, _)) = lines[line].clone().split_once('=') {
            lines[line] = format!("{key}= {}", STRAYS[stray]);
        }
        let text = lines.join("\n");
        let result = if is_policy {
            Manifest::parse(&text, name).map(|_| ())
        } else {
            Deployment::parse(&text, Path::new(name)).map(|_| ())
        };
        if let Err(error) = result {
            prop_assert!(error.to_string().starts_with(name), "{}", error);
        }
    }
}
