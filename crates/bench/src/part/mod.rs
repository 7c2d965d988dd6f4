//! The parts of a run, each of which can be run alone.

pub mod bulk;
pub mod cold;
mod crowd;
pub mod engine;
pub mod failover;
mod flame;
mod instance;
mod instructions;
mod memory;
mod scripts;
pub mod size;
pub mod start;
pub mod targets;
mod throughput;

use anyhow::Result;
use clap::ValueEnum;

use crate::bench::Bench;
use crate::client::Client;
use crate::results::{Metric, Results};
use crate::server::Server;

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// 13 bytes, one connection
    #[value(name = "small-1")]
    Small1,
    /// 13 bytes, 64 connections
    #[value(name = "small-64")]
    Small64,
    /// 13 bytes, 256 connections
    #[value(name = "small-256")]
    Small256,
    /// 64 KiB, 64 connections
    #[value(name = "large-64")]
    Large64,
    /// POST of 64 KiB, 64 connections
    #[value(name = "post-64")]
    Post64,
    /// TLS to the target
    Tls,
    /// HTTP/2 from the client
    H2,
    /// 2, 16 and 32 targets, and one of two down
    Targets,
    /// 1 GiB each way
    Bulk,
    /// Fresh instances beside targets that are slow and that hang
    Cold,
    /// 20 concurrent requests when there is no instance
    Crowd,
    /// The primary refuses, or hangs
    Failover,
    /// A new instance with and without a store
    Instance,
    /// From the start of the process to its first response
    Start,
    /// Memory of an instance
    Memory,
    /// Sizes of the components
    Size,
    /// Instructions of the host for a warm request
    Instructions,
    /// A flame graph of the host under load, and its time by layer
    Flame,
    /// The engine alone: time, allocations, instructions
    Engine,
    /// The adapter for Cloudflare Workers: its own benchmark
    Workers,
    /// The adapter for Node.js: its own benchmark
    Node,
}

/// What is run: what the user names, or all, or all that a quick run has.
pub fn chosen(only: &[Part], quick: bool) -> Vec<Part> {
    Part::value_variants()
        .iter()
        .copied()
        .filter(|part| match only {
            [] => !quick || part.is_quick(),
            only => only.contains(part),
        })
        .collect()
}

/// Sends a request at a time to each server, again and again, and notes how long each takes.
async fn by_turns(
    bench: &Bench,
    results: &mut Results,
    case: &'static str,
    clients: &mut [(&'static str, Server, Client)],
) -> Result<()> {
    let repetitions = bench.plan.repetitions;
    for turn in 1..=repetitions {
        bench.progress.step(format!("{turn} of {repetitions}"));
        for (name, _server, client) in &mut *clients {
            let took = client.get("/").await?;
            results.add(case, name, Metric::Time, took.as_secs_f64() * 1e3);
        }
    }
    Ok(())
}

impl Part {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small1 => "small-1",
            Self::Small64 => "small-64",
            Self::Small256 => "small-256",
            Self::Large64 => "large-64",
            Self::Post64 => "post-64",
            Self::Tls => "tls",
            Self::H2 => "h2",
            Self::Targets => "targets",
            Self::Bulk => "bulk",
            Self::Cold => "cold",
            Self::Crowd => "crowd",
            Self::Failover => "failover",
            Self::Instance => "instance",
            Self::Start => "start",
            Self::Memory => "memory",
            Self::Size => "size",
            Self::Instructions => "instructions",
            Self::Flame => "flame",
            Self::Engine => "engine",
            Self::Workers => "workers",
            Self::Node => "node",
        }
    }

    /// Whether it compares other proxies, which must be installed.
    pub fn compares_peers(self) -> bool {
        matches!(
            self,
            Self::Small1
                | Self::Small64
                | Self::Small256
                | Self::Large64
                | Self::Post64
                | Self::Tls
                | Self::H2
                | Self::Targets
                | Self::Bulk
                | Self::Start
                | Self::Flame
        )
    }

    /// Whether a target depends on it.
    fn is_quick(self) -> bool {
        matches!(
            self,
            Self::Small1
                | Self::Small64
                | Self::Large64
                | Self::Targets
                | Self::Bulk
                | Self::Cold
                | Self::Failover
                | Self::Start
                | Self::Size
                | Self::Instructions
                | Self::Engine
        )
    }

    /// Measures it.
    pub async fn run(self, bench: &Bench, results: &mut Results) -> Result<()> {
        match self {
            Self::Small1
            | Self::Small64
            | Self::Small256
            | Self::Large64
            | Self::Post64
            | Self::Tls
            | Self::H2 => throughput::run(self, bench, results).await,
            Self::Targets => targets::run(bench, results).await,
            Self::Bulk => bulk::run(bench, results).await,
            Self::Cold => cold::run(bench, results).await,
            Self::Crowd => crowd::run(bench, results).await,
            Self::Failover => failover::run(bench, results).await,
            Self::Instance => instance::run(bench, results).await,
            Self::Start => start::run(bench, results).await,
            Self::Memory => memory::run(bench, results).await,
            Self::Size => size::run(bench, results),
            Self::Instructions => instructions::run(bench, results).await,
            Self::Flame => flame::run(bench, results).await,
            Self::Engine => engine::run(bench, results).await,
            Self::Workers => scripts::run("bench:cloudflare", bench, results).await,
            Self::Node => scripts::run("bench:node", bench, results).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for part in Part::value_variants() {
            let value = part.to_possible_value().expect("none is hidden");
            assert_eq!(value.get_name(), part.name());
        }
    }

    #[test]
    fn named_parts_run_in_quick_runs_too() {
        assert_eq!(chosen(&[Part::Node], true), [Part::Node]);
        assert!(!chosen(&[], true).contains(&Part::Node));
        assert_eq!(chosen(&[], false).len(), Part::value_variants().len());
    }
}
