//! Where a command works: the deployment, the plugin folders, and sessions.

use std::path::{Path, PathBuf};

use serde_json::Value;
use vola_bundle::{Deployment, RawDeployment};
use vola_runtime::{
    ConfidenceUse, Drive, FilterUse, PluginOptions, PluginRegistry, PluginRules, PolicyUse,
    Session, SessionOptions, Shipped,
};
use vola_types::PluginId;

use crate::{
    arguments::{Clock, SharedArguments},
    failure::Failure,
};

/// The deployment that is used when none is named.
const DEFAULT_CONFIG: &str = "configs/tabletop.toml";

/// The lock file beside a packed program.
const SHIPPED_LOCK: &str = "plugins.lock";

/// A deployment and where its plugins are looked for.
#[derive(Clone, Debug)]
pub(crate) struct Workplace {
    deployment: Deployment,
    plugin_folders: Vec<PathBuf>,
    plugins: PluginOptions,
}

/// What is measured in the place of what a deployment says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Instead<'a> {
    /// Another robot.
    pub(crate) arm: Option<&'a PluginId>,
    /// Another version of its policy.
    pub(crate) version: Option<&'a str>,
    /// Another share of good episodes that may be held.
    pub(crate) false_hold_rate: Option<f64>,
}

/// How a command wants its session.
#[derive(Clone, Debug)]
pub(crate) struct SessionWish {
    /// The clock.
    pub(crate) clock: Clock,
    /// Seed of the policy's draws and of the first scene.
    pub(crate) seed: u64,
    /// Whether the bundle is opened.
    pub(crate) policy: PolicyUse,
    /// Settings of the embodiment, over the deployment's.
    pub(crate) robot_settings: Value,
    /// Cameras of an observation when there is no policy.
    pub(crate) cameras: Vec<String>,
    /// What takes the commands.
    pub(crate) drive: Drive,
    /// Whether commands pass the safety filter's limits.
    pub(crate) filter: FilterUse,
    /// A new file for what the control loop takes in.
    pub(crate) control_record: Option<PathBuf>,
    /// What is made of the confidence.
    pub(crate) confidence: ConfidenceUse,
}

impl SessionWish {
    /// A session that must have a policy, and nothing special.
    pub(crate) fn new(clock: Clock, seed: u64) -> Self {
        Self {
            clock,
            seed,
            policy: PolicyUse::Required,
            robot_settings: Value::Null,
            cameras: Vec::new(),
            drive: Drive::Robot,
            filter: FilterUse::On,
            control_record: None,
            confidence: ConfidenceUse::Hold,
        }
    }

    /// The same, with what the control loop takes in written to a file.
    pub(crate) fn recording(mut self, file: Option<&Path>) -> Self {
        self.control_record = file.map(Path::to_owned);
        self
    }

    /// A session with the policy that the deployment names, if it names one.
    pub(crate) fn as_deployed(clock: Clock, seed: u64) -> Self {
        Self {
            policy: PolicyUse::IfNamed,
            ..Self::new(clock, seed)
        }
    }
}

impl Workplace {
    /// Reads the deployment that the arguments name.
    ///
    /// # Errors
    /// When it is missing or has any fault.
    pub(crate) fn open(arguments: &SharedArguments) -> Result<Self, Failure> {
        let deployment = Deployment::load(&config_path(arguments.config.as_deref()))?;
        Ok(Self::new(deployment, arguments))
    }

    /// The same deployment, recording into another folder where one is named.
    ///
    /// # Errors
    /// When the deployment has a fault.
    pub(crate) fn open_recording(
        arguments: &SharedArguments,
        folder: Option<&Path>,
    ) -> Result<Self, Failure> {
        let Some(folder) = folder else {
            return Self::open(arguments);
        };
        let folder = std::path::absolute(folder).map_err(Failure::file(folder, "find"))?;
        Self::open_changed(arguments, |raw| {
            raw.record.folder = Some(folder.display().to_string());
        })
    }

    /// The same deployment for another robot.
    ///
    /// # Errors
    /// When the deployment has a fault.
    pub(crate) fn open_for(arguments: &SharedArguments, arm: &PluginId) -> Result<Self, Failure> {
        Self::open_changed(arguments, |raw| {
            if let Some(robot) = &mut raw.robot {
                robot.plugin = arm.to_string();
            }
        })
    }

    /// The same deployment, with what is measured instead of what it says.
    ///
    /// # Errors
    /// When the deployment has a fault.
    pub(crate) fn open_to_measure(
        arguments: &SharedArguments,
        instead: &Instead<'_>,
    ) -> Result<Self, Failure> {
        if *instead == Instead::default() {
            return Self::open(arguments);
        }
        Self::open_changed(arguments, |raw| {
            if let (Some(robot), Some(arm)) = (&mut raw.robot, instead.arm) {
                robot.plugin = arm.to_string();
            }
            if let (Some(policy), Some(version)) = (&mut raw.policy, instead.version) {
                policy.version = Some(version.to_owned());
                policy.version_share = None;
            }
            if let Some(rate) = instead.false_hold_rate {
                raw.confidence.false_hold_rate = Some(rate);
            }
        })
    }

    /// The same deployment with another bundle, and a version of it.
    ///
    /// # Errors
    /// When the deployment has a fault.
    pub(crate) fn open_version(
        arguments: &SharedArguments,
        bundle: &Path,
        version: &str,
    ) -> Result<Self, Failure> {
        let bundle = std::path::absolute(bundle).map_err(Failure::file(bundle, "find"))?;
        Self::open_changed(arguments, |raw| {
            let policy = raw.policy.get_or_insert_default();
            policy.bundle = bundle.display().to_string();
            policy.version = Some(version.to_owned());
            policy.version_share = None;
        })
    }

    /// The same deployment with another bundle.
    ///
    /// # Errors
    /// When the deployment has a fault.
    pub(crate) fn open_with_bundle(
        arguments: &SharedArguments,
        bundle: &Path,
    ) -> Result<Self, Failure> {
        let bundle = std::path::absolute(bundle).map_err(Failure::file(bundle, "find"))?;
        Self::open_changed(arguments, |raw| {
            let policy = raw.policy.get_or_insert_default();
            policy.bundle = bundle.display().to_string();
        })
    }

    fn open_changed(
        arguments: &SharedArguments,
        change: impl FnOnce(&mut RawDeployment),
    ) -> Result<Self, Failure> {
        let path = config_path(arguments.config.as_deref());
        // Read strictly first: the second reading would pass over unknown keys.
        Deployment::load(&path)?;
        let text = std::fs::read_to_string(&path).map_err(Failure::file(&path, "read"))?;
        let mut raw: RawDeployment = toml::from_str(&text).map_err(|error| Failure::Content {
            path: path.clone(),
            reason: error.message().to_owned(),
            help: "`vola config check` lists every fault of the file",
        })?;
        change(&mut raw);
        Ok(Self::new(Deployment::from_raw(&raw, &path)?, arguments))
    }

    fn new(deployment: Deployment, arguments: &SharedArguments) -> Self {
        let mut plugin_folders = arguments.plugin_folders.clone();
        plugin_folders.extend(deployment.plugin_paths().iter().cloned());
        plugin_folders.extend(program_folders());
        Self {
            deployment,
            plugin_folders,
            plugins: plugin_options(arguments),
        }
    }

    /// The deployment.
    pub(crate) fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The plugins found.
    ///
    /// # Errors
    /// When the lock file cannot be used.
    pub(crate) fn registry(&self) -> Result<PluginRegistry, Failure> {
        let rules = PluginRules::of(&self.deployment, &self.plugins)?;
        Ok(PluginRegistry::search(&self.plugin_folders, &rules))
    }

    /// What a session is opened with.
    pub(crate) fn options(&self, wish: SessionWish) -> SessionOptions {
        SessionOptions {
            clock: wish.clock.into(),
            seed: wish.seed,
            plugin_folders: self.plugin_folders.clone(),
            robot_settings: wish.robot_settings,
            policy: wish.policy,
            cameras: wish.cameras,
            plugins: self.plugins.clone(),
            drive: wish.drive,
            filter: wish.filter,
            control_record: wish.control_record,
            interposer: None,
            confidence: wish.confidence,
        }
    }

    /// Opens the robot.
    ///
    /// # Errors
    /// When anything that the deployment names is missing or does not fit.
    pub(crate) fn session(&self, wish: SessionWish) -> Result<Session, Failure> {
        Ok(Session::open(&self.deployment, self.options(wish))?)
    }
}

/// The deployment's file: as named, else the default in the working folder, else
/// the one that came with the program.
pub(crate) fn config_path(named: Option<&Path>) -> PathBuf {
    if let Some(named) = named {
        return named.to_owned();
    }
    let default = PathBuf::from(DEFAULT_CONFIG);
    if default.exists() {
        return default;
    }
    let program = std::env::current_exe().unwrap_or_default();
    // `target/debug/vola` lies two folders below the workspace, an installed
    // `vola` beside its `configs`.
    let shipped = program
        .ancestors()
        .skip(1)
        .take(3)
        .map(|folder| folder.join(DEFAULT_CONFIG));
    shipped
        .into_iter()
        .find(|path| path.exists())
        .unwrap_or(default)
}

/// What the arguments say about plugins, and the program that hosts isolated
/// ones: this very file, also when a new build lies in its place by now.
pub(crate) fn plugin_options(arguments: &SharedArguments) -> PluginOptions {
    let host = if cfg!(target_os = "linux") {
        Some(PathBuf::from("/proc/self/exe"))
    } else {
        std::env::current_exe().ok()
    };
    PluginOptions {
        allow_unlocked: arguments.allow_unlocked,
        host,
        shipped: Shipped {
            folders: program_folders(),
            lock: shipped_lock(),
        },
    }
}

/// The lock file of the libraries that a packed program came with.
pub(crate) fn shipped_lock() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let file = program.with_file_name(SHIPPED_LOCK);
    file.is_file().then_some(file)
}

/// Folders that come with the program.
pub(crate) fn program_folders() -> Vec<PathBuf> {
    let Ok(program) = std::env::current_exe() else {
        return Vec::new();
    };
    let Some(folder) = program.parent() else {
        return Vec::new();
    };
    let beside = folder.join("plugins");
    if beside.is_dir() {
        vec![folder.to_owned(), beside]
    } else {
        vec![folder.to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_deployment_is_taken_as_it_is() {
        assert_eq!(
            config_path(Some(Path::new("x/y.toml"))),
            PathBuf::from("x/y.toml")
        );
        assert!(config_path(None).ends_with(DEFAULT_CONFIG));
    }

    #[test]
    fn a_missing_deployment_exits_with_2() {
        let shared = SharedArguments {
            config: Some(PathBuf::from("/nowhere/at/all.toml")),
            json: false,
            log: None,
            plugin_folders: Vec::new(),
            allow_unlocked: false,
        };
        let error = Workplace::open(&shared).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("/nowhere/at/all.toml"));
    }
}
