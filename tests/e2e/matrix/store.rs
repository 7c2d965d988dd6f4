//! Stores that fail: servers that speak as much of Redis' protocol as a fault needs.

use std::future::pending;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::support::accepting::accept;
use crate::support::default_store::DefaultStore;
use crate::support::port::Port;

/// What a store does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    Refuses,
    Hangs,
    /// It says what is not its protocol.
    Babbles,
    /// It has a value that is no record.
    HasGarbage,
    /// It takes no more.
    IsFull,
    /// Each reply takes longer than a cold start waits.
    IsSlow,
}

pub const STORE_FAULTS: [StoreFault; 6] = [
    StoreFault::Refuses,
    StoreFault::Hangs,
    StoreFault::Babbles,
    StoreFault::HasGarbage,
    StoreFault::IsFull,
    StoreFault::IsSlow,
];

impl StoreFault {
    pub fn name(self) -> &'static str {
        match self {
            Self::Refuses => "refuses",
            Self::Hangs => "hangs",
            Self::Babbles => "babbles",
            Self::HasGarbage => "has_garbage",
            Self::IsFull => "is_full",
            Self::IsSlow => "is_slow",
        }
    }
}

/// Such a store, and a runtime configuration that names it.
pub struct FaultyStore {
    config: DefaultStore,
    _port: Port,
    task: Option<JoinHandle<()>>,
}

impl FaultyStore {
    pub fn start(fault: StoreFault) -> Self {
        let port = Port::hold();
        let config = DefaultStore::redis(&format!("redis://{}", port.address()));
        let task = (fault != StoreFault::Refuses).then(|| {
            let serve = move |stream| serve(stream, fault);
            tokio::spawn(accept(port.listen(), pending::<()>(), serve))
        });
        Self {
            config,
            _port: port,
            task,
        }
    }

    /// The runtime configuration file.
    pub fn runtime_config(&self) -> PathBuf {
        self.config.runtime_config()
    }
}

impl Drop for FaultyStore {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn serve(mut stream: TcpStream, fault: StoreFault) {
    let mut received = Vec::new();
    loop {
        let Some(command) = command(&mut stream, &mut received).await else {
            return;
        };
        let reply = match (fault, command.as_str()) {
            (StoreFault::Hangs, _) => std::future::pending().await,
            (StoreFault::Babbles, _) => "HTTP/1.1 400 Bad Request\r\n\r\n",
            (_, "PING") => "+PONG\r\n",
            (StoreFault::HasGarbage, "GET") => "$9\r\n{\"v\":1,\"a\r\n",
            (_, "GET") => "$-1\r\n",
            (StoreFault::IsFull, "SET") => {
                "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
            }
            _ => "+OK\r\n",
        };
        if fault == StoreFault::IsSlow {
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        if stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The name of the next command: an array of strings, each behind its length.
async fn command(stream: &mut TcpStream, received: &mut Vec<u8>) -> Option<String> {
    let count: usize = line(stream, received)
        .await?
        .strip_prefix('*')?
        .parse()
        .ok()?;
    let mut name = None;
    for _ in 0..count {
        let length: usize = line(stream, received)
            .await?
            .strip_prefix('$')?
            .parse()
            .ok()?;
        while received.len() < length + 2 {
            if stream.read_buf(received).await.ok()? == 0 {
                return None;
            }
        }
        let word: Vec<u8> = received.drain(..length + 2).collect();
        name.get_or_insert_with(|| String::from_utf8_lossy(&word[..length]).to_ascii_uppercase());
    }
    name
}

async fn line(stream: &mut TcpStream, received: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = received.windows(2).position(|bytes| bytes == b"\r\n") {
            let line: Vec<u8> = received.drain(..end + 2).collect();
            return Some(String::from_utf8_lossy(&line[..end]).into_owned());
        }
        if stream.read_buf(received).await.ok()? == 0 {
            return None;
        }
    }
}
