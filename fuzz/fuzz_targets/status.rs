//! `cargo xtask fuzz status`: see `function_fetch_fuzz::status`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| function_fetch_fuzz::status(input));
