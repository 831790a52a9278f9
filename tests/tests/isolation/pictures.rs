//! Pictures are written once, where every reader finds them.

use std::path::Path;

use vola_abi::{
    CameraBox, ImageBufferAbi, TensorAbi, TensorRefAbi,
    abi_stable::std_types::{ROption, RSlice, RSliceMut, RStr},
};
use vola_bundle::Deployment;
use vola_isolation::{IsolatedEmbodiment, IsolatedStage};
use vola_runtime::{ClockMode, PluginOptions, Session, SessionOptions, Shipped};
use vola_tests::workspace;
use vola_types::DType;

use super::{Hosting, PATIENT, breaking::newest_child};
use crate::plugins::host::{call, load, services};

const WIDTH: u32 = 8;
const HEIGHT: u32 = 6;
const BYTES: usize = 8 * 6 * 3;

fn grab(camera: &mut CameraBox, data: &mut [u8]) {
    let mut image = ImageBufferAbi {
        width: WIDTH,
        height: HEIGHT,
        capture_time_ns: 0,
        data: RSliceMut::from_mut_slice(data),
    };
    camera.grab(&mut image).into_result().unwrap();
}

fn camera_of(mut robot: vola_abi::EmbodimentBox) -> (vola_abi::EmbodimentBox, CameraBox) {
    robot.configure(RStr::from("{}")).into_result().unwrap();
    robot.activate(services()).into_result().unwrap();
    let parts = robot.open().into_result().unwrap();
    let camera = parts.cameras.into_iter().next().unwrap().camera;
    (robot, camera)
}

/// What `look` makes of bytes: their sum.
fn sum(stage: &mut vola_abi::StageBox, bytes: &[u8]) -> i64 {
    let shape = [1, bytes.len() as u64];
    let x = TensorRefAbi {
        name: RStr::from("x"),
        dtype: TensorAbi::dtype_code(DType::U8),
        shape: RSlice::from_slice(&shape),
        bytes: RSlice::from_slice(bytes),
        resident: ROption::RNone,
    };
    let made = call(stage, 0, &[x]).unwrap();
    i64::from_le_bytes(made[0].bytes[..8].try_into().unwrap())
}

/// How a process maps the memory for pictures: rights and inode.
fn mappings(process: &str) -> Vec<(String, String)> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let of_pictures = maps.lines().filter(|line| line.contains("vola-pictures"));
    of_pictures
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (words[1].to_owned(), words[4].to_owned())
        })
        .collect()
}

#[test]
fn a_camera_s_child_writes_into_memory_that_everybody_maps() {
    let hosting = Hosting::of("mock", PATIENT);
    let folder = tempfile::tempdir().unwrap();
    let isolated = IsolatedEmbodiment::start(&hosting.spec, "arm", folder.path()).unwrap();
    let (robot_process, room) = (isolated.process_id().to_string(), isolated.pictures());
    let (_robot, mut camera) = camera_of(isolated.into_box());
    let mut look = IsolatedStage::start(&hosting.spec, "look")
        .unwrap()
        .into_box();
    let stage_process = newest_child();
    look.configure(RStr::from("{}")).into_result().unwrap();
    look.activate(services()).into_result().unwrap();
    look.reset(1).into_result().unwrap();

    // The same pages: writable here and in the robot's child, nowhere else.
    let there = mappings(&robot_process);
    let [(rights, inode)] = &there[..] else {
        panic!("{there:?}")
    };
    assert_eq!(rights, "rw-s");
    let in_stage = mappings(&stage_process);
    assert_eq!(in_stage, [("r--s".to_owned(), inode.clone())]);
    let here = mappings("self");
    assert!(here.contains(&("rw-s".to_owned(), inode.clone())));

    let mut picture = room.buffer(BYTES).unwrap();
    picture.fill(1);
    let before = sum(&mut look, &picture);
    grab(&mut camera, &mut picture);
    assert_eq!(room.copied(), 0);
    // What the camera wrote is seen here and, without a word of it, there.
    let expected: i64 = picture.iter().map(|byte| i64::from(*byte)).sum();
    assert_ne!(sum(&mut look, &picture), before);
    let create = load("mock").module().create_embodiment();
    let own = create(RStr::from("arm")).into_result().unwrap();
    let (_own, mut own_camera) = camera_of(own);
    let mut heap = vec![0; BYTES];
    grab(&mut own_camera, &mut heap);
    assert_eq!(*picture, *heap, "the same picture as in this process");
    assert!(expected > 0);
    // A buffer from elsewhere is as good, and counted.
    let mut elsewhere = vec![0; BYTES];
    grab(&mut camera, &mut elsewhere);
    assert_eq!(elsewhere, heap);
    assert_eq!(room.copied(), 1);
    assert_eq!(sum(&mut look, &elsewhere), sum(&mut look, &picture));
}

fn session(clock: ClockMode, isolation: &str) -> Session {
    let workspace = workspace();
    let bundle = workspace.root.join("configs/policies/tabletop");
    let text = format!(
        "[robot]\nplugin = 'tabletop/franka'\n[policy]\nbundle = '{}'\n[safety]\nstate_deadline_ms = 1000\ncamera_deadline_ms = 5000\ncamera_stop_ms = 10000\n[control]\nmissed_ticks = 1000\n[plugins]\ncall_deadline_ms = 60000\n{isolation}",
        bundle.display()
    );
    let deployment = Deployment::parse(&text, Path::new("test.toml")).unwrap();
    let options = SessionOptions {
        clock,
        seed: 2,
        plugin_folders: vec![workspace.built.clone()],
        plugins: PluginOptions {
            allow_unlocked: false,
            host: Some(workspace.vola()),
            shipped: Shipped {
                folders: vec![workspace.built.clone()],
                lock: None,
            },
        },
        ..SessionOptions::default()
    };
    Session::open(&deployment, options).unwrap_or_else(|error| panic!("{error}"))
}

/// Through the whole runtime, in both clocks: nothing is copied, and the
/// pictures are those of a run without isolation.
#[test]
fn a_session_s_pictures_are_handed_over() {
    let all = "[plugins.isolation]\ntabletop = 'process'\n'heads/chunk' = 'process'\n";
    let mut pictures = Vec::new();
    for isolation in ["", all] {
        let mut session = session(ClockMode::Virtual, isolation);
        let first = session.picture("front").unwrap();
        let held: Vec<_> = (1..4).map(|_| session.picture("front").unwrap()).collect();
        assert!(held.iter().all(|picture| *picture == first));
        // Four are held: the next is not taken, and none of them changes.
        let error = session.picture("front").unwrap_err().to_string();
        assert!(error.contains("hold all of its buffers"), "{error}");
        let counts = session.picture_counts();
        assert_eq!((counts.taken, counts.dropped, counts.copied), (4, 1, 0));
        drop(held);
        session.picture("front").unwrap();
        assert_eq!(session.picture_counts().taken, 5);
        pictures.push(first);
    }
    assert!(pictures[0].rgb.iter().any(|byte| *byte != 0));
    assert_eq!(pictures[0], pictures[1]);

    let mut session = session(ClockMode::Real, all);
    let held = session.picture("front").unwrap();
    let bytes = held.rgb.to_vec();
    // Somebody who keeps a picture does not stop the camera.
    let give_up = std::time::Instant::now() + PATIENT;
    while session.picture_counts().taken < 6 {
        assert!(std::time::Instant::now() < give_up);
        session.picture("front").unwrap();
        std::thread::yield_now();
    }
    assert_eq!(*held.rgb, *bytes);
    assert_eq!(session.picture_counts().copied, 0);
}
