//! Stdout. A reader that has what it wants, such as `head`, ends the output and is no error.

use anyhow::Context;
use std::io::{self, ErrorKind, Write};

/// Prints a text.
pub fn print(text: &str) -> anyhow::Result<()> {
    match show(text) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("cannot write to stdout"),
    }
}

/// Prints a text, for whoever is to know that nobody reads it.
pub fn show(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
