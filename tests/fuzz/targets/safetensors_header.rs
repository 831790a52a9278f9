#![no_main]

#[path = "../src/safetensors_header.rs"]
mod safetensors_header;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| safetensors_header::check(bytes));
