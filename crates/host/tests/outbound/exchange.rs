//! Requests of a guest, and the responses that it reads.

use bytes::Bytes;
use function_fetch_host::{Outbound, OutboundHttpConfig};
use futures::{StreamExt, stream};
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use std::time::Duration;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

pub fn client() -> Outbound {
    Outbound::new(&OutboundHttpConfig::default(), &[]).unwrap()
}

pub fn empty() -> WasiBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub fn full(bytes: &'static [u8]) -> WasiBody {
    Full::new(Bytes::from_static(bytes))
        .map_err(|never| match never {})
        .boxed_unsync()
}

pub fn request(method: Method, port: u16, body: WasiBody) -> Request<WasiBody> {
    Request::builder()
        .method(method)
        .uri(format!("http://127.0.0.1:{port}/"))
        .body(body)
        .unwrap()
}

pub async fn send(
    client: &Outbound,
    request: Request<WasiBody>,
) -> Result<Response<WasiBody>, Error> {
    client.send(request, RequestOptions::default()).await
}

pub async fn collected(response: Response<WasiBody>) -> Result<Bytes, Error> {
    Ok(response.into_body().collect().await?.to_bytes())
}

/// A body of unknown length, whose first chunk is delayed.
pub fn unsized_body(pieces: &'static [&'static [u8]]) -> WasiBody {
    let pieces = stream::iter(pieces).then(|piece| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(Frame::data(Bytes::from_static(piece)))
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// Sends the first request of a connection, which is then kept for the next.
pub async fn opening(client: &Outbound, port: u16) {
    let response = send(client, request(Method::GET, port, empty()))
        .await
        .unwrap();
    collected(response).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
}
