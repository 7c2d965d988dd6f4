//! The hosts that run the table.

/// Their names, as exceptions use them.
pub const HOSTS: [&str; 10] = [
    "engine",
    "embedded",
    "wasmtime",
    "spin",
    "embedded-0.2",
    "wasmtime-0.2",
    "workers",
    "node",
    "esa",
    "esa-deno",
];

/// Whether a host has a store: without one it skips the cases that are about
/// it.
#[must_use]
pub fn has_store(host: &str) -> bool {
    !matches!(host, "wasmtime" | "wasmtime-0.2")
}
