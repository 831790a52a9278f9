//! A fault lab: breaks one part of a simulated robot or of its policy in the
//! middle of a motion and judges what the runtime makes of it.
//!
//! Every [`Fault`] says what is broken, what must follow and how soon. A
//! [`Lab`] opens a session in virtual time whose parts are wrapped, lets the
//! policy move the arm, breaks the part while the arm is fast, and records every
//! command. The [`Verdict`] is read from that record: by what name the fault was
//! found and when, how soon the arm braked and stood, how far it moved after
//! that, whether a limit was broken, whether the stop stayed until a reset and
//! the robot worked again after it.
//!
//! The same seeds give the same trials, however busy the machine is; only faults
//! of whole processes happen when the system lets them.

mod children;
mod fault;
mod faulty_actuator;
mod faulty_camera;
mod faulty_stage;
mod injection;
mod lab;
mod motion;
mod verdict;

pub use fault::{Broken, Fault, Outcome};
pub use lab::{Lab, LabError};
pub use verdict::{Judgement, Verdict};
