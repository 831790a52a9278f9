//! The recorder from outside: what goes in comes out, also when its process is
//! killed.

#![allow(
    clippy::unwrap_used,
    reason = "a failure of the harness is a failed test"
)]

mod crash;
mod faults;
mod looking_back;
mod round_trip;
mod synthetic;
