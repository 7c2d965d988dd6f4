//! What the tests of the promises need: hosts, origins, clients, stores.

pub mod accepting;
pub mod adapter;
pub mod any_host;
pub mod client;
pub mod default_store;
pub mod environment;
pub mod host;
pub mod origin;
pub mod pattern;
pub mod port;
pub mod process;
pub mod raw_client;
pub mod raw_h2;
pub mod raw_origin;
pub mod redis;
pub mod reply;
pub mod seen;
pub mod setup;
pub mod store;
pub mod suite;
pub mod tls;
pub mod waiting;
pub mod wire;
