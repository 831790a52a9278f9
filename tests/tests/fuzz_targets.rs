//! The fuzz targets compile; their corpora replay in the crates' own tests.
//!
//! Their crate lies outside of the workspace (`tests/fuzz`), so that nobody else
//! needs the fuzzing runtime, which is built with a C++ compiler.

use std::path::Path;

use vola_tests::try_outside;

use crate::model_checker::lacks_crates;

#[test]
fn every_fuzz_target_compiles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let checked = try_outside(&folder, &["check", "--locked", "--bins"]);
    if lacks_crates(&checked) {
        return println!(
            "SKIPPED: the fuzzing runtime is not on this machine: `cargo fetch --locked --manifest-path tests/fuzz/Cargo.toml`"
        );
    }
    let lacks_compiler = ["failed to find tool", "is `c++` not installed?"];
    if lacks_compiler
        .iter()
        .any(|words| checked.stderr.contains(words))
    {
        return println!("SKIPPED: the fuzzing runtime needs a C++ compiler, and there is none");
    }
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
}
