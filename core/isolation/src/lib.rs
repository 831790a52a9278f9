//! Trust in plugin libraries, and their isolation in processes of their own.
//!
//! [`Trust`] decides, before anything in a library runs, whether it may be
//! loaded at all. [`IsolatedStage`] hosts a plugin in a child process behind
//! the same trait that a plugin in this process has.
//!
//! # What each mode survives
//! | the plugin | in the runtime's process | in its own |
//! |---|---|---|
//! | panics | yes: a fault, the instance is not called again | yes: replaced |
//! | segfaults, aborts, exits, overflows its stack | no: the robot's own time-out stops the arm | yes: replaced |
//! | hangs | the path ends at rest, the policy thread is lost | yes: ended at its deadline, replaced |
//! | eats memory | no | yes: ended at its limit, replaced |
//! | writes where it must not, opens files and sockets | no | as far as Landlock and seccomp reach |
//!
//! Isolation needs Linux 5.3 or newer; trust works everywhere.

#[cfg(target_os = "linux")]
mod channel;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod frames;
#[cfg(target_os = "linux")]
mod hosted;
#[cfg(target_os = "linux")]
mod log_lines;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod process;
mod servicing;
#[cfg(target_os = "linux")]
mod shared_words;
#[cfg(target_os = "linux")]
mod sync;
#[cfg(target_os = "linux")]
mod sys;
mod trust;
#[cfg(target_os = "linux")]
mod wire;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{
    Alarm, ChildEnd, ChildHealth, ChildLimits, HOST_ARGUMENT, HostSpec, IsolatedEmbodiment,
    IsolatedStage, IsolationError, PictureRoom, PoolBuffer, SharedPool, serve_plugin_host,
};
pub use servicing::Servicing;
pub use trust::{
    AdmittedLibrary, LockedLibrary, PluginLock, SealedImage, SigningKey, Standing, Trust,
    TrustError,
};
#[cfg(target_os = "linux")]
pub use {
    hosted::{HOST_ARGUMENT, serve_plugin_host},
    pool::{PictureRoom, PoolBuffer, SharedPool},
    process::{
        Alarm, ChildEnd, ChildHealth, ChildLimits, HostSpec, IsolatedEmbodiment, IsolatedStage,
        IsolationError,
    },
};
