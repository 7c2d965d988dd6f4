//! One request of a client, from its head to its outcome.

use crate::client::{RequestTarget, facts, is_spin};
use crate::framing;
use crate::replay::Replay;
use crate::status;
use crate::upload::{BodySource, ClientBody};
use function_fetch_driver::{self as driver, Outcome, Platform};
use function_fetch_engine::headers::{self, Fields};
use function_fetch_engine::{Failure, LocalReply, Millis, Request as About};

/// The head of a request, as the host presents it.
#[derive(Debug)]
pub struct Head<M> {
    /// The method, to be returned to the host.
    pub method: M,
    /// The method's name.
    pub name: String,
    /// Path and query; none where the client's target had neither.
    pub path: Option<String>,
    /// The header fields.
    pub fields: Fields,
    /// The connection that it came by.
    pub target: RequestTarget,
    /// Whether `spin-*` fields are set by the platform.
    pub on_spin: bool,
}

/// A client's request, which can be sent to one target after another.
pub struct Inbound<M, S: BodySource> {
    /// The method.
    pub method: M,
    /// Path and query, as the client sent them.
    pub path: String,
    /// The header fields, as they go to targets.
    pub fields: Fields,
    /// The body.
    pub body: ClientBody<S>,
}

/// An upstream's response, its body not yet read.
#[derive(Debug)]
pub struct UpstreamResponse<R, F> {
    /// The response, as the host represents it.
    pub response: R,
    /// Its status.
    pub status: u16,
    /// Its `Retry-After`, from now.
    pub retry_after: Option<Millis>,
    /// Its header fields, as they go to the client.
    pub fields: F,
}

/// Serves a request whose body comes from `source`. `host_buffer` is what the host may
/// buffer of a body before it has a connection, bytes.
pub async fn serve<P, M, S>(
    platform: &P,
    head: Head<M>,
    source: Option<S>,
    host_buffer: usize,
) -> Outcome<P::Response>
where
    P: Platform<Request = Inbound<M, S>>,
    S: BodySource,
{
    let Head {
        method,
        name,
        path,
        mut fields,
        target,
        on_spin,
    } = head;
    let path = match path {
        Some(path) => path,
        // Its target is a host and a port.
        None if name == "CONNECT" => String::new(),
        None => return Outcome::Reply(LocalReply::failed(Failure::HttpRequestUriInvalid)),
    };
    let hops = headers::hops(&fields);
    // Spin pools connections, and reports one that the target had closed like one that broke off.
    let may_meet_closed_connection = on_spin && is_spin(&fields);
    let facts = facts(&fields, on_spin, target);
    if platform.engine(|engine| engine.settings().is_status_path(&path)) {
        return Outcome::Reply(status::answer(platform, &name, &fields, &facts, source).await);
    }
    let length = framing::content_length(&fields);
    let replay = platform.engine(|engine| {
        headers::to_upstream(&mut fields, &facts, engine.settings());
        Replay::new(engine.settings().replay_body_bytes as usize, host_buffer)
    });
    let needs_length = framing::needs_length(&name);
    let body = match ClientBody::new(platform, source, length, needs_length, replay).await {
        Ok(body) => body,
        Err(failure) => return Outcome::Reply(LocalReply::failed(failure)),
    };
    if let Some(found) = body.found_length() {
        framing::state_length(&mut fields, &name, found);
    }
    let about = About {
        method: &name,
        path: &path,
        hops,
        has_body: body.is_some(),
        may_meet_closed_connection,
    };
    let mut inbound = Inbound {
        method,
        path: path.clone(),
        fields,
        body,
    };
    driver::serve(platform, &about, &mut inbound).await
}
