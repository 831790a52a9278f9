//! The arm and its world as parts of an embodiment, each owned by one thread.
//!
//! The simulation owns the world. The actuator and it exchange the newest
//! command and state through slots of atomics, and cameras draw a copy of the
//! newest poses: nobody waits for a picture. One mutex round the world would
//! have been simpler, and would have made the control thread wait for the
//! renderer.

mod actuator;
mod camera;
mod embodiment;
mod exchange;
mod newest_slot;
mod settings;
mod simulation;

pub(crate) use embodiment::{Franka, Ur5e};

#[cfg(test)]
mod tests;
