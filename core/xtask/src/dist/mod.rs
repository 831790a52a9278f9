//! `cargo xtask dist`: one archive that runs where it is unpacked.
//!
//! The top folder holds the binary, the plugin libraries in `plugins/`, the
//! deployments and their bundles in `configs/`, what plugins are built with in
//! `sdk/`, licences, a list of the libraries with their hashes, and the hash of every file. The same inputs give
//! the same bytes: names are sorted, times and owners are fixed. Which libraries
//! are shipped is taken from the workspace itself: every `cdylib` package is,
//! the tests' own plugins (examples) are not.

mod archive;
mod licences;
mod metadata;
mod sdk;
mod sums;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use archive::Packed;
use metadata::{Metadata, ShippedLibrary};

use crate::workspace::{Profile, Workspace, output_of};

/// Files of the archive by their path in its top folder, `/` between folders.
pub(crate) type Contents = BTreeMap<String, Packed>;

/// Folder of the plugin libraries in the archive; the binary looks there.
const PLUGINS: &str = "plugins";
/// The list of the plugin libraries.
const PLUGIN_LOCK: &str = "plugins.lock";
/// The hashes of all other files.
const SUMS: &str = "BLAKE3SUMS";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    profile: Profile,
    is_built: bool,
    out: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self {
            profile: Profile::Release,
            is_built: false,
            out: None,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .ok_or_else(|| format!("{word}: expected a value after it"))
            };
            match word.as_str() {
                "--profile" => options.profile = Profile::parse(value()?)?,
                "--out" => options.out = Some(PathBuf::from(value()?)),
                "--no-build" => options.is_built = true,
                other => {
                    return Err(format!(
                        "unknown option `{other}`; known are --profile, --out, --no-build"
                    ));
                }
            }
        }
        Ok(options)
    }
}

/// Builds, packs, and prints where the archive is.
///
/// # Errors
/// When the build fails, or anything that belongs into the archive is missing.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode, String> {
    let options = Options::parse(arguments)?;
    let workspace = Workspace::here();
    if !options.is_built {
        workspace.build(options.profile, &["--locked"])?;
    }
    let triple = host_triple()?;
    let metadata = Metadata::read(&workspace, &triple)?;
    let contents = contents(&workspace, options.profile, &metadata)?;
    let mark = match options.profile {
        Profile::Release => "",
        Profile::Dev => "-dev",
    };
    let top = format!("vola-{}-{triple}{mark}", metadata.version);
    let bytes = archive::pack(&top, &contents)
        .map_err(|error| format!("cannot pack the archive: {error}"))?;
    let folder = options.out.unwrap_or_else(|| workspace.target.join("dist"));
    let path = folder.join(format!("{top}.tar.gz"));
    write_whole(&path, &bytes)?;
    println!(
        "{}\n{} files, {:.1} MB, blake3 {}",
        path.display(),
        contents.len(),
        bytes.len() as f64 / 1e6,
        blake3::hash(&bytes)
    );
    Ok(ExitCode::SUCCESS)
}

/// Everything that is packed.
fn contents(
    workspace: &Workspace,
    profile: Profile,
    metadata: &Metadata,
) -> Result<Contents, String> {
    let built = workspace.built(profile);
    let mut contents = Contents::new();
    let binary = workspace.vola(profile);
    let name = format!("vola{}", std::env::consts::EXE_SUFFIX);
    contents.insert(name, Packed::program(read(&binary)?));
    for library in &metadata.libraries {
        let path = built.join(library.file());
        let name = format!("{PLUGINS}/{}", library.file());
        contents.insert(name, Packed::program(read(&path)?));
    }
    for file in ["README.md", "LICENSE-APACHE", "LICENSE-MIT"] {
        let bytes = read(&workspace.root.join(file))?;
        contents.insert(file.to_owned(), Packed::text(bytes));
    }
    add_configs(&workspace.root, &mut contents)?;
    sdk::add_sdk(&workspace.root, &mut contents)?;
    let licences = licences::text(&metadata.foreign)?;
    contents.insert(
        "THIRD-PARTY-LICENCES".to_owned(),
        Packed::text(licences.into_bytes()),
    );
    let lock = plugin_lock(&metadata.libraries, &contents);
    contents.insert(PLUGIN_LOCK.to_owned(), Packed::text(lock.into_bytes()));
    let sums = sums::text(&contents);
    contents.insert(SUMS.to_owned(), Packed::text(sums.into_bytes()));
    Ok(contents)
}

/// Deployments, their documents and bundles; what only training reads stays behind.
fn add_configs(root: &Path, contents: &mut Contents) -> Result<(), String> {
    let before = contents.len();
    for path in entries(&root.join("configs"))? {
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            add(root, &path, contents)?;
        }
    }
    if contents.len() == before {
        return Err("configs: expected at least one deployment, found none".to_owned());
    }
    add_folder(root, &root.join("configs/manual"), contents)?;
    add_folder(root, &root.join("configs/planner"), contents)?;
    add_folder(root, &root.join("configs/policies"), contents)
}

fn add_folder(root: &Path, folder: &Path, contents: &mut Contents) -> Result<(), String> {
    for path in entries(folder)? {
        if path.is_dir() {
            add_folder(root, &path, contents)?;
        } else {
            add(root, &path, contents)?;
        }
    }
    Ok(())
}

fn add(root: &Path, path: &Path, contents: &mut Contents) -> Result<(), String> {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let words: Vec<_> = inside.iter().map(|word| word.to_string_lossy()).collect();
    contents.insert(words.join("/"), Packed::text(read(path)?));
    Ok(())
}

/// What lies in a folder, hidden files left out.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: cannot be read: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}

/// The libraries with version and hash, in the form of `vola plugin lock`. `vola
/// doctor` compares it with what it loads, and a deployment may name it as its
/// `[plugins] lock`.
fn plugin_lock(libraries: &[ShippedLibrary], contents: &Contents) -> String {
    let mut text =
        "# The plugin libraries of this archive; `vola doctor` compares them.\nformat = 1\n"
            .to_owned();
    for library in libraries {
        let file = format!("{PLUGINS}/{}", library.file());
        let Some(packed) = contents.get(&file) else {
            continue;
        };
        text.push_str(&format!(
            "\n[[library]]\nname = \"{}\"\nversion = \"{}\"\nblake3 = \"{}\"\n",
            library.name,
            library.version,
            packed.hash()
        ));
    }
    text
}

/// The target that rustc builds for here.
fn host_triple() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = output_of(Command::new(rustc).arg("-vV"))?;
    said.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| "rustc -vV: expected a line `host: …`, found none".to_owned())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))
}

/// Writes a file that is either whole or not there.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: cannot be written: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let partial = path.with_extension("partial");
    fs::write(&partial, bytes).map_err(failed)?;
    fs::rename(&partial, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_are_read_strictly() {
        let usual = Options::parse(&[]).unwrap();
        assert_eq!((usual.profile, usual.is_built), (Profile::Release, false));
        let all = Options::parse(&words("--profile dev --no-build --out x/y")).unwrap();
        assert_eq!((all.profile, all.is_built), (Profile::Dev, true));
        assert_eq!(all.out.as_deref(), Some(Path::new("x/y")));
        for wrong in ["--profile", "--profile fast", "--fast", "dev"] {
            assert!(Options::parse(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn configs_are_packed_without_what_only_training_reads() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (path, text) in [
            ("configs/a.toml", "a"),
            ("configs/notes.txt", "n"),
            ("configs/train/t.toml", "t"),
            ("configs/manual/m.md", "m"),
            ("configs/planner/m/config.json", "m"),
            ("configs/policies/p/policy.toml", "p"),
            ("configs/policies/p/stats/s", "s"),
            ("configs/policies/p/.swap", "x"),
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut contents = Contents::new();
        add_configs(root, &mut contents).unwrap();
        let names: Vec<&str> = contents.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "configs/a.toml",
                "configs/manual/m.md",
                "configs/planner/m/config.json",
                "configs/policies/p/policy.toml",
                "configs/policies/p/stats/s"
            ]
        );
    }

    #[test]
    fn the_lock_names_each_library_with_its_hash() {
        let library = ShippedLibrary {
            name: "heads".to_owned(),
            version: "0.1.0".to_owned(),
        };
        let mut contents = Contents::new();
        let file = format!("plugins/{}", library.file());
        contents.insert(file, Packed::program(b"code".to_vec()));
        let lock = plugin_lock(&[library], &contents);
        let hash = blake3::hash(b"code").to_string();
        for expected in [
            "name = \"heads\"",
            "version = \"0.1.0\"",
            "format = 1",
            &hash,
        ] {
            assert!(lock.contains(expected), "{expected} is not in {lock}");
        }
    }
}
