//! The component behind this one, as a target. Spin (`dependencies.middleware`) and wac compose a pipeline of components
//! by `wasi:http/handler`, which each of them but the last imports. What is sent to [`HOST`] goes to the next one,
//! without a network; everything else goes to the host's client.

use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Request, Response};

/// The name of the next component among targets.
#[cfg(feature = "middleware")]
const HOST: &str = "next.internal";

#[cfg(feature = "middleware")]
#[allow(unsafe_code)]
mod bindings {
    wit_bindgen::generate!({
        path: ["wit/deps/wasi-clocks-0.3.0", "wit/deps/wasi-http-0.3.0"],
        inline: "
            package function-fetch:pipeline;
            world pipeline {
                import wasi:http/handler@0.3.0;
            }
        ",
        with: { "wasi:http/types@0.3.0": wasip3::http::types },
        generate_all,
    });
}

/// Sends a request to where it is addressed.
#[cfg(feature = "middleware")]
pub async fn send(request: Request) -> Result<Response, ErrorCode> {
    if request.get_authority().as_deref() == Some(HOST) {
        return bindings::wasi::http::handler::handle(request).await;
    }
    client::send(request).await
}

/// Sends a request.
#[cfg(not(feature = "middleware"))]
pub async fn send(request: Request) -> Result<Response, ErrorCode> {
    client::send(request).await
}
