//! Small plugins that keep every rule: the good half of the plugin tests, and
//! a robot and a policy for tests of whatever loads plugins.
//!
//! `mock/encode`, `mock/fuse` and `mock/act` make a chain from
//! `observation.state` to `action`; `mock/remember` keeps a resident tensor;
//! `mock/look` tells what it sees of its input, and where; `mock/break` breaks as
//! its settings say, when its process is to be tried;
//! `mock/arm` has two joints and a gripper without physics.

mod arm;
mod breaking;
mod stages;
#[cfg(target_os = "linux")]
mod trespassing;

vola_plugin::export! {
    library: "mock",
    stages: [stages::Encode, stages::Fuse, stages::Act, stages::Remember, stages::Look, breaking::Break],
    embodiments: [arm::Arm],
}
