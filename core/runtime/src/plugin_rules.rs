//! Which libraries are loaded, and which plugins run in a process of their own.

use std::{path::PathBuf, sync::Arc};

use vola_bundle::{Deployment, Isolation, PluginSettings};
use vola_isolation::{
    AdmittedLibrary, Alarm, ChildLimits, HostSpec, PluginLock, Servicing, SharedPool, Standing,
    Trust,
};
use vola_types::PluginId;

use crate::{RuntimeError, StopSwitch};

/// Room for the tensors that isolated plugins read (bytes); pages come with use.
const POOL_BYTES: usize = 512 << 20;

/// What a program says about plugins beside the deployment.
#[derive(Clone, Debug, Default)]
pub struct PluginOptions {
    /// Whether libraries that the lock file does not list are loaded.
    pub allow_unlocked: bool,
    /// The program that hosts isolated plugins when called with the argument
    /// [`HOST_ARGUMENT`](vola_isolation::HOST_ARGUMENT).
    pub host: Option<PathBuf>,
    /// What came with the program.
    pub shipped: Shipped,
}

/// The libraries that came with the program: whoever trusts it trusts them.
#[derive(Clone, Debug, Default)]
pub struct Shipped {
    /// Their folders.
    pub folders: Vec<PathBuf>,
    /// The lock file that lists them, where the program was packed with one;
    /// then a library counts by its hash, else by lying in a folder.
    pub lock: Option<PathBuf>,
}

impl Shipped {
    fn read(&self) -> Result<ShippedLibraries, RuntimeError> {
        Ok(match &self.lock {
            Some(lock) => ShippedLibraries::Listed(PluginLock::read(lock)?),
            None => {
                let real = self.folders.iter().map(std::fs::canonicalize);
                ShippedLibraries::Beside(real.filter_map(Result::ok).collect())
            }
        })
    }
}

/// The same, read.
#[derive(Clone, Debug)]
enum ShippedLibraries {
    Listed(PluginLock),
    Beside(Vec<PathBuf>),
}

impl Default for ShippedLibraries {
    fn default() -> Self {
        Self::Beside(Vec::new())
    }
}

impl ShippedLibraries {
    fn hold(&self, library: &AdmittedLibrary) -> bool {
        match self {
            Self::Listed(lock) => lock.find(library.hash).is_some(),
            // After links were followed: what lies elsewhere came from elsewhere.
            Self::Beside(folders) => library.path.canonicalize().is_ok_and(|path| {
                folders
                    .iter()
                    .any(|folder| path.parent() == Some(folder.as_path()))
            }),
        }
    }
}

/// The rules of one session or search.
#[derive(Clone, Default)]
pub struct PluginRules {
    trust: Trust,
    settings: Option<PluginSettings>,
    record_folder: Option<PathBuf>,
    host: Option<PathBuf>,
    shipped: ShippedLibraries,
    pool: Option<SharedPool>,
    alarm: Option<StopSwitch>,
    servicing: Servicing,
}

impl PluginRules {
    /// The rules of a deployment.
    ///
    /// # Errors
    /// When its lock file or a key cannot be used.
    pub fn of(deployment: &Deployment, options: &PluginOptions) -> Result<Self, RuntimeError> {
        let settings = deployment.plugins();
        let control = deployment.control();
        let trust = match settings.lock() {
            Some(lock) => Trust::with_lock(lock, settings.keys(), options.allow_unlocked)?,
            None => Trust::without_lock(),
        };
        Ok(Self {
            trust,
            settings: Some(settings.clone()),
            record_folder: deployment.record().folder().map(ToOwned::to_owned),
            servicing: Servicing::beside_control(
                control.priority(),
                control.core(),
                control.lock_memory(),
            ),
            ..Self::without_deployment(options)?
        })
    }

    /// The rules where there is no deployment.
    ///
    /// # Errors
    /// When the lock file of the shipped libraries cannot be used.
    pub fn without_deployment(options: &PluginOptions) -> Result<Self, RuntimeError> {
        Ok(Self {
            host: options.host.clone(),
            shipped: options.shipped.read()?,
            ..Self::default()
        })
    }

    /// The same rules; `alarm` brings the arm to rest when a child ends that
    /// should not have.
    #[must_use]
    pub(crate) fn with_alarm(mut self, alarm: StopSwitch) -> Self {
        self.alarm = Some(alarm);
        self
    }

    /// Which libraries are admitted.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Whether a plugin of a library with this usual place runs in a process of
    /// its own.
    #[must_use]
    pub(crate) fn is_isolated(&self, id: &PluginId, usual: Isolation) -> bool {
        let said = self.settings.as_ref().and_then(|it| it.isolation(id));
        said.unwrap_or(usual) == Isolation::Process
    }

    /// Whether any plugin of this library may be isolated, so that nothing of
    /// it may run in this process before that is known.
    pub(crate) fn may_isolate(&self, library: &str, usual: Isolation) -> bool {
        let said = self.settings.as_ref().is_some_and(|it| {
            it.isolation_entries().any(|(name, isolation)| {
                isolation == Isolation::Process
                    && (name == library
                        || name
                            .split_once('/')
                            .is_some_and(|(first, _)| first == library))
            })
        });
        let is_told_here = self.settings.as_ref().is_some_and(|it| {
            it.isolation_entries()
                .any(|(name, isolation)| isolation == Isolation::None && name == library)
        });
        said || (usual == Isolation::Process && !is_told_here)
    }

    /// Where the plugins of a library run of which nothing is said: in this
    /// process when the deployment's lock file lists it or, without one, it came
    /// with the program; else in one of their own. A program without a host for
    /// them, and a system without isolation, run what no lock file forbids.
    pub(crate) fn usual(&self, library: &AdmittedLibrary) -> Isolation {
        let is_vouched_for = library.standing != Standing::Unlocked
            || (self.trust.lock().is_none() && self.shipped.hold(library));
        let can_isolate = cfg!(target_os = "linux") && self.host.is_some();
        if is_vouched_for || (self.trust.lock().is_none() && !can_isolate) {
            Isolation::None
        } else {
            Isolation::Process
        }
    }

    /// Where an isolated robot's last motion is written should the runtime die.
    pub(crate) fn motion_log_folder(&self) -> PathBuf {
        self.record_folder
            .clone()
            .unwrap_or_else(std::env::temp_dir)
    }

    /// Memory that isolated plugins read in place; none without any.
    pub(crate) fn pool(&self) -> Option<&SharedPool> {
        self.pool.as_ref()
    }

    /// How children that host this library are started.
    pub(crate) fn host_spec(
        &mut self,
        library: &AdmittedLibrary,
    ) -> Result<HostSpec, RuntimeError> {
        let Some(program) = &self.host else {
            return Err(RuntimeError::MissingPart {
                id: PluginId::parse(&format!("{}/any", library.expected_name()))
                    .map_err(|error| manifest_name(library, &error.to_string()))?,
                part: "program to host it in a process of its own".to_owned(),
                help: "isolated plugins run under the `vola` program only",
            });
        };
        let pool = match &self.pool {
            Some(pool) => pool.clone(),
            None => {
                let pool = SharedPool::new(POOL_BYTES).map_err(|source| RuntimeError::Io {
                    path: PathBuf::from("shared memory for isolated plugins"),
                    source,
                })?;
                self.pool.insert(pool).clone()
            }
        };
        let limits = self.settings.as_ref().map_or(
            ChildLimits {
                call: std::time::Duration::from_secs(1),
                start: std::time::Duration::from_secs(60),
                memory_bytes: 8 << 30,
            },
            |settings| ChildLimits {
                call: settings.call_deadline(),
                start: settings.start_deadline(),
                memory_bytes: settings.memory_bytes(),
            },
        );
        let switch = self.alarm.clone();
        let alarm: Alarm = Arc::new(move |_| {
            if let Some(switch) = &switch {
                switch.lose_plugin();
            }
        });
        let host = HostSpec::new(program, library, pool, limits, alarm)?;
        Ok(host.serviced(self.servicing))
    }
}

fn manifest_name(library: &AdmittedLibrary, reason: &str) -> RuntimeError {
    RuntimeError::Manifest {
        path: library.path.clone(),
        reason: reason.to_owned(),
    }
}
