//! `cargo xtask fuzz record`: see `function_fetch_fuzz::record`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| function_fetch_fuzz::record(input));
