//! What the kernel is asked for directly: the unsafe code of this crate.

#![allow(
    unsafe_code,
    reason = "descriptors, mappings and processes are reached through the C library only"
)]

mod capabilities;
mod descriptors;
mod limits;
mod memfd;
mod pidfd;
mod poll;
mod real_time;
mod syscall_filter;

pub(crate) use capabilities::{Rights, drop_capabilities};
pub(crate) use descriptors::{end_process, pass, receive};
pub(crate) use limits::limit_resources;
pub(crate) use memfd::{Access, Mapping, Memfd};
pub(crate) use pidfd::Pidfd;
pub(crate) use poll::{Wanted, wait_for};
pub(crate) use real_time::{lock_memory, pin_to, set_fifo, touch_stack, wake_on_time};
pub(crate) use syscall_filter::{Guarded, forbid_privileges, install_filter};
