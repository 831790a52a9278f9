//! Where the workspace lies, and how cargo is called in it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The workspace that this program was built from.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    /// Its root folder.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
}

/// How the workspace is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// What tests, demo and training run.
    Dev,
    /// What is given to others.
    Release,
}

impl Profile {
    /// Cargo's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }

    /// The profile of a word.
    ///
    /// # Errors
    /// When there is no such profile.
    pub(crate) fn parse(word: &str) -> Result<Self, String> {
        match word {
            "dev" => Ok(Self::Dev),
            "release" => Ok(Self::Release),
            other => Err(format!(
                "--profile: expected `dev` or `release`, got `{other}`"
            )),
        }
    }
}

impl Workspace {
    /// The workspace of these sources.
    pub(crate) fn here() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.ancestors().nth(2).unwrap_or(here).to_owned();
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Self { root, target }
    }

    /// The folder of a profile's binary and plugin libraries.
    pub(crate) fn built(&self, profile: Profile) -> PathBuf {
        self.target.join(match profile {
            Profile::Dev => "debug",
            Profile::Release => "release",
        })
    }

    /// The `vola` binary of a profile.
    pub(crate) fn vola(&self, profile: Profile) -> PathBuf {
        self.built(profile)
            .join(format!("vola{}", std::env::consts::EXE_SUFFIX))
    }

    /// Cargo, in the root folder.
    pub(crate) fn cargo(&self) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(&self.root);
        // What cargo tells this program of its own package is not for another
        // cargo: build scripts that watch these names would run again each time.
        for (name, _) in std::env::vars_os() {
            let word = name.to_string_lossy();
            if word.starts_with("CARGO_PKG_") || word.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// Builds the whole workspace.
    ///
    /// Always the whole: a build of one package would resolve other features and
    /// compile the numeric libraries again.
    ///
    /// # Errors
    /// When cargo cannot be run, or the build fails.
    pub(crate) fn build(&self, profile: Profile, more: &[&str]) -> Result<(), String> {
        let status = self
            .cargo()
            .args(["build", "--workspace", "--profile", profile.as_str()])
            .args(more)
            .status()
            .map_err(|error| format!("cannot run cargo: {error}"))?;
        if status.success() {
            Ok(())
        } else {
            Err("the build failed; its messages are above".to_owned())
        }
    }
}

/// Runs a program to its end; its standard output.
///
/// # Errors
/// When it cannot be started, fails, or prints something that is not text.
pub(crate) fn output_of(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("cannot run {}: {error}", words(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "{}: {}\n{}",
            words(command),
            output.status,
            said.trim_end()
        ));
    }
    String::from_utf8(output.stdout)
        .map_err(|error| format!("{}: its output is no text: {error}", words(command)))
}

/// A command as it would be typed, wherever its program lies on this machine.
pub(crate) fn words(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    std::iter::once(program.file_name().unwrap_or(program.as_os_str()))
        .chain(command.get_args())
        .map(|word| {
            let word = word.to_string_lossy();
            if word.is_empty() || word.contains(char::is_whitespace) {
                format!("\"{word}\"")
            } else {
                word.into_owned()
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}
