#![no_main]

#[path = "../src/chunk_frame.rs"]
mod chunk_frame;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chunk_frame::check(bytes));
