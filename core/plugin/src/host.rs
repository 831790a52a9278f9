//! What the host offers, and the routes of `tracing` and panics to its log.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::{Once, OnceLock},
};

use tracing::{
    Level, Metadata,
    field::{Field, Visit},
    span,
};
use vola_abi::{HostData, HostServicesAbi, LogFn, LogLevel, abi_stable::std_types::RStr};

use crate::Fault;

/// The host's services, given at `activate`.
#[derive(Clone, Debug)]
pub struct Host {
    data: HostData,
}

impl Host {
    /// Reads the services and, on first use in this library, routes `tracing`
    /// and the panic hook to the host's log.
    pub(crate) fn receive(services: &HostServicesAbi) -> Result<Self, Fault> {
        install(services.log);
        let data = serde_json::from_str(&services.data)
            .map_err(|error| Fault::input(format!("host services: {error}")))?;
        Ok(Self { data })
    }

    /// A host with the given data and no log, for tests of a plugin type.
    #[must_use]
    pub fn for_tests(data: HostData) -> Self {
        Self { data }
    }

    /// Threads the plugin may use in one call, at least 1.
    #[must_use]
    pub fn threads(&self) -> usize {
        usize::try_from(self.data.threads).unwrap_or(1).max(1)
    }

    /// Folder of the policy bundle; none for embodiments.
    #[must_use]
    pub fn bundle_folder(&self) -> Option<&Path> {
        (!self.data.bundle_folder.is_empty()).then(|| Path::new(&self.data.bundle_folder))
    }

    /// The stage's weights: file and the prefix of the only tensors it may read.
    #[must_use]
    pub fn weights(&self) -> Option<(PathBuf, &str)> {
        (!self.data.weights_file.is_empty()).then(|| {
            (
                PathBuf::from(&self.data.weights_file),
                self.data.weights_prefix.as_str(),
            )
        })
    }

    /// Name of the stage in the bundle's graph.
    #[must_use]
    pub fn stage(&self) -> &str {
        &self.data.stage
    }

    /// Graph names of the inputs, in the bundle's order.
    #[must_use]
    pub fn inputs(&self) -> &[String] {
        &self.data.inputs
    }

    /// Graph names of the outputs, in the bundle's order.
    #[must_use]
    pub fn outputs(&self) -> &[String] {
        &self.data.outputs
    }
}

static LOG: OnceLock<LogFn> = OnceLock::new();

/// A fault that no caller can be told, such as one in a `Drop`.
pub(crate) fn log_fault(message: &str) {
    send(LogLevel::Error, "plugin", message);
}

fn send(level: LogLevel, target: &str, message: &str) {
    if let Some(log) = LOG.get() {
        log(level, RStr::from(target), RStr::from(message));
    }
}

fn install(log: LogFn) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Each library has its own copy of the standard library, so the hook
        // and the subscriber are this library's alone.
        let _ = LOG.set(log);
        std::panic::set_hook(Box::new(|info| {
            send(LogLevel::Error, "panic", &info.to_string())
        }));
        // A plugin that brings its own subscriber keeps it.
        let _ = tracing::subscriber::set_global_default(ToHost);
    });
}

/// Sends events to the host; spans carry nothing here.
struct ToHost;

impl tracing::Subscriber for ToHost {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::DEBUG && metadata.is_event()
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let level = match *event.metadata().level() {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            Level::INFO => LogLevel::Info,
            Level::DEBUG => LogLevel::Debug,
            Level::TRACE => LogLevel::Trace,
        };
        let mut line = Line(String::new());
        event.record(&mut line);
        send(level, event.metadata().target(), &line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        // Writing to a String cannot fail.
        let _ = if field.name() == "message" {
            write!(self.0, "{value:?}")
        } else {
            write!(self.0, "{}={value:?}", field.name())
        };
    }
}
