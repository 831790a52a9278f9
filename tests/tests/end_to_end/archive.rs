//! `cargo xtask dist`: the archive runs where it is unpacked, by itself.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use vola_tests::{Finished, run_limited, workspace};

use super::LIMIT;

/// Longest time of packing: a debug build is large.
const PACK_LIMIT: Duration = Duration::from_secs(600);

/// Packs what was built; the archive.
fn pack(into: &Path) -> PathBuf {
    let mut xtask = workspace().xtask();
    xtask
        .args(["dist", "--profile", "dev", "--no-build", "--out"])
        .arg(into);
    let packed = run_limited(&mut xtask, "", PACK_LIMIT);
    assert_eq!(packed.code, Some(0), "{}", packed.stderr);
    let first = packed.stdout.lines().next().unwrap();
    PathBuf::from(first)
}

/// The archive that the tests of this process unpack.
fn archive() -> &'static Path {
    static ARCHIVE: OnceLock<PathBuf> = OnceLock::new();
    ARCHIVE.get_or_init(|| pack(&workspace().built.join("packed_by_tests")))
}

/// Every file below a folder, relative to it.
fn files(folder: &Path) -> BTreeSet<String> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let inside = path.strip_prefix(root).unwrap();
                found.insert(inside.to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(folder, folder, &mut found);
    found
}

/// An unpacked archive, used from a folder that has nothing to do with it.
struct Unpacked {
    _folder: tempfile::TempDir,
    top: PathBuf,
    elsewhere: PathBuf,
}

impl Unpacked {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = archive();
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(archive).current_dir(folder.path());
        let unpacked = run_limited(&mut tar, "", LIMIT);
        assert_eq!(unpacked.code, Some(0), "{}", unpacked.stderr);
        let name = archive.file_name().unwrap().to_str().unwrap();
        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        Self {
            // A linked temporary folder has another name for the program itself.
            top: folder
                .path()
                .canonicalize()
                .unwrap()
                .join(name.strip_suffix(".tar.gz").unwrap()),
            elsewhere,
            _folder: folder,
        }
    }

    fn vola(&self, arguments: &[&str]) -> Finished {
        let mut vola = Command::new(
            self.top
                .join(format!("vola{}", std::env::consts::EXE_SUFFIX)),
        );
        vola.args(arguments)
            .arg("--json")
            .current_dir(&self.elsewhere)
            .env_clear();
        run_limited(&mut vola, "", LIMIT)
    }

    fn done(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        let run = self.vola(arguments);
        assert_eq!(
            run.code,
            Some(0),
            "{arguments:?}: {}\n{}",
            run.stdout,
            run.stderr
        );
        run.json_lines()
    }
}

#[test]
fn an_unpacked_archive_runs_by_itself() {
    let archive = Unpacked::new();
    let top = archive.top.to_str().unwrap();

    let doctor = archive.done(&["doctor"]);
    let found = |check: &str| {
        let row = doctor.iter().find(|row| row["check"] == check);
        row.unwrap_or_else(|| panic!("no `{check}` in {doctor:#?}"))
    };
    for check in ["deployment", "bundle"] {
        let detail = found(check)["detail"].as_str().unwrap();
        assert!(detail.starts_with(top), "{check}: {detail} is not in {top}");
    }
    for check in ["plugin lock", "handshake"] {
        assert_eq!(found(check)["verdict"], "fine", "{doctor:#?}");
    }

    let bundle = archive.top.join("configs/policies/tabletop");
    let bundle = bundle.to_str().unwrap();
    let shown = archive.done(&["policy", "show", bundle]);
    let ours = workspace().root.join("configs/policies/tabletop");
    let original = archive.done(&["policy", "show", ours.to_str().unwrap()]);
    assert_eq!(shown[0]["hash"], original[0]["hash"]);

    for sentence in ["go home", "put the yellow block in the red bowl"] {
        let events = archive.done(&["run", sentence, "--fast", "--seed", "2"]);
        let finished = events.last().unwrap();
        assert_eq!(finished["event"], "finished");
        assert_eq!(finished["success"], true, "{sentence}: {finished}");
    }
    let measured = archive.done(&["eval", "--task", "pick", "--episodes", "2"]);
    assert_eq!(measured.last().unwrap()["summary"]["episodes"], 2);
}

#[test]
fn what_a_plugin_is_built_with_comes_along() {
    let archive = Unpacked::new();
    archive.done(&["plugin", "new", "my_arm", "--kind", "embodiment"]);
    // Resolved, not built: that is what the integrator's test does.
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["metadata", "--format-version", "1", "--offline"])
        .current_dir(archive.elsewhere.join("my_arm"));
    let resolved = run_limited(&mut cargo, "", LIMIT);
    assert_eq!(resolved.code, Some(0), "{}", resolved.stderr);
    let metadata: serde_json::Value = serde_json::from_str(&resolved.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let sdk = packages
        .iter()
        .find(|package| package["name"] == "vola-plugin");
    let manifest = sdk.unwrap()["manifest_path"].as_str().unwrap();
    let top = archive.top.canonicalize().unwrap();
    assert!(manifest.starts_with(top.to_str().unwrap()), "{manifest}");
}

#[test]
fn everything_in_the_archive_is_accounted_for() {
    let archive = Unpacked::new();
    let top = &archive.top;
    let all = files(top);
    let sums = fs::read_to_string(top.join("BLAKE3SUMS")).unwrap();
    let mut listed = BTreeSet::from(["BLAKE3SUMS".to_owned()]);
    for line in sums.lines() {
        let (hash, path) = line.split_once("  ").unwrap();
        let bytes = fs::read(top.join(path)).unwrap();
        assert_eq!(blake3::hash(&bytes).to_string(), hash, "{path}");
        listed.insert(path.to_owned());
    }
    assert_eq!(listed, all);
    for file in [
        "README.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "THIRD-PARTY-LICENCES",
        "configs/tabletop.toml",
        "configs/manual/robot.md",
        "configs/policies/tabletop/model.safetensors",
        "sdk/core/plugin/Cargo.toml",
    ] {
        assert!(all.contains(file), "{file} is not in {all:?}");
    }
    assert!(all.iter().all(|file| !file.starts_with("configs/train")));

    // The lock says of the libraries what the runtime finds.
    let lock = fs::read_to_string(top.join("plugins.lock")).unwrap();
    let mut libraries = BTreeSet::new();
    for plugin in archive.done(&["plugin", "list"]) {
        let path = Path::new(plugin["path"].as_str().unwrap());
        assert!(path.starts_with(top), "{path:?}");
        let library = plugin["id"].as_str().unwrap().split('/').next().unwrap();
        libraries.insert(library.to_owned());
        let entry = format!(
            "[[library]]\nname = \"{library}\"\nversion = {}\nblake3 = {}\n",
            plugin["version"], plugin["hash"]
        );
        assert!(lock.contains(&entry), "{entry}is not in\n{lock}");
    }
    let shipped = ["encoders", "fusion", "heads", "tabletop"];
    assert!(libraries.iter().eq(shipped.iter()), "{libraries:?}");

    let licences = fs::read_to_string(top.join("THIRD-PARTY-LICENCES")).unwrap();
    for line in ["candle-core 0.", "clap 4.", "abi_stable 0."] {
        assert!(licences.lines().any(|one| one.starts_with(line)), "{line}");
    }
    // What only tests and builds need is not shipped.
    assert!(!licences.lines().any(|one| one.starts_with("proptest ")));
}

#[test]
fn a_spoiled_library_is_noticed() {
    let archive = Unpacked::new();
    let heads = archive
        .top
        .join("plugins")
        .join(vola_tests::library_file("heads"));
    let mut bytes = fs::read(&heads).unwrap();
    // Behind the last section: it loads as before, and is not what was shipped.
    bytes.push(0);
    fs::write(&heads, bytes).unwrap();
    let doctor = archive.vola(&["doctor"]);
    assert_eq!(doctor.code, Some(2), "{}", doctor.stdout);
    assert!(doctor.stdout.contains("`heads`"), "{}", doctor.stdout);
}

#[test]
fn the_same_build_is_packed_into_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let again = pack(folder.path());
    let hash = |path: &Path| blake3::hash(&fs::read(path).unwrap());
    assert_eq!(hash(archive()), hash(&again));
}
