//! `vola plugin new`: writes a plugin crate that works from the first build.
//!
//! The crate depends on the SDK alone and lies outside of any workspace. It is
//! written from the templates in `core/cli/templates/<kind>`; a test builds all
//! four and runs the conformance kit on them. Nothing is printed here.

mod error;
mod sdk;
mod template;

use std::path::{Path, PathBuf};

use vola_types::{PluginKind, is_word};

pub use error::PluginNewError;
pub use sdk::Sdk;

/// Most letters of a crate's name.
const MAX_NAME: usize = 64;

/// Words that a Rust crate cannot be called.
const RESERVED: [&str; 47] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "type",
    "use",
    "vola_plugin",
    "where",
    "while",
];

/// A crate that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedCrate {
    /// Its folder.
    pub folder: PathBuf,
    /// Its files, relative to the folder.
    pub files: Vec<PathBuf>,
    /// Id of its plugin, as configurations name it.
    pub id: String,
    /// File name of the built library on this system.
    pub library_file: String,
}

/// Writes a plugin crate into the new folder `into/name`.
///
/// # Errors
/// [`PluginNewError`]; nothing is left behind then.
pub fn generate(
    name: &str,
    kind: PluginKind,
    sdk: &Sdk,
    into: &Path,
) -> Result<GeneratedCrate, PluginNewError> {
    check_name(name)?;
    let dependency = sdk.dependency()?;
    let folder = into.join(name);
    // `create_dir` alone decides, so that two runs at once cannot mix.
    std::fs::create_dir(&folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => PluginNewError::Exists {
            folder: folder.clone(),
        },
        _ => PluginNewError::Write {
            path: folder.clone(),
            source: error,
        },
    })?;
    let filled = template::fill(name, kind, &dependency);
    if let Err(error) = write_all(&folder, &filled.files) {
        // The first error is the one to tell.
        let _ = std::fs::remove_dir_all(&folder);
        return Err(error);
    }
    Ok(GeneratedCrate {
        folder,
        files: filled
            .files
            .into_iter()
            .map(|(path, _)| PathBuf::from(path))
            .collect(),
        id: filled.id,
        library_file: filled.library_file,
    })
}

fn check_name(name: &str) -> Result<(), PluginNewError> {
    let sound = is_word(name)
        && name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !RESERVED.contains(&name);
    if sound {
        Ok(())
    } else {
        Err(PluginNewError::Name {
            name: name.to_owned(),
        })
    }
}

fn write_all(folder: &Path, files: &[(&str, String)]) -> Result<(), PluginNewError> {
    for (relative, text) in files {
        let path = folder.join(relative);
        let failed = |source| PluginNewError::Write {
            path: path.clone(),
            source,
        };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        std::fs::write(&path, text).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [PluginKind; 4] = [
        PluginKind::Encoder,
        PluginKind::Fusion,
        PluginKind::Head,
        PluginKind::Embodiment,
    ];

    #[test]
    fn every_template_is_filled_completely() {
        let folder = tempfile::tempdir().unwrap();
        for kind in KINDS {
            let name = format!("my_{kind}");
            let sdk = Sdk::Version("0.1.0".to_owned());
            let made = generate(&name, kind, &sdk, folder.path()).unwrap();
            assert!(made.id.starts_with(&format!("{name}/")), "{}", made.id);
            assert!(made.files.contains(&PathBuf::from("src/lib.rs")));
            for file in &made.files {
                let text = std::fs::read_to_string(made.folder.join(file)).unwrap();
                assert!(!text.contains('@'), "{}: {text}", file.display());
            }
            let manifest = std::fs::read_to_string(made.folder.join("Cargo.toml")).unwrap();
            assert!(manifest.contains("vola-plugin = \"0.1.0\"\n"), "{manifest}");
        }
    }

    #[test]
    fn an_existing_folder_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mine = folder.path().join("arm");
        std::fs::create_dir(&mine).unwrap();
        std::fs::write(mine.join("notes"), "mine").unwrap();
        let sdk = Sdk::Version("0.1.0".to_owned());
        let error = generate("arm", PluginKind::Head, &sdk, folder.path()).unwrap_err();
        assert!(matches!(error, PluginNewError::Exists { .. }), "{error}");
        assert_eq!(std::fs::read_dir(&mine).unwrap().count(), 1);
        let nowhere = folder.path().join("missing");
        let error = generate("arm", PluginKind::Head, &sdk, &nowhere).unwrap_err();
        assert!(matches!(error, PluginNewError::Write { .. }), "{error}");
    }

    #[test]
    fn names_that_no_crate_may_have_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let long = "a".repeat(65);
        for name in [
            "", "My_arm", "my-arm", "7dof", "_arm", "../arm", "a b", "match", "std", &long,
        ] {
            let sdk = Sdk::Version("0.1.0".to_owned());
            let error = generate(name, PluginKind::Encoder, &sdk, folder.path()).unwrap_err();
            assert!(
                matches!(error, PluginNewError::Name { .. }),
                "{name}: {error}"
            );
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
