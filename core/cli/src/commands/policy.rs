//! `vola policy show|infer|bench`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use vola_bundle::{Bundle, EmbodimentBinding, SafetensorsFault, Stage, read_safetensors};

use super::{adapt, later, policy_bench, policy_infer, policy_versions};
use crate::{
    arguments::{LaterArguments, SharedArguments},
    failure::{Failure, exit},
    output::{Align, Console, Table, Tone},
};

/// `vola policy …`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show a bundle: stages, contract, parameters, hash
    Show(BundleArguments),
    /// Run a bundle on recorded observations
    Infer(policy_infer::InferArguments),
    /// Measure the time of a policy step
    Bench(policy_bench::PolicyBenchArguments),
    /// Make a bundle from a LeRobot checkpoint (not in this version)
    #[command(hide = true)]
    Import(LaterArguments),
    /// Make a bundle smaller (not in this version)
    #[command(hide = true)]
    Quantize(LaterArguments),
    /// Fine-tune a bundle's heads on what people corrected
    Adapt(adapt::AdaptArguments),
    /// List a bundle's versions; choose the one that runs
    Versions(policy_versions::VersionsArguments),
}

/// A bundle.
#[derive(Debug, Args)]
pub(crate) struct BundleArguments {
    /// The bundle's folder
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    command: &PolicyCommand,
    console: Console,
) -> Result<u8, Failure> {
    match command {
        PolicyCommand::Show(own) => show(&own.bundle, console),
        PolicyCommand::Infer(own) => policy_infer::run(shared, own, console),
        PolicyCommand::Bench(own) => policy_bench::run(shared, own, console),
        PolicyCommand::Import(_) => Err(later::missing("policy import")),
        PolicyCommand::Quantize(_) => Err(later::missing("policy quantize")),
        PolicyCommand::Adapt(own) => adapt::run(shared, own, console),
        PolicyCommand::Versions(own) => policy_versions::run(own, console),
    }
}

fn show(folder: &Path, console: Console) -> Result<u8, Failure> {
    let bundle = Bundle::open(folder)?;
    let hash = bundle.hash()?;
    let manifest = bundle.manifest();
    let counts: Vec<u64> = manifest
        .stages()
        .iter()
        .map(|stage| parameters(&bundle, stage))
        .collect::<Result<_, _>>()?;
    let total: u64 = counts.iter().sum();
    if console.is_json() {
        let stages: Vec<_> = manifest
            .stages()
            .iter()
            .zip(&counts)
            .map(|(stage, count)| stage_json(stage, *count))
            .collect();
        let embodiments: Vec<_> = manifest.embodiments().iter().map(embodiment_json).collect();
        console.object(&json!({
            "bundle": folder,
            "name": manifest.name(),
            "summary": manifest.summary(),
            "hash": hash,
            "parameters": total,
            "stages": stages,
            "embodiments": embodiments,
        }))?;
        return Ok(exit::DONE);
    }
    let style = console.style();
    let name = if manifest.name().is_empty() {
        "policy"
    } else {
        manifest.name()
    };
    console.line(&format!(
        "{}  {}",
        style.paint(Tone::Strong, name),
        manifest.summary()
    ))?;
    let mut table = Table::new(&[
        ("stage", Align::Left),
        ("plugin", Align::Left),
        ("parameters", Align::Right),
        ("reads", Align::Left),
        ("makes", Align::Left),
    ]);
    for (stage, count) in manifest.stages().iter().zip(&counts) {
        table.row([
            stage.name().to_owned(),
            stage.plugin().to_string(),
            thousands(*count),
            stage.inputs().join(" "),
            stage.outputs().join(" "),
        ]);
    }
    console.write(&table.render(style))?;
    for binding in manifest.embodiments() {
        let action = binding.action();
        let cameras: Vec<String> = binding
            .cameras()
            .iter()
            .map(|camera| format!("{} {}×{}", camera.key(), camera.width(), camera.height()))
            .collect();
        console.line(&format!(
            "{}: {} [{}] at {} Hz, horizon {}; state of {}; cameras {}",
            style.paint(Tone::Strong, &binding.id().to_string()),
            action.space(),
            action.names().join(" "),
            action.rate_hz(),
            action.horizon(),
            binding.state().names().len(),
            cameras.join(", ")
        ))?;
    }
    console.line(&format!("{} parameters, hash {hash}", thousands(total)))?;
    Ok(exit::DONE)
}

/// Numbers that a stage's weights hold.
fn parameters(bundle: &Bundle, stage: &Stage) -> Result<u64, Failure> {
    let (Some(path), Some(weights)) = (bundle.weights_path(stage), stage.weights()) else {
        return Ok(0);
    };
    let bytes = std::fs::read(&path).map_err(Failure::file(&path, "read"))?;
    let damaged = |error: SafetensorsFault| Failure::Content {
        path: path.clone(),
        reason: format!("expected safetensors, got a damaged file: {error}"),
        help: "copy the bundle again, or train it again",
    };
    let tensors = read_safetensors(&bytes).map_err(damaged)?;
    let own = tensors
        .iter()
        .filter(|(name, _)| name.starts_with(weights.prefix()));
    Ok(own
        .map(|(_, tensor)| {
            tensor
                .shape()
                .iter()
                .map(|size| *size as u64)
                .product::<u64>()
        })
        .sum())
}

fn stage_json(stage: &Stage, parameters: u64) -> serde_json::Value {
    json!({
        "name": stage.name(),
        "plugin": stage.plugin().to_string(),
        "version": stage.version().to_string(),
        "inputs": stage.inputs(),
        "outputs": stage.outputs(),
        "settings": stage.settings(),
        "parameters": parameters,
    })
}

fn embodiment_json(binding: &EmbodimentBinding) -> serde_json::Value {
    let cameras: serde_json::Map<String, serde_json::Value> = binding
        .cameras()
        .iter()
        .map(|camera| {
            let value = json!({"width": camera.width(), "height": camera.height(), "order": camera.order()});
            (camera.key().to_owned(), value)
        })
        .collect();
    json!({
        "id": binding.id().to_string(),
        "index": binding.index(),
        "head": binding.head(),
        "action": {
            "space": binding.action().space(),
            "names": binding.action().names(),
            "rate_hz": binding.action().rate_hz(),
            "horizon": binding.action().horizon(),
        },
        "state": {"names": binding.state().names(), "units": binding.state().units()},
        "cameras": cameras,
    })
}

/// "1 234 567".
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1 000"),
            (1_234_567, "1 234 567"),
        ] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn a_missing_bundle_is_named() {
        let console = Console::stdout(crate::output::Format::Json);
        let error = show(Path::new("/nowhere/bundle"), console).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("/nowhere/bundle"));
    }
}
