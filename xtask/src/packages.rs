//! The packages that need neither a host nor a component to be checked.

use crate::edge;

/// Those of the product, whose tests run in the dev profile.
pub const OF_THE_PRODUCT: [&str; 8] = [
    "function-fetch-engine",
    "function-fetch-driver",
    "function-fetch-component",
    "function-fetch-cases",
    "function-fetch-pages",
    "function-fetch-settings",
    "function-fetch-status",
    edge::PACKAGE,
];

/// As cargo's arguments.
pub fn selected<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    packages.iter().flat_map(|name| ["-p", *name]).collect()
}
