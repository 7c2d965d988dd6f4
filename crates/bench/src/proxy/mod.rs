//! The proxies that are compared, each with the configuration that it needs to do its best: connections to the upstream
//! are kept, nothing is logged, nothing is written to disk.

mod caddy;
mod components;
mod haproxy;
pub mod nginx;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::bench::Bench;
use crate::pinning::Role;
use crate::server::{Ready, Server, free_port};

/// Idle connections that a proxy may keep to the upstream: more than any load has.
const KEPT_CONNECTIONS: usize = 512;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// None: the load goes to the upstream. The bound of what any proxy could do here.
    Direct,
    /// nginx.
    Nginx,
    /// HAProxy.
    Haproxy,
    /// Caddy.
    Caddy,
    /// `function-fetch serve` with the component.
    FunctionFetch,
    /// `function-fetch serve` with the bare pass-through component.
    PassThrough,
    /// `wasmtime serve` with the component.
    WasmtimeFunctionFetch,
    /// `wasmtime serve` with the bare pass-through component.
    WasmtimePassThrough,
}

/// All of them, in the order of tables.
pub const ALL: [Proxy; 8] = [
    Proxy::Direct,
    Proxy::Nginx,
    Proxy::Haproxy,
    Proxy::Caddy,
    Proxy::FunctionFetch,
    Proxy::PassThrough,
    Proxy::WasmtimeFunctionFetch,
    Proxy::WasmtimePassThrough,
];

/// What is in front of the targets, and behind which clients.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// The authorities of the targets. Function Fetch gets all of them, each other proxy the first.
    pub targets: Vec<String>,
    /// The authority that signed the targets' certificate, when they speak TLS.
    pub authority: Option<PathBuf>,
    /// Whether clients speak HTTP/2, by prior knowledge.
    pub http2: bool,
    /// Further settings of Function Fetch.
    pub settings: Vec<(&'static str, String)>,
    /// Further options of `function-fetch serve`.
    pub options: Vec<String>,
}

impl Front {
    /// In front of plain targets.
    pub fn of(targets: &[String]) -> Self {
        Self {
            targets: targets.to_vec(),
            ..Self::default()
        }
    }

    fn scheme(&self) -> &'static str {
        if self.authority.is_some() {
            "https"
        } else {
            "http"
        }
    }

    fn urls(&self) -> String {
        let urls: Vec<String> = self
            .targets
            .iter()
            .map(|target| format!("{}://{target}", self.scheme()))
            .collect();
        urls.join(" ")
    }
}

/// Where a proxy's process is set up.
struct Place<'a> {
    folder: &'a Path,
    port: u16,
    cores: usize,
}

impl Place<'_> {
    fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let file = self.folder.join(name);
        fs::write(&file, text)?;
        Ok(file)
    }
}

impl Proxy {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Caddy => "Caddy",
            Self::FunctionFetch => "function-fetch serve",
            Self::PassThrough => "function-fetch serve, bare pass-through",
            Self::WasmtimeFunctionFetch => "wasmtime serve, function-fetch",
            Self::WasmtimePassThrough => "wasmtime serve, bare pass-through",
        }
    }

    /// Why it cannot do this work, if it cannot.
    pub fn missing(self, bench: &Bench, front: &Front) -> Option<String> {
        let why = |program: &Result<PathBuf, String>| program.as_ref().err().cloned();
        let artifacts = &bench.artifacts;
        let speaks_tls = !matches!(
            self,
            Self::PassThrough | Self::WasmtimeFunctionFetch | Self::WasmtimePassThrough
        );
        if front.authority.is_some() && !speaks_tls {
            return Some(match self {
                Self::PassThrough => "it has only plain targets".to_owned(),
                _ => "`wasmtime serve` cannot be told to trust another authority".to_owned(),
            });
        }
        match self {
            Self::Direct => None,
            Self::Nginx => why(&bench.programs.nginx),
            Self::Haproxy => why(&bench.programs.haproxy),
            Self::Caddy => why(&bench.programs.caddy),
            Self::FunctionFetch => why(&artifacts.host),
            Self::PassThrough => why(&artifacts.host).or_else(|| why(&artifacts.passthrough)),
            Self::WasmtimeFunctionFetch | Self::WasmtimePassThrough if front.http2 => {
                Some("`wasmtime serve` speaks HTTP/1.1 alone".to_owned())
            }
            Self::WasmtimeFunctionFetch => {
                why(&artifacts.wasmtime).or_else(|| why(&artifacts.wasi))
            }
            Self::WasmtimePassThrough => {
                why(&artifacts.wasmtime).or_else(|| why(&artifacts.passthrough))
            }
        }
    }

    /// Starts it, for a front that it can do. There is nothing to start for [`Proxy::Direct`].
    pub async fn start(self, bench: &Bench, front: &Front) -> Result<Server> {
        self.start_by(bench, front, |command| command).await
    }

    /// Starts it by a program that runs its command.
    pub async fn start_by(
        self,
        bench: &Bench,
        front: &Front,
        runner: impl FnOnce(Command) -> Command,
    ) -> Result<Server> {
        let port = free_port()?;
        let folder = bench.folder.join(port.to_string());
        fs::create_dir_all(&folder)?;
        let place = Place {
            folder: &folder,
            port,
            cores: bench.pinning.proxy_cores(),
        };
        let command = runner(self.command(bench, front, &place)?);
        let ready = if front.http2 {
            Ready::Accepts
        } else {
            Ready::Answers
        };
        Server::start(bench, self.name(), Role::Proxy, command, port, ready).await
    }

    fn command(self, bench: &Bench, front: &Front, place: &Place) -> Result<Command> {
        let needed = |path: &Result<PathBuf, String>| path.clone().map_err(anyhow::Error::msg);
        let (programs, artifacts) = (&bench.programs, &bench.artifacts);
        match self {
            Self::Direct => anyhow::bail!("the upstream is started by itself"),
            Self::Nginx => nginx::command(&needed(&programs.nginx)?, front, place),
            Self::Haproxy => haproxy::command(&needed(&programs.haproxy)?, front, place),
            Self::Caddy => caddy::command(&needed(&programs.caddy)?, front, place),
            Self::FunctionFetch => Ok(components::function_fetch(
                &needed(&artifacts.host)?,
                front,
                place,
            )),
            Self::PassThrough => Ok(components::pass_through(
                &needed(&artifacts.host)?,
                &needed(&artifacts.passthrough)?,
                front,
                place,
            )),
            Self::WasmtimeFunctionFetch => Ok(components::wasmtime(
                &needed(&artifacts.wasmtime)?,
                &needed(&artifacts.wasi)?,
                front,
                place,
            )),
            Self::WasmtimePassThrough => Ok(components::wasmtime(
                &needed(&artifacts.wasmtime)?,
                &needed(&artifacts.passthrough)?,
                front,
                place,
            )),
        }
    }
}
