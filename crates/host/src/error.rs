//! What can go wrong before the first request is served.

use std::path::PathBuf;

/// Why a [`Server`](crate::Server) could not be set up. Every message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address to listen on is in use, not local, or not an address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address as it was asked for.
        address: String,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The component's file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    ReadComponent {
        /// The file as it was named.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// What was given is not a component that this host can run.
    #[error("{component} {reason}")]
    Component {
        /// The file as it was named, or that it came from memory.
        component: String,
        /// Continues the sentence that starts with the component.
        reason: String,
    },
    /// The runtime configuration cannot be read or understood.
    #[error("{}: {reason}", path.display())]
    RuntimeConfig {
        /// The file as it was named.
        path: PathBuf,
        /// What is wrong with it, and the remedy.
        reason: String,
    },
    /// A file of additional certificate authorities cannot be used.
    #[error("{}: {reason}", path.display())]
    CaFile {
        /// The file as it was named.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// wasmtime rejects this machine or its configuration.
    #[error("cannot start wasmtime: {0}")]
    Engine(String),
    /// The address was bound, but the operating system does not say which one it is.
    #[error("cannot determine the address that {address} was bound to: {source}")]
    LocalAddress {
        /// The address as it was asked for.
        address: String,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The operating system starts no thread, of [`ServerBuilder::threads`](crate::ServerBuilder::threads) or another.
    #[error("cannot start the threads of the server: {0}")]
    Threads(std::io::Error),
    /// The TLS library rejected the default settings.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Folds any white space, line breaks included, into single spaces: wasmtime's errors contain paragraphs and back
/// traces of the guest, and a log entry is one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
