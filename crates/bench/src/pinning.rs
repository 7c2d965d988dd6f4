//! Which cores the load generator, the proxy and the upstream have: apart, where there are enough, so that one does not
//! take time from another.

use std::process::Command;

use serde::Serialize;

/// From here on there is a core for each side, and more than one for the proxy.
const ENOUGH_CORES: usize = 4;

/// How the cores are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Pin {
    /// Apart with four cores or more, else not at all
    Auto,
    /// Not pinned
    None,
    /// Load generator, upstream and proxy apart; with fewer than four cores, the first two on one core
    Apart,
}

/// A side of a measurement.
#[derive(Clone, Copy, Debug)]
pub enum Role {
    /// wrk, h2load.
    Load,
    /// The server behind the proxies.
    Upstream,
    /// What is measured.
    Proxy,
}

/// Which cores each side has.
#[derive(Clone, Debug, Serialize)]
pub struct Pinning {
    /// All cores of the machine that may be used.
    pub cores: usize,
    /// The lists of `taskset`; none where nothing is pinned.
    lists: Option<Lists>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Lists {
    load: String,
    upstream: String,
    proxy: String,
    proxy_cores: usize,
}

impl Pinning {
    /// Decides by the number of cores.
    pub fn new(pin: Pin) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let has_taskset = which::which("taskset").is_ok();
        Self {
            cores,
            lists: lists(pin, cores).filter(|_| has_taskset),
        }
    }

    /// How many threads or workers a proxy should have.
    pub fn proxy_cores(&self) -> usize {
        self.lists
            .as_ref()
            .map_or(self.cores, |lists| lists.proxy_cores)
    }

    /// The command, on the cores of its side. `taskset` replaces itself by it, so the process id stays.
    pub fn apply(&self, role: Role, command: Command) -> Command {
        let Some(lists) = &self.lists else {
            return command;
        };
        let list = match role {
            Role::Load => &lists.load,
            Role::Upstream => &lists.upstream,
            Role::Proxy => &lists.proxy,
        };
        let mut pinned = Command::new("taskset");
        pinned
            .args(["--cpu-list", list])
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => pinned.env(name, value),
                None => pinned.env_remove(name),
            };
        }
        pinned
    }

    /// In words, for the report.
    pub fn describe(&self) -> String {
        match &self.lists {
            None => format!("{} cores, nothing pinned", self.cores),
            Some(lists) => format!(
                "{} cores; load generator on {}, upstream on {}, proxy on {}",
                self.cores, lists.load, lists.upstream, lists.proxy
            ),
        }
    }
}

fn lists(pin: Pin, cores: usize) -> Option<Lists> {
    let roomy = cores >= ENOUGH_CORES;
    let wanted = match pin {
        Pin::Auto => roomy,
        Pin::None => false,
        Pin::Apart => cores > 1,
    };
    let (upstream, first) = if roomy { (1, 2) } else { (0, 1) };
    wanted.then(|| Lists {
        load: "0".to_owned(),
        upstream: upstream.to_string(),
        proxy: format!("{first}-{}", cores - 1),
        proxy_cores: cores - first,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cores_of(pin: Pin, cores: usize) -> Option<(String, String, String, usize)> {
        let lists = lists(pin, cores)?;
        Some((lists.load, lists.upstream, lists.proxy, lists.proxy_cores))
    }

    #[test]
    fn sides_are_apart_where_cores_allow() {
        let list = |load: &str, upstream: &str, proxy: &str, cores| {
            Some((
                load.to_owned(),
                upstream.to_owned(),
                proxy.to_owned(),
                cores,
            ))
        };
        assert_eq!(cores_of(Pin::Auto, 2), None);
        assert_eq!(cores_of(Pin::Auto, 3), None);
        assert_eq!(cores_of(Pin::Auto, 8), list("0", "1", "2-7", 6));
        assert_eq!(cores_of(Pin::None, 8), None);
        assert_eq!(cores_of(Pin::Apart, 1), None);
        assert_eq!(cores_of(Pin::Apart, 2), list("0", "0", "1-1", 1));
    }
}
