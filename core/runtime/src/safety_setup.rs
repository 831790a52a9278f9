//! What the deployment adds to the safety filter beside joint and tool limits:
//! distances, contact forces, and, for measurements in simulation, its absence.

use serde::{Deserialize, Serialize};
use vola_abi::StateFrame;
use vola_bundle::{Deployment, SafetySettings};
use vola_motion::{
    Capsule, ClearanceLimits, FilterSettings, JointLimits, Limits, MotionError, SafetyFilter,
};
use vola_types::{EmbodimentDescription, PluginId};

use crate::{RuntimeError, arm_model::ArmModel, contact_watch::ContactWatch};

/// Whether commands pass the safety filter's limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterUse {
    /// All limits hold.
    #[default]
    On,
    /// Limits are wide open: what the tracker says is sent, as long as it is
    /// finite. Only for measuring what the filter costs; refused unless the
    /// robot is a simulation in virtual time.
    OffInSimulation,
}

/// Velocity, acceleration and jerk limit of the open filter: one unit a tick at
/// 1 kHz, each.
const OPEN: JointLimits = JointLimits {
    position_min: -1e3,
    position_max: 1e3,
    velocity: 1e3,
    acceleration: 1e6,
    jerk: 1e9,
};

/// See the module text.
#[derive(Clone, Debug)]
pub(crate) struct SafetySetup {
    clearance: ClearanceLimits,
    force_stop_n: Option<f64>,
    torque_stop_nm: Option<f64>,
    gripper_force_n: Option<f64>,
    filter: FilterUse,
}

impl SafetySetup {
    pub(crate) fn new(
        deployment: &Deployment,
        description: &EmbodimentDescription,
        filter: FilterUse,
    ) -> Self {
        let safety: &SafetySettings = deployment.safety();
        let capsules = description.capsules.iter().map(Capsule::from_description);
        Self {
            clearance: ClearanceLimits {
                capsules: capsules.collect(),
                forbidden: safety.forbidden().to_vec(),
                margin_m: safety.collision_margin_m(),
                home: description.home.clone(),
            },
            force_stop_n: safety.force_stop_n(),
            torque_stop_nm: safety.torque_stop_nm(),
            gripper_force_n: safety.gripper_force_n(),
            filter,
        }
    }

    /// Adds distances to a filter that holds joint and tool limits, or opens it
    /// where that was asked for.
    ///
    /// # Errors
    /// Shapes or boxes that are not usable, a home pose too near to a box.
    pub(crate) fn complete(
        &self,
        filter: SafetyFilter,
        settings: FilterSettings,
        model: &ArmModel,
    ) -> Result<SafetyFilter, RuntimeError> {
        let at = filter.positions();
        match self.filter {
            FilterUse::On => {
                let filter = filter.with_clearance(model.kinematics().clone(), &self.clearance);
                filter.map_err(|source| match source {
                    MotionError::HomeTooNear { .. } => RuntimeError::Safety {
                        key: "safety.forbidden",
                        source,
                    },
                    source => source.into(),
                })
            }
            FilterUse::OffInSimulation => {
                let open = filter
                    .limits()
                    .names()
                    .iter()
                    .map(|name| (name.as_str(), OPEN));
                Ok(SafetyFilter::new(Limits::new(open)?, settings, &at)?)
            }
        }
    }

    /// The watch over contact forces.
    ///
    /// # Errors
    /// When a limit is set and the robot's first state carries no wrench: a
    /// setting that nobody acts upon must not look as if somebody did.
    pub(crate) fn contact_watch(
        &self,
        model: &ArmModel,
        state: &StateFrame,
    ) -> Result<ContactWatch, RuntimeError> {
        let grip = self.gripper_force_n.filter(|_| model.has_gripper());
        let watch = ContactWatch::new(self.force_stop_n, self.torque_stop_nm)
            .with_grip(model.arm_joints(), grip);
        if watch.is_active() && !state.has(StateFrame::WRENCH) {
            return Err(RuntimeError::MissingPart {
                id: model.id().clone(),
                part: "measured wrench in its state, which `safety.force_stop_n` and `safety.torque_stop_nm` need".to_owned(),
                help: "remove these settings and stop on force in the robot's own controller, or use an embodiment that measures force at the tool",
            });
        }
        Ok(watch)
    }
}

/// Refuses to open the filter for anything but a simulation in virtual time.
///
/// # Errors
/// Then.
pub(crate) fn check_filter_use(
    filter: FilterUse,
    is_virtual_simulation: bool,
    id: &PluginId,
) -> Result<(), RuntimeError> {
    if filter == FilterUse::On || is_virtual_simulation {
        return Ok(());
    }
    Err(RuntimeError::MissingPart {
        id: id.clone(),
        part:
            "simulated world in virtual time, without which the safety filter is never switched off"
                .to_owned(),
        help: "leave the filter on; switching it off is for `vola eval` on a simulated robot",
    })
}

#[cfg(test)]
mod tests;
