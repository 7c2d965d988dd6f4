//! The host's log: stderr, as text for people or JSON for machines.

use crate::cli::LogArgs;
use anyhow::Context;
use clap::ValueEnum;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LogFormat {
    /// A line per event, for people
    Text,
    /// A JSON object per event
    Json,
}

impl LogArgs {
    /// Whether a person reads the log: text, on a terminal.
    pub fn is_for_people(&self) -> bool {
        matches!(self.log_format, LogFormat::Text) && std::io::stderr().is_terminal()
    }
}

/// Starts logging for the process.
pub fn start(args: &LogArgs) -> anyhow::Result<()> {
    let filter = match &args.log_level {
        Some(level) => EnvFilter::try_new(level).with_context(|| {
            format!("--log-level {level}: not a level (error, warn, info, debug, trace)")
        })?,
        None => EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")),
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match args.log_format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}
