//! The hosts that a client's socket reaches as it is: the component's, and those of the npm package.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;

use function_fetch_cases::repository;

use super::adapter::{self, Adapter};
use super::environment::{checked, environment};
use super::host::Host;
use super::process::Process;
use super::setup::{self, proxy, served_address};
use super::suite::TestHost;
use super::waiting::eventually;

/// Each of them. The emulation of ESA is not one: what reads a client's bytes there is Node.js or Deno, and not the
/// platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnyHost {
    /// The component.
    Component(Host),
    /// The command of the npm package.
    Node,
    /// workerd, without the server that Miniflare puts in front of it.
    Workers,
}

pub const EMBEDDED: AnyHost = AnyHost::Component(Host::Embedded);
pub const EMBEDDED_02: AnyHost = AnyHost::Component(Host::Embedded02);
pub const WASMTIME: AnyHost = AnyHost::Component(Host::WasmtimeServe);
pub const WASMTIME_02: AnyHost = AnyHost::Component(Host::Wasmtime02);
pub const NODE: AnyHost = AnyHost::Node;
pub const WORKERS: AnyHost = AnyHost::Workers;

/// All of them but Spin, which the tests do not install.
pub const ALL: &[AnyHost] = &[EMBEDDED, EMBEDDED_02, WASMTIME, WASMTIME_02, NODE, WORKERS];

impl TestHost for AnyHost {
    fn name(self) -> &'static str {
        match self {
            Self::Component(host) => host.name(),
            Self::Node => "node",
            Self::Workers => "workers",
        }
    }

    fn missing(self) -> Option<&'static str> {
        match self {
            Self::Component(host) => host.missing(),
            Self::Node | Self::Workers if checked().is_ok_and(|e| e.node.is_none()) => {
                Some("the adapters are not built")
            }
            Self::Node | Self::Workers => None,
        }
    }
}

/// A proxy that serves. It stops with its value.
pub enum Started {
    /// On the component's host.
    Component(setup::Proxy),
    /// The command's process, which ends with this, and where it serves.
    Command {
        _process: Process,
        address: SocketAddr,
    },
    /// In the process of all Workers.
    Workers(adapter::Proxy),
}

impl AnyHost {
    /// Starts one that has this target, and neither probes nor remembers, with further settings.
    pub async fn start(self, target: &str, settings: &[(&str, &str)]) -> Started {
        let mut settings: BTreeMap<&str, &str> = settings.iter().copied().collect();
        settings.insert("FETCH_TARGETS", target);
        settings.insert("FETCH_CACHE_ADAPTER", "none");
        match self {
            Self::Component(host) => {
                let setup = settings
                    .iter()
                    .fold(proxy(host), |setup, (name, value)| setup.set(name, *value));
                Started::Component(setup.start().await)
            }
            Self::Node => {
                let (process, address) = command(&settings).await;
                Started::Command {
                    _process: process,
                    address,
                }
            }
            Self::Workers => {
                Started::Workers(adapter::Proxy::with(Adapter::Workers, &settings).await)
            }
        }
    }
}

/// Starts the command of the npm package from its sources, and returns where it serves.
pub async fn command(settings: &BTreeMap<&str, &str>) -> (Process, SocketAddr) {
    let node = environment().node.as_ref().expect("checked by the suite");
    let mut command = Command::new(node);
    command
        .args(["--import", "tsx", "scripts/node-server/server.ts"])
        .current_dir(repository().join("adapters"))
        .env("PORT", "0")
        .envs(settings);
    let process = Process::spawn(command);
    let address = eventually("the command serves", || {
        process
            .stdout()
            .iter()
            .find_map(|line| served_address(line))
    })
    .await;
    (process, address)
}

impl Started {
    /// Where it serves.
    pub const fn address(&self) -> SocketAddr {
        match self {
            Self::Component(proxy) => proxy.address,
            Self::Command { address, .. } => *address,
            Self::Workers(proxy) => proxy.address,
        }
    }
}
