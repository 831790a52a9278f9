//! The filter's absence, and forces through the whole control loop.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vola_abi::{
    ActuatorAbi, ActuatorAbi_TO, CallResult, CommandFrame, StopCategory,
    abi_stable::{sabi_trait::TD_Opaque, std_types::RResult},
};
use vola_motion::{JointState, ReferencePath, ToolLimits};
use vola_types::{Gripper, JointDescription, JointKind, WorkspaceBox};

use super::*;
use crate::{
    StopSwitch,
    authority::AuthorityWord,
    control_loop::{ControlLoop, ControlOrder, ControlSetup, TICK_NS},
    control_status::{ControlMode, StopCause},
    heartbeat::Heartbeats,
    robot::ActuatorPort,
};

#[test]
fn the_filter_is_only_opened_in_a_virtual_simulation() {
    let id = PluginId::parse("mock/arm").unwrap();
    assert!(check_filter_use(FilterUse::On, false, &id).is_ok());
    assert!(check_filter_use(FilterUse::OffInSimulation, true, &id).is_ok());
    let refused = check_filter_use(FilterUse::OffInSimulation, false, &id).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("the safety filter is never switched off")
    );
}

#[test]
fn an_open_filter_passes_steps_but_nothing_that_is_not_finite() {
    let limits = Limits::new([("a", OPEN), ("b", OPEN)]).unwrap();
    let settings = FilterSettings {
        gripper: vola_types::Gripper::None,
        ..FilterSettings::default()
    };
    let mut filter = SafetyFilter::new(limits, settings, &[0.0, 0.0]).unwrap();
    for step in [[0.05, -0.02], [0.09, 0.05], [-0.05, 0.1], [0.0, 0.0]] {
        let measured = filter.positions();
        assert_eq!(filter.step(&step, &measured).command.positions(), step);
    }
    let verdict = filter.step(&[f64::NAN, 0.0], &[0.0, 0.0]);
    assert!(verdict.rejection.is_some());
}

/// One joint that is at once where it is sent; its wrench is set by the test.
#[derive(Clone, Default)]
struct Arm(Arc<Mutex<StateFrame>>);

impl Arm {
    fn state(&self) -> MutexGuard<'_, StateFrame> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ActuatorAbi for Arm {
    fn state(&mut self, frame: &mut StateFrame) -> CallResult<()> {
        *frame = *Arm::state(self);
        RResult::ROk(())
    }

    fn command(&mut self, frame: &CommandFrame) -> CallResult<()> {
        let mut state = Arm::state(self);
        state.capture_time_ns = frame.time_ns;
        (state.position, state.velocity) = (frame.position, frame.velocity);
        RResult::ROk(())
    }

    fn hold(&mut self) -> CallResult<()> {
        RResult::ROk(())
    }

    fn stop(&mut self, _: StopCategory) -> CallResult<()> {
        RResult::ROk(())
    }

    fn reset(&mut self) -> CallResult<()> {
        RResult::ROk(())
    }
}

fn description() -> EmbodimentDescription {
    let urdf = r#"<robot name="arm"><link name="base"/><link name="tool"/>
        <joint name="turn" type="revolute"><parent link="base"/><child link="tool"/>
        <axis xyz="0 0 1"/><limit lower="-1.5" upper="1.5" velocity="2" effort="1"/></joint></robot>"#;
    EmbodimentDescription {
        joints: vec![JointDescription {
            name: "turn".to_owned(),
            kind: JointKind::Revolute,
            position_min: -1.5,
            position_max: 1.5,
            max_velocity: 2.0,
            max_acceleration: 20.0,
            max_jerk: 400.0,
        }],
        gripper: Gripper::None,
        gripper_limits: None,
        urdf: urdf.to_owned(),
        tool_link: "tool".to_owned(),
        home: vec![0.0],
        workspace: WorkspaceBox {
            min: [-2.0; 3],
            max: [2.0; 3],
        },
        max_tool_speed_m_per_s: 5.0,
        capsules: vec![],
        cameras: vec![],
        action_spaces: vec![vola_types::ActionSpace::JointPosition],
        ops: vec![],
        command_timeout_ns: 100 * TICK_NS,
        stamp_clock: vola_types::StampClock::Runtime,
    }
}

fn control(arm: &Arm, safety: &str) -> Result<ControlLoop, RuntimeError> {
    let text = format!("[robot]\nplugin = 'a/arm'\n[policy]\nbundle = 'b'\n[safety]\n{safety}");
    let deployment = Deployment::parse(&text, std::path::Path::new("d.toml")).unwrap();
    let description = description();
    let id = PluginId::parse("a/arm").unwrap();
    let port = ActuatorAbi_TO::from_value(arm.clone(), TD_Opaque);
    let (control, _told) = ControlLoop::new(ControlSetup {
        actuator: ActuatorPort::new("arm".to_owned(), port),
        model: Arc::new(ArmModel::new(&id, &description).unwrap()),
        description: &description,
        limits: Limits::from_description(&description).unwrap(),
        tool_limits: ToolLimits {
            workspace: description.workspace,
            max_speed_m_per_s: description.max_tool_speed_m_per_s,
        },
        safety: SafetySetup::new(&deployment, &description, FilterUse::On),
        stop_switch: StopSwitch::default(),
        authority: AuthorityWord::default(),
        heartbeats: Heartbeats::default(),
        cameras: crate::camera_pulse::CameraPulses::default(),
        deadlines: deployment.safety().deadlines(),
        settings: *deployment.control(),
    })?;
    Ok(control)
}

#[test]
fn a_force_over_its_limit_stops_the_moving_arm_at_once_and_for_good() {
    let arm = Arm::default();
    arm.state().count = 1;
    arm.state().has_wrench = 1;
    arm.state().wrench[2] = -19.0;
    let mut control = control(&arm, "force_stop_n = 20").unwrap();
    control.tick(0);
    let start = JointState::at_rest(&[0.0]).unwrap();
    let goal = [1.0];
    let path = ReferencePath::through(0, &start, [(800 * TICK_NS, &goal[..])]).unwrap();
    control.order(ControlOrder::Follow {
        path,
        fresh_by_ns: u64::MAX,
        mandate: AuthorityWord::default().mandate(),
    });
    for tick in 1..400 {
        control.tick(tick * TICK_NS);
        assert_eq!(control.status().mode, ControlMode::Following);
    }
    let speed = arm.state().velocity[0];
    assert!(speed > 1.0, "{speed}");
    arm.state().wrench[2] = -20.5;
    control.tick(400 * TICK_NS);
    assert_eq!(
        control.status().mode,
        ControlMode::Stopped(StopCause::Contact)
    );
    control.tick(401 * TICK_NS);
    assert!(
        arm.state().velocity[0] < speed,
        "not slower after two ticks"
    );
    arm.state().wrench[2] = 0.0;
    for tick in 402..1000 {
        control.tick(tick * TICK_NS);
    }
    assert!(control.status().at_rest && arm.state().position[0] < 0.9);
    assert_eq!(
        control.status().mode,
        ControlMode::Stopped(StopCause::Contact)
    );
}

#[test]
fn a_force_limit_needs_a_robot_that_measures_force() {
    let arm = Arm::default();
    arm.state().count = 1;
    assert!(control(&arm, "").is_ok());
    let Err(error) = control(&arm, "torque_stop_nm = 2") else {
        panic!("nobody would act on this limit");
    };
    let text = error.to_string();
    assert!(
        text.contains("`a/arm` has no measured wrench") && text.contains("safety.torque_stop_nm"),
        "{text}"
    );
}

#[test]
fn a_forbidden_box_around_the_home_pose_names_its_key() {
    let arm = Arm::default();
    arm.state().count = 1;
    let around = "forbidden = [{ min = [-0.1, -0.1, -0.1], max = [0.1, 0.1, 0.1] }]";
    let Err(error) = control(&arm, around) else {
        panic!("the arm could not come home");
    };
    let text = error.to_string();
    assert!(
        text.starts_with("safety.forbidden: forbidden box 0: the home pose is"),
        "{text}"
    );
}
