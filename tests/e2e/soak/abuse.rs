//! Clients that are slow on purpose: with a head, with a body, with reading, or that only hold a connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Connections that send nothing.
pub const IDLE: usize = 1500;
/// Connections that send a head byte by byte.
pub const SLOW_HEADS: usize = 100;
/// Connections that send a body byte by byte.
pub const SLOW_BODIES: usize = 50;
/// Connections that ask for much and read nothing.
pub const DEAF: usize = 20;

/// Between two bytes.
const DRIP: Duration = Duration::from_millis(250);

const SLOW_HEAD: &[u8] = b"GET /bytes/1 HTTP/1.1\r\nhost: a\r\nx-slow: ";
const SLOW_BODY: &[u8] =
    b"POST /bytes/1 HTTP/1.1\r\nhost: a\r\nx-slow: body\r\ncontent-length: 1000000\r\n\r\n";
const DEAF_HEAD: &[u8] = b"GET /bytes/4000000 HTTP/1.1\r\nhost: a\r\nx-slow: reader\r\n\r\n";

/// They go on until this is dropped.
pub struct Abusers(#[expect(dead_code, reason = "they end with it")] JoinSet<()>);

/// Starts all of them.
pub async fn start(to: SocketAddr) -> Abusers {
    let mut all = JoinSet::new();
    let kinds: [(usize, &'static [u8], bool); 4] = [
        (IDLE, b"", false),
        (SLOW_HEADS, SLOW_HEAD, true),
        (SLOW_BODIES, SLOW_BODY, true),
        (DEAF, DEAF_HEAD, false),
    ];
    for (count, start, drips) in kinds {
        for nth in 0..count {
            all.spawn(abuse(to, start, drips));
            // A flood of connections is not what this is about.
            if nth % 50 == 49 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    Abusers(all)
}

async fn abuse(to: SocketAddr, start: &[u8], drips: bool) {
    let Ok(mut stream) = TcpStream::connect(to).await else {
        return;
    };
    if stream.write_all(start).await.is_err() {
        return;
    }
    // The proxy may close it at any time, by its own limits.
    while drips && stream.write_all(b"a").await.is_ok() {
        tokio::time::sleep(DRIP).await;
    }
    std::future::pending::<()>().await;
}
