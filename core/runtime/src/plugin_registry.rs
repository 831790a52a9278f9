//! Finds plugin libraries and knows which plugin lies where. A place to look is
//! a folder, or one library.
//!
//! A library names itself in its manifest; the file's name is irrelevant. A file
//! that cannot be loaded does not hide the others: its error is kept and shown
//! when a plugin is missing.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use vola_abi::{
    EmbodimentBox, LoadedModule, StageBox,
    abi_stable::std_types::{RResult, RStr},
};
use vola_types::{PluginDescription, PluginId, PluginKind};

use crate::RuntimeError;

/// One library that was loaded.
#[derive(Clone)]
pub struct PluginLibrary {
    path: PathBuf,
    name: String,
    version: String,
    sdk: String,
    plugins: Vec<PluginDescription>,
    hash: blake3::Hash,
    module: LoadedModule,
}

#[derive(Deserialize)]
struct RawLibraryManifest {
    library: String,
    version: String,
    sdk: String,
    plugins: Vec<PluginDescription>,
}

impl PluginLibrary {
    /// Loads one library, reads its manifest and hashes its file.
    ///
    /// # Errors
    /// When the file is not a plugin library of this interface.
    pub fn load(path: &Path) -> Result<Self, RuntimeError> {
        let module = LoadedModule::load(path)?;
        let text = (module.module().manifest())();
        let manifest: RawLibraryManifest =
            serde_json::from_str(&text).map_err(|error| manifest_error(path, error.to_string()))?;
        for name in
            std::iter::once(&manifest.library).chain(manifest.plugins.iter().map(|p| &p.name))
        {
            if !vola_types::is_word(name) {
                return Err(manifest_error(
                    path,
                    format!("`{name}`: expected [a-z0-9_]+"),
                ));
            }
        }
        let bytes = std::fs::read(path).map_err(|source| RuntimeError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            name: manifest.library,
            version: manifest.version,
            sdk: manifest.sdk,
            plugins: manifest.plugins,
            hash: blake3::hash(&bytes),
            module,
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The library's own name, first half of its plugins' ids.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The library's version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Version of the SDK that it was built with.
    #[must_use]
    pub fn sdk(&self) -> &str {
        &self.sdk
    }

    /// Its plugins.
    #[must_use]
    pub fn plugins(&self) -> &[PluginDescription] {
        &self.plugins
    }

    /// blake3 hash of the file's content, for the run log and the lock file.
    #[must_use]
    pub fn hash(&self) -> blake3::Hash {
        self.hash
    }
}

fn manifest_error(path: &Path, reason: String) -> RuntimeError {
    RuntimeError::Manifest {
        path: path.to_owned(),
        reason,
    }
}

/// All libraries found in the places searched.
pub struct PluginRegistry {
    places: Vec<PathBuf>,
    libraries: Vec<PluginLibrary>,
    refused: Vec<(PathBuf, RuntimeError)>,
}

impl PluginRegistry {
    /// Looks at the shared libraries in `places`, in order; the first library of
    /// a name wins. Files of other types in a folder are passed over in silence;
    /// a file that is named itself is loaded or refused.
    #[must_use]
    pub fn search(places: &[PathBuf]) -> Self {
        let mut registry = Self {
            places: places.to_vec(),
            libraries: Vec::new(),
            refused: Vec::new(),
        };
        for place in places {
            if place.is_file() {
                registry.add(place);
                continue;
            }
            for path in shared_libraries(place) {
                registry.add(&path);
            }
        }
        registry
    }

    /// Looks for the libraries of these plugins only, so that no other library
    /// in the places is loaded. A library's file is expected under its own
    /// name; where it is not, every file is looked at.
    #[must_use]
    pub fn for_plugins<'a>(
        places: &[PathBuf],
        ids: impl IntoIterator<Item = &'a PluginId>,
    ) -> Self {
        let mut registry = Self {
            places: places.to_vec(),
            libraries: Vec::new(),
            refused: Vec::new(),
        };
        for id in ids {
            if registry.find(id).is_err() {
                let name = library_file(id.library());
                let mut files = places.iter().filter_map(|place| usual_file(place, &name));
                if let Some(path) = files.next() {
                    registry.add(&path);
                }
            }
            if registry.find(id).is_err() {
                return Self::search(places);
            }
        }
        registry
    }

    fn add(&mut self, path: &Path) {
        match PluginLibrary::load(path) {
            Ok(library)
                if self
                    .libraries
                    .iter()
                    .all(|known| known.name != library.name) =>
            {
                self.libraries.push(library);
            }
            Ok(library) => {
                tracing::debug!(path = %path.display(), name = library.name, "another library has this name");
            }
            Err(error) => self.refused.push((path.to_owned(), error)),
        }
    }

    /// The libraries that were loaded.
    #[must_use]
    pub fn libraries(&self) -> &[PluginLibrary] {
        &self.libraries
    }

    /// Files that look like libraries and were refused, with the reason.
    #[must_use]
    pub fn refused(&self) -> &[(PathBuf, RuntimeError)] {
        &self.refused
    }

    /// The description of a plugin, with its library.
    ///
    /// # Errors
    /// [`RuntimeError::MissingPlugin`], which says what was found and where.
    pub fn find(
        &self,
        id: &PluginId,
    ) -> Result<(&PluginLibrary, &PluginDescription), RuntimeError> {
        self.libraries
            .iter()
            .filter(|library| library.name == id.library())
            .find_map(|library| {
                let plugin = library
                    .plugins
                    .iter()
                    .find(|plugin| plugin.name == id.plugin())?;
                Some((library, plugin))
            })
            .ok_or_else(|| self.missing(id))
    }

    /// A new instance of a stage.
    ///
    /// # Errors
    /// When the plugin is missing, of another kind, or refuses.
    pub fn create_stage(&self, id: &PluginId) -> Result<StageBox, RuntimeError> {
        let (library, plugin) = self.find(id)?;
        if plugin.kind == PluginKind::Embodiment {
            return Err(wrong_kind(id, "encoder, fusion or head", plugin.kind));
        }
        let create = library.module.module().create_stage();
        unwrap(
            id.to_string(),
            "create_stage",
            create(RStr::from(id.plugin())),
        )
    }

    /// A new instance of an embodiment.
    ///
    /// # Errors
    /// When the plugin is missing, of another kind, or refuses.
    pub fn create_embodiment(&self, id: &PluginId) -> Result<EmbodimentBox, RuntimeError> {
        let (library, plugin) = self.find(id)?;
        if plugin.kind != PluginKind::Embodiment {
            return Err(wrong_kind(id, "embodiment", plugin.kind));
        }
        let create = library.module.module().create_embodiment();
        unwrap(
            id.to_string(),
            "create_embodiment",
            create(RStr::from(id.plugin())),
        )
    }

    fn missing(&self, id: &PluginId) -> RuntimeError {
        let mut found: Vec<String> = self
            .libraries
            .iter()
            .flat_map(|library| {
                library
                    .plugins
                    .iter()
                    .map(move |plugin| format!("{}/{}", library.name, plugin.name))
            })
            .collect();
        found.extend(self.refused.iter().map(|(path, error)| {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            format!("(refused) {}: {first}", path.display())
        }));
        if found.is_empty() {
            found.push("nothing".to_owned());
        }
        RuntimeError::MissingPlugin {
            id: id.clone(),
            searched: self.places.clone(),
            found,
        }
    }
}

/// Turns a plugin's answer into a result that names the plugin and the entry.
pub(crate) fn unwrap<T>(
    who: impl Into<String>,
    entry: &'static str,
    result: vola_abi::CallResult<T>,
) -> Result<T, RuntimeError> {
    match result {
        RResult::ROk(value) => Ok(value),
        RResult::RErr(fault) => Err(RuntimeError::Plugin {
            who: who.into(),
            entry,
            kind: fault.kind,
            message: fault.message.into_string(),
        }),
    }
}

fn wrong_kind(id: &PluginId, expected: &str, got: PluginKind) -> RuntimeError {
    RuntimeError::WrongKind {
        id: id.clone(),
        expected: expected.to_owned(),
        got,
    }
}

/// Name of the file in which a library of this name is usually found.
fn library_file(library: &str) -> String {
    format!(
        "{}{library}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    )
}

/// The file of this name at a place: the place itself, or in it.
fn usual_file(place: &Path, name: &str) -> Option<PathBuf> {
    if place.is_file() {
        return place.ends_with(name).then(|| place.to_owned());
    }
    let path = place.join(name);
    path.is_file().then_some(path)
}

/// Shared libraries directly in a folder, sorted by name.
fn shared_libraries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|ext| ext == std::env::consts::DLL_EXTENSION)
        })
        .collect();
    paths.sort();
    paths
}
