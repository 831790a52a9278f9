//! The two plugins: the same world with one arm or the other.

use std::sync::Arc;

use serde_json::Value;
use vola_plugin::{Camera, Embodiment, Fault, Parts};
use vola_types::{
    ActionSpace, CameraDescription, CameraMount, ColorOrder, EmbodimentDescription, Gripper, Op,
    PluginDescription, PluginKind, WorkspaceBox,
};

use super::{
    actuator::TabletopActuator,
    camera::{CameraPlace, TabletopCamera},
    exchange::Exchange,
    settings::Settings,
    simulation::TabletopSimulation,
};
use crate::{
    arm::{ArmModel, ArmSpec, FRANKA, TOOL_LINK, UR5E},
    render::{CameraView, front_camera, overview_camera, wrist_in_tool},
    scene::{DrawerChoice, TaskSpec, plan},
    world::{COMMAND_TIMEOUT_NS, reset},
};

/// Frames a second of every camera.
const CAMERA_RATE_HZ: f64 = 25.0;
/// Where the tool may go (m): the table, the drawer, and the air above. The
/// pads end 9 mm below the tool.
const WORKSPACE: WorkspaceBox = WorkspaceBox {
    min: [0.18, -0.45, 0.010],
    max: [0.80, 0.45, 0.70],
};
/// Fastest tool (m/s); the expert stays below 0.65.
const MAX_TOOL_SPEED: f64 = 1.2;

/// An arm over the table, configured.
struct Tabletop {
    arm: Arc<ArmModel>,
    settings: Settings,
}

impl Tabletop {
    fn configure(spec: ArmSpec, settings: Value) -> Result<Self, Fault> {
        let settings = Settings::from_json(settings)?;
        Ok(Self {
            arm: Arc::new(ArmModel::new(spec)?),
            settings,
        })
    }

    fn describe_plugin(spec: &ArmSpec, summary: &str) -> PluginDescription {
        PluginDescription {
            name: spec.name.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kind: PluginKind::Embodiment,
            summary: summary.to_owned(),
            produces: None,
            capabilities: Vec::new(),
            settings_schema: Settings::schema(),
            example_inputs: Vec::new(),
        }
    }

    fn describe(&self) -> EmbodimentDescription {
        let drawer = self.settings.drawer != DrawerChoice::Never;
        EmbodimentDescription {
            joints: self.arm.joints(),
            gripper: Gripper::Parallel,
            gripper_limits: Some(self.arm.gripper_limits(self.settings.physics.gripper_force)),
            urdf: self.arm.spec.urdf.to_owned(),
            tool_link: TOOL_LINK.to_owned(),
            home: self.arm.home.clone(),
            workspace: WORKSPACE,
            max_tool_speed_m_per_s: MAX_TOOL_SPEED,
            capsules: self.arm.described_capsules(),
            cameras: CameraPlace::ALL.map(|place| self.camera(place)).to_vec(),
            action_spaces: vec![
                ActionSpace::JointPosition,
                ActionSpace::JointDelta,
                ActionSpace::ToolPose,
                ActionSpace::ToolDelta,
            ],
            ops: Op::ALL
                .into_iter()
                .filter(|op| drawer || !matches!(op, Op::Open | Op::Close))
                .collect(),
            command_timeout_ns: COMMAND_TIMEOUT_NS,
            stamp_clock: vola_types::StampClock::Runtime,
        }
    }

    fn camera(&self, place: CameraPlace) -> CameraDescription {
        let [width, height] = self.settings.size(place);
        let (view, link): (CameraView, _) = match place {
            CameraPlace::Front => (front_camera(), None),
            CameraPlace::Wrist => (wrist_in_tool(), Some(TOOL_LINK.to_owned())),
            CameraPlace::Overview => (overview_camera(), None),
        };
        CameraDescription {
            key: place.key().to_owned(),
            width,
            height,
            order: ColorOrder::Rgb,
            rate_hz: CAMERA_RATE_HZ,
            intrinsics: Some(view.intrinsics(width, height)),
            mount: Some(CameraMount {
                link,
                position: view.position.to_array().map(f64::from),
                orientation: view.orientation(),
            }),
        }
    }

    /// A free scene with the arm at home, until the first reset.
    fn open(&self) -> Result<Parts, Fault> {
        let scene = plan(0, &TaskSpec::default(), self.settings.drawer)?;
        let world = reset(&self.arm, self.settings.physics, 0, &scene)?;
        let joints = self.arm.kinematics.joint_count();
        let exchange = Arc::new(Exchange::new(joints, world.snapshot(0)));
        let cameras = CameraPlace::ALL
            .map(|place| {
                let camera =
                    TabletopCamera::new(Arc::clone(&exchange), place, self.settings.size(place));
                (place.key().to_owned(), Box::new(camera) as Box<dyn Camera>)
            })
            .into_iter()
            .collect();
        let actuator = TabletopActuator::new(Arc::clone(&exchange), joints);
        let simulation =
            TabletopSimulation::new(Arc::clone(&self.arm), self.settings, exchange, world);
        Ok(Parts {
            actuator: Box::new(actuator),
            cameras,
            simulation: Some(Box::new(simulation)),
        })
    }
}

/// `tabletop/franka`: a seven-joint Panda over the table.
pub(crate) struct Franka(Tabletop);

/// `tabletop/ur5e`: a six-joint UR5e over the table.
pub(crate) struct Ur5e(Tabletop);

impl Embodiment for Franka {
    fn describe_plugin() -> PluginDescription {
        Tabletop::describe_plugin(
            &FRANKA,
            "a simulated table with a Franka Panda: blocks, bowls and a drawer",
        )
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        Tabletop::configure(FRANKA, settings).map(Self)
    }

    fn describe(&mut self) -> Result<EmbodimentDescription, Fault> {
        Ok(self.0.describe())
    }

    fn open(&mut self) -> Result<Parts, Fault> {
        self.0.open()
    }
}

impl Embodiment for Ur5e {
    fn describe_plugin() -> PluginDescription {
        Tabletop::describe_plugin(
            &UR5E,
            "a simulated table with a UR5e: blocks, bowls and a drawer",
        )
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        Tabletop::configure(UR5E, settings).map(Self)
    }

    fn describe(&mut self) -> Result<EmbodimentDescription, Fault> {
        Ok(self.0.describe())
    }

    fn open(&mut self) -> Result<Parts, Fault> {
        self.0.open()
    }
}
