//! A client below HTTP, for requests that a library would normalise or reject.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::waiting::SOON;

/// A connection that sends exactly what a test writes.
pub struct RawClient {
    stream: TcpStream,
    received: Vec<u8>,
}

impl RawClient {
    /// Connects.
    pub async fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).await.expect("the proxy accepts");
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// Writes.
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .await
            .expect("the proxy reads");
    }

    /// Disconnects with a reset.
    pub fn reset(self) {
        // A lingering time of zero makes the close a RST.
        let _ = self.stream.set_zero_linger();
    }

    /// Reads until `mark` has arrived and returns everything up to and with it.
    pub async fn until(&mut self, mark: &str) -> String {
        let mark = mark.as_bytes();
        loop {
            if let Some(at) = self.received.windows(mark.len()).position(|w| w == mark) {
                let rest = self.received.split_off(at + mark.len());
                let text = std::mem::replace(&mut self.received, rest);
                return String::from_utf8_lossy(&text).into_owned();
            }
            let read = tokio::time::timeout(SOON, self.stream.read_buf(&mut self.received)).await;
            let ended = !matches!(read, Ok(Ok(n)) if n > 0);
            assert!(
                !ended,
                "{:?} did not come, only {:?}",
                String::from_utf8_lossy(mark),
                String::from_utf8_lossy(&self.received)
            );
        }
    }

    /// Sends no more, but continues to read.
    pub async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Reads until the other side closes or resets.
    pub async fn rest(mut self) -> String {
        let read = async {
            while self
                .stream
                .read_buf(&mut self.received)
                .await
                .is_ok_and(|n| n > 0)
            {}
        };
        tokio::time::timeout(SOON, read)
            .await
            .expect("the proxy closes");
        String::from_utf8_lossy(&self.received).into_owned()
    }
}

/// Sends `bytes`, which must have `connection: close`, and returns all that comes back.
pub async fn exchange(to: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut client = RawClient::connect(to).await;
    client.say(bytes).await;
    client.rest().await
}

/// A GET with this request target, byte for byte.
pub async fn get(to: SocketAddr, target: &str, host: &str, headers: &str) -> String {
    let head =
        format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n");
    exchange(to, head).await
}

/// The status of a raw response.
pub fn status(response: &str) -> u16 {
    response
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("no response: {response:?}"))
}
