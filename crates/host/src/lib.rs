//! Serves a `wasi:http` component on an embedded wasmtime, as a library.
//!
//! [`Server`] binds a listener, compiles a component and answers HTTP requests with it: instances are reused across
//! requests ([`InstanceLimits`]), upstream connections are pooled ([`RuntimeConfig`]), and the Spin interfaces that
//! Function Fetch imports (`spin:key-value`, `spin:variables`) are provided beside WASI 0.2 and 0.3. The
//! `function-fetch` command is this library and a command line.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod component;
mod drain;
mod error;
mod hop_by_hop;
mod inbound;
mod instance;
mod instances;
pub mod key_value;
mod outbound;
mod outbound_error;
mod probe;
mod runtime_config;
mod server;
mod tls;
mod variables;

pub use error::{Error, one_line};
pub use instances::InstanceLimits;
pub use outbound::Outbound;
pub use probe::{Measurement, measure};
pub use runtime_config::{KeyValueConfig, OutboundHttpConfig, RuntimeConfig};
pub use server::{Server, ServerConfig};
pub use variables::Variables;
