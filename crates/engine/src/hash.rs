//! A hash that is part of what is stored.

/// FNV-1a (Fowler, Noll and Vo), 32 bits: a hash that must come out alike on every host and
/// in every version, which the standard library's does not promise.
pub(crate) fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
