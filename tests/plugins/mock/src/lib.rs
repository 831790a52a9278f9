//! Small plugins that keep every rule: the good half of the plugin tests, and
//! a robot and a policy for tests of whatever loads plugins.
//!
//! `mock/encode`, `mock/fuse` and `mock/act` make a chain from
//! `observation.state` to `action`; `mock/remember` keeps a resident tensor;
//! `mock/arm` has two joints and a gripper without physics.

mod arm;
mod stages;

vola_plugin::export! {
    library: "mock",
    stages: [stages::Encode, stages::Fuse, stages::Act, stages::Remember],
    embodiments: [arm::Arm],
}
