//! Function Fetch as a WASI 0.3 HTTP component.
//!
//! It turns requests into calls of the engine and the engine's actions into
//! HTTP, and decides nothing itself. There are two flavours: `spin` (the
//! default) reads Spin variables and keeps the shared record in Spin's
//! key-value store; `wasi` imports only WASI, so its settings are the
//! environment and its memory is the instance's. Either can be `middleware`
//! besides: then it is a component of a pipeline, and the next one is a target.

// Natively nothing exports the handler, see below, so nothing uses the rest.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code))]

#[cfg(not(any(feature = "spin", feature = "wasi")))]
compile_error!("choose a flavour: the feature `spin` or the feature `wasi`");

mod body;
mod error;
mod handler;
mod next;
mod outbound;
mod platform;
mod settings;
mod stats;
mod store;
mod waiting;

use wasip3::http::types::{ErrorCode, Request, Response};

struct Component;

// Natively the crate is checked, linted and its tests are built; the export
// names of a component cannot be linked there.
#[cfg(target_family = "wasm")]
wasip3::http::service::export!(Component);

impl wasip3::exports::http::handler::Guest for Component {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        Ok(handler::handle(request).await)
    }
}
