//! Function Fetch as a WASI 0.2 HTTP component.
//!
//! The same engine and driver as in the WASI 0.3 component, for hosts that do
//! not support that yet. Most of them create an instance for each request, so
//! what is learned is kept in the shared record; on those that reuse instances
//! the memory of an instance works as well.
//!
//! A call of the export blocks its instance until it returns. It returns when
//! the request's background work is done; the client has had its response long
//! before.

// Natively nothing exports the handler, see below, so nothing uses the rest.
#![cfg_attr(not(target_family = "wasm"), allow(dead_code))]

#[cfg(not(any(feature = "spin", feature = "wasi")))]
compile_error!("choose a flavour: the feature `spin` or the feature `wasi`");

mod body;
mod executor;
mod fields;
mod handler;
mod outbound;
mod platform;
mod relay;
mod request_body;
mod settings;
mod signal;
mod store;
mod stream;

/// Generated from the worlds in `wit/`.
#[allow(unsafe_code, dead_code)]
mod bindings {
    #[cfg(feature = "spin")]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "function-fetch:edge/spin-bindings02",
        generate_all,
    });

    #[cfg(not(feature = "spin"))]
    wit_bindgen::generate!({
        path: "../../wit",
        world: "function-fetch:edge/bindings02",
        generate_all,
    });
}

/// The versions that this component uses; `wit/` has others of the same
/// packages.
mod wasi {
    pub use crate::bindings::wasi::clocks0_2_0 as clocks;
    pub use crate::bindings::wasi::http0_2_0 as http;
    pub use crate::bindings::wasi::io0_2_0 as io;
    pub use crate::bindings::wasi::random0_2_0 as random;
}

use bindings::exports::wasi::http0_2_0::incoming_handler::Guest;
use wasi::http::types::{IncomingRequest, ResponseOutparam};

struct Component;

// Natively the crate is checked, linted and its tests are built; the export
// names of a component cannot be linked there.
#[cfg(target_family = "wasm")]
#[allow(unsafe_code)]
mod export {
    use super::{Component, bindings};

    bindings::export!(Component with_types_in bindings);
}

impl Guest for Component {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        executor::run(handler::handle(request, response));
        // Most hosts end the instance now.
        if function_fetch_component::memory::engine(|engine| engine.has_stats()) {
            function_fetch_component::stats::tell(true, platform::now());
        }
    }
}
