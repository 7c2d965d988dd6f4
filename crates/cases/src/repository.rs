//! Where the repository is.

use std::env;
use std::path::PathBuf;

/// The root of the clone whose tests run. Cargo says at run time for which one it runs them; what it said when they
/// were compiled may be another one, since clones that share a target folder share the binaries.
///
/// # Panics
///
/// Outside of `cargo test`, in a folder that is none of a clone's.
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
