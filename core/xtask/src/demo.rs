//! `cargo demo`: build the workspace, then chat with the simulated arm.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// Builds the workspace and runs the binary; its exit code is passed on.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    match build_and_start(arguments) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("cargo demo: {message}");
            ExitCode::FAILURE
        }
    }
}

fn build_and_start(arguments: &[String]) -> Result<ExitCode, String> {
    let root = workspace_root();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--workspace"])
        .current_dir(&root)
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !built.success() {
        return Err("the build failed; its messages are above".to_owned());
    }
    let binary = target_folder(&root)
        .join("debug")
        .join(format!("vola{}", std::env::consts::EXE_SUFFIX));
    let mut vola = Command::new(&binary);
    if arguments.is_empty() {
        vola.arg("chat");
    } else {
        vola.args(arguments);
    }
    let status = vola
        .current_dir(&root)
        .status()
        .map_err(|error| format!("cannot start {}: {error}", binary.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}
