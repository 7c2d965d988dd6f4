//! The runtime configuration that says what the default store is.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A runtime configuration file, in a folder that goes with it.
pub struct DefaultStore {
    folder: TempDir,
}

impl DefaultStore {
    /// In a new folder. `describe` gets that folder, and returns the TOML of the store.
    pub fn new(describe: impl FnOnce(&Path) -> String) -> Self {
        let folder = TempDir::new().expect("a temporary directory");
        let store = Self { folder };
        let toml = describe(store.folder());
        std::fs::write(
            store.runtime_config(),
            format!("[key_value_store.default]\n{toml}\n"),
        )
        .expect("a writable directory");
        store
    }

    /// A Redis at `url`.
    pub fn redis(url: &str) -> Self {
        Self::new(|_| format!("type = \"redis\"\nurl = \"{url}\""))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file.
    pub fn runtime_config(&self) -> PathBuf {
        self.folder().join("runtime-config.toml")
    }
}
