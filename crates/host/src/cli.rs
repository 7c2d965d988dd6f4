//! The command line.

use crate::command;
use crate::logging::LogFormat;
use clap::{Args, Parser, Subcommand};
use function_fetch_host::OutboundHttpConfig;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

/// Function Fetch: a smart edge reverse proxy.
#[derive(Debug, Parser)]
#[command(name = "function-fetch", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a WASI HTTP component, such as function_fetch.wasm, as a server
    ///
    /// Ctrl-C or SIGTERM ends it gracefully, a second one at once.
    Serve(ServeArgs),
    /// Measure the targets: health and latency, ranked
    ///
    /// A probe is a GET of the target joined with FETCH_HEALTH_PATH, within FETCH_HEALTH_TIMEOUT_MS. Redirects are not
    /// followed; 200 to 499 is healthy. Exits with 1 when no target is healthy.
    Probe(ProbeArgs),
    /// Validate the FETCH_* settings and list every problem
    ///
    /// Exits with 1 when there is any.
    Check(CheckArgs),
}

impl Cli {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(args) => command::serve::run(args),
            Command::Probe(args) => command::probe::run(args),
            Command::Check(args) => command::check::run(args),
        }
    }
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// File of the component: WASI 0.3 (wasi:http/handler) or 0.2 (wasi:http/incoming-handler)
    pub component: PathBuf,

    /// Address to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    pub listen: String,

    /// Environment variable for the component; repeatable. Beside these it sees the FETCH_* of this environment, and
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

    /// PEM file of certificate authorities to trust for upstreams, beside Mozilla's; repeatable
    #[arg(long = "ca-file", value_name = "FILE")]
    pub ca_files: Vec<PathBuf>,

    /// Requests that an instance answers before it is replaced [default: 128; 1 for a WASI 0.2 component]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_instance_reuse_count: Option<usize>,

    /// Requests that an instance works on at the same time [default: 16; 1 for a WASI 0.2 component]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_instance_concurrent_reuse_count: Option<usize>,

    /// How long an instance without work is kept: 500ms, 1s, 2m
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub idle_instance_timeout: Duration,

    /// Instances at the same time; requests that find them full wait. An instance counts until its last body has been
    /// streamed and its background work is done [default: no limit]
    #[arg(long, value_name = "N", value_parser = positive)]
    pub max_instances: Option<usize>,

    #[command(flatten)]
    pub upstream: UpstreamArgs,

    /// How long requests in flight may go on after Ctrl-C or SIGTERM
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub drain_timeout: Duration,

    #[command(flatten)]
    pub log: LogArgs,
}

/// The client for upstreams.
#[derive(Debug, Args)]
pub struct UpstreamArgs {
    /// Bytes of an upstream's response head that are taken; a larger one is answered with 502
    #[arg(long, value_name = "N", default_value_t = 65536, value_parser = positive)]
    pub max_upstream_header_bytes: usize,

    /// How long an upstream may pause within a response body before it is given up
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub upstream_idle_timeout: Duration,

    /// Unused upstream connections that are kept, all upstreams together
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = positive)]
    pub max_idle_upstream_connections: usize,

    /// Unused upstream connections that are kept to one upstream
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

#[derive(Debug, Args)]
pub struct ProbeArgs {
    /// Targets to measure, instead of FETCH_TARGETS
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    /// Setting to use beside the FETCH_* of this environment; repeatable, wins
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub environment: Vec<Assignment>,

    /// Times that each target is asked, one after the other. The first one opens the connection and is reported apart
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = positive)]
    pub samples: usize,

    /// Print the results as JSON
    #[arg(long)]
    pub json: bool,

    /// PEM file of certificate authorities to trust for targets, beside Mozilla's; repeatable
    #[arg(long = "ca-file", value_name = "FILE")]
    pub ca_files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Setting to check beside the FETCH_* of this environment; repeatable, wins
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub environment: Vec<Assignment>,
}

#[derive(Debug, Args)]
pub struct LogArgs {
    /// Form of the log, which goes to stderr
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
        Ok(0) | Err(_) => Err("expected a whole number from 1 up".to_owned()),
        Ok(number) => Ok(number),
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
