//! A library that was built so that a panic ends its process: no guard catches it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use vola_abi::{FaultKind, LoadError, LoadedModule};
use vola_plugin::{CheckOutcome, check_library};
use vola_tests::{library_file, outside, run_limited, workspace};

use super::{Hosting, PATIENT};
use crate::plugins::host::{call, floats, values};

/// The tests' own library `mock`, built with `panic = "abort"` by a crate of its
/// own; the crates that it needs stay as they are.
fn built(folder: &Path) -> PathBuf {
    let root = &workspace().root;
    let manifest = format!(
        "[package]\nname = 'mock'\nversion = '0.1.0'\nedition = '2024'\n\
         [lib]\ncrate-type = ['cdylib']\npath = {:?}\n\
         [dependencies]\nvola-plugin = {{ path = {:?} }}\nlibc = '0.2'\n[workspace]\n",
        root.join("tests/plugins/mock/src/lib.rs"),
        root.join("core/plugin"),
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    // The versions that were tested, and that are on this machine.
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let built = outside(folder, &["rustc", "--lib", "--", "-C", "panic=abort"]);
    let own = folder.join(library_file("mock"));
    std::fs::copy(built.built.join(library_file("mock")), &own).unwrap();
    own
}

#[test]
fn a_library_whose_panics_abort_is_refused_in_this_process_and_survived_in_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let library = built(folder.path());

    // Here: a panic in it would be the runtime's end.
    let loaded = LoadedModule::load(&library).unwrap_or_else(|error| panic!("{error}"));
    let Err(refused) = loaded.whose_panics_are_caught(&library) else {
        panic!("was taken");
    };
    assert!(
        matches!(refused, LoadError::AbortsOnPanic { .. }),
        "{refused}"
    );
    let checks = check_library(&library);
    let failed = checks.iter().find(|it| it.outcome == CheckOutcome::Failed);
    let failed = failed.unwrap();
    assert!(failed.name.contains("panics are caught"), "{failed}");
    assert!(failed.help.contains("unwind"), "{failed}");

    // There: an end of its process like any other.
    let hosting = Hosting::at(&library, PATIENT);
    let (mut stage, health) = hosting.stage("break", r#"{"way":"panic","at":1}"#);
    let x = floats("x", &[1, 2], &[1.5, -2.0]);
    for round in 0..2 {
        let made = call(&mut stage, 0, &[x.lend()]).unwrap();
        assert_eq!(values(&made[0]), [3.0, -4.0]);
        let fault = call(&mut stage, 1, &[x.lend()]).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Failed);
        assert!(fault.message.contains("SIGABRT"), "{}", fault.message);
        assert_eq!(health.losses(), round + 1);
        stage.reset(u64::from(round)).into_result().unwrap();
    }

    // A deployment that wants it in the runtime's process does not start.
    let config = folder.path().join("d.toml");
    let bundle = workspace().root.join("configs/policies/tabletop");
    let text = format!(
        "[robot]\nplugin = 'mock/arm'\n[policy]\nbundle = {bundle:?}\n[plugins.isolation]\nmock = 'none'\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(workspace().vola());
    command.args(["plugin", "list", "--config"]).arg(&config);
    command.arg("--plugins").arg(&library);
    let listed = run_limited(&mut command, "", Duration::from_secs(60));
    let said = format!("{}{}", listed.stdout, listed.stderr);
    assert!(said.contains("panic = \"abort\""), "{said}");
}
