//! `cargo xtask fuzz edge`: see `function_fetch_fuzz::edge`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| function_fetch_fuzz::edge(input));
