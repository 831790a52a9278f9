//! A checked deployment: one file that says which robot runs which policy, how,
//! and within which limits.
//!
//! The file is read into [`RawDeployment`] and checked into [`Deployment`].
//! Paths in the file are relative to the file, so that a folder of deployments
//! can be moved. Limits are compared with the robot's own in
//! [`compare_deployment`](crate::compare_deployment), since only the robot
//! knows them. Secrets are refused here wherever they stand.

mod adaptation;
mod check;
mod monitoring;
mod raw;
mod sections;

use std::path::{Path, PathBuf};

use crate::error::BundleError;
use crate::files::{parse_toml, read_toml_text};
use crate::problem::Problems;
use crate::strict;

pub use adaptation::{AdaptationSettings, RawAdaptation};
pub use monitoring::{MonitoringSettings, RawMonitoring};
pub use raw::{
    Asked, Backend, Device, Isolation, Precision, RawAskBudget, RawBox, RawBudget, RawConfidence,
    RawControl, RawDeployment, RawExecution, RawHandoff, RawJointLimits, RawModel, RawPlanner,
    RawPlugins, RawPolicy, RawRecord, RawRecovery, RawRobot, RawSafety, SafeStop,
};
pub use sections::{
    Budget, ConfidenceSettings, ControlSettings, Deadlines, ExecutionSettings, HandoffSettings,
    JointLimits, LocalModelSettings, ModelSettings, PlannerSettings, PluginSettings,
    PolicySettings, RecordSettings, RecordSync, Recovery, ResolvedExecution, RobotSettings,
    SafetySettings,
};

/// A deployment whose words are known and whose numbers are in their ranges.
#[derive(Clone, Debug)]
pub struct Deployment {
    file: PathBuf,
    robot: RobotSettings,
    policy: Option<PolicySettings>,
    execution: ExecutionSettings,
    safety: SafetySettings,
    control: ControlSettings,
    confidence: ConfidenceSettings,
    handoff: HandoffSettings,
    monitoring: MonitoringSettings,
    planner: PlannerSettings,
    record: RecordSettings,
    adaptation: AdaptationSettings,
    plugins: PluginSettings,
    raw_safety: RawSafety,
    raw_control: RawControl,
}

impl Deployment {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, or has any fault; all faults
    /// are in the one error.
    pub fn load(path: &Path) -> Result<Self, BundleError> {
        Self::parse(&read_toml_text(path)?, path)
    }

    /// Checks the text of a deployment; paths in it are taken from the folder
    /// of `file`, which need not exist.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    ///
    /// # Examples
    /// ```
    /// use std::path::Path;
    /// use vola_bundle::Deployment;
    ///
    /// let text = "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundel = 'policies/tabletop'";
    /// let error = Deployment::parse(text, Path::new("configs/a.toml")).unwrap_err().to_string();
    /// assert!(error.contains("configs/a.toml: policy.bundel: expected a known key"));
    /// assert!(error.contains("did you mean `bundle`?"));
    /// ```
    pub fn parse(text: &str, file: &Path) -> Result<Self, BundleError> {
        let mut problems = Problems::default();
        let name = file.display().to_string();
        let raw = strict::read(parse_toml(text, &name)?, &name, &mut problems);
        check::check(&raw, file, problems)
    }

    /// Checks what a program put together.
    ///
    /// # Errors
    /// All faults found.
    pub fn from_raw(raw: &RawDeployment, file: &Path) -> Result<Self, BundleError> {
        check::check(raw, file, Problems::default())
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// `[robot]`.
    #[must_use]
    pub fn robot(&self) -> &RobotSettings {
        &self.robot
    }

    /// `[policy]`; none for a robot that only does what the runtime makes itself.
    #[must_use]
    pub fn policy(&self) -> Option<&PolicySettings> {
        self.policy.as_ref()
    }

    /// `[execution]`.
    #[must_use]
    pub fn execution(&self) -> &ExecutionSettings {
        &self.execution
    }

    /// `[safety]`.
    #[must_use]
    pub fn safety(&self) -> &SafetySettings {
        &self.safety
    }

    /// `[control]`.
    #[must_use]
    pub fn control(&self) -> &ControlSettings {
        &self.control
    }

    /// `[safety]` as it was written, for a recording.
    #[must_use]
    pub fn raw_safety(&self) -> &RawSafety {
        &self.raw_safety
    }

    /// `[control]` as it was written, for a recording.
    #[must_use]
    pub fn raw_control(&self) -> &RawControl {
        &self.raw_control
    }

    /// `[confidence]`.
    #[must_use]
    pub fn confidence(&self) -> &ConfidenceSettings {
        &self.confidence
    }

    /// `[handoff]`.
    #[must_use]
    pub fn handoff(&self) -> &HandoffSettings {
        &self.handoff
    }

    /// `[monitoring]`.
    #[must_use]
    pub fn monitoring(&self) -> &MonitoringSettings {
        &self.monitoring
    }

    /// `[planner]`.
    #[must_use]
    pub fn planner(&self) -> &PlannerSettings {
        &self.planner
    }

    /// `[record]`.
    #[must_use]
    pub fn record(&self) -> &RecordSettings {
        &self.record
    }

    /// `[adaptation]`.
    #[must_use]
    pub fn adaptation(&self) -> &AdaptationSettings {
        &self.adaptation
    }

    /// Plugin files or folders, searched before the folder of the program.
    #[must_use]
    pub fn plugin_paths(&self) -> &[PathBuf] {
        self.plugins.paths()
    }

    /// `[plugins]`.
    #[must_use]
    pub fn plugins(&self) -> &PluginSettings {
        &self.plugins
    }
}

#[cfg(test)]
mod tests;
