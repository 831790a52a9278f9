//! `cargo demo`: build the workspace, then chat with the simulated arm, with the
//! operator's page beside it.

use std::process::{Command, ExitCode};

use crate::workspace::{Profile, Workspace};

/// Builds the workspace and runs the binary; its exit code is passed on.
///
/// # Errors
/// When the build fails or the binary does not start.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let workspace = Workspace::here();
    workspace.build(Profile::Dev, &[])?;
    let binary = workspace.vola(Profile::Dev);
    let mut vola = Command::new(&binary);
    if arguments.is_empty() {
        vola.args(["chat", "--page"]);
    } else {
        vola.args(arguments);
    }
    let status = vola
        .current_dir(&workspace.root)
        .status()
        .map_err(|error| format!("cannot start {}: {error}", binary.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
