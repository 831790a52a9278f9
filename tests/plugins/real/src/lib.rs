//! A robot without a simulated world, as an arm on a wire is.
//!
//! `real/drive` is one joint and a gripper on the machine's own clock: it is
//! where it was sent last, and brakes by itself when it is told to hold, or when
//! no command comes. It counts what reaches it.

mod clock;
mod drive;

vola_plugin::export! {
    library: "real",
    stages: [],
    embodiments: [drive::Drive],
}
