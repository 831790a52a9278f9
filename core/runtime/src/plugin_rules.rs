//! Which libraries are loaded, and which plugins run in a process of their own.

use std::{path::PathBuf, sync::Arc};

use vola_bundle::{Deployment, Isolation, PluginSettings};
use vola_isolation::{AdmittedLibrary, Alarm, ChildLimits, HostSpec, SharedPool, Standing, Trust};
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
}

/// The rules of one session or search.
#[derive(Clone, Default)]
pub struct PluginRules {
    trust: Trust,
    settings: Option<PluginSettings>,
    record_folder: Option<PathBuf>,
    host: Option<PathBuf>,
    pool: Option<SharedPool>,
    alarm: Option<StopSwitch>,
}

impl PluginRules {
    /// The rules of a deployment.
    ///
    /// # Errors
    /// When its lock file or a key cannot be used.
    pub fn of(deployment: &Deployment, options: &PluginOptions) -> Result<Self, RuntimeError> {
        let settings = deployment.plugins();
        let trust = match settings.lock() {
            Some(lock) => Trust::with_lock(lock, settings.keys(), options.allow_unlocked)?,
            None => Trust::without_lock(),
        };
        Ok(Self {
            trust,
            settings: Some(settings.clone()),
            record_folder: deployment.record().folder().map(ToOwned::to_owned),
            host: options.host.clone(),
            pool: None,
            alarm: None,
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

    /// Whether a plugin of an admitted library runs in a process of its own. A
    /// library that a lock file does not list does, unless it was told not to.
    #[must_use]
    pub fn is_isolated(&self, id: &PluginId, standing: Standing) -> bool {
        let said = self.settings.as_ref().and_then(|it| it.isolation(id));
        said.unwrap_or(self.usual(standing)) == Isolation::Process
    }

    /// Whether any plugin of this library may be isolated, so that nothing of
    /// it may run in this process before that is known.
    pub(crate) fn may_isolate(&self, library: &str, standing: Standing) -> bool {
        let said = self.settings.as_ref().is_some_and(|it| {
            it.isolation_entries().any(|(name, isolation)| {
                isolation == Isolation::Process
                    && (name == library
                        || name
                            .split_once('/')
                            .is_some_and(|(first, _)| first == library))
            })
        });
        said || self.usual(standing) == Isolation::Process
    }

    fn usual(&self, standing: Standing) -> Isolation {
        match (self.trust.lock(), standing) {
            (Some(_), Standing::Unlocked) => Isolation::Process,
            _ => Isolation::None,
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
        Ok(HostSpec::new(program, library, pool, limits, alarm)?)
    }
}

fn manifest_name(library: &AdmittedLibrary, reason: &str) -> RuntimeError {
    RuntimeError::Manifest {
        path: library.path.clone(),
        reason: reason.to_owned(),
    }
}
