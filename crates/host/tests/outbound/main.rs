//! The client for upstreams, against real sockets: what a guest is told, and what an upstream gets to see.

mod exchange;
mod failures;
mod pooling;
mod timeouts;
mod upstream;
