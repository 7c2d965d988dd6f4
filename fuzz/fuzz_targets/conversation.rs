//! `cargo xtask fuzz conversation`: see `function_fetch_fuzz::conversation`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| function_fetch_fuzz::conversation(input));
