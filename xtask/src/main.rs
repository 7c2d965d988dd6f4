//! `cargo xtask`: the only build entry of Function Fetch. Developers, the README and CI all use it, so
//! that there is one answer to "how is this built".

mod actionlint;
mod advisories;
mod bench;
mod cargo_deny;
mod chromium;
mod components;
mod demo;
mod dist;
mod edge;
mod fuzz;
mod host;
mod httpbin;
mod lint;
mod mutants;
mod npm;
mod optimize;
mod origin;
mod packages;
mod passed_on;
mod playground;
mod process;
mod promtool;
mod redis;
mod server;
mod settings;
mod simulate;
mod site;
mod soak;
mod spin;
mod spin_app;
mod summary;
mod tally;
mod test;
mod toolchain;
mod up;
mod version;
mod wasmtime_cli;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, runs and checks Function Fetch.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build all flavours of the component, or the engine for JavaScript, and print their sizes
    Build(Build),
    /// Build, then serve the component; without FETCH_TARGETS, in front of three demo origins
    Up(up::Args),
    /// Build everything and run every test
    Test(test::Args),
    /// Simulate scenarios in virtual time, compared with other policies; writes tables and plots
    Simulate(passed_on::Args),
    /// Build the playground, a page with the simulator in it, into a folder that any static server can serve
    Playground(playground::Args),
    /// Measure it beside nginx, HAProxy and Caddy on this machine, and judge it by its targets
    Bench(passed_on::Args),
    /// Run the fuzz targets of fuzz/, each for a minute
    Fuzz(fuzz::Args),
    /// Change the engine one line at a time, and see whether its tests notice: all of it takes hours, `--file
    /// crates/engine/src/health.rs` or `--shard 0/8` less
    Mutants(passed_on::Args),
    /// Run it at saturation for a while, before targets that fail and beside clients that are slow, and judge every response
    Soak(soak::Args),
    /// Build the documentation as a site, in English and Chinese, and check its links
    Site(site::Args),
    /// Write docs/settings.md and its Chinese twin from the engine's table of settings
    Settings,
    /// Make the files of a release, in target/release-files
    Dist(dist::Args),
    /// Check the formatting, and run clippy with its warnings denied
    Lint,
}

#[derive(clap::Args)]
struct Build {
    /// Build the engine for the JavaScript adapters: fills adapters/generated
    #[arg(long)]
    edge: bool,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Build(Build { edge: true }) => edge::build_and_report(),
        Command::Build(Build { edge: false }) => components::build_and_report(),
        Command::Up(args) => up::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Playground(args) => playground::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Mutants(args) => mutants::run(&args),
        Command::Soak(args) => soak::run(&args),
        Command::Site(args) => site::run(&args),
        Command::Settings => settings::run(),
        Command::Dist(args) => dist::run(&args),
        Command::Lint => lint::run(),
    };
    outcome.unwrap_or_else(|error| {
        // `{:#}` prints the whole chain of causes on one line.
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn the_commands_of_the_documentation_can_be_parsed() {
        let root = Workspace::locate().expect("a workspace").root;
        let typed = function_fetch_pages::typed(&root, &["cargo"]).expect("commands");
        let mut seen = 0;
        for (page, command) in typed {
            let [_, xtask, arguments @ ..] = &command.words[..] else {
                continue;
            };
            // In prose, the command as such.
            if xtask != "xtask" || arguments.is_empty() {
                continue;
            }
            let words = ["cargo xtask".to_owned()];
            let parsed = Cli::try_parse_from(words.iter().chain(arguments));
            // Help is an error, too, but none on stderr.
            if let Err(error) = parsed
                && error.use_stderr()
            {
                panic!("{}: {error}", page.display());
            }
            seen += 1;
        }
        assert!(seen > 40, "{seen}");
    }
}
