//! One request of a client: in, through the driver, and the response out.

use crate::body::ClientBody;
use crate::outbound::{Inbound, Upstream, to_wasi};
use crate::platform::Wasi;
use crate::{client, settings};
use function_fetch_component::{memory, method_name, response as heads};
use function_fetch_driver::{Outcome, serve};
use function_fetch_engine::headers;
use function_fetch_engine::{Reply, Request as About};
use wasip3::http::types::{Method, Request, Response};
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
    let facts = client::facts(&request, &fields);
    let length = heads::content_length(&fields);
    let replay = memory::engine(|engine| {
        headers::to_upstream(&mut fields, &facts, engine.settings());
        engine.settings().replay_body_bytes as usize
    });
    let path = request.get_path_with_query().unwrap_or_default();
    let (_, read_well) = wit_future::new(|| Ok(()));
    let (stream, trailers) = Request::consume_body(request, read_well);
    let asked = path.clone();
    let mut inbound = Inbound {
        body: ClientBody::new(stream, trailers, length, replay).await,
        method,
        path,
        fields,
    };
    let about = About {
        method: &name,
        path: &asked,
        hops,
        has_body: inbound.body.is_some(),
    };
    let to_head = name == "HEAD";
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
        mut fields,
    } = upstream;
    heads::to_client(&mut fields, explain);
    let (_, sent_well) = wit_future::new(|| Ok(()));
    let (stream, trailers) = Response::consume_body(response, sent_well);
    let stream = (!heads::is_bodiless(status, to_head)).then_some(stream);
    let (response, _) = Response::new(to_wasi(&fields), stream, trailers);
    // It was a status a moment ago.
    let _ = response.set_status_code(status);
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
    let (response, _) = Response::new(to_wasi(&fields), stream, trailers);
    let _ = response.set_status_code(status);
    response
}
