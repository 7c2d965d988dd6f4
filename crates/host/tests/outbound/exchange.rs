//! Requests of a guest, and what it gets to read.

use bytes::Bytes;
use function_fetch_host::{Outbound, OutboundHttpConfig};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Empty, Full};
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
