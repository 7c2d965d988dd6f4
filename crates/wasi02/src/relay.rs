//! The response that goes to the client.

use crate::body::{Incoming, trailers};
use crate::executor::{ready, sleep};
use crate::fields::{from_wasi, to_wasi};
use crate::outbound::UpstreamResponse;
use crate::stream::{self, HungUp};
use crate::wasi::http::types::{
    Fields, IncomingResponse, OutgoingBody, OutgoingResponse, ResponseOutparam,
};
use crate::wasi::io::streams::{InputStream, OutputStream, StreamError};
use function_fetch_component::response as heads;
use function_fetch_driver::Explanation;
use function_fetch_engine::{Failure, LocalReply};
use futures::future::select;

/// How often the client's connection is checked while its target is silent:
/// hosts wake no task when the client disconnects.
const LOOK_NS: u64 = 1_000_000_000;

/// Relays an upstream's response as it arrives. A response that breaks off is
/// never finished: an outgoing body that is dropped unfinished is broken for
/// the client.
pub async fn relay(
    upstream: UpstreamResponse,
    to_head: bool,
    explanation: Option<Explanation>,
    out: ResponseOutparam,
) {
    let UpstreamResponse {
        response: upstream,
        status,
        mut fields,
        ..
    } = upstream;
    if let Some(explanation) = explanation {
        let mut list = from_wasi(&fields);
        let explanation = heads::explanation(explanation);
        list.extend(explanation.map(|(name, value)| (name.to_owned(), value)));
        let Ok(whole) = to_wasi(&list) else {
            let failure = Failure::HttpResponseHeaderSectionSize;
            return local_reply(LocalReply::failed(failure), to_head, out).await;
        };
        fields = whole;
    }
    let response = OutgoingResponse::new(fields);
    set_status(&response, status);
    if heads::is_bodiless(status, to_head) {
        ResponseOutparam::set(out, Ok(response));
        return;
    }
    let body = response.body();
    ResponseOutparam::set(out, Ok(response));
    if let Ok(body) = body {
        relay_body(&upstream, body).await;
    }
}

/// Sends a local reply.
pub async fn local_reply(reply: LocalReply, to_head: bool, out: ResponseOutparam) {
    let status = reply.status;
    let (fields, bytes) = heads::local_reply(reply);
    // They are constants: few, and nothing that a host could refuse.
    let fields = to_wasi(&fields).unwrap_or_else(|_| Fields::new());
    let response = OutgoingResponse::new(fields);
    set_status(&response, status);
    if to_head {
        ResponseOutparam::set(out, Ok(response));
        return;
    }
    let body = response.body();
    ResponseOutparam::set(out, Ok(response));
    let Ok(body) = body else { return };
    if let Ok(output) = body.write() {
        let written = stream::write_all(&output, &bytes).await;
        drop(output);
        if written.is_ok() {
            let _ = OutgoingBody::finish(body, None);
        }
    }
}

/// The driver passes only valid statuses, and those of local replies are
/// constants.
fn set_status(response: &OutgoingResponse, status: u16) {
    let set = response.set_status_code(status);
    debug_assert!(set.is_ok(), "{status}");
}

async fn relay_body(upstream: &IncomingResponse, body: OutgoingBody) {
    let Some(incoming) = upstream.consume().ok().and_then(Incoming::new) else {
        return;
    };
    let Ok(output) = body.write() else { return };
    if copy(&incoming.stream, &output).await.is_err() {
        return;
    }
    drop(output);
    let coming = incoming.into_trailers();
    // Trailers that the host rejects leave the body unfinished.
    if let Ok(fields) = trailers(&coming).await
        && let Ok(fields) = fields.as_deref().map(to_wasi).transpose()
    {
        let _ = OutgoingBody::finish(body, fields);
    }
}

/// The target broke off, or the client disconnected.
struct Broken;

impl From<HungUp> for Broken {
    fn from(_: HungUp) -> Self {
        Self
    }
}

/// Splices all bytes inside the host: they do not pass through the component.
async fn copy(input: &InputStream, output: &OutputStream) -> Result<(), Broken> {
    loop {
        let room = stream::room(output).await?;
        match output.splice(input, room) {
            Ok(0) => {
                // What has arrived must be sent without waiting for more.
                output.flush().map_err(|_| Broken)?;
                select(ready(input.subscribe()), sleep(LOOK_NS)).await;
            }
            Ok(_) => {}
            Err(StreamError::LastOperationFailed(_)) => return Err(Broken),
            Err(StreamError::Closed) => break,
        }
    }
    // Either side may have closed; if it was the client, it takes no more.
    Ok(stream::flush(output).await?)
}
