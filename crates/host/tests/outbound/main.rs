//! The client for upstreams, against real sockets: what a guest is told, and what an upstream gets to see.

mod exchange;
mod failures;
mod framing;
mod heads;
mod http2;
mod idling;
mod limits;
mod pooling;
mod reuse;
mod timeouts;
mod tls;
mod tls_origin;
mod upstream;
