//! Rows of a conformance report.

use serde::{Deserialize, Serialize};
use vola_abi::{CallResult, FaultKind, abi_stable::std_types::RResult};

/// How one check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// It holds.
    Passed,
    /// It does not hold; the plugin must be mended.
    Failed,
    /// It could not be tried; the detail says what was missing.
    Skipped,
}

/// One row of a conformance report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was checked, behind the plugin's id: `tabletop/franka: holds still`.
    pub name: String,
    /// How it ended.
    pub outcome: CheckOutcome,
    /// What was seen.
    pub detail: String,
    /// What to do; empty unless it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
}

impl Check {
    /// Whether the plugin must be mended.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.outcome == CheckOutcome::Failed
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self.outcome {
            CheckOutcome::Passed => "pass",
            CheckOutcome::Failed => "FAIL",
            CheckOutcome::Skipped => "skip",
        };
        write!(formatter, "{word}  {}: {}", self.name, self.detail)?;
        if !self.help.is_empty() {
            write!(formatter, "\n      help: {}", self.help)?;
        }
        Ok(())
    }
}

/// What a check answers: what was seen, or why it does not hold.
pub(super) type Verdict = Result<String, Flaw>;

/// Why a check does not hold or could not be tried.
pub(super) enum Flaw {
    /// It does not hold.
    Fault { detail: String, help: String },
    /// It could not be tried.
    Skipped(String),
}

impl Flaw {
    pub(super) fn fault(detail: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Fault {
            detail: detail.into(),
            help: help.into(),
        }
    }

    pub(super) fn skipped(detail: impl Into<String>) -> Self {
        Self::Skipped(detail.into())
    }
}

/// Collects the rows of one subject.
pub(super) struct Rows<'a> {
    subject: String,
    checks: &'a mut Vec<Check>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(subject: impl Into<String>, checks: &'a mut Vec<Check>) -> Self {
        Self {
            subject: subject.into(),
            checks,
        }
    }

    /// Adds a row; whether the check passed.
    pub(super) fn record(&mut self, what: &str, verdict: Verdict) -> bool {
        let (outcome, detail, help) = match verdict {
            Ok(detail) => (CheckOutcome::Passed, detail, String::new()),
            Err(Flaw::Fault { detail, help }) => (CheckOutcome::Failed, detail, help),
            Err(Flaw::Skipped(detail)) => (CheckOutcome::Skipped, detail, String::new()),
        };
        let name = format!("{}: {what}", self.subject);
        self.checks.push(Check {
            name,
            outcome,
            detail,
            help,
        });
        outcome == CheckOutcome::Passed
    }
}

/// The value of a call that must succeed.
pub(super) fn succeeded<T>(entry: &str, result: CallResult<T>, help: &str) -> Result<T, Flaw> {
    match result {
        RResult::ROk(value) => Ok(value),
        RResult::RErr(fault) => Err(Flaw::fault(
            format!("`{entry}` answered: {}", fault.message),
            help,
        )),
    }
}

/// The reason of a call that must be refused by an error, not by a panic.
pub(super) fn refused<T>(entry: &str, result: CallResult<T>, help: &str) -> Verdict {
    match result {
        RResult::ROk(_) => Err(Flaw::fault(format!("`{entry}` accepted it"), help)),
        RResult::RErr(fault) if fault.kind == FaultKind::Panic => {
            Err(Flaw::fault(fault.message.into_string(), help))
        }
        RResult::RErr(fault) => Ok(fault.message.into_string()),
    }
}

/// Any answer will do, but no panic.
pub(super) fn survived<T>(result: CallResult<T>, help: &str) -> Verdict {
    match result {
        RResult::ROk(_) => Ok("accepted".to_owned()),
        RResult::RErr(fault) if fault.kind == FaultKind::Panic => {
            Err(Flaw::fault(fault.message.into_string(), help))
        }
        RResult::RErr(fault) => Ok(fault.message.into_string()),
    }
}
