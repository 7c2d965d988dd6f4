//! The client for upstreams, against real sockets: the results that a guest gets, and what an upstream sees.

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
