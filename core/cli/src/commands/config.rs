//! `vola config check`: every fault of a deployment, before anything starts.

use clap::{Args, Subcommand};
use vola_bundle::{Bundle, compare, compare_deployment};
use vola_documents::Library;
use vola_runtime::Robot;

use crate::{
    arguments::SharedArguments,
    documents,
    failure::{Failure, exit},
    output::{Console, Tone},
    workplace::Workplace,
};

/// `vola config …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the deployment, its plugins, its bundle, and how they fit
    Check(CheckArguments),
}

/// `vola config check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The deployment; the same as --config
    #[arg(value_name = "FILE")]
    file: Option<std::path::PathBuf>,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    command: &ConfigCommand,
    console: Console,
) -> Result<u8, Failure> {
    let ConfigCommand::Check(own) = command;
    let mut shared = shared.clone();
    shared.config = own.file.clone().or(shared.config);
    let workplace = Workplace::open(&shared)?;
    let deployment = workplace.deployment();
    let registry = workplace.registry()?;
    let id = deployment.robot().plugin();
    let robot = Robot::configure(&registry, id, deployment.robot().settings())?;
    compare_deployment(deployment, robot.description())?;
    let bundle = deployment
        .policy()
        .map(|policy| Bundle::open(policy.bundle()))
        .transpose()?;
    if let Some(bundle) = &bundle {
        let binding = bundle.manifest().embodiment(&id.to_string())?;
        compare(bundle, binding, robot.description())?;
        for stage in bundle.manifest().stages() {
            registry.find(stage.plugin())?;
        }
    }
    let library = documents::library(deployment.planner())?;
    let file = deployment.file().display().to_string();
    let stages = bundle
        .as_ref()
        .map_or(0, |bundle| bundle.manifest().stages().len());
    if console.is_json() {
        console.object(&serde_json::json!({
            "config": file,
            "robot": id.to_string(),
            "bundle": bundle.as_ref().map(Bundle::folder),
            "stages": stages,
            "documents": library.as_ref().map_or(0, Library::documents),
            "passages": library.as_ref().map_or(0, Library::passages),
            "ok": true,
        }))?;
        return Ok(exit::DONE);
    }
    let fine = console.style().paint(Tone::Good, "✓");
    console.line(&match &bundle {
        Some(bundle) => format!(
            "{fine} {file}: {id} runs {} ({stages} stages), and they fit together",
            bundle.folder().display()
        ),
        None => format!(
            "{fine} {file}: {id}, without a policy: home, gripper, wait and move to a place"
        ),
    })?;
    if let Some(library) = &library {
        let words = documents::words(library);
        console.line(&format!("{fine} questions are answered from {words}"))?;
    }
    Ok(exit::DONE)
}
