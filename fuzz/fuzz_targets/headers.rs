//! `cargo xtask fuzz headers`: see `function_fetch_fuzz::headers`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| function_fetch_fuzz::headers(input));
