//! Builds: the workspace, and crates outside of it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use crate::process::{Finished, run_limited};

/// A build may take this long.
const BUILD_LIMIT: Duration = Duration::from_secs(3600);

/// The built workspace.
#[derive(Debug)]
pub struct Workspace {
    /// The repository's root folder.
    pub root: PathBuf,
    /// The folder with the binary and the plugins beside it.
    pub built: PathBuf,
}

/// Builds the workspace, once per process, and says where things are.
pub fn workspace() -> &'static Workspace {
    static WORKSPACE: OnceLock<Workspace> = OnceLock::new();
    WORKSPACE.get_or_init(|| {
        let root = root();
        let built = built_folder();
        if std::env::var_os("VOLA_TESTS_BUILT").is_none() {
            // The second call adds the plugin libraries of the tests.
            for arguments in [
                &["build", "--workspace"][..],
                &["build", "--workspace", "--examples"],
            ] {
                let mut command = cargo(&root, built.parent().expect("a target folder"));
                command.args(arguments);
                build(&mut command, "the workspace");
            }
        }
        Workspace { root, built }
    })
}

impl Workspace {
    /// A plugin library by its name, such as `tabletop`: a shipped one, or one
    /// of the tests' own.
    #[must_use]
    pub fn library(&self, name: &str) -> PathBuf {
        let file = library_file(name);
        let places = [
            self.built.join(&file),
            self.built.join("examples").join(&file),
        ];
        let found = places.iter().find(|path| path.is_file());
        found
            .unwrap_or_else(|| panic!("{}: not built", places[0].display()))
            .clone()
    }

    /// The `vola` binary.
    #[must_use]
    pub fn vola(&self) -> PathBuf {
        self.built
            .join(format!("vola{}", std::env::consts::EXE_SUFFIX))
    }

    /// The `xtask` binary, with the tests' own target folder.
    #[must_use]
    pub fn xtask(&self) -> Command {
        let mut command = Command::new(
            self.built
                .join(format!("xtask{}", std::env::consts::EXE_SUFFIX)),
        );
        prepare(&mut command, &self.root, self.target());
        command
    }

    fn target(&self) -> &Path {
        self.built.parent().expect("a target folder")
    }

    /// Runs `vola` in the repository's root; it is killed at the limit.
    #[must_use]
    pub fn run_vola(&self, arguments: &[&str], input: &str, limit: Duration) -> Finished {
        let mut command = Command::new(self.vola());
        command.args(arguments).current_dir(&self.root);
        run_limited(&mut command, input, limit)
    }
}

/// A crate that was built outside of the workspace.
#[derive(Debug)]
pub struct Outside {
    /// The folder with its libraries.
    pub built: PathBuf,
    /// What cargo and the compiler said.
    pub messages: String,
    /// How long the build took.
    pub took: Duration,
}

/// Builds a crate outside of the workspace as a stranger would, offline, with
/// one target folder for all of them.
pub fn outside(manifest_folder: &Path, arguments: &[&str]) -> Outside {
    let finished = try_outside(manifest_folder, arguments);
    succeeded(&finished, &manifest_folder.display().to_string());
    Outside {
        built: outside_target().join("debug"),
        messages: finished.stderr,
        took: finished.took,
    }
}

/// Runs cargo on a crate outside of the workspace, offline, however it ends.
pub fn try_outside(manifest_folder: &Path, arguments: &[&str]) -> Finished {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut command = cargo(manifest_folder, &outside_target());
    command.args(arguments);
    run_limited(&mut command, "", BUILD_LIMIT)
}

fn outside_target() -> PathBuf {
    let built = built_folder();
    built.parent().expect("a target folder").join("outside")
}

/// File name of a plugin library on this system.
#[must_use]
pub fn library_file(name: &str) -> String {
    format!(
        "{}{name}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    )
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests lie in the repository")
        .to_owned()
}

/// `target/debug`, from where this test runs: `target/debug/deps/all-…`.
fn built_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    test.parent()
        .and_then(Path::parent)
        .expect("a test lies in target/debug/deps")
        .to_owned()
}

fn cargo(folder: &Path, target: &Path) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    prepare(&mut command, folder, target);
    command
}

/// Sets what every call of cargo here has, direct or through `xtask`.
fn prepare(command: &mut Command, folder: &Path, target: &Path) {
    command
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_NET_OFFLINE", "true")
        // Coverage tools and the like must not leak into the built plugins.
        .env_remove("RUSTC_WORKSPACE_WRAPPER");
    // What cargo tells a test of its own package is not for another cargo: build
    // scripts that watch these names would run again each time.
    for (name, _) in std::env::vars_os() {
        let word = name.to_string_lossy();
        if word.starts_with("CARGO_PKG_") || word.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

fn build(command: &mut Command, what: &str) -> Finished {
    let finished = run_limited(command, "", BUILD_LIMIT);
    succeeded(&finished, what);
    finished
}

fn succeeded(finished: &Finished, what: &str) {
    let (stdout, stderr) = (&finished.stdout, &finished.stderr);
    assert!(
        finished.code == Some(0),
        "{what}: cargo failed:\n{stdout}\n{stderr}"
    );
}
