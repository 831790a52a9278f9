#![no_main]

#[path = "../src/plugin_lock.rs"]
mod plugin_lock;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| plugin_lock::check(bytes));
