//! Starts a host with the built component and some settings.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use function_fetch_cases::repository;
use function_fetch_component::variables::variable;
use http::Request;
use tempfile::TempDir;

use super::client::{self, Answer, Exchange};
use super::environment::environment;
use super::host::Host;
use super::origin::Origin;
use super::port;
use super::process::Process;
use super::reply::AnyBody;
use super::store::Store;
use super::waiting::{eventually, ms, within};

/// The probe path of this suite's origins, which no client requests.
pub const HEALTH_PATH: &str = "/health";

/// No instance ends during a test, and each takes more requests than a test sends at once. Every host has these
/// options.
const LIMITS: [(&str, &str); 3] = [
    ("--idle-instance-timeout", "120s"),
    ("--max-instance-reuse-count", "1000000"),
    (CONCURRENT_REUSE, "64"),
];

/// How long a host may take to start. Spin compiles a component that is new to its cache, as several tests do at once.
const STARTED: Duration = Duration::from_secs(60);

const THREADS: &str = "--threads";

const CONCURRENT_REUSE: &str = "--max-instance-concurrent-reuse-count";

/// A proxy about to be started.
pub struct Setup {
    host: Host,
    settings: Vec<(String, String)>,
    variables: Vec<(String, String)>,
    inherited: Vec<(String, String)>,
    options: Vec<OsString>,
    component: Option<PathBuf>,
    runtime_config: Option<PathBuf>,
    port: u16,
}

/// A proxy that serves.
pub struct Proxy {
    /// Its host's process.
    pub process: Process,
    /// Where it serves.
    pub address: SocketAddr,
    /// The manifest that Spin was started with.
    _manifest: Option<TempDir>,
}

/// A proxy on `host` whose origins are probed at [`HEALTH_PATH`].
pub fn proxy(host: Host) -> Setup {
    Setup {
        host,
        settings: vec![],
        variables: vec![],
        inherited: vec![],
        options: vec![],
        component: None,
        runtime_config: None,
        port: 0,
    }
    .set("FETCH_HEALTH_PATH", HEALTH_PATH)
}

impl Setup {
    /// `FETCH_TARGETS`.
    pub fn targets<T: Into<String>>(self, targets: impl IntoIterator<Item = T>) -> Self {
        let targets: Vec<String> = targets.into_iter().map(Into::into).collect();
        self.set("FETCH_TARGETS", targets.join(","))
    }

    /// A setting, in the form that this host requires.
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.retain(|(set, _)| set != name);
        self.settings.push((name.to_owned(), value.into()));
        self
    }

    /// Removes a setting that a proxy has by default here.
    pub fn unset(mut self, name: &str) -> Self {
        self.settings.retain(|(set, _)| set != name);
        self
    }

    /// A Spin variable of the embedded host.
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// A variable in the environment of the host's own process.
    pub fn inherit(mut self, name: &str, value: impl Into<String>) -> Self {
        self.inherited.push((name.to_owned(), value.into()));
        self
    }

    /// No cache: no probes, and the targets' order is the order of attempts.
    pub fn in_list_order(self) -> Self {
        self.set("FETCH_CACHE_ADAPTER", "none")
    }

    /// Further options of the host's command.
    pub fn options<O: Into<OsString>>(mut self, options: impl IntoIterator<Item = O>) -> Self {
        self.options.extend(options.into_iter().map(Into::into));
        self
    }

    /// One instance for everything, where the host can be configured so. Elsewhere a request may get a new one at any
    /// time.
    pub fn one_instance(self) -> Self {
        if self.host.is_ours() {
            self.options(["--max-instances", "1"])
        } else {
            self
        }
    }

    /// Keeps its key-value store in this file.
    pub fn store(self, store: &Store) -> Self {
        self.runtime_config(store.runtime_config())
    }

    /// Reads this runtime configuration file.
    pub fn runtime_config(mut self, file: PathBuf) -> Self {
        self.runtime_config = Some(file);
        self
    }

    /// Runs this component in place of the built one. For the embedded host and `wasmtime serve`.
    pub fn component(mut self, file: PathBuf) -> Self {
        self.component = Some(file);
        self
    }

    /// Serves on this port instead of any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Starts it, and lets it learn that the origin called `primary` is faster than the other one.
    pub async fn start_warm(self, other: &Origin) -> Proxy {
        let proxy = self.start().await;
        proxy.get("/").await.is_from("primary");
        eventually("the other one is probed", || other.probes().pop()).await;
        tokio::time::sleep(ms(400)).await;
        proxy.get("/").await.is_from("primary");
        proxy
    }

    /// Starts it and waits until it accepts.
    pub async fn start(self) -> Proxy {
        let (command, manifest) = match self.host {
            Host::Embedded => (self.embedded(&environment().spin_wasm), None),
            Host::EmbeddedPlain => (self.embedded(&environment().wasi_wasm), None),
            Host::Embedded02 => (self.embedded(&environment().spin_02_wasm), None),
            Host::WasmtimeServe => (self.wasmtime(&environment().wasi_wasm), None),
            Host::Wasmtime02 => (self.wasmtime(&environment().wasi_02_wasm), None),
            Host::SpinUp => {
                let (command, manifest) = self.spin();
                (command, Some(manifest))
            }
        };
        Proxy {
            _manifest: manifest,
            ..Proxy::of(Process::spawn(command)).await
        }
    }

    fn embedded(&self, component: &Path) -> Command {
        let mut command = Command::new(&environment().bin);
        command
            .arg("serve")
            .arg(self.component.as_deref().unwrap_or(component));
        // Each thread has its own instances, and most promises are about what one instance knows.
        if !self.options.iter().any(|option| option == THREADS) {
            command.args([THREADS, "1"]);
        }
        command
            .arg("--listen")
            .arg(format!("127.0.0.1:{}", self.port));
        for (name, value) in &self.settings {
            command.arg("--env").arg(format!("{name}={value}"));
        }
        for (name, value) in &self.variables {
            command.arg("--variable").arg(format!("{name}={value}"));
        }
        if let Some(config) = &self.runtime_config {
            command.arg("--runtime-config-file").arg(config);
        }
        self.finish(command)
    }

    fn wasmtime(&self, component: &Path) -> Command {
        let mut command = Command::new(&environment().wasmtime);
        // 48 needs the last two for WASI 0.3; 49 accepts them.
        command.args([
            "serve",
            "-S",
            "cli",
            "-S",
            "p3",
            "-W",
            "component-model-async",
        ]);
        command
            .arg("--addr")
            .arg(format!("127.0.0.1:{}", self.port));
        for (name, value) in &self.settings {
            command.arg("--env").arg(format!("{name}={value}"));
        }
        let mut command = self.finish(command);
        command.arg(self.component.as_deref().unwrap_or(component));
        command
    }

    /// `spin up` with the repository's manifest, pointed at the built component.
    fn spin(&self) -> (Command, TempDir) {
        let directory = TempDir::new().expect("a temporary directory");
        let manifest = repository().join("spin.toml");
        let manifest = std::fs::read_to_string(manifest).expect("spin.toml");
        let component = environment().spin_wasm.display();
        let manifest: String = manifest
            .lines()
            .map(|line| {
                if line.trim_start().starts_with("source = ") {
                    format!("source = \"{component}\"\n")
                } else {
                    format!("{line}\n")
                }
            })
            .collect();
        let path = directory.path().join("spin.toml");
        std::fs::write(&path, manifest).expect("a writable temporary directory");
        let spin = environment().spin.as_ref().expect("checked by the suite");
        let mut command = Command::new(spin);
        // It starts another process, which ends with the group.
        command.process_group(0);
        command.arg("up").arg("--from").arg(path);
        command.arg("--state-dir").arg(directory.path());
        let port = if self.port == 0 {
            port::free()
        } else {
            self.port
        };
        command.arg("--listen").arg(format!("127.0.0.1:{port}"));
        for (name, value) in &self.settings {
            command
                .arg("--variable")
                .arg(format!("{}={value}", variable(name)));
        }
        if let Some(config) = &self.runtime_config {
            command.arg("--runtime-config-file").arg(config);
        }
        (self.finish(command), directory)
    }

    fn finish(&self, mut command: Command) -> Command {
        for (option, value) in LIMITS {
            // There a call blocks its instance; another one would wait for it, not run beside it.
            let value = if self.host.is_wasi_02() && option == CONCURRENT_REUSE {
                "1"
            } else {
                value
            };
            if !self.options.iter().any(|given| given == option) {
                command.args([option, value]);
            }
        }
        command.args(&self.options);
        command.envs(self.inherited.iter().map(|(n, v)| (n, v)));
        command
    }
}

/// The address in a host's line "Serving … http://ADDRESS".
pub fn served_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("Serving ")?;
    let (_, address) = rest.split_once("http://")?;
    address.trim_end_matches('/').parse().ok()
}

impl Proxy {
    /// A host that has been started, once it accepts.
    pub async fn of(mut process: Process) -> Self {
        let address = within(STARTED, "the host serves", || {
            if let Some(status) = process.ended() {
                panic!("the host ended with {status}");
            }
            let mut lines = process.stdout();
            lines.extend(process.stderr());
            lines.iter().find_map(|line| served_address(line))
        })
        .await;
        Self {
            process,
            address,
            _manifest: None,
        }
    }

    /// Sends a request and reads the whole response, which must be whole.
    pub async fn send(&self, request: Request<AnyBody>) -> Answer {
        client::send(self.address, request).await
    }

    /// A GET.
    pub async fn get(&self, target: &str) -> Answer {
        self.send(client::get(target)).await
    }

    /// Sends a request and returns the response at its head.
    pub async fn open(&self, request: Request<AnyBody>) -> Exchange {
        client::open(self.address, request)
            .await
            .expect("a response head")
    }

    /// Waits for a line with `text`, then returns all of them. Hosts pass the component's output on with a delay.
    pub async fn says(&self, text: &str) -> Vec<String> {
        eventually("the component says it", || self.said(text).pop()).await;
        // A second one would follow soon.
        tokio::time::sleep(ms(100)).await;
        self.said(text)
    }

    /// The lines with `text` so far: on every host, the component's own output is among them.
    pub fn said(&self, text: &str) -> Vec<String> {
        let mut lines = self.process.stderr();
        lines.extend(self.process.stdout());
        lines.retain(|line| line.contains(text));
        lines
    }
}
