//! Serves a `wasi:http` component on an embedded wasmtime, as a library.
//!
//! [`Server`] binds a listener, compiles a component and serves HTTP requests with it: instances are reused across
//! requests ([`InstanceLimits`]), clients are limited ([`ClientLimits`]), upstream connections are pooled
//! ([`OutboundHttpConfig`]), and the Spin interfaces that Function Fetch imports (`spin:key-value`, `spin:variables`)
//! are provided besides WASI 0.2 and 0.3. The `function-fetch` command is this library and a command line.
//!
//! ```no_run
//! use function_fetch_host::{ComponentSource, Event, Server};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), function_fetch_host::Error> {
//! let server = Server::builder(ComponentSource::file("function-fetch-spin.wasm"))
//!     .listen("127.0.0.1:0")
//!     .env("FETCH_TARGETS", "https://us.example.com https://eu.example.com")
//!     .on_event(|event| match event {
//!         Event::PrimaryChanged { to, reason, .. } => println!("traffic goes to {to} ({reason})"),
//!         other => println!("{other:?}"),
//!     })
//!     .bind()
//!     .await?;
//! println!("Serving http://{}", server.local_addr());
//! server
//!     .run(async {
//!         let _ = tokio::signal::ctrl_c().await;
//!     })
//!     .await;
//! # Ok(())
//! # }
//! ```
//!
//! Stores of the shared memory: [`key_value::MemoryStore`], [`key_value::SqliteStore`], [`key_value::RedisStore`],
//! configured by a [`RuntimeConfig`], or your own [`key_value::KeyValueStore`], given to
//! [`ServerBuilder::key_value_store`].

mod access;
mod activity;
mod builder;
mod client_limits;
mod client_stream;
mod compile_cache;
mod component;
mod component_settings;
mod drain;
mod error;
mod event;
mod guest_limits;
mod hop_by_hop;
mod inbound;
mod instance;
mod instances;
pub mod key_value;
mod lanes;
mod metrics;
mod outbound;
mod outbound_error;
mod probe;
mod refusal;
mod request_body;
mod request_lines;
mod response_body;
mod runtime_config;
mod server;
mod spin02;
mod stderr;
mod tls;
mod variables;

pub use access::Access;
pub use builder::ServerBuilder;
pub use client_limits::ClientLimits;
pub use component::ComponentSource;
pub use error::{Error, one_line};
pub use event::Event;
pub use instances::InstanceLimits;
pub use metrics::{
    Answers, Metrics, OtlpConfig, Stats, StoreStats, TargetStats, Times, export_otlp, serve_metrics,
};
pub use outbound::{AllowedHost, InvalidHost, Outbound};
pub use probe::{Measurement, measure};
pub use runtime_config::{KeyValueConfig, OutboundHttpConfig, RuntimeConfig};
pub use server::Server;
pub use variables::Variables;
