//! A library of an interface before the first one: its revision is 0.

#![allow(
    unsafe_code,
    reason = "exports the symbol that `vola_plugin::export!` would"
)]

/// Read by the host before anything else.
#[unsafe(no_mangle)]
pub static VOLA_ABI_REVISION: u32 = 0;
