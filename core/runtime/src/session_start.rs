//! How a session begins: its policy is opened, and its robot's control loop is
//! put together for virtual or for real time.

use std::sync::Arc;

use serde_json::Value;
use vola_bundle::{Bundle, Deployment, PolicySettings, ResolvedExecution, compare, compare_policy};
use vola_motion::Limits;
use vola_types::{EmbodimentDescription, PluginId};

use crate::{
    CallWatch, ClockMode, Drive, PolicyUse, RuntimeError, SessionOptions, StopSwitch,
    arm_model::ArmModel,
    authority::AuthorityWord,
    body::Body,
    camera_pulse::CameraPulses,
    control_inputs::RecordedSetup,
    control_loop::{ControlLoop, ControlSetup},
    heartbeat::Heartbeats,
    limits::tool_limits,
    null_actuator::null_actuator,
    policy::Policy,
    policy_versions::Versions,
    real_body::{RealBody, RealParts},
    robot::{ActuatorPort, OpenRobot},
    safety_setup::{SafetySetup, check_filter_use},
    stage_instance::PolicyHost,
    virtual_body::VirtualBody,
};

/// The policy that is opened.
pub(crate) fn named_policy(
    deployment: &Deployment,
    wanted: PolicyUse,
) -> Result<Option<&PolicySettings>, RuntimeError> {
    match (wanted, deployment.policy()) {
        (PolicyUse::None, _) => Ok(None),
        (PolicyUse::Required, None) => Err(RuntimeError::MissingPart {
            id: deployment.robot().plugin().clone(),
            part: "policy in its deployment".to_owned(),
            help: "name a bundle: `[policy] bundle = \"FOLDER\"`",
        }),
        (_, named) => Ok(named),
    }
}

pub(crate) fn open_policy(
    deployment: &Deployment,
    bundle: Bundle,
    description: &EmbodimentDescription,
    (host, seed): (PolicyHost<'_>, u64),
) -> Result<(Policy, ResolvedExecution), RuntimeError> {
    let id = deployment.robot().plugin();
    let binding = bundle.manifest().embodiment(&id.to_string())?;
    compare(&bundle, binding, description)?;
    compare_policy(deployment, binding)?;
    let execution = deployment
        .execution()
        .resolve(bundle.manifest().hints(), binding.action());
    let versions = Versions::named(&bundle, deployment.policy())?;
    let mut policy = Policy::start(bundle, id, Some(&execution), host)?;
    policy.versions = versions;
    policy.choose_version(seed)?;
    Ok((policy, execution))
}

/// What other threads reach the control loop by.
pub(crate) struct Seams {
    pub(crate) stop_switch: StopSwitch,
    pub(crate) authority: AuthorityWord,
    pub(crate) heartbeats: Heartbeats,
    /// Cameras that the policy decides by.
    pub(crate) cameras: CameraPulses,
    /// Calls under way.
    pub(crate) calls: CallWatch,
}

pub(crate) fn start_body(
    deployment: &Deployment,
    options: &SessionOptions,
    robot: &mut OpenRobot,
    model: &Arc<ArmModel>,
    limits: Limits,
    seams: Seams,
) -> Result<Box<dyn Body>, RuntimeError> {
    let mut parts = robot.take_parts()?;
    let description = robot.description();
    let tool_limits = tool_limits(deployment, description);
    if let Some(world) = &mut parts.simulation {
        // A simulated robot stands in some scene before its first state is read.
        world.reset(options.seed, &Value::Null)?;
    }
    let stop_switch = seams.stop_switch.clone();
    let mut actuator = match options.drive {
        Drive::Robot => parts.actuator,
        Drive::Nothing => {
            ActuatorPort::new("no robot".to_owned(), null_actuator(&resting(description)))
        }
    };
    if let Some(interposer) = &options.interposer {
        check_interposer(parts.simulation.is_some(), robot.id())?;
        actuator = actuator.interposed(interposer.as_ref());
        let cameras = parts.cameras.into_iter();
        parts.cameras = cameras
            .map(|camera| camera.interposed(interposer.as_ref()))
            .collect();
    }
    // In virtual time a picture is taken when somebody asks for it, and none is late;
    // where parts may be broken on purpose, they come at the cameras' rates.
    let is_watched = options.clock == ClockMode::Real || options.interposer.is_some();
    let pulses = if is_watched {
        seams.cameras
    } else {
        CameraPulses::default()
    };
    let cameras = parts.cameras.into_iter();
    parts.cameras = cameras.map(|camera| camera.telling(&pulses)).collect();
    let is_virtual_simulation = options.clock == ClockMode::Virtual && parts.simulation.is_some();
    check_filter_use(options.filter, is_virtual_simulation, robot.id())?;
    let control = ControlLoop::new(ControlSetup {
        actuator,
        model: Arc::clone(model),
        description,
        limits,
        tool_limits,
        safety: SafetySetup::new(deployment, description, options.filter),
        stop_switch: seams.stop_switch,
        authority: seams.authority,
        heartbeats: seams.heartbeats,
        cameras: pulses.clone(),
        deadlines: deployment.safety().deadlines(),
        settings: *deployment.control(),
    })?;
    let record = options.control_record.as_deref().map(|path| {
        let setup = RecordedSetup {
            vola: env!("CARGO_PKG_VERSION").to_owned(),
            embodiment: robot.id().to_string(),
            description: description.clone(),
            safety: deployment.raw_safety().clone(),
            control: deployment.raw_control().clone(),
            filter: options.filter,
        };
        (path, setup)
    });
    match (options.clock, parts.simulation) {
        (ClockMode::Virtual, Some(simulation)) => Ok(Box::new(VirtualBody::new(
            robot.id().clone(),
            control,
            (parts.cameras, pulses),
            simulation,
            stop_switch,
            record,
        )?)),
        (ClockMode::Virtual, None) => Err(RuntimeError::MissingPart {
            id: robot.id().clone(),
            part: "simulated world, which virtual time needs".to_owned(),
            help: "run it in real time: without --fast",
        }),
        (ClockMode::Real, simulation) => Ok(Box::new(RealBody::start(RealParts {
            id: robot.id().clone(),
            control,
            cameras: (parts.cameras, pulses),
            calls: seams.calls,
            simulation,
            stop_switch,
            settings: *deployment.control(),
            record,
        })?)),
    }
}

/// A robot that is not simulated is never touched by anything but the session.
fn check_interposer(is_simulated: bool, id: &PluginId) -> Result<(), RuntimeError> {
    if is_simulated {
        return Ok(());
    }
    Err(RuntimeError::MissingPart {
        id: id.clone(),
        part: "simulated world, without which nothing is put between session and robot".to_owned(),
        help: "use a simulated embodiment, for example `tabletop/franka`",
    })
}

/// The home pose, gripper open: where an arm that is not there stands.
fn resting(description: &EmbodimentDescription) -> Vec<f64> {
    let gripper = (description.gripper != vola_types::Gripper::None).then_some(1.0);
    description.home.iter().copied().chain(gripper).collect()
}
