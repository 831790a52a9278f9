//! `vola plugin list|check|lock|new`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use vola_bundle::Deployment;
use vola_plugin::{Check, CheckOutcome, check_library};
use vola_runtime::{PluginRegistry, PluginRules};
use vola_types::{PluginId, PluginKind};

use super::plugin_lock;
use crate::{
    arguments::SharedArguments,
    failure::{Failure, exit},
    output::{Align, Console, Table, Tone},
    plugin_new::{self, Sdk},
    workplace::{config_path, plugin_options, program_folders},
};

/// `vola plugin …`.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List the plugins that are found
    List,
    /// Load a library and test everything it offers
    Check(CheckArguments),
    /// Write down which libraries may be loaded, by their hashes
    Lock(plugin_lock::LockArguments),
    /// Write a new plugin crate
    New(NewArguments),
}

/// `vola plugin check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The library
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

/// `vola plugin new`.
#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    /// Name of the crate, the library and the plugin; the crate goes to ./NAME
    #[arg(value_name = "NAME")]
    name: String,
    /// What the plugin is
    #[arg(long, value_enum)]
    kind: KindArgument,
    /// Where the SDK comes from: a folder, or a version of `vola-plugin`
    #[arg(long, value_name = "PATH|VERSION")]
    sdk: Option<String>,
}

/// The kinds of plugins, as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum KindArgument {
    /// Observation to features.
    Encoder,
    /// Features to context.
    Fusion,
    /// Context to action, scene or progress.
    Head,
    /// A robot, real or simulated.
    Embodiment,
}

impl From<KindArgument> for PluginKind {
    fn from(kind: KindArgument) -> Self {
        match kind {
            KindArgument::Encoder => Self::Encoder,
            KindArgument::Fusion => Self::Fusion,
            KindArgument::Head => Self::Head,
            KindArgument::Embodiment => Self::Embodiment,
        }
    }
}

/// Runs the command.
pub(crate) fn run(
    shared: &SharedArguments,
    command: &PluginCommand,
    console: Console,
) -> Result<u8, Failure> {
    match command {
        PluginCommand::List => list(shared, console),
        PluginCommand::Check(own) => check(&own.path, console),
        PluginCommand::Lock(own) => plugin_lock::run(shared, own, console),
        PluginCommand::New(own) => new(own, console),
    }
}

/// The folders that are searched; a deployment that cannot be read adds none.
pub(super) fn folders(shared: &SharedArguments) -> Result<Vec<PathBuf>, Failure> {
    let mut folders = shared.plugin_folders.clone();
    let config = config_path(shared.config.as_deref());
    if shared.config.is_some() || config.exists() {
        folders.extend(Deployment::load(&config)?.plugin_paths().iter().cloned());
    }
    folders.extend(program_folders());
    Ok(folders)
}

fn is_isolated(registry: &PluginRegistry, id: &str) -> bool {
    PluginId::parse(id).is_ok_and(|id| registry.is_isolated(&id))
}

fn list(shared: &SharedArguments, console: Console) -> Result<u8, Failure> {
    let folders = folders(shared)?;
    let config = config_path(shared.config.as_deref());
    let rules = if shared.config.is_some() || config.exists() {
        PluginRules::of(&Deployment::load(&config)?, &plugin_options(shared))?
    } else {
        PluginRules::without_deployment(&plugin_options(shared))?
    };
    let registry = PluginRegistry::search(&folders, &rules);
    if console.is_json() {
        for library in registry.libraries() {
            for plugin in library.plugins() {
                let id = format!("{}/{}", library.name(), plugin.name);
                console.object(&serde_json::json!({
                    "id": id,
                    "kind": plugin.kind,
                    "version": plugin.version,
                    "summary": plugin.summary,
                    "path": library.path(),
                    "hash": library.hash().to_hex().to_string(),
                    "trust": library.standing().as_str(),
                    "isolated": is_isolated(&registry, &id),
                    "confinement": library.confinement(),
                    "interface": vola_abi::ABI_REVISION,
                }))?;
            }
        }
        for (path, error) in registry.refused() {
            console.object(&serde_json::json!({"path": path, "refused": error.to_string()}))?;
        }
        return Ok(exit::DONE);
    }
    let mut table = Table::new(&[
        ("id", Align::Left),
        ("kind", Align::Left),
        ("version", Align::Left),
        ("what it is", Align::Left),
        ("library", Align::Left),
        ("trust", Align::Left),
    ]);
    for library in registry.libraries() {
        for plugin in library.plugins() {
            let id = format!("{}/{}", library.name(), plugin.name);
            let mut trust = library.standing().as_str().to_owned();
            if is_isolated(&registry, &id) {
                trust.push_str(", isolated");
            }
            table.toned_row([
                (id, Some(Tone::Strong)),
                (plugin.kind.to_string(), None),
                (plugin.version.clone(), None),
                (plugin.summary.clone(), None),
                (file_name(library.path()), Some(Tone::Faint)),
                (trust, Some(Tone::Faint)),
            ]);
        }
    }
    console.write(&table.render(console.style()))?;
    for (path, error) in registry.refused() {
        let first = error.to_string();
        let first = first.lines().next().unwrap_or_default();
        console.line(&console.style().paint(
            Tone::Warning,
            &format!("refused: {}: {first}", path.display()),
        ))?;
    }
    if registry.libraries().is_empty() {
        let folders: Vec<String> = folders
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        console.line(&format!("no plugins in {}", folders.join(", ")))?;
    }
    Ok(exit::DONE)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn check(path: &Path, console: Console) -> Result<u8, Failure> {
    if !path.is_file() {
        return Err(Failure::Content {
            path: path.to_owned(),
            reason: "expected a plugin library, found no file".to_owned(),
            help: "build the plugin first; `cargo build` writes it to `target/debug`",
        });
    }
    let checks = check_library(path);
    let failed = checks.iter().filter(|check| check.failed()).count();
    for check in &checks {
        if console.is_json() {
            console.object(check)?;
        } else {
            console.line(&check_line(check, console))?;
        }
    }
    if failed == 0 {
        if !console.is_json() {
            let skipped = checks
                .iter()
                .filter(|check| check.outcome == CheckOutcome::Skipped)
                .count();
            let left = if skipped > 0 {
                format!(", {skipped} could not be tried")
            } else {
                String::new()
            };
            let text = format!("{} checks passed{left}", checks.len() - skipped);
            console.line(&console.style().paint(Tone::Good, &text))?;
        }
        return Ok(exit::DONE);
    }
    // What does not load is no plugin, but a wrong file.
    let is_no_library = |check: &Check| check.failed() && check.name == "library: loads";
    let code = if checks.iter().any(is_no_library) {
        exit::USAGE
    } else {
        exit::ERROR
    };
    Err(Failure::Checks {
        failed,
        all: checks.len(),
        code,
    })
}

fn new(own: &NewArguments, console: Console) -> Result<u8, Failure> {
    let sdk = own.sdk.as_deref().map_or_else(usual_sdk, Sdk::parse);
    let made = plugin_new::generate(&own.name, own.kind.into(), &sdk, Path::new("."))?;
    if console.is_json() {
        console.object(&serde_json::json!({
            "id": made.id, "folder": made.folder, "files": made.files, "library": made.library_file,
        }))?;
        return Ok(exit::DONE);
    }
    let style = console.style();
    let folder = made.folder.display();
    console.line(&format!(
        "{} {folder}: the plugin `{}`",
        style.paint(Tone::Good, "wrote"),
        made.id
    ))?;
    for file in &made.files {
        console.line(&style.paint(Tone::Faint, &format!("  {}", file.display())))?;
    }
    console.line("next:")?;
    let build = format!("  cd {folder} && cargo build");
    let check = format!(
        "  vola plugin check {folder}/target/debug/{}",
        made.library_file
    );
    console.line(&style.paint(Tone::Typed, &build))?;
    console.line(&style.paint(Tone::Typed, &check))?;
    Ok(exit::DONE)
}

/// The SDK of the sources that this program was built from, or that it came with,
/// where they lie round it; else the published one of its own version.
fn usual_sdk() -> Sdk {
    let program = std::env::current_exe().unwrap_or_default();
    let sources = program
        .ancestors()
        .skip(1)
        .flat_map(|folder| [folder.to_owned(), folder.join("sdk")])
        .find(|folder| folder.join("core/plugin/Cargo.toml").is_file());
    sources.map_or_else(
        || Sdk::Version(env!("CARGO_PKG_VERSION").to_owned()),
        Sdk::Path,
    )
}

fn check_line(check: &Check, console: Console) -> String {
    let (word, tone) = match check.outcome {
        CheckOutcome::Passed => ("pass", Tone::Good),
        CheckOutcome::Failed => ("FAIL", Tone::Bad),
        CheckOutcome::Skipped => ("skip", Tone::Faint),
    };
    let style = console.style();
    let mut line = format!(
        "{}  {}: {}",
        style.paint(tone, word),
        check.name,
        check.detail
    );
    if !check.help.is_empty() {
        line.push_str(&format!(
            "\n      {} {}",
            style.paint(Tone::Typed, "help:"),
            check.help
        ));
    }
    line
}
