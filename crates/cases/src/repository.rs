//! The location of the repository.

use std::env;
use std::path::PathBuf;

/// The root of the clone whose tests run. Cargo sets it at run time; the value at compile time may name another
/// clone, since clones that share a target folder share the binaries.
///
/// # Panics
///
/// Outside of `cargo test`, in a folder that does not belong to a clone.
#[must_use]
pub fn repository() -> PathBuf {
    let start = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env::current_dir().unwrap_or_default(), PathBuf::from);
    start
        .ancestors()
        // `crates/driver/tests/cases` is a folder as well.
        .find(|folder| folder.join("tests/cases/README.md").is_file())
        .unwrap_or_else(|| panic!("{} is in no clone: run `cargo test`", start.display()))
        .to_owned()
}
