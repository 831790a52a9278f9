//! Files that are not plugins, and the right ones side by side.

use std::path::{Path, PathBuf};

use vola_abi::{LoadError, LoadedModule, abi_stable::std_types::RStr};
use vola_tests::workspace;

use super::host;

fn refused(path: &Path) -> LoadError {
    match LoadedModule::load(path) {
        Ok(_) => panic!("{}: was loaded", path.display()),
        Err(error) => error,
    }
}

#[test]
fn a_text_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for text in [
        "",
        "not a library\n",
        &"long enough for a header ".repeat(100),
    ] {
        let path = folder.path().join("libtext.so");
        std::fs::write(&path, text).unwrap();
        let error = refused(&path);
        assert!(matches!(error, LoadError::Open { .. }), "{error}");
        let message = error.to_string();
        let start = format!("{}: cannot be loaded as a shared library: ", path.display());
        assert!(message.starts_with(&start), "{message}");
        assert!(
            message.contains("\nhelp: a plugin is a `cdylib`"),
            "{message}"
        );
    }
}

#[test]
fn a_truncated_plugin_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libcut.so");
    let whole = std::fs::read(workspace().library("mock")).unwrap();
    // Inside the header, behind it, and anywhere up to the last byte.
    let inside = (1..40).map(|part| whole.len() * part / 40);
    let lengths = [1, 5, 50, 63, 64, 65, 200, 4096, whole.len() - 1];
    for length in lengths.into_iter().chain(inside) {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = refused(&path);
        assert!(matches!(error, LoadError::Open { .. }), "{length}: {error}");
        if length >= 5 && cfg!(target_os = "linux") {
            let text = error.to_string();
            assert!(text.contains("is cut off: expected"), "{length}: {text}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_plugin_for_another_machine_is_refused_with_both_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libforeign.so");
    let mut bytes = std::fs::read(workspace().library("mock")).unwrap();
    // The machine's number: that of one which this is not.
    let (number, name) = match std::env::consts::ARCH {
        "aarch64" => (62_u16, "x86_64"),
        _ => (183, "aarch64"),
    };
    bytes[18..20].copy_from_slice(&number.to_le_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let text = refused(&path).to_string();
    let own = std::env::consts::ARCH;
    assert!(
        text.contains(&format!("it is built for {name}")) && text.contains(own),
        "{text}"
    );
}

#[test]
fn a_library_of_the_system_is_refused() {
    let Some(path) = system_library() else {
        panic!("no shared library of the system is mapped into this process; name one here");
    };
    let error = refused(&path);
    assert_eq!(
        error.to_string(),
        format!(
            "{}: is a shared library, but exports no `VOLA_ABI_REVISION`: not a Vola plugin\n\
             help: call `vola_plugin::export!` once in the library",
            path.display()
        )
    );
}

/// Any shared library that this process already uses.
fn system_library() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let is_the_systems = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        ["libc.so", "libc-", "libm.so", "libgcc_s.so"]
            .iter()
            .any(|known| name.starts_with(known))
    };
    let mapped = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5).map(PathBuf::from))
        .find(is_the_systems);
    // Elsewhere the loader finds it by name.
    mapped
        .or_else(|| cfg!(target_os = "macos").then(|| PathBuf::from("/usr/lib/libSystem.B.dylib")))
}

#[test]
fn an_old_interface_is_refused_with_both_revisions() {
    let path = workspace().library("old_interface");
    assert_eq!(
        refused(&path).to_string(),
        format!(
            "{}: built against plugin interface revision 0, this Vola has revision 1\n\
             help: rebuild the plugin with the vola-plugin SDK of this Vola",
            path.display()
        )
    );
}

#[test]
fn libraries_live_side_by_side_and_know_only_their_own() {
    let (mock, wrong) = (host::load("mock"), host::load("wrong"));
    assert_eq!(mock.manifest().unwrap().library, "mock");
    assert_eq!(wrong.manifest().unwrap().library, "wrong");
    let again = host::load("mock");
    assert_eq!(again.manifest().unwrap(), mock.manifest().unwrap());
    for (library, module) in [("mock", mock), ("wrong", wrong)] {
        for name in ["nothing", ""] {
            let fault = module.module().create_stage()(RStr::from(name))
                .into_result()
                .err()
                .unwrap();
            let text = format!("library `{library}` holds no plugin `{name}` of this kind");
            assert_eq!(fault.message.as_str(), text);
        }
    }
    // A robot is no stage, and a stage no robot.
    assert!(
        mock.module().create_stage()(RStr::from("arm"))
            .into_result()
            .is_err()
    );
    assert!(
        mock.module().create_embodiment()(RStr::from("act"))
            .into_result()
            .is_err()
    );
}

#[test]
fn a_plugin_that_cannot_describe_itself_hides_no_other() {
    let wrong = host::load("wrong");
    let manifest = wrong.manifest().unwrap();
    assert_eq!(
        manifest.faults,
        [
            "plugin 0 of the library: the plugin panicked in `describe`: on purpose: panic_in_describe"
        ]
    );
    assert!(
        manifest
            .plugins
            .iter()
            .any(|plugin| plugin.name == "nan_output")
    );
    assert!(
        wrong.module().create_stage()(RStr::from("nan_output"))
            .into_result()
            .is_ok()
    );
}

#[test]
fn a_resident_tensor_is_read_by_its_own_library_alone() {
    let x = host::floats("x", &[1, 4], &[1.0, 2.0, 3.0, 4.0]);
    let mut maker = host::active_stage("mock", "remember");
    let made = host::call(&mut maker, 0, &[x.lend()]).unwrap();
    let memory = made[0].lend();
    // Another instance of the same library.
    let mut other = host::active_stage("mock", "remember");
    let outputs = host::call(&mut other, 0, std::slice::from_ref(&memory)).unwrap();
    assert_eq!(host::values(&outputs[0]), [10.0]);
    // The very same library under another path: the same type, in another image.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy_of_mock.so");
    std::fs::copy(workspace().library("mock"), &copy).unwrap();
    let create = LoadedModule::load(&copy).unwrap().module().create_stage();
    let mut foreign = create(RStr::from("remember")).into_result().unwrap();
    foreign.configure(RStr::from("{}")).into_result().unwrap();
    let fault = host::call(&mut foreign, 0, &[memory]).unwrap_err();
    assert_eq!(
        fault.message.as_str(),
        "tensor `memory`: expected a resident tensor of this library"
    );
}
