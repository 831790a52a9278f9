//! Tensors that stay inside the library which made them.
//!
//! A stage may return an opaque handle instead of bytes (a key/value cache, a
//! device buffer). The host passes it on unread; only the library that made it
//! can look inside, because the type behind it is known there alone.

use abi_stable::{DynTrait, StableAbi, std_types::RArc};

/// Traits of a resident handle: it may move and be shared between threads.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(impl_InterfaceType(Send, Sync))]
pub struct ResidentInterface;

/// A shared handle to something only its maker can read.
pub type ResidentAbi = DynTrait<'static, RArc<()>, ResidentInterface>;
