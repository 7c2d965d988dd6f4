//! The pages of the repository, and what they tell their readers to type.

use crate::code::code;
use crate::command::{self, Command, OpenQuote};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The folders of pages.
const FOLDERS: [&str; 2] = ["docs", "book"];

/// The page elsewhere, besides those at the root.
const CASES: &str = "tests/cases/README.md";

/// Why the pages cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or a folder.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A command.
    #[error("{}: {error}", page.display())]
    Command {
        /// Where it stands.
        page: PathBuf,
        /// What is wrong with it.
        error: OpenQuote,
    },
}

/// Every page, by its path below `root`.
///
/// # Errors
///
/// A folder that cannot be read.
pub fn pages(root: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = vec![root.join(CASES)];
    let mut at_root = entries(root)?;
    at_root.retain(|path| path.is_file());
    found.extend(at_root);
    for folder in FOLDERS {
        below(&root.join(folder), &mut found)?;
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    found.sort();
    Ok(found)
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    for path in entries(folder)? {
        if path.is_dir() {
            below(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    read().map_err(|error| Error::Read {
        path: folder.to_owned(),
        error,
    })
}

/// The commands of one of these programs, in blocks and in prose, each with its page.
///
/// # Errors
///
/// A page that cannot be read, or a command with a quote that does not end.
pub fn typed(root: &Path, programs: &[&str]) -> Result<Vec<(PathBuf, Command)>, Error> {
    let mut typed = Vec::new();
    for page in pages(root)? {
        let text = fs::read_to_string(&page).map_err(|error| Error::Read {
            path: page.clone(),
            error,
        })?;
        let wrong = |error| Error::Command {
            page: page.clone(),
            error,
        };
        let mut found = command::inline_commands(&text, programs).map_err(wrong)?;
        for block in code(&text) {
            found.extend(command::commands(&block).map_err(wrong)?);
        }
        found.retain(|command| programs.contains(&command.program()));
        typed.extend(found.into_iter().map(|command| (page.clone(), command)));
    }
    Ok(typed)
}
