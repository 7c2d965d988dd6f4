//! Upstreams down to the byte.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

pub async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Reads a request head and as much of a body as comes with `content-length`.
pub async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let count = stream
            .read(&mut piece)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        text.extend_from_slice(&piece[..count]);
        let seen = String::from_utf8_lossy(&text).to_lowercase();
        if let Some(end) = seen.find("\r\n\r\n") {
            let length = seen
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next()?.parse().ok())
                .unwrap_or(0);
            if text.len() >= end + 4 + length {
                return Some(seen);
            }
        }
    }
}

/// Answers the first connection with `pieces`, a while apart, and closes it after `linger`.
pub async fn scripted(pieces: &'static [&'static [u8]], linger: Duration) -> u16 {
    let (listener, port) = listener().await;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await.unwrap();
        for piece in pieces {
            stream.write_all(piece).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(linger).await;
    });
    port
}

/// Lets `act` serve each connection, with the number of those before it.
pub async fn serving<F, Acting>(act: F) -> u16
where
    F: Fn(usize, TcpStream) -> Acting + Send + Sync + 'static,
    Acting: Future<Output = ()> + Send + 'static,
{
    let (listener, port) = listener().await;
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(act(number, stream));
            number += 1;
        }
    });
    port
}

/// Reads until the input ends in `mark`, and returns it in lower case.
pub async fn read_until(stream: &mut TcpStream, mark: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(mark.as_bytes()) {
        assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0, "closed");
    }
    String::from_utf8_lossy(&text).to_lowercase()
}

/// Closes with a reset, whatever the other side has not read yet.
pub fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}
