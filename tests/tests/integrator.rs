//! The integrator's path: a crate from `vola plugin new` builds outside of the
//! workspace with the SDK alone, passes its own tests and every check.

use std::{path::Path, time::Duration};

use vola_plugin::check_library;
use vola_tests::{library_file, outside};
use vola_types::PluginKind;

use crate::plugin_new::{Sdk, generate};

/// A cold build may take this long, on a quiet machine.
const COLD_BUILD: Duration = Duration::from_secs(60);

#[test]
fn all_four_templates_build_and_pass() {
    let folder = tempfile::tempdir().unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for kind in [
        PluginKind::Encoder,
        PluginKind::Fusion,
        PluginKind::Head,
        PluginKind::Embodiment,
    ] {
        let name = format!("my_{kind}");
        let sdk = Sdk::Path(sources.to_owned());
        let made = generate(&name, kind, &sdk, folder.path()).unwrap_or_else(|e| panic!("{e}"));
        let built = outside(&made.folder, &["build"]);
        let warned = format!("warning: `{name}`");
        assert!(!built.messages.contains(&warned), "{}", built.messages);
        println!("{name}: built in {:.1} s", built.took.as_secs_f64());
        assert!(
            built.took <= 3 * COLD_BUILD,
            "{name}: built in {:?}",
            built.took
        );

        let library = built.built.join(library_file(&name));
        assert_eq!(library_file(&name), made.library_file);
        let checks = check_library(&library);
        for check in &checks {
            assert_eq!(check.outcome, vola_plugin::CheckOutcome::Passed, "{check}");
        }
        let plugin = format!("{}: ", made.id);
        assert!(
            checks.iter().any(|check| check.name.starts_with(&plugin)),
            "{}",
            made.id
        );
        outside(&made.folder, &["test"]);
        outside(&made.folder, &["fmt", "--check"]);
    }
}
