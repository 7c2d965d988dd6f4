//! What one instance of the component has and sees: the data of its wasmtime store.

use crate::drain::DrainGuard;
use crate::guest_limits::MemoryLimit;
use crate::instances::InstanceSlot;
use crate::key_value::Stores;
use crate::outbound::{AllowedHosts, Outbound};
use crate::stderr::{WatchedStderr, Watcher};
use crate::variables::Variables;
use http::uri::Scheme;
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

/// Generated from `wit/`.
#[allow(missing_docs, reason = "generated code")]
pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "spin",
        imports: { default: trappable },
        with: { "spin:key-value/key-value.store": crate::key_value::guest::StoreHandle },
    });
}

/// The environment of every instance of one server.
#[derive(Clone)]
pub(crate) struct Environment {
    /// Environment variables, in the order in which the guest sees them.
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) spin_variables: Arc<Variables>,
    pub(crate) stores: Arc<Stores>,
    pub(crate) outbound: Outbound,
    /// Where they may send requests. Default: anywhere.
    pub(crate) allowed_hosts: Option<Arc<AllowedHosts>>,
    /// Bytes that each may have.
    pub(crate) max_memory: usize,
    /// Who gets the notices of the instances.
    pub(crate) watcher: Option<Watcher>,
}

impl Environment {
    /// The same for the instances of another thread, with upstream connections of their own.
    pub(crate) fn for_thread(&self) -> Self {
        Self {
            outbound: self.outbound.with_own_pool(),
            ..self.clone()
        }
    }
}

/// The data of an instance's store.
pub(crate) struct InstanceState {
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    pub(crate) variables: Arc<Variables>,
    pub(crate) stores: Arc<Stores>,
    pub(crate) memory: MemoryLimit,
    /// Released when the instance is dropped.
    _slot: InstanceSlot,
    /// Makes the shutdown of the server wait for the instance.
    _drain: DrainGuard,
}

impl InstanceState {
    pub(crate) fn new(environment: &Environment, slot: InstanceSlot, drain: DrainGuard) -> Self {
        // No preopened folder, no socket address, no name look-up: HTTP is the only way out.
        let mut wasi = WasiCtx::builder();
        wasi.envs(&environment.variables)
            .inherit_stdout()
            .inherit_stderr()
            .allow_tcp(false)
            .allow_udp(false);
        if let Some(watcher) = &environment.watcher {
            wasi.stderr(WatchedStderr::new(watcher.clone()));
        }
        let wasi = wasi.build();
        Self {
            table: ResourceTable::new(),
            wasi,
            http: WasiHttpCtx::new(),
            hooks: Hooks {
                outbound: environment.outbound.clone(),
                allowed_hosts: environment.allowed_hosts.clone(),
            },
            variables: environment.spin_variables.clone(),
            stores: environment.stores.clone(),
            memory: MemoryLimit::new(environment.max_memory),
            _slot: slot,
            _drain: drain,
        }
    }
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for InstanceState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.hooks,
        }
    }
}

type Transmission = Box<dyn Future<Output = Result<(), Error>> + Send>;

/// Sends the guest's requests through the server's client.
struct Hooks {
    outbound: Outbound,
    allowed_hosts: Option<Arc<AllowedHosts>>,
}

impl WasiHttpHooks for Hooks {
    /// The client sets `host` itself, where it belongs: HTTP/2 has `:authority`.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn default_scheme(&mut self) -> Option<Scheme> {
        Some(Scheme::HTTPS)
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_processed: Transmission,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Transmission), Error>> + Send>
    {
        let outbound = self.outbound.clone();
        let allowed = match &self.allowed_hosts {
            Some(hosts) => hosts.check(request.uri()),
            None => Ok(()),
        };
        Box::new(async move {
            allowed?;
            let response = outbound.send(request, options.unwrap_or_default()).await?;
            // The client's own tasks drive connections: there is nothing left to drive here.
            let driver: Transmission = Box::new(std::future::ready(Ok(())));
            Ok((response, driver))
        })
    }
}
