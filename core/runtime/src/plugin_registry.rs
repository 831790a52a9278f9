//! Finds plugin libraries and knows which plugin lies where. A place to look is
//! a folder, or one library.
//!
//! A library names itself in its manifest; the file's name is irrelevant, unless
//! a plugin of it is isolated. A file that cannot be loaded does not hide the
//! others: its error is kept and shown when a plugin is missing. Every file is
//! admitted by the [`PluginRules`] before anything in it runs; of a library with
//! isolated plugins nothing runs in this process until one that is not isolated
//! is asked for.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use vola_abi::{
    EmbodimentBox, LoadedModule, StageBox,
    abi_stable::std_types::{RResult, RStr},
};
use vola_bundle::Isolation;
use vola_isolation::{
    AdmittedLibrary, ChildHealth, HostSpec, IsolatedEmbodiment, IsolatedStage, PictureRoom,
    SharedPool, Standing,
};
use vola_types::{PluginDescription, PluginId, PluginKind};

use crate::{PluginRules, RuntimeError};

/// One library that was loaded.
#[derive(Clone)]
pub struct PluginLibrary {
    path: PathBuf,
    name: String,
    version: String,
    sdk: String,
    plugins: Vec<PluginDescription>,
    admitted: AdmittedLibrary,
    usual: Isolation,
    host: Option<HostSpec>,
    confinement: Option<String>,
}

#[derive(Deserialize)]
struct RawLibraryManifest {
    library: String,
    version: String,
    sdk: String,
    plugins: Vec<PluginDescription>,
}

impl PluginLibrary {
    /// Admits one library found in `folder` and reads its manifest, in a child
    /// where one of its plugins may be isolated.
    fn load(rules: &mut PluginRules, folder: &Path, path: &Path) -> Result<Self, RuntimeError> {
        let admitted = rules.trust().admit(folder, path)?;
        let expected_name = admitted.expected_name();
        let usual = rules.usual(&admitted);
        let mut confinement = None;
        let (host, text) = if rules.may_isolate(&expected_name, usual) {
            let host = rules.host_spec(&admitted)?;
            let (text, level) = host.manifest()?;
            confinement = Some(level);
            (Some(host), text)
        } else {
            let module = LoadedModule::load_image(&admitted.image, path)?;
            let module = module.whose_panics_are_caught(path)?;
            (None, (module.module().manifest())().into_string())
        };
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
        admitted.check_identity(&manifest.library, &manifest.version)?;
        if host.is_none() && rules.may_isolate(&manifest.library, usual) {
            let reason = format!(
                "`{}` is to be isolated, and its file would have to be called {}",
                manifest.library,
                library_file(&manifest.library)
            );
            return Err(manifest_error(path, reason));
        }
        if admitted.standing == Standing::Unlocked {
            tracing::info!(
                library = manifest.library,
                blake3 = %admitted.hash.to_hex(),
                "no lock file vouches for this library"
            );
        }
        Ok(Self {
            path: path.to_owned(),
            name: manifest.library,
            version: manifest.version,
            sdk: manifest.sdk,
            plugins: manifest.plugins,
            admitted,
            usual,
            host,
            confinement,
        })
    }

    /// The library in this process.
    fn module(&self) -> Result<LoadedModule, RuntimeError> {
        let module = LoadedModule::load_image(&self.admitted.image, &self.path)?;
        Ok(module.whose_panics_are_caught(&self.path)?)
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
        self.admitted.hash
    }

    /// How far a process that hosts one of its stages is confined on this
    /// system, in words; none when nothing of it is isolated.
    #[must_use]
    pub fn confinement(&self) -> Option<&str> {
        self.confinement.as_deref()
    }

    /// What stands behind it.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.admitted.standing
    }
}

fn manifest_error(path: &Path, reason: String) -> RuntimeError {
    RuntimeError::Manifest {
        path: path.to_owned(),
        reason,
    }
}

/// A stage, and what becomes of its process where it has one of its own.
pub struct CreatedStage {
    /// The stage.
    pub stage: StageBox,
    /// None in this process.
    pub health: Option<Arc<ChildHealth>>,
}

/// The process that a robot has of its own.
#[derive(Clone, Debug)]
pub struct RobotProcess {
    /// How far it is confined on this system, in words.
    pub confinement: String,
    /// The file into which it writes its last motion should the runtime die.
    pub last_motion: PathBuf,
}

/// A robot, where its pictures are to be written, and its process.
pub struct CreatedEmbodiment {
    /// The robot.
    pub embodiment: EmbodimentBox,
    /// Memory that isolated plugins see; none without any.
    pub pictures: Option<PictureRoom>,
    /// None in this process.
    pub process: Option<RobotProcess>,
}

/// All libraries found in the places searched.
pub struct PluginRegistry {
    places: Vec<PathBuf>,
    rules: PluginRules,
    libraries: Vec<PluginLibrary>,
    refused: Vec<(PathBuf, RuntimeError)>,
}

impl PluginRegistry {
    /// Looks at the shared libraries in `places`, in order; the first library of
    /// a name wins. Files of other types in a folder are passed over in silence;
    /// a file that is named itself is loaded or refused.
    #[must_use]
    pub fn search(places: &[PathBuf], rules: &PluginRules) -> Self {
        let mut registry = Self {
            places: places.to_vec(),
            rules: rules.clone(),
            libraries: Vec::new(),
            refused: Vec::new(),
        };
        for place in places {
            if place.is_file() {
                registry.add(folder_of(place), place);
                continue;
            }
            for path in shared_libraries(place) {
                registry.add(place, &path);
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
        rules: &PluginRules,
    ) -> Self {
        let mut registry = Self {
            places: places.to_vec(),
            rules: rules.clone(),
            libraries: Vec::new(),
            refused: Vec::new(),
        };
        for id in ids {
            if registry.find(id).is_err() {
                let name = library_file(id.library());
                let mut files = places.iter().filter_map(|place| usual_file(place, &name));
                if let Some(path) = files.next() {
                    registry.add(folder_of(&path), &path);
                }
            }
            if registry.find(id).is_err() {
                return Self::search(places, rules);
            }
        }
        registry
    }

    /// This registry, unless a file that was named itself, not its folder, is no
    /// library that can be used: who names a file wants that one.
    ///
    /// # Errors
    /// Why the first such file was refused.
    pub fn with_named_files(mut self) -> Result<Self, RuntimeError> {
        for place in self.places.clone() {
            if place.is_file() && self.libraries.iter().all(|known| known.path != place) {
                self.add(folder_of(&place), &place);
            }
        }
        let is_named = |path: &Path| self.places.iter().any(|place| place == path);
        match self.refused.iter().position(|(path, _)| is_named(path)) {
            Some(index) => Err(self.refused.swap_remove(index).1),
            None => Ok(self),
        }
    }

    fn add(&mut self, folder: &Path, path: &Path) {
        if self.refused.iter().any(|(known, _)| known == path) {
            return;
        }
        match PluginLibrary::load(&mut self.rules, folder, path) {
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

    /// A new instance of a stage of the bundle in this folder, in this process or
    /// in one of its own, which can read the folder.
    ///
    /// # Errors
    /// When the plugin is missing, of another kind, or refuses.
    pub fn create_stage(
        &self,
        id: &PluginId,
        bundle_folder: &Path,
    ) -> Result<CreatedStage, RuntimeError> {
        let (library, plugin) = self.find(id)?;
        if plugin.kind == PluginKind::Embodiment {
            return Err(wrong_kind(id, "encoder, fusion or head", plugin.kind));
        }
        if let Some(host) = self.host_of(id, library) {
            let stage = IsolatedStage::start(&host.reading(bundle_folder), id.plugin())?;
            tracing::info!(plugin = %id, level = stage.level(), "runs in a process of its own");
            return Ok(CreatedStage {
                health: Some(stage.health()),
                stage: stage.into_box(),
            });
        }
        let create = library.module()?.module().create_stage();
        let stage = unwrap(
            id.to_string(),
            "create_stage",
            create(RStr::from(id.plugin())),
        )?;
        Ok(CreatedStage {
            stage,
            health: None,
        })
    }

    /// Whether a plugin runs in a process of its own.
    #[must_use]
    pub fn is_isolated(&self, id: &PluginId) -> bool {
        self.find(id)
            .is_ok_and(|(library, _)| self.host_of(id, library).is_some())
    }

    /// The rules by which libraries were admitted.
    #[must_use]
    pub fn rules(&self) -> &PluginRules {
        &self.rules
    }

    fn host_of<'a>(&self, id: &PluginId, library: &'a PluginLibrary) -> Option<&'a HostSpec> {
        library
            .host
            .as_ref()
            .filter(|_| self.rules.is_isolated(id, library.usual))
    }

    /// A new instance of an embodiment, in this process or in one of its own.
    ///
    /// # Errors
    /// When the plugin is missing, of another kind, or refuses.
    pub fn create_embodiment(&self, id: &PluginId) -> Result<CreatedEmbodiment, RuntimeError> {
        let (library, plugin) = self.find(id)?;
        if plugin.kind != PluginKind::Embodiment {
            return Err(wrong_kind(id, "embodiment", plugin.kind));
        }
        if let Some(host) = self.host_of(id, library) {
            let folder = self.rules.motion_log_folder();
            let robot = IsolatedEmbodiment::start(host, id.plugin(), &folder)?;
            return Ok(CreatedEmbodiment {
                pictures: Some(robot.pictures()),
                process: Some(RobotProcess {
                    confinement: robot.level(),
                    last_motion: robot.motion_log().to_owned(),
                }),
                embodiment: robot.into_box(),
            });
        }
        let create = library.module()?.module().create_embodiment();
        let created = create(RStr::from(id.plugin()));
        Ok(CreatedEmbodiment {
            embodiment: unwrap(id.to_string(), "create_embodiment", created)?,
            pictures: self.rules.pool().map(SharedPool::pictures),
            process: None,
        })
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
            let path = path.display().to_string();
            // Most errors name the file themselves.
            if first.contains(&path) {
                format!("(refused) {first}")
            } else {
                format!("(refused) {path}: {first}")
            }
        }));
        if found.is_empty() {
            found.push("nothing".to_owned());
        }
        let mut searched = self.places.clone();
        let mut known = std::collections::BTreeSet::new();
        searched.retain(|place| known.insert(place.clone()));
        RuntimeError::MissingPlugin {
            id: id.clone(),
            searched,
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

/// The folder that a library lies in, as its path says.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
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
