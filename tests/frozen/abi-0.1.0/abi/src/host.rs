//! What the host gives a plugin, and how a plugin reports a fault.

use abi_stable::{
    StableAbi,
    std_types::{RStr, RString},
};

/// Context of one call.
#[repr(C)]
#[derive(StableAbi, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallContext {
    /// Seed of every random draw in this call.
    pub seed: u64,
    /// Calls since the last `reset`, from 0.
    pub step: u64,
    /// When the result is due, on the runtime's clock (ns); 0 means no deadline.
    pub deadline_ns: u64,
}

/// Severity of a log line.
#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is wrong but handled.
    Warn,
    /// Normal news.
    Info,
    /// For those who look for a fault.
    Debug,
    /// Everything.
    Trace,
}

/// Where a plugin's log lines go: level, target, message. Thread-safe; copies
/// the texts before it returns.
pub type LogFn = for<'a, 'b> extern "C" fn(LogLevel, RStr<'a>, RStr<'b>);

/// What the host offers a plugin at `activate`.
///
/// Data cross as JSON, so that fields can be added.
#[repr(C)]
#[derive(StableAbi, Clone, Debug)]
pub struct HostServicesAbi {
    /// The log sink.
    pub log: extern "C" fn(LogLevel, RStr<'_>, RStr<'_>),
    /// The data as JSON.
    pub data: RString,
}

/// Why a call did not give a result.
#[repr(u8)]
#[derive(StableAbi, Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The settings are wrong.
    Settings,
    /// The input is wrong.
    Input,
    /// The plugin could not do it; a later call may succeed.
    Failed,
    /// The plugin does not offer this.
    Unsupported,
    /// The plugin panicked; the instance must not be called again.
    Panic,
}

/// A fault with its reason.
#[repr(C)]
#[derive(StableAbi, Clone, Debug, PartialEq, Eq)]
pub struct FaultAbi {
    /// What sort.
    pub kind: FaultKind,
    /// What failed, where, expected versus got, what to do.
    pub message: RString,
}

impl FaultAbi {
    /// A fault of a kind with its reason.
    #[must_use]
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: RString::from(message.into()),
        }
    }

    /// The answer of a method that a plugin does not offer.
    #[must_use]
    pub fn unsupported(method: &str) -> Self {
        Self::new(
            FaultKind::Unsupported,
            format!("this plugin does not offer `{method}`"),
        )
    }
}

impl std::fmt::Display for FaultAbi {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for FaultAbi {}
