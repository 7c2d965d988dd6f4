//! The `function-fetch` command. Everything but the command line is in the library.

mod access_log;
mod changes;
mod cli;
mod command;
mod environment;
mod examples;
mod logging;
mod output;

use clap::Parser;
use mimalloc::MiMalloc;
use std::process::ExitCode;

/// A request allocates a hundred times or so, mostly on one thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            // One line, whatever RUST_BACKTRACE says: the chain of causes is enough.
            eprintln!(
                "error: {}",
                function_fetch_host::one_line(&format!("{error:#}"))
            );
            ExitCode::FAILURE
        }
    }
}
