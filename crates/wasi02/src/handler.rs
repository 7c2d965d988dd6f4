//! One request of a client: in, through the driver, and the response out.

use crate::fields::from_wasi;
use crate::outbound::Inbound;
use crate::platform::Wasi;
use crate::upload::ClientBody;
use crate::wasi::http::types::{IncomingRequest, Method, ResponseOutparam, Scheme};
use crate::{relay, settings, signal};
use function_fetch_component::client::{RequestTarget, facts, is_spin};
use function_fetch_component::{framing, memory, method_name};
use function_fetch_driver::{Outcome, serve};
use function_fetch_engine::{Reply, Request as About, headers};

/// Serves a request. It never fails: a host turns an error into a page of its
/// own, so every answer is built here.
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
    let mut fields = from_wasi(&request.headers());
    let hops = headers::hops(&fields);
    let on_spin = cfg!(feature = "spin") && is_spin(&fields);
    let target = RequestTarget {
        scheme: match request.scheme() {
            Some(Scheme::Http) => Some("http".into()),
            Some(Scheme::Https) => Some("https".into()),
            Some(Scheme::Other(_)) | None => None,
        },
        authority: request.authority(),
    };
    let facts = facts(&fields, cfg!(feature = "spin"), target);
    let length = framing::content_length(&fields);
    let replay = memory::engine(|engine| {
        headers::to_upstream(&mut fields, &facts, engine.settings());
        engine.settings().replay_body_bytes as usize
    });
    let path = request.path_with_query().unwrap_or_default();
    let to_head = name == "HEAD";
    let needs_length = framing::needs_length(&name);
    let body = ClientBody::new(request.consume().ok(), length, needs_length, replay).await;
    let body = match body {
        Ok(body) => body,
        Err(failure) => return relay::own_words(Reply::failed(failure), to_head, out).await,
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
        } => {
            let explain = explain.map(|text| (text, elapsed_ms));
            relay::relay(response, to_head, explain, out).await;
        }
        Outcome::Reply(reply) => relay::own_words(reply, to_head, out).await,
    }
}
