//! A library built on the first published interface keeps working, and one
//! whose types differ is refused with the reason.

use std::path::{Path, PathBuf};

use vola_abi::{
    CommandFrame, FaultKind, LoadError, LoadedModule, StateFrame, StopCategory,
    abi_stable::std_types::RStr,
};
use vola_tests::{library_file, outside};

use crate::plugins::host::{assert_fault, call, floats, services, values};

/// Builds the frozen library and moves it aside, since the next build of
/// another form takes its place.
fn built(folder: &Path, arguments: &[&str]) -> PathBuf {
    let frozen = Path::new(env!("CARGO_MANIFEST_DIR")).join("frozen/abi-0.1.0");
    let mut all = vec!["build", "--package", "frozen-plugin", "--locked"];
    all.extend(arguments);
    let outside = outside(&frozen, &all);
    let copy = folder.join("frozen.so");
    std::fs::copy(outside.built.join(library_file("frozen")), &copy).unwrap();
    copy
}

#[test]
fn a_library_of_the_first_interface_still_works() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = LoadedModule::load(&built(folder.path(), &[])).unwrap_or_else(|e| panic!("{e}"));
    let manifest = loaded.manifest().unwrap();
    assert_eq!(
        (manifest.library.as_str(), manifest.plugins.len()),
        ("frozen", 2)
    );

    let mut stage = loaded.module().create_stage()(RStr::from("double"))
        .into_result()
        .unwrap();
    let refused = stage.configure(RStr::from("[]")).into_result();
    assert_fault(refused, FaultKind::Settings, "no settings, please");
    stage.configure(RStr::from("{}")).into_result().unwrap();
    stage.activate(services()).into_result().unwrap();
    stage.reset(9).into_result().unwrap();
    let x = floats("x", &[1, 2], &[1.5, -4.0]);
    let outputs = call(&mut stage, 6, &[x.lend()]).unwrap();
    assert_eq!(values(&outputs[0]), [3.0, -8.0]);
    assert_eq!(
        outputs[1].bytes.as_slice(),
        [1_u64, 6, 1].map(u64::to_le_bytes).concat()
    );
    assert_fault(call(&mut stage, 7, &[]), FaultKind::Input, "no input `x`");
    let data = stage.snapshot().into_result().unwrap();
    assert_eq!(data.as_slice(), services().data.as_bytes());
    stage.deactivate().into_result().unwrap();

    let mut robot = loaded.module().create_embodiment()(RStr::from("still"))
        .into_result()
        .unwrap();
    robot.configure(RStr::from("{}")).into_result().unwrap();
    let mut parts = robot.open().into_result().unwrap();
    let mut command = CommandFrame {
        time_ns: 5,
        count: 64,
        ..CommandFrame::default()
    };
    command.position[63] = 0.25;
    parts.actuator.command(&command).into_result().unwrap();
    parts
        .actuator
        .stop(StopCategory::Two)
        .into_result()
        .unwrap();
    let mut state = StateFrame::default();
    parts.actuator.state(&mut state).into_result().unwrap();
    assert_eq!(
        (state.capture_time_ns, state.count, state.has_wrench),
        (5, 64, 3)
    );
    assert_eq!(state.position, command.position);
}

#[test]
fn a_library_with_other_types_is_refused_with_the_field() {
    let folder = tempfile::tempdir().unwrap();
    let path = built(folder.path(), &["--features", "changed_layout"]);
    let error = match LoadedModule::load(&path) {
        Ok(_) => panic!("was loaded"),
        Err(error) => error,
    };
    assert!(matches!(error, LoadError::Layout { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        format!(
            "{}: its interface types differ from this Vola's:\n\
             type `TensorAbi`\n  \
             incompatible type size: expected 136, found 144\n  \
             too many fields: expected 5, found 6\n\
             help: rebuild the plugin with the vola-plugin SDK of this Vola",
            path.display()
        )
    );
}
