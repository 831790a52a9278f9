#![no_main]

#[path = "../src/deployment.rs"]
mod deployment;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| deployment::check(bytes));
