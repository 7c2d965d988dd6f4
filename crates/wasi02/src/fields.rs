//! Header and trailer fields, to the host and from it.

use crate::wasi::http::types;
use function_fetch_engine::headers::Fields;

/// What wasmtime and Spin hold of one list of fields, bytes: beyond that they
/// trap the instance, since WASI 0.2 has no error for it.
const MOST_BYTES: usize = 128 * 1024;

/// What they count for each field besides its name and its value.
const FIELD_BYTES: usize = 72;

/// Why fields cannot be passed to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// They are too many, or too long.
    TooLarge,
    /// The host forbids one of them.
    Invalid,
}

/// The fields for the host: all of them, or none.
pub fn to_wasi(fields: &[(String, Vec<u8>)]) -> Result<types::Fields, Refused> {
    let bytes = fields
        .iter()
        .map(|(name, value)| name.len() + value.len() + FIELD_BYTES)
        .sum::<usize>();
    if bytes > MOST_BYTES {
        return Err(Refused::TooLarge);
    }
    types::Fields::from_list(fields).map_err(|_| Refused::Invalid)
}

/// The fields from the host.
pub fn from_wasi(fields: &types::Fields) -> Fields {
    fields.entries()
}
