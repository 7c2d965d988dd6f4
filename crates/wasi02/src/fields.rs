//! Header and trailer fields, to the host and from it.

use crate::wasi::http::types;
use function_fetch_engine::headers::Fields;

/// The fields for the host. One that it forbids is left out, not the rest.
pub fn to_wasi(fields: &[(String, Vec<u8>)]) -> types::Fields {
    types::Fields::from_list(fields).unwrap_or_else(|_| {
        let accepted = types::Fields::new();
        for (name, value) in fields {
            let _ = accepted.append(name, value);
        }
        accepted
    })
}

/// The fields of the host.
pub fn from_wasi(fields: &types::Fields) -> Fields {
    fields.entries()
}
