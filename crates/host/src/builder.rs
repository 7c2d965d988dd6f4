//! The configuration of a server before it starts.

use crate::Error;
use crate::access::{Access, Accesses};
use crate::client_limits::{ClientLimits, LEAST_HEADER_BYTES};
use crate::compile_cache;
use crate::component::{self, ComponentSource};
use crate::component_settings;
use crate::drain::Drain;
use crate::event::Event;
use crate::instance::Environment;
use crate::instances::{InstanceLimits, Instances};
use crate::key_value::{KeyValueStore, StoreLimits, Stores};
use crate::lanes::Lanes;
use crate::metrics::Metrics;
use crate::outbound::{AllowedHost, AllowedHosts, Outbound};
use crate::runtime_config::{OutboundHttpConfig, RuntimeConfig};
use crate::server::{self, Load, Server};
use crate::stderr::Watcher;
use crate::variables::Variables;
use function_fetch_engine::{Capabilities, Settings};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tracing::warn;

/// Where a server listens by default.
const LISTEN: &str = "127.0.0.1:3000";

/// How often instances tell their counts for metrics by default.
const STATS_SECONDS: &str = "2";

/// How long a server that stops waits by default.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

/// A [`Server`] to be configured: [`Server::builder`], what differs from the defaults, then [`ServerBuilder::bind`].
pub struct ServerBuilder {
    component: ComponentSource,
    listen: Listen,
    environment: BTreeMap<String, String>,
    variables: Variables,
    runtime: RuntimeConfig,
    stores: BTreeMap<String, Arc<dyn KeyValueStore>>,
    store_limits: StoreLimits,
    allowed_hosts: Option<Vec<AllowedHost>>,
    ca_files: Vec<PathBuf>,
    limits: InstanceLimits,
    clients: ClientLimits,
    drain_timeout: Duration,
    watcher: Option<Arc<dyn Fn(Event) + Send + Sync>>,
    metrics: Option<Arc<Metrics>>,
    access_watcher: Option<crate::access::Watcher>,
    threads: usize,
    compile_cache: Option<PathBuf>,
}

enum Listen {
    Address(String),
    Listener(std::net::TcpListener),
}

impl ServerBuilder {
    pub(crate) fn new(component: ComponentSource) -> Self {
        Self {
            component,
            listen: Listen::Address(LISTEN.to_owned()),
            environment: BTreeMap::new(),
            variables: Variables::default(),
            runtime: RuntimeConfig::default(),
            stores: BTreeMap::new(),
            store_limits: StoreLimits::default(),
            allowed_hosts: None,
            ca_files: Vec::new(),
            limits: InstanceLimits::default(),
            clients: ClientLimits::default(),
            drain_timeout: DRAIN_TIMEOUT,
            watcher: None,
            metrics: None,
            access_watcher: None,
            threads: 0,
            compile_cache: None,
        }
    }

    /// The address to listen on, as `host:port`; port 0 takes any free port. Default: `127.0.0.1:3000`.
    #[must_use]
    pub fn listen(mut self, address: impl Into<String>) -> Self {
        self.listen = Listen::Address(address.into());
        self
    }

    /// An existing socket to listen on, instead of an address.
    #[must_use]
    pub fn listener(mut self, listener: std::net::TcpListener) -> Self {
        self.listen = Listen::Listener(listener);
        self
    }

    /// An environment variable of the component, for example the setting `FETCH_TARGETS`. The component sees those that
    /// are set here and no others.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Several environment variables of the component.
    #[must_use]
    pub fn envs(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment.extend(variables);
        self
    }

    /// The Spin variables of the component. Default: none.
    #[must_use]
    pub fn variables(mut self, variables: Variables) -> Self {
        self.variables = variables;
        self
    }

    /// Key-value stores and the outbound client, from a runtime configuration.
    #[must_use]
    pub fn runtime_config(mut self, config: RuntimeConfig) -> Self {
        self.runtime = config;
        self
    }

    /// Your own key-value store, under the label by which the component opens it: `default`, unless
    /// `FETCH_CACHE_KV_BINDING` says otherwise. Overrides one of the runtime configuration.
    #[must_use]
    pub fn key_value_store(
        mut self,
        label: impl Into<String>,
        store: Arc<dyn KeyValueStore>,
    ) -> Self {
        self.stores.insert(label.into(), store);
        self
    }

    /// Limits on what the stores hold and return.
    #[must_use]
    pub fn store_limits(mut self, limits: StoreLimits) -> Self {
        self.store_limits = limits;
        self
    }

    /// The hosts that the component may send requests to, and no others: requests to others fail with
    /// `HTTP-request-denied`. Default: any.
    #[must_use]
    pub fn allow_outbound(mut self, hosts: impl IntoIterator<Item = AllowedHost>) -> Self {
        self.allowed_hosts.get_or_insert_default().extend(hosts);
        self
    }

    /// The client for upstreams: pooling, and how many concurrent requests.
    #[must_use]
    pub fn outbound_http(mut self, config: OutboundHttpConfig) -> Self {
        self.runtime.outbound_http = config;
        self
    }

    /// A PEM file of certificate authorities to trust besides Mozilla's, for upstreams and for a Redis. Repeatable.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_files.push(path.into());
        self
    }

    /// How instances are reused, and how many there may be.
    #[must_use]
    pub fn instances(mut self, limits: InstanceLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Limits on clients: connections, memory and time.
    #[must_use]
    pub fn clients(mut self, limits: ClientLimits) -> Self {
        self.clients = ClientLimits {
            max_header_bytes: limits.max_header_bytes.max(LEAST_HEADER_BYTES),
            ..limits
        };
        self
    }

    /// How long requests in flight and background work may continue once the server is asked to stop. Default: 30 s.
    #[must_use]
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// Watches the events: `watcher` is called with each one, which then is not printed on stderr. The instance that
    /// reports it waits until `watcher` returns, so pass on what takes time, for example to a channel.
    #[must_use]
    pub fn on_event(mut self, watcher: impl Fn(Event) + Send + Sync + 'static) -> Self {
        self.watcher = Some(Arc::new(watcher));
        self
    }

    /// Adds up what instances tell of themselves, for monitoring. They tell it every two seconds, unless
    /// `FETCH_STATS_SECONDS` says otherwise; these lines are then not printed on stderr.
    #[must_use]
    pub fn metrics(mut self, metrics: Arc<Metrics>) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// Watches the requests: `watcher` is called with each one when it is over. The thread that served it waits until
    /// `watcher` returns, so pass on what takes time, for example to a channel.
    #[must_use]
    pub fn on_access(mut self, watcher: impl Fn(&Access) + Send + Sync + 'static) -> Self {
        self.access_watcher = Some(Arc::new(watcher));
        self
    }

    /// The settings of Function Fetch that are set so far, as the component will read them: Spin variables before the
    /// environment.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<String, String> {
        component_settings::in_force(&self.environment, &self.variables)
    }

    /// Serves connections on so many threads of its own, each with a runtime, instances and upstream connections, which
    /// is faster than a runtime that moves requests between its threads: one for each core. No more than there are 16
    /// instances for. Default: 0, on the runtime that [`Server::run`] is called on.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Keeps the compiled component in this folder, which is made if it does not exist, so that the next start need not
    /// compile it. The folder must belong to this user, and nobody else may write to it; one that cannot be used is
    /// named in the log. Default: none.
    #[must_use]
    pub fn compile_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.compile_cache = Some(folder.into());
        self
    }

    /// Binds the address, then reads, compiles and links the component.
    ///
    /// Needs a tokio runtime with I/O and time. Clients that connect before [`Server::run`] wait.
    ///
    /// # Errors
    ///
    /// The address, the component or the file of certificates that cannot be used, by its name.
    pub async fn bind(mut self) -> Result<Server, Error> {
        let accesses = self.access_watcher.take().map(|watcher| Accesses {
            watcher,
            explained: self.explains(),
        });
        self.count();
        let connections = server::places(&self.clients);
        let (listener, address) = match self.listen {
            Listen::Address(address) => (TcpListener::bind(&address).await, address),
            Listen::Listener(listener) => (
                listener
                    .set_nonblocking(true)
                    .and_then(|()| TcpListener::from_std(listener)),
                "the given socket".to_owned(),
            ),
        };
        let listener = listener.map_err(|source| Error::Listen {
            address: address.clone(),
            source,
        })?;
        let local = listener
            .local_addr()
            .map_err(|source| Error::LocalAddress { address, source })?;
        let stores = Stores::new(
            &self.runtime.key_value_stores,
            &self.ca_files,
            self.stores,
            self.store_limits,
        )?;
        let environment = Environment {
            variables: self.environment.into_iter().collect(),
            spin_variables: Arc::new(self.variables),
            stores: Arc::new(stores),
            outbound: Outbound::new(&self.runtime.outbound_http, &self.ca_files)?,
            allowed_hosts: self
                .allowed_hosts
                .map(|hosts| Arc::new(AllowedHosts::new(hosts))),
            max_memory: self.limits.max_memory_bytes,
            watcher: watcher(self.watcher, self.metrics.clone()),
        };
        let drain = Drain::new();
        let cache = self.compile_cache.and_then(|folder| {
            let cache = compile_cache::open(&folder);
            cache
                .inspect_err(|reason| warn!(%reason, "the compiled component is not kept"))
                .ok()
        });
        let loaded = component::load(&self.component, cache)?;
        let each = Instances::new(loaded, &environment, &self.limits, self.threads, &drain);
        if let Some(metrics) = &self.metrics {
            metrics.watch(Load::new(each.clone(), connections.clone(), &self.clients));
        }
        let lanes = if self.threads == 0 {
            Lanes::on_caller(each)
        } else {
            Lanes::on_threads(each).map_err(Error::Threads)?
        };
        Ok(Server {
            listener,
            local,
            lanes,
            drain,
            clients: Arc::new(self.clients),
            drain_timeout: self.drain_timeout,
            accesses,
            connections,
        })
    }

    /// Where there are metrics, makes the component tell its counts.
    fn count(&mut self) {
        const STATS: &str = "FETCH_STATS_SECONDS";
        if self.metrics.is_none() || read(&self.settings()).stats.is_some() {
            return;
        }
        component_settings::insist(
            &mut self.environment,
            &mut self.variables,
            STATS,
            STATS_SECONDS,
        );
    }

    /// Makes the component say which target answered. Returns whether it would have anyway.
    fn explains(&mut self) -> bool {
        const EXPLAIN: &str = "FETCH_EXPLAIN";
        let read = read(&self.settings());
        component_settings::insist(&mut self.environment, &mut self.variables, EXPLAIN, "true");
        read.explain
    }
}

fn read(settings: &BTreeMap<String, String>) -> Settings {
    Settings::read(Capabilities::default(), |name| settings.get(name).cloned())
}

/// Who gets the events: the counts go to the metrics, all else to the watcher.
fn watcher(
    watcher: Option<Arc<dyn Fn(Event) + Send + Sync>>,
    metrics: Option<Arc<Metrics>>,
) -> Option<Watcher> {
    if watcher.is_none() && metrics.is_none() {
        return None;
    }
    Some(Arc::new(move |event| {
        match (&metrics, &watcher, event) {
            (Some(metrics), _, Event::Stats(stats)) => metrics.add(&stats),
            (_, Some(watcher), event) => watcher(event),
            (_, None, _) => return false,
        }
        true
    }))
}
