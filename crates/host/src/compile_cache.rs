//! Compiled components, kept on disk so that a server starts without compiling.
//!
//! What is kept is machine code that a later start runs as it is: whoever can write to the folder can run code in the
//! server. So it must belong to this user, and nobody else may write to it. wasmtime finds an entry by a hash of the
//! component, its own version and its settings, so that no other one is ever used.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use wasmtime::{Cache, CacheConfig};

/// Why compiled components are not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoCache {
    #[error("cannot use {}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error(
        "{} belongs to another user or others may write to it: they could run code in this server",
        path.display()
    )]
    Shared { path: PathBuf },
    #[error("{0}")]
    Wasmtime(String),
}

/// The cache in `folder`, which is made if it does not exist.
pub(crate) fn open(folder: &Path) -> Result<Cache, NoCache> {
    let failed = |source| NoCache::Folder {
        path: folder.to_owned(),
        source,
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed)?;
    let folder = folder.canonicalize().map_err(failed)?;
    let about = folder.metadata().map_err(failed)?;
    if about.uid() != rustix::process::geteuid().as_raw() || about.mode() & 0o022 != 0 {
        return Err(NoCache::Shared { path: folder });
    }
    let mut config = CacheConfig::new();
    config.with_directory(folder);
    Cache::new(config).map_err(|error| NoCache::Wasmtime(format!("{error:#}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_folder_is_made_for_this_user_alone() {
        let around = std::env::temp_dir().join(format!("function-fetch-{}", std::process::id()));
        let folder = around.join("compiled");
        assert!(open(&folder).is_ok());
        assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o700);
        assert!(open(&folder).is_ok(), "again");

        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o770)).unwrap();
        assert!(matches!(open(&folder), Err(NoCache::Shared { .. })));

        let file = around.join("file");
        std::fs::write(&file, "").unwrap();
        assert!(matches!(open(&file), Err(NoCache::Folder { .. })));
        std::fs::remove_dir_all(&around).unwrap();
    }
}
