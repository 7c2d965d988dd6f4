//! A component that Function Fetch sends requests to.

use spin_sdk::http::Request;
use spin_sdk::http_service;

/// Answers every request, and so the probes of Function Fetch, with its path.
#[http_service]
async fn handle(request: Request) -> String {
    format!("The component answers {}\n", request.uri().path())
}
