//! A server that the bench has started, and ends whatever happens.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::TcpStream;

use crate::bench::Bench;
use crate::client;
use crate::pinning::Role;

/// How long a server may take to serve. `wasmtime serve` compiles its component first.
const START: Duration = Duration::from_secs(60);
/// Short beside the shortest start that is measured.
const POLL: Duration = Duration::from_millis(1);

/// What shows that a server is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// A GET over HTTP/1.1 is answered with 200.
    Answers,
    /// It accepts connections: for a listener that speaks HTTP/2 alone.
    Accepts,
}

/// A running server.
pub struct Server {
    child: Child,
    log: PathBuf,
    /// Where it serves.
    pub address: SocketAddr,
    /// From the start of its process until it was up.
    pub started_in: Duration,
}

impl Server {
    /// Starts a server, and waits until it is up.
    pub async fn start(
        bench: &Bench,
        name: &str,
        role: Role,
        command: Command,
        port: u16,
        ready: Ready,
    ) -> Result<Self> {
        let log = bench.folder.join(format!("{port}.log"));
        let output =
            File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
        let mut command = bench.pinning.apply(role, command);
        // A setting of the developer's own shell must not change what is measured.
        for (variable, _) in std::env::vars_os() {
            let variable = variable.to_string_lossy();
            if variable.starts_with("FETCH_") || variable == "RUST_LOG" {
                command.env_remove(variable.as_ref());
            }
        }
        let started = Instant::now();
        let child = command
            .current_dir(&bench.folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // A group of its own: its workers end with it.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let mut server = Self {
            child,
            log,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            started_in: Duration::ZERO,
        };
        server
            .wait_until(ready)
            .await
            .with_context(|| format!("{name} does not serve"))?;
        server.started_in = started.elapsed();
        Ok(server)
    }

    /// Asks it to end, and returns what it has printed.
    pub async fn end(mut self) -> Result<String> {
        kill_process_group(Pid::from_child(&self.child), Signal::TERM)?;
        let started = Instant::now();
        while self.child.try_wait()?.is_none() {
            if started.elapsed() > START {
                bail!("it did not end within {START:?}");
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(fs::read_to_string(&self.log)?)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its address as a URL.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn wait_until(&mut self, ready: Ready) -> Result<()> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}: {}", self.last_words());
            }
            let is_ready = match ready {
                Ready::Accepts => TcpStream::connect(self.address).await.is_ok(),
                Ready::Answers => client::answers(self.address).await,
            };
            if is_ready {
                return Ok(());
            }
            if started.elapsed() > START {
                bail!("not within {START:?}: {}", self.last_words());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let mut lines: Vec<&str> = log.lines().rev().take(3).collect();
        lines.reverse();
        lines.join(" / ")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // At once: none of them has anything to save. Both fail only when it has already ended.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Ports that are free now, each another one.
pub fn free_ports(count: usize) -> Result<Vec<u16>> {
    let listeners: Vec<TcpListener> = (0..count)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<std::io::Result<_>>()
        .context("no free port")?;
    let ports = listeners
        .iter()
        .map(|listener| Ok(listener.local_addr()?.port()));
    ports.collect()
}

/// A port that is free now.
pub fn free_port() -> Result<u16> {
    Ok(free_ports(1)?[0])
}
