//! Plugins that are wrong on purpose, and files that are no plugins: each gives
//! its exact error, and the host lives on.

mod files;
pub mod host;
mod kit;
mod robots;
mod stages;
