//! What a plugin answers when it cannot.

use vola_abi::{FaultAbi, FaultKind};

/// A fault with its kind and reason.
///
/// The message says what failed, where, expected versus got, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    kind: FaultKind,
    message: String,
}

impl Fault {
    /// The settings are wrong.
    pub fn settings(message: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::Settings,
            message: message.into(),
        }
    }

    /// The input is wrong.
    pub fn input(message: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::Input,
            message: message.into(),
        }
    }

    /// It could not be done.
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::Failed,
            message: message.into(),
        }
    }

    /// The plugin does not offer this.
    #[must_use]
    pub fn unsupported(method: &str) -> Self {
        Self {
            kind: FaultKind::Unsupported,
            message: format!("this plugin does not offer `{method}`"),
        }
    }

    /// What sort of fault it is.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        self.kind
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::settings(error.to_string())
    }
}

impl From<Fault> for FaultAbi {
    fn from(fault: Fault) -> Self {
        Self::new(fault.kind, fault.message)
    }
}

impl From<FaultAbi> for Fault {
    fn from(fault: FaultAbi) -> Self {
        Self {
            kind: fault.kind,
            message: fault.message.into_string(),
        }
    }
}
