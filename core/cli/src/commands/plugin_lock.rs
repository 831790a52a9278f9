//! `vola plugin lock`: writes down which libraries may be loaded.

use std::path::{Path, PathBuf};

use clap::Args;
use vola_abi::LoadedModule;
use vola_bundle::Deployment;
use vola_isolation::{LockedLibrary, PluginLock, Trust};

use super::plugin::folders;
use crate::{
    arguments::SharedArguments,
    failure::{Failure, exit},
    output::{Console, Tone},
    workplace::config_path,
};

/// Name of the lock file where the deployment names none.
const LOCK_FILE: &str = "plugins.lock";
/// Largest signature file (bytes).
const MAX_SIGNATURE_BYTES: u64 = 4096;

/// `vola plugin lock`.
#[derive(Debug, Args)]
pub(crate) struct LockArguments {
    /// Libraries, or folders with libraries; without any, all that the deployment finds
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The lock file [default: the deployment's, else plugins.lock beside it]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command. Libraries that are named replace their own entries;
/// without names the file is written anew.
pub(crate) fn run(
    shared: &SharedArguments,
    own: &LockArguments,
    console: Console,
) -> Result<u8, Failure> {
    let file = lock_file(shared, own)?;
    let mut lock = if own.paths.is_empty() || !file.exists() {
        PluginLock::empty(&file)
    } else {
        PluginLock::read(&file)?
    };
    let wanted = if own.paths.is_empty() {
        folders(shared)?
    } else {
        own.paths.clone()
    };
    let mut entries = Vec::new();
    for path in &wanted {
        if path.is_dir() {
            // Other libraries may lie there: only plugins are locked.
            let found = libraries_in(path);
            entries.extend(found.iter().filter_map(|path| entry(path).ok()));
        } else {
            entries.push(entry(path)?);
        }
    }
    // The first of a name wins, as when plugins are looked for.
    for entry in entries.into_iter().rev() {
        lock.put(entry);
    }
    lock.write()?;
    tell(&lock, console)?;
    Ok(exit::DONE)
}

fn tell(lock: &PluginLock, console: Console) -> Result<(), Failure> {
    if console.is_json() {
        return console.object(&serde_json::json!({
            "file": lock.file(),
            "libraries": lock.libraries(),
        }));
    }
    let style = console.style();
    for library in lock.libraries() {
        let signed = if library.signature.is_some() {
            ", signed"
        } else {
            ""
        };
        console.line(&format!(
            "{} {}{signed}  {}",
            style.paint(Tone::Strong, &library.name),
            library.version,
            style.paint(Tone::Faint, &library.blake3)
        ))?;
    }
    console.line(&format!(
        "{} {}: name it in the deployment, `[plugins] lock = \"…\"`",
        style.paint(Tone::Good, "wrote"),
        lock.file().display()
    ))
}

fn lock_file(shared: &SharedArguments, own: &LockArguments) -> Result<PathBuf, Failure> {
    if let Some(file) = &own.out {
        return Ok(file.clone());
    }
    let config = config_path(shared.config.as_deref());
    let beside = config.with_file_name(LOCK_FILE);
    if shared.config.is_none() && !config.exists() {
        return Ok(beside);
    }
    let deployment = Deployment::load(&config)?;
    Ok(deployment.plugins().lock().map_or(beside, Path::to_owned))
}

/// Admits, loads and describes one library.
fn entry(path: &Path) -> Result<LockedLibrary, Failure> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let admitted = Trust::without_lock().admit(folder, path)?;
    let module = LoadedModule::load(path).map_err(vola_runtime::RuntimeError::from)?;
    let manifest = module.manifest().map_err(|error| Failure::Content {
        path: path.to_owned(),
        reason: error.reason,
        help: "rebuild the plugin with the vola-plugin SDK of this Vola",
    })?;
    Ok(LockedLibrary {
        name: manifest.library,
        version: manifest.version,
        blake3: admitted.hash.to_hex().to_string(),
        signature: signature(path)?,
    })
}

/// The text of `PATH.minisig`, where there is one.
fn signature(path: &Path) -> Result<Option<String>, Failure> {
    let mut file = path.to_owned().into_os_string();
    file.push(".minisig");
    let file = PathBuf::from(file);
    let Ok(metadata) = file.metadata() else {
        return Ok(None);
    };
    if metadata.len() > MAX_SIGNATURE_BYTES {
        return Err(Failure::Content {
            path: file,
            reason: format!(
                "expected a minisign signature, got {} bytes",
                metadata.len()
            ),
            help: "`minisign -S -m LIBRARY` writes one",
        });
    }
    let text = std::fs::read_to_string(&file).map_err(Failure::file(&file, "read"))?;
    Ok(Some(text))
}

/// Shared libraries directly in a folder, sorted by name.
fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let is_library = |path: &PathBuf| {
        path.extension()
            .is_some_and(|end| end == std::env::consts::DLL_EXTENSION)
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(is_library)
        .collect();
    paths.sort();
    paths
}
