//! Clients that are slow on purpose: with a head, with a body, with reading, or that only hold a connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
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

/// What one does once its connection is open.
#[derive(Clone, Copy)]
enum Habit {
    /// It sends nothing more.
    Idles,
    /// It sends a byte from time to time.
    Drips,
    /// It does not read what it has asked for.
    IsDeaf,
}

/// They go on until this is dropped.
pub struct Abusers(#[expect(dead_code, reason = "they end with it")] JoinSet<()>);

/// Starts all of them.
pub async fn start(to: SocketAddr) -> Abusers {
    let mut all = JoinSet::new();
    let kinds: [(usize, &'static [u8], Habit); 4] = [
        (IDLE, b"", Habit::Idles),
        (SLOW_HEADS, SLOW_HEAD, Habit::Drips),
        (SLOW_BODIES, SLOW_BODY, Habit::Drips),
        (DEAF, DEAF_HEAD, Habit::IsDeaf),
    ];
    for (count, start, habit) in kinds {
        for nth in 0..count {
            all.spawn(abuse(to, start, habit));
            // A flood of connections is not what this is about.
            if nth % 50 == 49 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    Abusers(all)
}

/// The proxy may close the connection at any time, by its own limits: then the next one is opened.
async fn abuse(to: SocketAddr, start: &[u8], habit: Habit) {
    loop {
        if let Ok(stream) = TcpStream::connect(to).await {
            let _ = hold(stream, start, habit).await;
        }
        tokio::time::sleep(DRIP).await;
    }
}

/// Until the proxy closes it.
async fn hold(mut stream: TcpStream, start: &[u8], habit: Habit) -> std::io::Result<()> {
    stream.write_all(start).await?;
    match habit {
        Habit::Idles => {
            stream.read_u8().await?;
        }
        Habit::Drips => loop {
            stream.write_all(b"a").await?;
            tokio::time::sleep(DRIP).await;
        },
        Habit::IsDeaf => {
            while !stream.ready(Interest::READABLE).await?.is_read_closed() {
                tokio::time::sleep(DRIP).await;
            }
        }
    }
    Ok(())
}
