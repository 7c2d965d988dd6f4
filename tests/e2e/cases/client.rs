//! A case's client: it writes the request exactly as the table has it, on a separate connection.

use std::net::SocketAddr;

use function_fetch_cases::{Request, Response};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

use crate::support::waiting::SOON;
use crate::support::wire::{Framing, Wire, chunk, field_lines};

/// A body is written in chunks of this size, so that a large one takes several.
const PIECE: usize = 16 * 1024;

/// Sends a request, with the fields that a platform adds to it, and reads the whole response.
pub async fn ask(
    to: SocketAddr,
    request: &Request,
    added: &[(&str, &str)],
) -> Result<Response, String> {
    tokio::time::timeout(2 * SOON, exchange(to, request, added))
        .await
        .map_err(|_| format!("no whole answer within {:?}", 2 * SOON))?
}

async fn exchange(
    to: SocketAddr,
    request: &Request,
    added: &[(&str, &str)],
) -> Result<Response, String> {
    let stream = TcpStream::connect(to)
        .await
        .map_err(|error| format!("the proxy does not accept: {error}"))?;
    let _ = stream.set_nodelay(true);
    let (reader, writer) = stream.into_split();
    // The response may come before the body is sent, or instead of it.
    let (answer, writer) = tokio::join!(
        read(Wire::new(reader), &request.method),
        write(writer, to, request, added)
    );
    drop(writer);
    answer
}

/// If writing fails, the response shows why.
async fn write(
    mut writer: OwnedWriteHalf,
    to: SocketAddr,
    request: &Request,
    added: &[(&str, &str)],
) -> OwnedWriteHalf {
    let content = request.content();
    let mut fields = request.headers.to_raw();
    let added = added.iter();
    fields.extend(added.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())));
    if !request.headers.has("host") {
        fields.push(("host".into(), to.to_string().into_bytes()));
    }
    if request.chunked {
        fields.push(("transfer-encoding".into(), b"chunked".to_vec()));
    } else if let Some(body) = &content {
        fields.push(("content-length".into(), body.len().to_string().into_bytes()));
    }
    let line = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
    let head = [line.as_bytes(), &field_lines(&fields), b"\r\n"].concat();
    let mut sent = writer.write_all(&head).await;
    for piece in content.unwrap_or_default().chunks(PIECE) {
        if sent.is_err() {
            break;
        }
        sent = if request.chunked {
            writer.write_all(&chunk(piece)).await
        } else {
            writer.write_all(piece).await
        };
    }
    if request.chunked && sent.is_ok() {
        let _ = writer.write_all(&chunk(&[])).await;
    }
    writer
}

async fn read(mut wire: Wire, method: &str) -> Result<Response, String> {
    loop {
        let head = wire
            .head()
            .await
            .ok_or("the connection was closed without an answer")?;
        let status = head
            .line
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let status: u16 =
            status.ok_or_else(|| format!("this is no status line: {:?}", head.line))?;
        if status < 200 {
            continue;
        }
        let framing = if method == "HEAD" || matches!(status, 204 | 304) {
            Framing::Length(0)
        } else {
            head.framing(Framing::UntilClosed)
        };
        let body = wire.body(framing).await;
        return Ok(Response {
            status,
            fields: head.fields,
            body: body.bytes,
            trailers: body.trailers,
            broken: body.broken,
        });
    }
}
