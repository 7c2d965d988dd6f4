//! The other proxies and the load generators: found on PATH, or installed from Debian's archive.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::part::Part;

/// Programs, each of which may be missing for a reason.
pub struct Programs {
    /// The upstream, and a proxy to compare with.
    pub nginx: Result<PathBuf, String>,
    /// A proxy to compare with.
    pub haproxy: Result<PathBuf, String>,
    /// A proxy to compare with.
    pub caddy: Result<PathBuf, String>,
    /// The load generator for HTTP/1.1.
    pub wrk: Result<PathBuf, String>,
    /// The load generator for HTTP/2.
    pub h2load: Result<PathBuf, String>,
    /// Samples stacks.
    pub perf: Result<PathBuf, String>,
    /// Counts instructions. It is used where it is, and not installed.
    pub valgrind: Result<PathBuf, String>,
}

impl Programs {
    /// Installs what the parts need and is missing.
    pub async fn ensure(parts: &[Part]) -> Self {
        let peers = parts.iter().any(|part| part.compares_peers());
        let h2 = parts.contains(&Part::H2);
        Self {
            nginx: ensure("nginx", "nginx", peers).await,
            haproxy: ensure("haproxy", "haproxy", peers).await,
            caddy: ensure("caddy", "caddy", peers).await,
            wrk: ensure("wrk", "wrk", peers).await,
            h2load: ensure("h2load", "nghttp2-client", h2).await,
            perf: ensure("perf", "linux-perf", parts.contains(&Part::Flame)).await,
            valgrind: find("valgrind").ok_or_else(|| "valgrind is not installed".to_owned()),
        }
    }
}

async fn ensure(program: &str, package: &str, is_needed: bool) -> Result<PathBuf, String> {
    if let Some(path) = find(program) {
        return Ok(path);
    }
    if !is_needed {
        return Err(format!("{program} is not installed"));
    }
    eprintln!("Installing {package} with apt-get");
    let mut installed = install(package).await;
    if installed.is_err() {
        // The lists of a fresh machine are empty or old.
        installed = match apt(&["update"]).await {
            Ok(()) => install(package).await,
            Err(error) => Err(error),
        };
    }
    let missing = |why: &str| {
        format!("{program} is missing, and the package {package} could not be installed: {why}")
    };
    installed.map_err(|why| missing(&why))?;
    find(program).ok_or_else(|| missing("it has no such program"))
}

/// Also where Debian puts servers, which is not on every user's PATH.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/sbin".into(), "/usr/local/sbin".into()];
    let folders = std::env::join_paths(std::env::split_paths(&path).chain(servers)).ok()?;
    which::which_in(program, Some(folders), "/").ok()
}

async fn install(package: &str) -> Result<(), String> {
    apt(&["install", "--yes", "--no-install-recommends", package]).await
}

async fn apt(arguments: &[&str]) -> Result<(), String> {
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--non-interactive", "--preserve-env", "apt-get"]);
        sudo
    };
    let output = command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // What a package installs as a service must not start: `invoke-rc.d` starts nothing in run level 1.
        .env("RUNLEVEL", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("cannot run apt-get: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last = stderr.lines().rfind(|line| !line.trim().is_empty());
    Err(last.unwrap_or("apt-get failed").to_owned())
}
