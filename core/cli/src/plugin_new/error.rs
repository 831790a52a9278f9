//! Why no crate was written.

use std::path::PathBuf;

/// Why no crate was written.
#[derive(Debug, thiserror::Error)]
pub enum PluginNewError {
    /// The name is no crate name.
    #[error(
        "plugin name `{name}`: expected lower-case letters, digits and `_`, a letter first, no word of Rust\nhelp: for example `my_arm`"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// There is something of this name already.
    #[error("{}: exists already\nhelp: choose another name or remove it", folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// The SDK path holds no SDK.
    #[error(
        "--sdk {}: expected the folder of the `vola-plugin` crate or of Vola's sources\nhelp: for example `--sdk /path/to/vola`, or a version such as `--sdk 0.1.0`",
        path.display()
    )]
    NoSdk {
        /// The path.
        path: PathBuf,
    },
    /// The SDK version is no version.
    #[error("--sdk {version}: expected a version such as `0.1.0`, or a path")]
    SdkVersion {
        /// The text.
        version: String,
    },
    /// A file or folder cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
