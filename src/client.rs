//! What the host says of the client.

use function_fetch_component::client::{RequestTarget, facts as facts_of};
use function_fetch_engine::headers::{ClientFacts, Fields};
use wasip3::http::types::Request;

pub fn facts(request: &Request, fields: &Fields) -> ClientFacts {
    let target = RequestTarget {
        // That of the request target, on `wasmtime serve`: the client's choice. Spin has the listener's in its URL.
        scheme: None,
        authority: request.get_authority(),
    };
    facts_of(fields, cfg!(feature = "spin"), target)
}
