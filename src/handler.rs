//! One request of a client: in, through the driver, and the response out.

use crate::body::ClientBody;
use crate::outbound::{Inbound, Upstream, to_wasi};
use crate::platform::Wasi;
use crate::{client, memory, settings};
use function_fetch_driver::{Outcome, serve};
use function_fetch_engine::headers::{self, Fields};
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
    let name = method_name(&method).to_owned();
    let mut fields = request.get_headers().copy_all();
    let hops = headers::hops(&fields);
    let facts = client::facts(&request, &fields);
    let length = content_length(&fields);
    let replay = memory::engine(|engine| {
        headers::to_upstream(&mut fields, &facts, engine.settings());
        engine.settings().replay_body_bytes as usize
    });
    let path = request.get_path_with_query().unwrap_or_default();
    let (_, read_well) = wit_future::new(|| Ok(()));
    let (stream, trailers) = Request::consume_body(request, read_well);
    let mut inbound = Inbound {
        body: ClientBody::new(stream, trailers, length, replay).await,
        method,
        path,
        fields,
    };
    let about = About {
        method: &name,
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
    headers::to_client(&mut fields);
    if let Some((text, elapsed_ms)) = explain {
        fields.push(("proxy-status".into(), text.into_bytes()));
        let timing = format!("function-fetch;dur={elapsed_ms:.1}");
        fields.push(("server-timing".into(), timing.into_bytes()));
    }
    let (_, sent_well) = wit_future::new(|| Ok(()));
    let (stream, trailers) = Response::consume_body(response, sent_well);
    // RFC 9110 §6.4.1: these have no content, whatever their fields say.
    let bodiless = to_head || matches!(status, 204 | 304);
    let stream = (!bodiless).then_some(stream);
    let (response, _) = Response::new(to_wasi(&fields), stream, trailers);
    // It was a status a moment ago.
    let _ = response.set_status_code(status);
    response
}

fn own_words(reply: Reply, to_head: bool) -> Response {
    let body = reply.body.into_bytes();
    let fields: Fields = vec![
        ("content-type".into(), b"text/plain; charset=utf-8".to_vec()),
        ("content-length".into(), body.len().to_string().into_bytes()),
        ("cache-control".into(), b"no-store".to_vec()),
        ("proxy-status".into(), reply.proxy_status.into_bytes()),
    ];
    let stream = (!to_head).then(|| {
        let (mut writer, reader) = wit_stream::new();
        wasip3::spawn(async move {
            writer.write_all(body).await;
        });
        reader
    });
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (response, _) = Response::new(to_wasi(&fields), stream, trailers);
    let _ = response.set_status_code(reply.status);
    response
}

fn content_length(fields: &Fields) -> Option<u64> {
    let (_, value) = fields
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

fn method_name(method: &Method) -> &str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => name,
    }
}
