//! `cargo xtask fuzz fence`: see `function_fetch_fuzz::fence`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| function_fetch_fuzz::fence(input));
