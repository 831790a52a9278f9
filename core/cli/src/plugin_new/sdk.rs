//! Which SDK a new crate depends on.

use std::path::{Path, PathBuf};

use super::PluginNewError;

/// The SDK of a new crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// A folder: of the crate, or of Vola's sources.
    Path(PathBuf),
    /// A published version.
    Version(String),
}

impl Sdk {
    /// What `--sdk` says: a version begins with a digit or an operator of
    /// Cargo's, anything else is a path.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let looks_like_version =
            text.starts_with(|c: char| c.is_ascii_digit() || "^~=".contains(c));
        if looks_like_version && !Path::new(text).exists() {
            Self::Version(text.to_owned())
        } else {
            Self::Path(PathBuf::from(text))
        }
    }

    /// The right-hand side of the dependency in `Cargo.toml`.
    pub(super) fn dependency(&self) -> Result<String, PluginNewError> {
        match self {
            Self::Version(version) => {
                let sound = version.starts_with(|c: char| c.is_ascii_digit() || "^~=".contains(c))
                    && version
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "^~=.-+".contains(c));
                if sound {
                    Ok(format!("\"{version}\""))
                } else {
                    Err(PluginNewError::SdkVersion {
                        version: version.clone(),
                    })
                }
            }
            Self::Path(path) => {
                let wrong = || PluginNewError::NoSdk { path: path.clone() };
                let folder = [path.clone(), path.join("core/plugin")]
                    .into_iter()
                    .find(|folder| is_sdk(folder))
                    .and_then(|folder| folder.canonicalize().ok())
                    .ok_or_else(wrong)?;
                let text = folder.to_str().ok_or_else(wrong)?;
                // As a TOML basic string.
                let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
                Ok(format!("{{ path = \"{escaped}\" }}"))
            }
        }
    }
}

fn is_sdk(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|manifest| {
        manifest
            .lines()
            .any(|line| line.trim() == "name = \"vola-plugin\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_paths_are_told_apart() {
        for (text, expected) in [
            ("0.1.0", "\"0.1.0\""),
            ("^1.2", "\"^1.2\""),
            ("=2.0.0-rc.1+x", "\"=2.0.0-rc.1+x\""),
        ] {
            assert_eq!(Sdk::parse(text).dependency().unwrap(), expected);
        }
        let injected = Sdk::parse("0.1\"\nevil = \"1");
        assert!(matches!(
            injected.dependency(),
            Err(PluginNewError::SdkVersion { .. })
        ));
        for text in ["", "/nonexistent", "vola"] {
            let error = Sdk::parse(text).dependency().unwrap_err();
            assert!(matches!(error, PluginNewError::NoSdk { .. }), "{error}");
        }
    }

    #[test]
    fn a_path_may_name_the_crate_or_the_sources() {
        let root = tempfile::tempdir().unwrap();
        let sdk = root.path().join("core/plugin");
        std::fs::create_dir_all(&sdk).unwrap();
        std::fs::write(
            sdk.join("Cargo.toml"),
            "[package]\nname = \"vola-plugin\"\n",
        )
        .unwrap();
        let expected = format!("{{ path = \"{}\" }}", sdk.canonicalize().unwrap().display());
        for path in [root.path(), &sdk] {
            assert_eq!(Sdk::Path(path.to_owned()).dependency().unwrap(), expected);
        }
    }
}
