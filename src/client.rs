//! What the host says of the client.

use function_fetch_component::client::{RequestTarget, facts as facts_of};
use function_fetch_engine::headers::{ClientFacts, Fields};
use wasip3::http::types::{Request, Scheme};

pub fn facts(request: &Request, fields: &Fields) -> ClientFacts {
    let target = RequestTarget {
        scheme: match request.get_scheme() {
            Some(Scheme::Http) => Some("http".into()),
            Some(Scheme::Https) => Some("https".into()),
            Some(Scheme::Other(_)) | None => None,
        },
        authority: request.get_authority(),
    };
    facts_of(fields, cfg!(feature = "spin"), target)
}
