//! Behaviour of the motion crate on two real arms' numbers.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "tests index arrays they built, may panic, and compare exact zeros"
)]

mod arms;
mod collision;
mod filter;
mod hostile;
mod kinematics;
mod random;
mod referee;
mod stops;
mod tracking;
