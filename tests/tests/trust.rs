//! The lock file from end to end: written, obeyed, and a changed library.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;
use vola_abi::LoadedModule;
use vola_isolation::{PluginLock, Trust};
use vola_tests::{Finished, library_file, workspace};

/// A folder with copies of libraries, and a deployment that looks there first.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(libraries: &[&str], plugins: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for library in libraries {
            let copy = folder.path().join(library_file(library));
            fs::copy(workspace().library(library), copy).unwrap();
        }
        let text = format!(
            "[robot]\nplugin = 'mock/arm'\n[policy]\nbundle = 'none'\n[plugins]\npaths = ['.']\n{plugins}\n"
        );
        fs::write(folder.path().join("deployment.toml"), text).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn vola(&self, arguments: &[&str]) -> Finished {
        let config = self.path("deployment.toml");
        let mut all = arguments.to_vec();
        all.extend(["--config", &config, "--json"]);
        workspace().run_vola(&all, "", Duration::from_secs(60))
    }
}

fn trust_of(lines: &[Value], id: &str) -> Option<String> {
    let row = lines.iter().find(|row| row["id"] == id)?;
    row["trust"].as_str().map(ToOwned::to_owned)
}

fn refusal(lines: &[Value], file: &str) -> String {
    let is_it = |row: &&Value| {
        row["path"]
            .as_str()
            .is_some_and(|path| path.ends_with(file))
    };
    let Some(row) = lines.iter().find(is_it) else {
        panic!("no row for the library in {lines:?}");
    };
    row["refused"].as_str().unwrap_or("not refused").to_owned()
}

#[test]
fn a_lock_lets_in_what_it_lists_and_nothing_else() {
    let place = Place::new(&["mock"], "lock = 'plugins.lock'");
    let mock = place.path(&library_file("mock"));
    let locked = place.vola(&["plugin", "lock", &mock]);
    assert_eq!(locked.code, Some(0), "{}", locked.stderr);
    let lock = PluginLock::read(Path::new(&place.path("plugins.lock"))).unwrap();
    let hash = blake3_of(&mock);
    assert_eq!(lock.libraries()[0].blake3, hash);

    let lines = place.vola(&["plugin", "list"]).json_lines();
    assert_eq!(trust_of(&lines, "mock/arm").as_deref(), Some("locked"));
    // The libraries beside the program are not in this lock.
    let text = refusal(&lines, &library_file("tabletop"));
    assert!(
        text.contains("`tabletop`") && text.contains("--allow-unlocked"),
        "{text}"
    );

    // One changed byte, at the end, where no loader would notice.
    let mut bytes = fs::read(&mock).unwrap();
    bytes.push(0);
    fs::write(&mock, bytes).unwrap();
    for extra in [
        &["plugin", "list"][..],
        &["plugin", "list", "--allow-unlocked"],
    ] {
        let text = refusal(&place.vola(extra).json_lines(), &library_file("mock"));
        assert!(text.contains(&format!("expected blake3 {hash}")), "{text}");
        assert!(text.contains(&blake3_of(&mock)), "{text}");
        assert!(text.contains("vola plugin lock"), "{text}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn unlisted_libraries_are_let_in_isolated_when_told_so() {
    let place = Place::new(&["mock"], "lock = 'plugins.lock'");
    fs::write(place.path("plugins.lock"), "format = 1\n").unwrap();
    let list = place.vola(&["plugin", "list", "--allow-unlocked"]);
    assert_eq!(list.code, Some(0), "{}", list.stderr);
    let lines = list.json_lines();
    assert_eq!(trust_of(&lines, "mock/act").as_deref(), Some("unlocked"));
}

#[test]
fn without_a_lock_libraries_work_and_are_said_to_be_unlocked() {
    let place = Place::new(&["mock"], "");
    let lines = place.vola(&["plugin", "list"]).json_lines();
    for id in ["mock/arm", "tabletop/franka"] {
        assert_eq!(trust_of(&lines, id).as_deref(), Some("unlocked"), "{id}");
    }
}

/// The system's loader takes a re-used name for the library it knows: images
/// stay open, so that no name is used twice.
#[test]
fn two_libraries_from_sealed_memory_are_two() {
    let place = Place::new(&["mock", "wrong"], "lock = 'plugins.lock'");
    let locked = place.vola(&["plugin", "lock", &place.path("")]);
    assert_eq!(locked.code, Some(0), "{}", locked.stderr);
    let lock = place.path("plugins.lock");
    for library in ["mock", "wrong", "mock"] {
        let trust = Trust::with_lock(Path::new(&lock), &[], false).unwrap();
        let path = place.folder.path().join(library_file(library));
        let admitted = trust.admit(place.folder.path(), &path).unwrap();
        let loaded = LoadedModule::load_image(&admitted.image, &path).unwrap();
        let manifest = loaded.manifest().unwrap();
        admitted
            .check_identity(&manifest.library, &manifest.version)
            .unwrap();
        assert_eq!(manifest.library, library);
    }
}

fn blake3_of(path: &str) -> String {
    // The lock is written from the file alone, so it tells the hash of any.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    fs::copy(path, &copy).unwrap();
    let admitted = Trust::without_lock().admit(folder.path(), &copy).unwrap();
    admitted.hash.to_hex().to_string()
}
