//! The command line.

use crate::access_log::AccessLogFormat;
use crate::command;
use crate::examples;
use crate::logging::LogFormat;
use crate::output;
use clap::{Args, CommandFactory, Parser, Subcommand};
use function_fetch_host::key_value::StoreLimits;
use function_fetch_host::{AllowedHost, ClientLimits, OutboundHttpConfig};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

/// Function Fetch: a smart edge reverse proxy.
#[derive(Debug, Parser)]
#[command(name = "function-fetch", version, propagate_version = true, after_help = examples::ALL)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the component that is built in, or another WASI HTTP component, as a server
    ///
    /// Ctrl-C or SIGTERM stops it gracefully, a second one at once.
    #[command(after_help = examples::SERVE)]
    Serve(Box<ServeArgs>),
    /// Measure the targets: health and latency, ranked
    ///
    /// A probe is a GET of the target joined with FETCH_HEALTH_PATH, within FETCH_HEALTH_TIMEOUT_MS. Redirects are not
    /// followed; 200 to 499 is healthy. Exits with 1 when no target is healthy.
    #[command(after_help = examples::PROBE)]
    Probe(ProbeArgs),
    /// Validate the FETCH_* settings and list every problem
    ///
    /// Exits with 1 if there is any.
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Print the completions for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
}

impl Cli {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(args) => command::serve::run(*args),
            Command::Probe(args) => command::probe::run(args),
            Command::Check(args) => command::check::run(args),
            Command::Completions(CompletionsArgs { shell }) => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Self::command(), "function-fetch", &mut script);
                output::print(&String::from_utf8_lossy(&script))?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// File of a component: WASI 0.3 (wasi:http/handler) or 0.2 (wasi:http/incoming-handler) [default: Function Fetch,
    /// which is built in]
    pub component: Option<PathBuf>,

    /// Address to listen on; port 0 takes any free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    pub listen: String,

    /// Threads that serve connections, each with its own instances and upstream connections [default: one for each core]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub threads: Option<usize>,

    /// Environment variable for the component; repeatable. Besides these it sees the FETCH_* of this environment, and
    /// nothing else
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub environment: Vec<Assignment>,

    /// Spin variable for the component; repeatable. SPIN_VARIABLE_NAME in the environment sets the variable `name` too
    #[arg(long = "variable", value_name = "NAME=VALUE")]
    pub variables: Vec<Assignment>,

    /// Runtime configuration in Spin's format: key_value_store.LABEL and outbound_http. Without it: one key-value
    /// store, `default`, in memory
    #[arg(long, value_name = "FILE")]
    pub runtime_config_file: Option<PathBuf>,

    /// Host that the component may send requests to besides the targets, as [SCHEME://]HOST[:PORT]; `*.example.com` is
    /// every name below it, `*` is any host; repeatable
    #[arg(long, value_name = "HOST")]
    pub allow_outbound: Vec<AllowedHost>,

    /// PEM file of certificate authorities to trust for upstreams, besides Mozilla's; repeatable
    #[arg(long = "ca-file", value_name = "FILE")]
    pub ca_files: Vec<PathBuf>,

    /// Folder for the compiled component, so that the next start need not compile it; nobody else may write to it
    /// [default: function-fetch/compiled in XDG_CACHE_HOME or ~/.cache]
    #[arg(long, value_name = "DIR", conflicts_with = "no_compile_cache")]
    pub compile_cache: Option<PathBuf>,

    /// Compile the component at each start, and keep nothing on disk
    #[arg(long)]
    pub no_compile_cache: bool,

    /// Requests that an instance serves before it is replaced [default: 128; 1 for a WASI 0.2 component]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_instance_reuse_count: Option<usize>,

    /// Requests that an instance serves at the same time [default: 16; 1 for a WASI 0.2 component]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_instance_concurrent_reuse_count: Option<usize>,

    /// How long an idle instance is kept: 500ms, 1s, 2m
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub idle_instance_timeout: Duration,

    /// Instances at the same time; further requests wait. An instance counts until its last body has been streamed and
    /// its background work is done [default: 256; 1024 for a WASI 0.2 component]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_instances: Option<usize>,

    /// Memory that an instance may have; one that needs more is ended
    #[arg(long, value_name = "BYTES", default_value_t = 134_217_728, value_parser = positive)]
    pub max_instance_memory_bytes: usize,

    /// How long an instance may compute without a pause before it is ended
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = timeout)]
    pub instance_compute_timeout: Duration,

    /// Requests that may wait for an instance; the next one gets 503 with Retry-After
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub max_waiting_requests: usize,

    /// How long a request waits for an instance before it gets 503 with Retry-After
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub instance_wait_timeout: Duration,

    #[command(flatten)]
    pub clients: ClientArgs,

    #[command(flatten)]
    pub upstream: UpstreamArgs,

    #[command(flatten)]
    pub stores: StoreArgs,

    /// How long requests in flight may continue after Ctrl-C or SIGTERM
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub drain_timeout: Duration,

    /// Log each request to this file, which is appended to; - is stdout. It says which target answered, at which
    /// attempt, and how long it took
    #[arg(long, value_name = "FILE")]
    pub access_log: Option<PathBuf>,

    /// Format of the access log
    #[arg(long, value_enum, default_value_t = AccessLogFormat::Json, requires = "access_log")]
    pub access_log_format: AccessLogFormat,

    /// Serve metrics for Prometheus at /metrics on this address, which is not for the public. Besides,
    /// OTEL_EXPORTER_OTLP_ENDPOINT in the environment has them sent to a collector by OTLP over HTTP
    #[arg(long, value_name = "ADDR")]
    pub metrics_listen: Option<String>,

    #[command(flatten)]
    pub log: LogArgs,
}

/// Limits on clients.
#[derive(Debug, Args)]
pub struct ClientArgs {
    /// Client connections at the same time; the next one gets 503 and is closed
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = positive)]
    pub max_connections: usize,

    /// Size of a request head, at least 8192; a larger one gets 431
    #[arg(long, value_name = "BYTES", default_value_t = 65_536, value_parser = head_size)]
    pub max_header_bytes: usize,

    /// Fields of a request head; more get 431
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = positive)]
    pub max_header_fields: usize,

    /// Time for a request head, from its first byte to its last
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = timeout)]
    pub client_header_timeout: Duration,

    /// How long a connection without a request is kept; longer than the proxy or load balancer in front keeps its own
    #[arg(long, value_name = "DURATION", default_value = "75s", value_parser = timeout)]
    pub client_idle_timeout: Duration,

    /// How long the next chunk of a request's body is waited for; then the request is broken off
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = timeout)]
    pub client_body_timeout: Duration,

    /// How long a client may read nothing of a response; then it is broken off
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = timeout)]
    pub client_write_timeout: Duration,

    /// Concurrent requests on one HTTP/2 connection
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_concurrent_streams: u32,

    /// How long an HTTP/2 connection is silent before it is pinged, and how long the reply may take
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = timeout)]
    pub client_ping_interval: Duration,
}

impl From<ClientArgs> for ClientLimits {
    fn from(args: ClientArgs) -> Self {
        Self {
            max_connections: args.max_connections,
            max_header_bytes: args.max_header_bytes,
            max_header_fields: args.max_header_fields,
            header_timeout: args.client_header_timeout,
            idle_timeout: args.client_idle_timeout,
            body_timeout: args.client_body_timeout,
            write_timeout: args.client_write_timeout,
            max_concurrent_streams: args.max_concurrent_streams,
            ping_interval: args.client_ping_interval,
        }
    }
}

/// The client for upstreams.
#[derive(Debug, Args)]
pub struct UpstreamArgs {
    /// Maximum size of an upstream's response head, in bytes; a larger one is answered with 502
    #[arg(long, value_name = "N", default_value_t = 65536, value_parser = positive)]
    pub max_upstream_header_bytes: usize,

    /// How long an upstream may pause within a response body before the response is broken off
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = timeout)]
    pub upstream_idle_timeout: Duration,

    /// Idle upstream connections that are kept, all upstreams together
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = positive)]
    pub max_idle_upstream_connections: usize,

    /// Idle upstream connections that are kept to one upstream
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = positive)]
    pub max_idle_connections_per_upstream: usize,
}

impl UpstreamArgs {
    pub fn apply(&self, config: &mut OutboundHttpConfig) {
        config.max_header_bytes = self.max_upstream_header_bytes;
        config.body_idle_timeout = self.upstream_idle_timeout;
        config.max_idle_connections = self.max_idle_upstream_connections;
        config.max_idle_connections_per_host = self.max_idle_connections_per_upstream;
    }
}

/// Limits on key-value stores.
#[derive(Debug, Args)]
pub struct StoreArgs {
    /// Size of a value in a key-value store; a larger one is neither written nor read
    #[arg(long, value_name = "BYTES", default_value_t = 1_048_576, value_parser = positive)]
    pub max_stored_value_bytes: usize,

    /// Keys that a key-value store lists, and that one in memory holds
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = positive)]
    pub max_stored_keys: usize,
}

impl From<StoreArgs> for StoreLimits {
    fn from(args: StoreArgs) -> Self {
        Self {
            max_value_bytes: args.max_stored_value_bytes,
            max_keys: args.max_stored_keys,
        }
    }
}

#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// Targets to measure, instead of FETCH_TARGETS
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// Setting to use besides the FETCH_* of this environment, which it overrides; repeatable
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub environment: Vec<Assignment>,

    /// How often each target is probed, one probe after the other. The first one opens the connection and is reported
    /// separately
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = positive)]
    pub samples: usize,

    /// Print the results as JSON; with --watch, as a line for each time
    #[arg(long)]
    pub json: bool,

    /// Measure again and again until Ctrl-C: a table on a terminal, else lines
    #[arg(long)]
    pub watch: bool,

    /// With --watch: the pause between two measurements
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = timeout, requires = "watch")]
    pub interval: Duration,

    /// PEM file of certificate authorities to trust for targets, besides Mozilla's; repeatable
    #[arg(long = "ca-file", value_name = "FILE")]
    pub ca_files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Setting to check besides the FETCH_* of this environment, which it overrides; repeatable
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub environment: Vec<Assignment>,

    /// Print a JSON Schema of all settings instead
    #[arg(long, conflicts_with = "environment")]
    pub schema: bool,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct LogArgs {
    /// Format of the log, which goes to stderr
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// What to log: error, warn, info, debug, trace, or directives as in RUST_LOG [default: RUST_LOG, else info]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
}

/// `NAME=VALUE`.
#[derive(Debug, Clone)]
pub struct Assignment {
    pub name: String,
    pub value: String,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err("expected NAME=VALUE".to_owned()),
        }
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a whole number of at least 1".to_owned()),
        Ok(number) => Ok(number),
    }
}

/// hyper's read buffer is the smallest limit that it can enforce.
fn head_size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(bytes @ 8192..) => Ok(bytes),
        _ => Err("expected a whole number of at least 8192".to_owned()),
    }
}

/// A duration that is not zero.
fn timeout(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("expected a duration above zero".to_owned()),
        timeout => Ok(timeout),
    }
}

/// A whole number with a unit: `ms`, `s`, `m` or `h`.
fn duration(text: &str) -> Result<Duration, String> {
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let ms_per_unit = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("expected a number with a unit: 500ms, 1s, 2m or 1h".to_owned()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(ms_per_unit))
        .map(Duration::from_millis)
        .ok_or_else(|| "expected a whole number before the unit".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn upstream_options_reach_the_client_and_default_to_its_own() {
        let config = |options: &[&str]| {
            let words = ["function-fetch", "serve", "x.wasm"];
            let cli = Cli::try_parse_from(words.iter().chain(options)).unwrap();
            let Command::Serve(args) = cli.command else {
                unreachable!("`serve` was said");
            };
            let mut config = OutboundHttpConfig::default();
            args.upstream.apply(&mut config);
            config
        };
        assert_eq!(config(&[]), OutboundHttpConfig::default());
        let config = config(&[
            "--max-upstream-header-bytes=1",
            "--upstream-idle-timeout=2s",
            "--max-idle-upstream-connections=3",
            "--max-idle-connections-per-upstream=4",
        ]);
        let expected = OutboundHttpConfig {
            max_header_bytes: 1,
            body_idle_timeout: Duration::from_secs(2),
            max_idle_connections: 3,
            max_idle_connections_per_host: 4,
            ..OutboundHttpConfig::default()
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for text in ["", "1", "s", "1.5s", "-1s", "1 s", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn assignments_need_a_name_and_may_lack_a_value() {
        let assignment: Assignment = "A=b=c".parse().unwrap();
        assert_eq!(
            (assignment.name.as_str(), assignment.value.as_str()),
            ("A", "b=c")
        );
        assert!("A=".parse::<Assignment>().is_ok());
        assert!("=b".parse::<Assignment>().is_err());
        assert!("A".parse::<Assignment>().is_err());
    }
}
