//! The hosts of the table, and what each platform adds to its cases.

use std::net::SocketAddr;

use function_fetch_cases::{Setup, has_store};
use function_fetch_engine::settings::StoreKind;

use crate::support::adapter::{self, Adapter};
use crate::support::environment::checked;
use crate::support::host::Host;
use crate::support::setup::{Proxy, proxy};
use crate::support::store::Store;
use crate::support::suite::TestHost;

/// A host that runs the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseHost {
    /// The component.
    Component(Host),
    /// The npm package.
    Adapter(Adapter),
}

/// All of them. Embedded with the plain flavour is not among them: `wasmtime` covers the difference.
pub const ALL: [CaseHost; 9] = [
    CaseHost::Component(Host::Embedded),
    CaseHost::Component(Host::WasmtimeServe),
    CaseHost::Component(Host::SpinUp),
    CaseHost::Component(Host::Embedded02),
    CaseHost::Component(Host::Wasmtime02),
    CaseHost::Adapter(Adapter::Workers),
    CaseHost::Adapter(Adapter::Node),
    CaseHost::Adapter(Adapter::Esa),
    CaseHost::Adapter(Adapter::EsaDeno),
];

impl TestHost for CaseHost {
    fn name(self) -> &'static str {
        match self {
            Self::Component(host) => host.name(),
            Self::Adapter(_) => self.in_table(),
        }
    }

    fn missing(self) -> Option<&'static str> {
        match self {
            Self::Component(host) => host.missing(),
            Self::Adapter(_) if checked().is_ok_and(|e| e.node.is_none()) => {
                Some("the adapters are not built")
            }
            Self::Adapter(_) => None,
        }
    }
}

impl CaseHost {
    /// Its name in the table.
    pub fn in_table(self) -> &'static str {
        match self {
            Self::Component(Host::Embedded) => "embedded",
            Self::Component(Host::WasmtimeServe) => "wasmtime",
            Self::Component(Host::SpinUp) => "spin",
            Self::Component(Host::Embedded02) => "embedded-0.2",
            Self::Component(Host::Wasmtime02) => "wasmtime-0.2",
            Self::Component(other) => unreachable!("{other:?} does not run the table"),
            Self::Adapter(Adapter::Workers) => "workers",
            Self::Adapter(Adapter::Node) => "node",
            Self::Adapter(Adapter::Esa) => "esa",
            Self::Adapter(Adapter::EsaDeno) => "esa-deno",
        }
    }

    /// The kind of its store, if it has one.
    pub fn store(self) -> Option<StoreKind> {
        match self {
            Self::Component(_) => has_store(self.in_table()).then_some(StoreKind::Spin),
            Self::Adapter(Adapter::Workers) => Some(StoreKind::WorkersKv),
            Self::Adapter(Adapter::Node) => Some(StoreKind::Custom),
            Self::Adapter(Adapter::Esa | Adapter::EsaDeno) => Some(StoreKind::EdgeKv),
        }
    }

    /// The host and port by which its proxies reach an address of this machine.
    pub fn authority(self, address: SocketAddr) -> String {
        match self {
            // ESA fetches by name only, and on the scheme's default port: `adapters/test/cases/esa.ts` resolves
            // these.
            Self::Adapter(Adapter::Esa | Adapter::EsaDeno) => {
                format!("upstream-{}.test", address.port())
            }
            _ => address.to_string(),
        }
    }

    /// What the platform adds to a client's request before the proxy sees it.
    pub const fn added(self) -> &'static [(&'static str, &'static str)] {
        match self {
            // Cloudflare's edge sets this, whatever the client sends.
            Self::Adapter(Adapter::Workers) => &[("cf-connecting-ip", super::stage::CLIENT)],
            _ => &[],
        }
    }

    /// Starts a proxy that has served nothing yet, with the case's store.
    pub async fn start(self, setup: &Setup) -> Started {
        match self {
            Self::Component(host) => {
                let store = self.store().map(|_| Store::new());
                if let (Some(store), Some(value)) = (&store, &setup.store) {
                    store.plant_at(setup.key(), value);
                }
                let proxy = component(host, setup, store.as_ref()).await;
                Started::Component { proxy, store }
            }
            Self::Adapter(adapter) => Started::Adapter(adapter::Proxy::start(adapter, setup).await),
        }
    }
}

async fn component(host: Host, setup: &Setup, store: Option<&Store>) -> Proxy {
    let mut proxy = proxy(host).one_instance();
    if !setup.settings.contains_key("FETCH_HEALTH_PATH") {
        proxy = proxy.unset("FETCH_HEALTH_PATH");
    }
    for (name, value) in &setup.settings {
        proxy = proxy.set(name, value);
    }
    if let Some(store) = store {
        proxy = proxy.store(store);
    }
    proxy.start().await
}

/// A proxy that serves. It stops with its value.
pub enum Started {
    /// With its store.
    Component {
        proxy: Proxy,
        store: Option<Store>,
    },
    Adapter(adapter::Proxy),
}

impl Started {
    /// Where it serves.
    pub const fn address(&self) -> SocketAddr {
        match self {
            Self::Component { proxy, .. } => proxy.address,
            Self::Adapter(proxy) => proxy.address,
        }
    }

    /// The content of its store under a key.
    pub async fn stored(&self, key: &str) -> Option<Vec<u8>> {
        match self {
            Self::Component { store, .. } => store.as_ref()?.read(key),
            Self::Adapter(proxy) => proxy.stored(key).await,
        }
    }

    /// Stops it; returns its notices for the operator.
    pub async fn stop(self) -> Vec<String> {
        match self {
            Self::Component { proxy, .. } => proxy.process.stderr(),
            Self::Adapter(proxy) => proxy.stop().await,
        }
    }
}
