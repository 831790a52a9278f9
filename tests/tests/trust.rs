//! The lock file from end to end: written, obeyed, and a changed library.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;
use vola_abi::LoadedModule;
use vola_isolation::{PluginLock, Trust};
use vola_runtime::{PluginRegistry, PluginRules};
use vola_tests::{Finished, library_file, workspace};
use vola_types::PluginId;
#[cfg(target_os = "linux")]
use {
    vola_bundle::Deployment,
    vola_runtime::{PluginOptions, Shipped},
};

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

    /// What a program says that hosts plugins and ships none.
    #[cfg(target_os = "linux")]
    fn options(&self, allow_unlocked: bool) -> PluginOptions {
        PluginOptions {
            allow_unlocked,
            host: Some(workspace().vola()),
            shipped: Shipped::default(),
        }
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

#[cfg(target_os = "linux")]
fn is_isolated(lines: &[Value], id: &str) -> bool {
    let row = lines.iter().find(|row| row["id"] == id);
    row.is_some_and(|row| row["isolated"] == true && row["confinement"].is_string())
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
    // With a lock, also those beside the program are unlisted.
    for id in ["mock/act", "tabletop/franka"] {
        assert_eq!(trust_of(&lines, id).as_deref(), Some("unlocked"), "{id}");
        assert!(is_isolated(&lines, id), "{id}");
    }
    assert_runs_apart(&place, true);
}

/// What a run log says of the lock: the flag, and the trust of this library.
#[cfg(target_os = "linux")]
fn logged_trust(place: &Place, library: &str) -> (Value, Value) {
    let runs = fs::read_dir(place.path("runs")).unwrap();
    let logs: Vec<_> = runs
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|is| is == "jsonl"))
        .collect();
    assert_eq!(logs.len(), 1, "{logs:?}");
    let text = fs::read_to_string(&logs[0]).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let header = &first["header"];
    let plugins = header["plugins"].as_array().unwrap();
    let is_it = |row: &&Value| {
        let path = row["path"].as_str();
        path.is_some_and(|path| path.ends_with(&library_file(library)))
    };
    let Some(row) = plugins.iter().find(is_it) else {
        panic!("no row for `{library}` in {header:#}");
    };
    (header["allow_unlocked"].clone(), row["trust"].clone())
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_log_says_whether_unlisted_libraries_were_let_in() {
    let place = Place::new(&["mock"], "");
    // Without a policy: the arm's own motions are enough.
    let text = "[robot]\nplugin = 'mock/arm'\n[plugins]\npaths = ['.']\nlock = 'plugins.lock'\n[record]\nfolder = 'runs'\n";
    fs::write(place.path("deployment.toml"), text).unwrap();
    fs::write(place.path("plugins.lock"), "format = 1\n").unwrap();
    let refused = place.vola(&["run", "go home", "--fast"]);
    assert_ne!(refused.code, Some(0), "{}", refused.stdout);
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(said.contains("plugins.lock"), "{said}");
    // It had no run that a log could be of.
    let _ = fs::remove_dir_all(place.path("runs"));

    let told = place.vola(&["run", "go home", "--fast", "--allow-unlocked"]);
    assert_eq!(told.code, Some(0), "{}\n{}", told.stdout, told.stderr);
    let logged = logged_trust(&place, "mock");
    assert_eq!(logged, (Value::from(true), Value::from("unlocked")));
    fs::remove_dir_all(place.path("runs")).unwrap();

    let locked = place.vola(&["plugin", "lock", &place.path(&library_file("mock"))]);
    assert_eq!(locked.code, Some(0), "{}", locked.stderr);
    let run = place.vola(&["run", "go home", "--fast"]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    let logged = logged_trust(&place, "mock");
    assert_eq!(logged, (Value::from(false), Value::from("locked")));
}

#[cfg(target_os = "linux")]
#[test]
fn what_did_not_come_with_the_program_is_isolated_unless_a_lock_or_a_person_vouches() {
    let place = Place::new(&["mock"], "");
    let lines = place.vola(&["plugin", "list"]).json_lines();
    for (id, isolated) in [("mock/arm", true), ("tabletop/franka", false)] {
        assert_eq!(trust_of(&lines, id).as_deref(), Some("unlocked"), "{id}");
        assert_eq!(is_isolated(&lines, id), isolated, "{id}");
    }
    assert_runs_apart(&place, false);

    let told = Place::new(&["mock"], "isolation = { mock = 'none' }");
    let lines = told.vola(&["plugin", "list"]).json_lines();
    assert!(!is_isolated(&lines, "mock/arm"), "{lines:?}");

    let locked = Place::new(&["mock"], "lock = 'plugins.lock'");
    let done = locked.vola(&["plugin", "lock", &locked.path(&library_file("mock"))]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let lines = locked.vola(&["plugin", "list"]).json_lines();
    assert_eq!(trust_of(&lines, "mock/arm").as_deref(), Some("locked"));
    assert!(!is_isolated(&lines, "mock/arm"), "{lines:?}");
}

/// What a program that was packed with a list of its libraries does not list did
/// not come with it, wherever it lies.
#[cfg(target_os = "linux")]
#[test]
fn a_packed_program_knows_its_libraries_by_their_hashes() {
    let place = Place::new(&["mock", "wrong"], "");
    let wrong = place.path(&library_file("wrong"));
    let listed = place.path("shipped.lock");
    let done = place.vola(&["plugin", "lock", "--out", &listed, &wrong]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let options = PluginOptions {
        shipped: Shipped {
            folders: vec![place.folder.path().to_owned()],
            lock: Some(listed.into()),
        },
        ..place.options(false)
    };
    let rules = PluginRules::without_deployment(&options).unwrap();
    let registry = PluginRegistry::search(&[place.folder.path().to_owned()], &rules);
    let is_isolated = |id| registry.is_isolated(&PluginId::parse(id).unwrap());
    assert!(is_isolated("mock/arm") && !is_isolated("wrong/nan_output"));
}

/// Nothing of `mock` runs in this process: its bytes, which only this place has,
/// are mapped in a child and not here.
#[cfg(target_os = "linux")]
fn assert_runs_apart(place: &Place, allow_unlocked: bool) {
    use std::os::unix::fs::MetadataExt as _;

    let path = place.folder.path().join(library_file("mock"));
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(place.path("").as_bytes());
    fs::write(&path, bytes).unwrap();
    let folder = place.folder.path();
    let image = Trust::without_lock().admit(folder, &path).unwrap().image;
    let inode = fs::metadata(image).unwrap().ino().to_string();
    let is_mapped = |process: &str| {
        let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
        maps.lines()
            .any(|line| line.split_whitespace().nth(4) == Some(&inode))
    };
    let deployment = Deployment::load(Path::new(&place.path("deployment.toml"))).unwrap();
    let rules = PluginRules::of(&deployment, &place.options(allow_unlocked)).unwrap();
    let registry = PluginRegistry::search(&[folder.to_owned()], &rules);
    let id = PluginId::parse("mock/act").unwrap();
    let stage = registry.create_stage(&id, folder).unwrap();
    assert!(stage.health.is_some(), "a stage in a process of its own");
    let children = fs::read_to_string("/proc/thread-self/children").unwrap();
    let child = children.split_whitespace().last().unwrap();
    assert!(is_mapped(child), "not in the child");
    assert!(!is_mapped("self"), "in this process");
}

/// Without a lock, too, what was checked is what is loaded.
#[test]
fn a_file_that_is_exchanged_after_the_check_changes_nothing() {
    let place = Place::new(&["mock"], "");
    let rules = PluginRules::default();
    let folder = place.folder.path().to_owned();
    let registry = PluginRegistry::search(std::slice::from_ref(&folder), &rules);
    fs::write(folder.join(library_file("mock")), "something else").unwrap();
    let id = PluginId::parse("mock/act").unwrap();
    let stage = registry.create_stage(&id, &folder).unwrap();
    assert!(stage.health.is_none(), "in this process");
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
