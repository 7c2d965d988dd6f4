//! One request of a client: in, through the driver, and the response out.

use crate::body::ClientBody;
use crate::outbound::{Inbound, Upstream};
use crate::platform::Wasi;
use crate::{client, settings};
use function_fetch_component::client::is_spin;
use function_fetch_component::{framing, memory, method_name, response as heads};
use function_fetch_driver::{Outcome, serve};
use function_fetch_engine::headers;
use function_fetch_engine::{Failure, Reply, Request as About};
use wasip3::http::types::{self, Method, Request, Response};
use wasip3::{wit_future, wit_stream};

/// Serves a request. It never fails: a host turns an error into a page of its
/// own, so every answer is built here.
pub async fn handle(request: Request) -> Response {
    if !memory::is_filled() {
        settings::load().await;
    }
    let method = request.get_method();
    let name = method_name!(Method, &method).to_owned();
    let mut fields = request.get_headers().copy_all();
    let hops = headers::hops(&fields);
    let on_spin = cfg!(feature = "spin") && is_spin(&fields);
    let facts = client::facts(&request, &fields);
    let length = framing::content_length(&fields);
    let replay = memory::engine(|engine| {
        headers::to_upstream(&mut fields, &facts, engine.settings());
        engine.settings().replay_body_bytes as usize
    });
    let path = request.get_path_with_query().unwrap_or_default();
    let (_, read_well) = wit_future::new(|| Ok(()));
    let (stream, trailers) = Request::consume_body(request, read_well);
    let to_head = name == "HEAD";
    let needs_length = framing::needs_length(&name);
    let body = match ClientBody::new(stream, trailers, length, needs_length, replay).await {
        Ok(body) => body,
        Err(failure) => return own_words(Reply::failed(failure), to_head),
    };
    if let Some(found) = body.found_length() {
        framing::state_length(&mut fields, &name, found);
    }
    let asked = path.clone();
    let mut inbound = Inbound {
        method,
        path,
        fields,
        body,
        on_spin,
    };
    let about = About {
        method: &name,
        path: &asked,
        hops,
        has_body: inbound.body.is_some(),
    };
    match serve(&Wasi, &about, &mut inbound).await {
        Outcome::Relay {
            response,
            explain,
            elapsed_ms,
        } => relay(response, to_head, explain.map(|text| (text, elapsed_ms))),
        Outcome::Reply(reply) => own_words(reply, to_head),
    }
}

/// A target's response as the client's: the body is handed on as it is, not
/// read here.
fn relay(upstream: Upstream, to_head: bool, explain: Option<(String, f64)>) -> Response {
    let Upstream {
        response,
        status,
        fields,
        ..
    } = upstream;
    if let Some((text, elapsed_ms)) = explain {
        for (name, value) in heads::explanation(text, elapsed_ms) {
            if fields.append(name, &value).is_err() {
                let failure = Failure::HttpResponseHeaderSectionSize;
                return own_words(Reply::failed(failure), to_head);
            }
        }
    }
    let (_, sent_well) = wit_future::new(|| Ok(()));
    let (stream, trailers) = Response::consume_body(response, sent_well);
    let stream = (!heads::is_bodiless(status, to_head)).then_some(stream);
    let (response, _) = Response::new(fields, stream, trailers);
    set_status(&response, status);
    response
}

fn own_words(reply: Reply, to_head: bool) -> Response {
    let status = reply.status;
    let (fields, body) = heads::own_words(reply);
    let stream = (!to_head).then(|| {
        let (mut writer, reader) = wit_stream::new();
        wasip3::spawn(async move {
            writer.write_all(body).await;
        });
        reader
    });
    let (_, trailers) = wit_future::new(|| Ok(None));
    // They are ours: few, and nothing that a host could refuse.
    let fields = types::Fields::from_list(&fields).unwrap_or_else(|_| types::Fields::new());
    let (response, _) = Response::new(fields, stream, trailers);
    set_status(&response, status);
    response
}

/// The driver lets no status pass that is none, and ours are constants.
fn set_status(response: &Response, status: u16) {
    let set = response.set_status_code(status);
    debug_assert!(set.is_ok(), "{status}");
}
