//! One-joint robots with one flaw each.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use vola_plugin::{
    Actuator, Camera, CommandFrame, Embodiment, Fault, ImageBuffer, Parts, Simulation, StateFrame,
    StopCategory, Tensor,
    serde_json::{Value, json},
    types::{
        ActionSpace, CameraDescription, ColorOrder, EmbodimentDescription, Gripper, GripperLimits,
        JointDescription, JointKind, Op, PluginDescription, PluginKind, WorkspaceBox,
    },
};

/// The flaw of `BadArm<N>` is `FLAWS[N]`, which is also its name.
const FLAWS: [&str; 24] = [
    "panic_in_open",
    "panic_in_state",
    "panic_in_command",
    "panic_in_hold",
    "panic_in_stop",
    "panic_in_grab",
    "panic_in_world_reset",
    "panic_in_step",
    "panic_in_part_drop",
    "nan_state",
    "short_frame",
    "nan_limits",
    "home_outside",
    "no_tool_link",
    "error_in_state",
    "drifts",
    "ignores_stop",
    "stays_behind",
    "runs_on",
    "takes_any_picture",
    "black_picture",
    "allocates_in_command",
    "logs_in_command",
    "waits_in_command",
];

const WIDTH: u32 = 4;
const HEIGHT: u32 = 2;

/// A robot with the flaw `FLAWS[N]`.
pub(crate) struct BadArm<const N: usize>;

impl<const N: usize> Embodiment for BadArm<N> {
    fn describe_plugin() -> PluginDescription {
        PluginDescription {
            name: FLAWS[N].to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kind: PluginKind::Embodiment,
            summary: format!("wrong on purpose: {}", FLAWS[N]),
            produces: None,
            capabilities: vec![],
            settings_schema: json!({"type": "object", "properties": {}}),
            example_inputs: vec![],
        }
    }

    fn configure(settings: Value) -> Result<Self, Fault> {
        match settings.as_object() {
            Some(table) if table.is_empty() => Ok(Self),
            _ => Err(Fault::settings(format!(
                "expected no settings, got {settings}"
            ))),
        }
    }

    fn describe(&mut self) -> Result<EmbodimentDescription, Fault> {
        Ok(describe(FLAWS[N]))
    }

    fn open(&mut self) -> Result<Parts, Fault> {
        assert!(FLAWS[N] != "panic_in_open", "on purpose: panic_in_open");
        let part = Part {
            flaw: FLAWS[N],
            world: Arc::default(),
            gate: Arc::default(),
        };
        if part.flaw == "waits_in_command" {
            hold_now_and_then(Arc::downgrade(&part.gate));
        }
        Ok(Parts {
            actuator: Box::new(part.clone()),
            cameras: vec![("front".to_owned(), Box::new(part.clone()))],
            simulation: Some(Box::new(part)),
        })
    }
}

fn describe(flaw: &str) -> EmbodimentDescription {
    let tool = if flaw == "no_tool_link" {
        "hand"
    } else {
        "tool"
    };
    EmbodimentDescription {
        joints: vec![JointDescription {
            name: "turn".to_owned(),
            kind: JointKind::Revolute,
            position_min: -1.0,
            position_max: 1.0,
            max_velocity: if flaw == "nan_limits" { f64::NAN } else { 2.0 },
            max_acceleration: 20.0,
            max_jerk: 400.0,
        }],
        gripper: Gripper::Parallel,
        gripper_limits: Some(GripperLimits {
            max_width_m: 0.08,
            max_velocity_per_s: 4.0,
            max_acceleration_per_s2: 40.0,
            max_jerk_per_s3: 800.0,
            max_force_n: 10.0,
        }),
        urdf: format!(
            "<robot name=\"bad\"><link name=\"base\"/><link name=\"{tool}\"/>\
             <joint name=\"turn\" type=\"revolute\"><parent link=\"base\"/><child link=\"{tool}\"/>\
             <origin xyz=\"0 0 0.3\"/><axis xyz=\"0 0 1\"/>\
             <limit lower=\"-1\" upper=\"1\" velocity=\"2\" effort=\"1\"/></joint></robot>"
        ),
        tool_link: "tool".to_owned(),
        home: vec![if flaw == "home_outside" { 1.5 } else { 0.0 }],
        workspace: WorkspaceBox {
            min: [-1.0; 3],
            max: [1.0; 3],
        },
        max_tool_speed_m_per_s: 2.0,
        capsules: vec![],
        cameras: vec![CameraDescription {
            key: "front".to_owned(),
            width: WIDTH,
            height: HEIGHT,
            order: ColorOrder::Rgb,
            rate_hz: 25.0,
            intrinsics: None,
            mount: None,
        }],
        action_spaces: vec![ActionSpace::JointPosition],
        ops: vec![Op::Home],
        command_timeout_ns: 100_000_000,
        stamp_clock: vola_plugin::types::StampClock::Own,
    }
}

#[derive(Default)]
struct World {
    time_ns: u64,
    position: [f64; 2],
    velocity: [f64; 2],
    silent_ns: u64,
    stopped: bool,
}

/// Every part of the robot.
#[derive(Clone)]
struct Part {
    flaw: &'static str,
    world: Arc<Mutex<World>>,
    /// A lock that another thread holds most of the time, where that is the flaw.
    gate: Arc<Mutex<()>>,
}

/// Holds the lock nearly always, as long as the robot lives.
fn hold_now_and_then(gate: Weak<Mutex<()>>) {
    let body = move || {
        while let Some(gate) = gate.upgrade() {
            let held = gate.lock().unwrap_or_else(PoisonError::into_inner);
            std::thread::sleep(Duration::from_millis(1));
            drop(held);
            std::thread::yield_now();
        }
    };
    let thread = std::thread::Builder::new().name("holds".to_owned());
    // Without the thread nothing waits, and the test that looks for it says so.
    drop(thread.spawn(body));
}

impl Part {
    fn panic_at(&self, entry: &str) {
        assert!(self.flaw != entry, "on purpose: {entry}");
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Actuator for Part {
    fn state(&mut self, frame: &mut StateFrame) -> Result<(), Fault> {
        self.panic_at("panic_in_state");
        if self.flaw == "error_in_state" {
            return Err(Fault::failed("the encoder does not answer"));
        }
        let world = self.world();
        frame.capture_time_ns = world.time_ns;
        frame.count = if self.flaw == "short_frame" { 1 } else { 2 };
        frame.position[..2].copy_from_slice(&world.position);
        frame.velocity[..2].copy_from_slice(&world.velocity);
        if self.flaw == "nan_state" {
            frame.position[0] = f64::NAN;
        }
        Ok(())
    }

    fn command(&mut self, frame: &CommandFrame) -> Result<(), Fault> {
        self.panic_at("panic_in_command");
        if self.flaw == "allocates_in_command" {
            drop(std::hint::black_box(Box::new(frame.time_ns)));
        }
        if self.flaw == "logs_in_command" {
            vola_plugin::tracing::error!("command for {} ns: {}", frame.time_ns, "x".repeat(300));
        }
        if self.flaw == "waits_in_command" {
            drop(self.gate.lock().unwrap_or_else(PoisonError::into_inner));
        }
        let mut world = self.world();
        if world.stopped && self.flaw != "ignores_stop" {
            return Ok(());
        }
        world.silent_ns = 0;
        let share = if self.flaw == "stays_behind" {
            0.5
        } else {
            1.0
        };
        for index in 0..2 {
            world.position[index] = share * frame.position[index];
            world.velocity[index] = frame.velocity[index];
        }
        Ok(())
    }

    fn hold(&mut self) -> Result<(), Fault> {
        self.panic_at("panic_in_hold");
        let mut world = self.world();
        world.velocity = [if self.flaw == "drifts" { 0.1 } else { 0.0 }, 0.0];
        Ok(())
    }

    fn stop(&mut self, _: StopCategory) -> Result<(), Fault> {
        self.panic_at("panic_in_stop");
        let mut world = self.world();
        world.stopped = true;
        world.velocity = [0.0; 2];
        Ok(())
    }

    fn reset(&mut self) -> Result<(), Fault> {
        self.world().stopped = false;
        Ok(())
    }
}

impl Camera for Part {
    fn grab(&mut self, image: &mut ImageBuffer<'_>) -> Result<(), Fault> {
        self.panic_at("panic_in_grab");
        if (image.width, image.height) != (WIDTH, HEIGHT) && self.flaw != "takes_any_picture" {
            return Err(Fault::input(format!(
                "picture: expected {WIDTH} × {HEIGHT}, got {} × {}",
                image.width, image.height
            )));
        }
        image
            .data
            .fill(if self.flaw == "black_picture" { 0 } else { 90 });
        image.capture_time_ns = self.world().time_ns;
        Ok(())
    }
}

impl Simulation for Part {
    fn reset(&mut self, _: u64, task: &Value) -> Result<Value, Fault> {
        self.panic_at("panic_in_world_reset");
        // Null is some scene: a session opens with it.
        if !task.is_object() && !task.is_null() {
            return Err(Fault::input("task: expected an object or null"));
        }
        *self.world() = World::default();
        Ok(json!({}))
    }

    fn step(&mut self, duration_ns: u64) -> Result<(), Fault> {
        self.panic_at("panic_in_step");
        let mut world = self.world();
        world.time_ns += duration_ns;
        world.silent_ns += duration_ns;
        let runs_on = self.flaw == "runs_on" && world.silent_ns > duration_ns;
        if self.flaw == "drifts" || runs_on {
            let seconds = duration_ns as f64 * 1e-9;
            for index in 0..2 {
                world.position[index] += world.velocity[index] * seconds;
            }
        }
        Ok(())
    }

    fn set_goal(&mut self, _: &Value) -> Result<(), Fault> {
        Err(Fault::unsupported("set_goal"))
    }

    fn goal_reached(&mut self) -> Result<bool, Fault> {
        Err(Fault::failed("no goal was set"))
    }

    fn demonstrate(&mut self) -> Result<Vec<Tensor>, Fault> {
        Err(Fault::unsupported("demonstrate"))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.panic_at("panic_in_part_drop");
    }
}
