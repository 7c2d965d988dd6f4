//! `cargo xtask fuzz settings`: see `function_fetch_fuzz::settings`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| function_fetch_fuzz::settings(input));
