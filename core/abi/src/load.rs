//! Opens a plugin library and checks it before anything in it runs.
//!
//! The convenience loaders of `abi_stable` keep one library per root-module
//! type and return it for every later path, so the header is read by path here.
//! A library is never unloaded.

use std::{
    mem::ManuallyDrop,
    path::{Path, PathBuf},
};

use abi_stable::library::{LibraryError, lib_header_from_path};

use crate::{
    ABI_REVISION, ABORTS_SYMBOL, LibraryManifest, ManifestError, PluginModule_Ref, REVISION_SYMBOL,
    elf_image, layout_report::summarise,
};

/// Why a file is not a plugin library this host can use.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be opened as a shared library.
    #[error("{}: cannot be loaded as a shared library: {reason}\nhelp: a plugin is a `cdylib` built with the vola-plugin SDK for this machine", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the dynamic loader said.
        reason: String,
    },
    /// A shared library, but no Vola plugin.
    #[error("{}: is a shared library, but exports no `{REVISION_SYMBOL}`: not a Vola plugin\nhelp: call `vola_plugin::export!` once in the library", path.display())]
    NotAPlugin {
        /// The file.
        path: PathBuf,
    },
    /// Built against another revision of the interface.
    #[error("{}: built against plugin interface revision {got}, this Vola has revision {expected}\nhelp: rebuild the plugin with the vola-plugin SDK of this Vola", path.display())]
    Revision {
        /// The file.
        path: PathBuf,
        /// This host's revision.
        expected: u32,
        /// The library's revision.
        got: u32,
    },
    /// A panic in it would end the process that it is loaded into.
    #[error("{}: was built with `panic = \"abort\"`: a panic in it ends the whole process\nhelp: build it with `panic = \"unwind\"`, or give it a process of its own: [plugins.isolation] LIBRARY = \"process\"", path.display())]
    AbortsOnPanic {
        /// The file.
        path: PathBuf,
    },
    /// The interface types differ.
    #[error("{}: its interface types differ from this Vola's:\n{reason}\nhelp: rebuild the plugin with the vola-plugin SDK of this Vola", path.display())]
    Layout {
        /// The file.
        path: PathBuf,
        /// The type and how it differs.
        reason: String,
    },
}

/// A loaded library. It stays in the process for its whole life.
#[derive(Clone, Copy)]
pub struct LoadedModule {
    module: PluginModule_Ref,
    aborts_on_panic: bool,
}

impl LoadedModule {
    /// Loads and checks a library: file, revision, layout of every type.
    ///
    /// # Errors
    /// [`LoadError`], which names the file and what to do.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        Self::load_image(path, path)
    }

    /// As [`load`](Self::load), for a library whose bytes lie elsewhere (a
    /// sealed copy in memory): `image` is opened, `path` is what errors name.
    ///
    /// The system's loader takes a library that it has opened under the same
    /// name before for the same library, so an image's name must never be used
    /// again for another in the life of the process.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_image(image: &Path, path: &Path) -> Result<Self, LoadError> {
        let image = &in_a_folder(image);
        elf_image::check(image).map_err(|reason| LoadError::Open {
            path: path.to_owned(),
            reason,
        })?;
        let aborts_on_panic = check_revision(image, path)?;
        let module = lib_header_from_path(image)
            .and_then(|header| header.init_root_module::<PluginModule_Ref>())
            .map_err(|error| explain(path, &error))?;
        Ok(Self {
            module,
            aborts_on_panic,
        })
    }

    /// What the library says of itself.
    ///
    /// # Errors
    /// When its manifest is not understood.
    pub fn manifest(&self) -> Result<LibraryManifest, ManifestError> {
        LibraryManifest::from_json(&self.module.manifest()())
    }

    /// The library, unless it says that a panic in it ends the process, past every
    /// guard: such a one is for a process of its own. `path` is what the error names.
    ///
    /// # Errors
    /// [`LoadError::AbortsOnPanic`].
    pub fn whose_panics_are_caught(self, path: &Path) -> Result<Self, LoadError> {
        if self.aborts_on_panic {
            return Err(LoadError::AbortsOnPanic {
                path: path.to_owned(),
            });
        }
        Ok(self)
    }

    /// The root module.
    #[must_use]
    pub fn module(&self) -> PluginModule_Ref {
        self.module
    }
}

/// The path with a folder: a bare file name would be looked for among the
/// system's libraries and not in the working folder.
fn in_a_folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new(".").join(path),
        _ => path.to_owned(),
    }
}

/// Checks the revision of the interface; whether a panic ends the process.
fn check_revision(image: &Path, path: &Path) -> Result<bool, LoadError> {
    // SAFETY: opening a library runs its initialisers. That is the trust the
    // operator gives by listing the plugin folder; nothing narrower exists.
    let library = unsafe { libloading::Library::new(image) }.map_err(|error| LoadError::Open {
        path: path.to_owned(),
        reason: loader_text(&error),
    })?;
    // Never unloaded, refused or not: threads, thread-local destructors and
    // statics of a library may outlive any use of it.
    let library = ManuallyDrop::new(library);
    // SAFETY: the symbol is a `u32` by the contract of `export!`; a library
    // that exports the name as something else is refused by the value.
    let got = match unsafe { library.get::<*const u32>(REVISION_SYMBOL.as_bytes()) } {
        // SAFETY: the address was just resolved in a loaded library and points to static data.
        Ok(symbol) => unsafe { symbol.read_unaligned() },
        Err(_) => {
            return Err(LoadError::NotAPlugin {
                path: path.to_owned(),
            });
        }
    };
    if got != ABI_REVISION {
        return Err(LoadError::Revision {
            path: path.to_owned(),
            expected: ABI_REVISION,
            got,
        });
    }
    // SAFETY: only the address is asked for, nothing is read.
    let aborts = unsafe { library.get::<*const u32>(ABORTS_SYMBOL.as_bytes()) };
    Ok(aborts.is_ok())
}

fn loader_text(error: &libloading::Error) -> String {
    use std::error::Error as _;
    error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

fn explain(path: &Path, error: &LibraryError) -> LoadError {
    let path = path.to_owned();
    match error {
        LibraryError::OpenError { err, .. } => LoadError::Open {
            path,
            reason: err.to_string(),
        },
        LibraryError::GetSymbolError { .. } => LoadError::NotAPlugin { path },
        other => LoadError::Layout {
            path,
            reason: summarise(&other.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_no_libraries_are_refused_with_their_path() {
        let missing = Path::new("/nonexistent/libnothing.so");
        let text = LoadedModule::load(missing)
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(
            text.starts_with("/nonexistent/libnothing.so: cannot be loaded"),
            "{text}"
        );
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/load.rs");
        let error = LoadedModule::load(&source).map(|_| ()).unwrap_err();
        assert!(matches!(error, LoadError::Open { .. }), "{error}");
        assert!(error.to_string().contains("help:"), "{error}");
    }
}
