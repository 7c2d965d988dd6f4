//! Errors in the table.

use std::io;
use std::path::PathBuf;

/// A table that cannot be run. Each variant names the place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// A file or the folder cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// There is no case in the folder.
    #[error("{}: there are no cases", folder.display())]
    Empty {
        /// The path.
        folder: PathBuf,
    },
    /// A file is not a group of cases.
    #[error("{file}: {reason}")]
    Group {
        /// The file's name.
        file: String,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// A case cannot be understood.
    #[error("{file}: {case}: {reason}")]
    Case {
        /// The file's name.
        file: String,
        /// The case's name.
        case: String,
        /// What is wrong with it, and where.
        reason: String,
    },
}
