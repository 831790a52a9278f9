//! The model checker over what threads and processes share without a lock.
//!
//! Its crate lies outside of the workspace (`tests/handover`): the checker's
//! features would have every numeric library built a second time.

use std::path::Path;

use vola_tests::{Finished, try_outside};

#[test]
fn every_order_of_steps_keeps_what_is_handed_over_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("handover");
    let checked = try_outside(&folder, &["test", "--locked", "--test", "handover"]);
    if lacks_crates(&checked) {
        return println!(
            "SKIPPED: the model checker is not on this machine: `cargo fetch --locked --manifest-path tests/handover/Cargo.toml`"
        );
    }
    let (said, told) = (&checked.stdout, &checked.stderr);
    assert_eq!(checked.code, Some(0), "{said}\n{told}");
    // As many models as the file has.
    assert!(
        said.contains("test result: ok. 10 passed; 0 failed"),
        "{said}"
    );
}

/// Whether cargo, which is offline here, misses a crate that nobody fetched.
pub(crate) fn lacks_crates(finished: &Finished) -> bool {
    finished.code != Some(0)
        && [
            "offline was specified",
            "without network access",
            "unable to update registry",
        ]
        .iter()
        .any(|words| finished.stderr.contains(words))
}
