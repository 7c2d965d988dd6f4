//! What stands between a client and the driver: the heads of requests and
//! responses, made as the WASI components make them.

use crate::platform::{Inbound, Instance};
use crate::stage::{CLIENT, PROXY};
use function_fetch_cases::{Request, Response};
use function_fetch_component::upload::{BodySource, Received, Trailers};
use function_fetch_component::{response, status};
use function_fetch_driver::{Outcome, Platform, serve};
use function_fetch_engine::headers::{self, ClientFacts};
use function_fetch_engine::{LocalReply, Request as About};
use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::rc::Rc;

/// Serves one request.
pub async fn answer(instance: &Instance, request: &Request) -> Response {
    let content = request.content();
    let mut fields = request.headers.to_raw();
    let host = match fields.iter().find(|(name, _)| name == "host") {
        Some((_, host)) => String::from_utf8_lossy(host).into_owned(),
        None => PROXY.to_owned(),
    };
    if let Some(body) = content.as_ref().filter(|_| !request.chunked) {
        let length = body.len().to_string().into_bytes();
        fields.push(("content-length".into(), length));
    }
    let hops = headers::hops(&fields);
    let facts = ClientFacts {
        address: Some(CLIENT.into()),
        host: Some(host),
        scheme: Some("http".into()),
    };
    let to_head = request.method == "HEAD";
    if instance.engine(|engine| engine.settings().is_status_path(&request.path)) {
        let source = content.map(Whole);
        let method = &request.method;
        let reply = status::answer(instance, method, &fields, &facts, source).await;
        return local(reply, to_head);
    }
    let replay = instance.engine(|engine| {
        headers::to_upstream(&mut fields, &facts, engine.settings());
        engine.settings().replay_body_bytes as usize
    });
    let mut inbound = Inbound {
        method: request.method.clone(),
        path: request.path.clone(),
        fields,
        body: content.unwrap_or_default(),
        taken: Rc::new(Cell::new(0)),
        replay,
    };
    let about = About {
        method: &request.method,
        path: &request.path,
        hops,
        has_body: !inbound.body.is_empty(),
        may_meet_closed_connection: false,
    };
    match serve(instance, &about, &mut inbound).await {
        Outcome::Relay {
            response: mut answered,
            explanation,
        } => {
            headers::to_client(&mut answered.fields, answered.status);
            if let Some(explanation) = explanation {
                let fields = response::explanation(explanation);
                let fields = fields.map(|(name, value)| (name.to_owned(), value));
                answered.fields.extend(fields);
            }
            let bodiless = response::is_bodiless(answered.status, to_head);
            Response {
                status: answered.status,
                fields: answered.fields,
                body: if bodiless { Vec::new() } else { answered.body },
                trailers: answered.trailers,
                broken: answered.broken && !bodiless,
            }
        }
        Outcome::Reply(reply) => local(reply, to_head),
    }
}

fn local(reply: LocalReply, to_head: bool) -> Response {
    let status = reply.status;
    let (fields, body) = response::local_reply(reply);
    Response {
        status,
        fields,
        body: if to_head { Vec::new() } else { body },
        ..Response::default()
    }
}

/// A body that is there at once.
struct Whole(Vec<u8>);

impl BodySource for Whole {
    type Error = Infallible;

    async fn read(&mut self, _: &mut (impl Future<Output = ()> + Unpin)) -> Received {
        Received {
            bytes: std::mem::take(&mut self.0),
            ended: true,
        }
    }

    async fn trailers(
        &mut self,
        _: &mut (impl Future<Output = ()> + Unpin),
    ) -> Option<Trailers<Infallible>> {
        Some(Ok(None))
    }
}
