//! What the SDK adds to a control tick: no allocation.

#![allow(
    unsafe_code,
    reason = "a counting allocator is the only way to see allocations"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use vola_abi::abi_stable::std_types::{ROption, RSliceMut, RStr};
use vola_plugin::{
    __private::find_embodiment,
    Actuator, Camera, CommandFrame, Embodiment, Fault, ImageBuffer, Parts, Simulation, StateFrame,
    StopCategory, Tensor,
    serde_json::{Value, json},
    types::{EmbodimentDescription, PluginDescription, PluginKind},
};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counted on each thread.
struct Counting;

// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

#[derive(Default)]
struct Plain {
    position: f64,
}

impl Embodiment for Plain {
    fn describe_plugin() -> PluginDescription {
        PluginDescription {
            name: "plain".to_owned(),
            version: "0.1.0".to_owned(),
            kind: PluginKind::Embodiment,
            summary: String::new(),
            produces: None,
            capabilities: vec![],
            settings_schema: json!({"type": "object"}),
            example_inputs: vec![],
        }
    }

    fn configure(_: Value) -> Result<Self, Fault> {
        Ok(Self::default())
    }

    fn describe(&mut self) -> Result<EmbodimentDescription, Fault> {
        Err(Fault::unsupported("describe"))
    }

    fn open(&mut self) -> Result<Parts, Fault> {
        Ok(Parts {
            actuator: Box::<Self>::default(),
            cameras: vec![("front".to_owned(), Box::<Self>::default())],
            simulation: Some(Box::<Self>::default()),
        })
    }
}

impl Actuator for Plain {
    fn state(&mut self, frame: &mut StateFrame) -> Result<(), Fault> {
        frame.count = 1;
        frame.position[0] = self.position;
        Ok(())
    }

    fn command(&mut self, frame: &CommandFrame) -> Result<(), Fault> {
        self.position = frame.position[0];
        Ok(())
    }

    fn hold(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn stop(&mut self, _: StopCategory) -> Result<(), Fault> {
        Ok(())
    }

    fn reset(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

impl Camera for Plain {
    fn grab(&mut self, image: &mut ImageBuffer<'_>) -> Result<(), Fault> {
        image.data.fill(7);
        Ok(())
    }
}

impl Simulation for Plain {
    fn reset(&mut self, _: u64, _: &Value) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn step(&mut self, _: u64) -> Result<(), Fault> {
        Ok(())
    }

    fn set_goal(&mut self, _: &Value) -> Result<(), Fault> {
        Ok(())
    }

    fn goal_reached(&mut self) -> Result<bool, Fault> {
        Ok(true)
    }

    fn demonstrate(&mut self) -> Result<Vec<Tensor>, Fault> {
        Ok(vec![])
    }
}

#[test]
fn a_control_tick_through_the_sdk_allocates_nothing() {
    let mut robot = find_embodiment::<Plain>("plain").unwrap();
    robot.configure(RStr::from("{}")).into_result().unwrap();
    let mut parts = robot.open().into_result().unwrap();
    let ROption::RSome(world) = &mut parts.simulation else {
        panic!("no simulation")
    };
    let (mut state, mut command) = (StateFrame::default(), CommandFrame::default());
    let mut pixels = vec![0; 8 * 6 * 3];
    let before = allocations();
    for tick in 0..1000 {
        command.position[0] = f64::from(tick);
        parts.actuator.command(&command).into_result().unwrap();
        parts.actuator.state(&mut state).into_result().unwrap();
        parts.actuator.hold().into_result().unwrap();
        world.step(1_000_000).into_result().unwrap();
        let mut image = vola_abi::ImageBufferAbi {
            width: 8,
            height: 6,
            capture_time_ns: 0,
            data: RSliceMut::from_mut_slice(&mut pixels),
        };
        parts.cameras[0]
            .camera
            .grab(&mut image)
            .into_result()
            .unwrap();
    }
    assert_eq!(allocations() - before, 0);
    assert_eq!(state.positions(), [999.0]);
    assert_eq!(pixels, [7; 144]);
    // The counter counts.
    drop(std::hint::black_box(Box::new(state)));
    assert!(allocations() > before);
}
