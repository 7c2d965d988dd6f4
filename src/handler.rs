//! One request of a client: in, through the driver, and the response out.

use crate::body::{HOST_BUFFER_BYTES, Source};
use crate::outbound::UpstreamResponse;
use crate::platform::Wasi;
use crate::{settings, stats};
use function_fetch_component::client::RequestTarget;
use function_fetch_component::request::{Head, serve};
use function_fetch_component::{memory, method_name, response as heads};
use function_fetch_driver::{Explanation, Outcome};
use function_fetch_engine::{Failure, LocalReply};
use wasip3::http::types::{self, Method, Request, Response};
use wasip3::{wit_future, wit_stream};

/// Whether `spin-*` fields are the platform's.
const ON_SPIN: bool = cfg!(feature = "spin");

/// Serves a request. It never fails: a host would turn an error into its own page, so every response is built here.
pub async fn handle(request: Request) -> Response {
    if !memory::is_filled() {
        settings::load().await;
    }
    let method = request.get_method();
    let name = method_name!(Method, &method).to_owned();
    let to_head = name == "HEAD";
    let fields = request.get_headers().copy_all();
    let target = RequestTarget::unless_stated(&fields, ON_SPIN, || RequestTarget {
        // On `wasmtime serve` it comes from the request target, which the client chooses. Spin's URL has the
        // listener's.
        scheme: None,
        authority: request.get_authority(),
    });
    let head = Head {
        method,
        name,
        path: request.get_path_with_query(),
        fields,
        target,
        on_spin: ON_SPIN,
    };
    let (writer, read_well) = wit_future::new(|| Ok(()));
    let (bytes, trailers) = Request::consume_body(request, read_well);
    // Writes it. The host reads it by now, so that the instance need not be woken for that.
    drop(writer);
    let source = Source::new(bytes, trailers);
    let outcome = serve(&Wasi, head, Some(source), HOST_BUFFER_BYTES).await;
    stats::request_ended();
    match outcome {
        Outcome::Relay {
            response,
            explanation,
        } => relay(response, to_head, explanation),
        Outcome::Reply(reply) => local_reply(reply, to_head),
    }
}

/// An upstream's response for the client: the body is passed on, not read here, and where nothing differs, the response
/// itself is.
fn relay(upstream: UpstreamResponse, to_head: bool, explanation: Option<Explanation>) -> Response {
    let UpstreamResponse {
        response,
        status,
        fields,
        ..
    } = upstream;
    let bodiless = heads::is_bodiless(status, to_head);
    let fields = match fields {
        None if explanation.is_none() && !bodiless => return response,
        None => response.get_headers().clone(),
        Some(fields) => fields,
    };
    if let Some(explanation) = explanation {
        for (name, value) in heads::explanation(explanation) {
            if fields.append(name, &value).is_err() {
                let failure = Failure::HttpResponseHeaderSectionSize;
                return local_reply(LocalReply::failed(failure), to_head);
            }
        }
    }
    let (writer, read_well) = wit_future::new(|| Ok(()));
    let (stream, trailers) = Response::consume_body(response, read_well);
    drop(writer);
    let stream = (!bodiless).then_some(stream);
    let (response, _) = Response::new(fields, stream, trailers);
    set_status(&response, status);
    response
}

fn local_reply(reply: LocalReply, to_head: bool) -> Response {
    let status = reply.status;
    let (fields, body) = heads::local_reply(reply);
    let stream = (!to_head).then(|| {
        let (mut writer, reader) = wit_stream::new();
        wasip3::spawn(async move {
            writer.write_all(body).await;
        });
        reader
    });
    let (_, trailers) = wit_future::new(|| Ok(None));
    // They are constants: few, and nothing that a host could refuse.
    let fields = types::Fields::from_list(&fields).unwrap_or_else(|_| types::Fields::new());
    let (response, _) = Response::new(fields, stream, trailers);
    set_status(&response, status);
    response
}

/// The driver passes only valid statuses, and those of local replies are constants.
fn set_status(response: &Response, status: u16) {
    let set = response.set_status_code(status);
    debug_assert!(set.is_ok(), "{status}");
}
