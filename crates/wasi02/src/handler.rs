//! One request of a client: in, through the driver, and the response out.

use crate::fields::from_wasi;
use crate::platform::Wasi;
use crate::request_body::{HOST_BUFFER_BYTES, Source};
use crate::wasi::http::types::{IncomingRequest, Method, ResponseOutparam, Scheme};
use crate::{relay, settings, signal};
use function_fetch_component::client::RequestTarget;
use function_fetch_component::request::{Head, serve};
use function_fetch_component::{memory, method_name};
use function_fetch_driver::Outcome;

/// Whether `spin-*` fields are the platform's.
const ON_SPIN: bool = cfg!(feature = "spin");

/// Serves a request. It never fails: a host would turn an error into its own
/// page, so every response is built here.
pub async fn handle(request: IncomingRequest, out: ResponseOutparam) {
    if !memory::is_filled() {
        settings::load();
    }
    signal::answered(false);
    answer(request, out).await;
    signal::answered(true);
}

async fn answer(request: IncomingRequest, out: ResponseOutparam) {
    let method = request.method();
    let name = method_name!(Method, &method).to_owned();
    let to_head = name == "HEAD";
    let fields = from_wasi(&request.headers());
    let target = RequestTarget::unless_stated(&fields, ON_SPIN, || RequestTarget {
        scheme: match request.scheme() {
            Some(Scheme::Http) => Some("http".into()),
            Some(Scheme::Https) => Some("https".into()),
            Some(Scheme::Other(_)) | None => None,
        },
        authority: request.authority(),
    });
    let head = Head {
        method,
        name,
        path: request.path_with_query(),
        fields,
        target,
        on_spin: ON_SPIN,
    };
    let source = request.consume().ok().and_then(Source::new);
    match serve(&Wasi, head, source, HOST_BUFFER_BYTES).await {
        Outcome::Relay {
            response,
            explanation,
        } => relay::relay(response, to_head, explanation, out).await,
        Outcome::Reply(reply) => relay::local_reply(reply, to_head, out).await,
    }
}
