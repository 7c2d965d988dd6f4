//! `cargo xtask simulate`: runs scenarios, and writes tables and plots.

use anyhow::{Context, Result, bail};
use clap::Parser;
use function_fetch_simulator::clock::{HOUR, Micros};
use function_fetch_simulator::policy::{ALL, Kind};
use function_fetch_simulator::report::{Origin, Results, plot, table};
use function_fetch_simulator::run;
use function_fetch_simulator::scenario::{self, Scenario};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};

/// Simulates Function Fetch beside other policies, in virtual time
#[derive(Parser)]
#[command(name = "cargo xtask simulate", bin_name = "cargo xtask simulate")]
struct Cli {
    /// Scenario to run; repeatable [default: all]
    #[arg(long, value_name = "NAME")]
    scenario: Vec<String>,

    /// Policy to run; repeatable [default: all]
    #[arg(long, value_name = "NAME")]
    policy: Vec<String>,

    /// Seed of everything that is drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How many seeds, from that one on: of each figure the median and the worst. Plots are the first one's
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,

    /// Edge locations, instead of the scenario's
    #[arg(long, value_name = "N")]
    locations: Option<usize>,

    /// Virtual hours, instead of the scenario's
    #[arg(long, value_name = "H")]
    hours: Option<f64>,

    /// Requests per second and location, instead of the scenario's
    #[arg(long, value_name = "N")]
    rate: Option<f64>,

    /// At most 12 locations, or 60 that share targets of limited capacity; the day at one request per second. For CI
    #[arg(long)]
    quick: bool,

    /// Folder for the table, the JSON and the plots
    #[arg(long, value_name = "DIR", default_value = "target/simulation")]
    out: PathBuf,

    /// Tell on stderr what happens at this location: probes, switches, notices
    #[arg(long, value_name = "LOCATION")]
    trace: Option<usize>,

    /// List scenarios and policies, and run none
    #[arg(long)]
    list: bool,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    if cli.list {
        list();
        return Ok(());
    }
    let scenarios = chosen(
        &cli.scenario,
        scenario::all(),
        |scenario| scenario.name,
        "scenario",
    )?;
    let kinds = chosen(&cli.policy, ALL.to_vec(), |kind| kind.name(), "policy")?;
    let origin = origin(&cli, cli.seeds);
    std::fs::create_dir_all(&cli.out)
        .with_context(|| format!("cannot make {}", cli.out.display()))?;
    let mut all = Vec::new();
    for scenario in scenarios {
        let seeds: Vec<Results> = (0..cli.seeds)
            .map(|nth| simulate(&cli, scenario.clone(), &kinds, cli.seed.wrapping_add(nth)))
            .collect();
        plot::draw(&seeds[0], &self::origin(&cli, 1), &cli.out)?;
        all.push(seeds);
        // After each one: what was simulated is not lost if the next is stopped.
        write(&cli.out, "simulation.md", &table::markdown(&all, &origin))?;
        let json = serde_json::to_string(&table::json(&all, &origin))?;
        write(&cli.out, "simulation.json", &(json + "\n"))?;
    }
    print!("{}", table::markdown(&all, &origin));
    eprintln!("Written to {}", cli.out.display());
    Ok(())
}

fn simulate(cli: &Cli, mut scenario: Scenario, kinds: &[Kind], seed: u64) -> Results {
    let reduction = reduce(cli, &mut scenario);
    scenario.trace = cli.trace;
    let length = run::virtual_time(&scenario, kinds.len());
    // Ten-thousandths: a bar of microseconds would say nothing.
    let unit = (length / 10_000).max(1);
    let bar = ProgressBar::new(length / unit).with_message(scenario.name);
    bar.set_style(
        ProgressStyle::with_template("{msg:16} {wide_bar} {percent:>3} % {elapsed}, {eta} to go")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let done = std::sync::atomic::AtomicU64::new(0);
    let progress = |step: Micros| {
        let before = done.fetch_add(step, std::sync::atomic::Ordering::Relaxed);
        bar.set_position((before + step) / unit);
    };
    let metrics = run::run(&scenario, kinds, seed, &progress);
    bar.finish_and_clear();
    Results {
        scenario,
        reduction,
        kinds: kinds.to_vec(),
        metrics,
    }
}

/// Makes the scenario smaller, and says how.
fn reduce(cli: &Cli, scenario: &mut Scenario) -> Option<String> {
    let mut words = Vec::new();
    let enough = if scenario.is_coupled() { 60 } else { 12 };
    let few = cli
        .locations
        .or(cli.quick.then_some(scenario.locations.min(enough)));
    if let Some(locations) = few.filter(|few| *few != scenario.locations) {
        words.push(format!(
            "{locations} locations instead of {}",
            scenario.locations
        ));
        scenario.locations = locations;
    }
    if let Some(hours) = cli.hours {
        let length = (hours * HOUR as f64) as Micros;
        let whole = scenario.length as f64 / HOUR as f64;
        words.push(format!("{hours} h instead of {whole}"));
        scenario.length = length;
    }
    let slow = cli.quick && scenario.name == "day";
    if let Some(rate) = cli.rate.or(slow.then_some(1.0)) {
        words.push(format!("{rate} requests/s instead of {}", scenario.rate));
        scenario.rate = rate;
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// Those of `all` that were named; all when none was.
fn chosen<T>(
    names: &[String],
    all: Vec<T>,
    name_of: impl Fn(&T) -> &'static str,
    what: &str,
) -> Result<Vec<T>> {
    for name in names {
        if !all.iter().any(|one| name_of(one) == name) {
            let known: Vec<&str> = all.iter().map(name_of).collect();
            bail!(
                "no {what} is named {name:?}; there are {}",
                known.join(", ")
            );
        }
    }
    let wanted = |one: &T| names.is_empty() || names.iter().any(|name| name == name_of(one));
    Ok(all.into_iter().filter(wanted).collect())
}

fn list() {
    println!("Scenarios:");
    for scenario in scenario::all() {
        println!("  {:31} {}", scenario.name, scenario.about);
    }
    let names: Vec<&str> = ALL.into_iter().map(Kind::name).collect();
    println!("Policies: {}", names.join(", "));
}

/// Where results of so many seeds come from. Where they go is no part of it.
fn origin(cli: &Cli, seeds: u64) -> Origin {
    let mut options = vec![format!("--seed {}", cli.seed)];
    options.extend((seeds > 1).then(|| format!("--seeds {seeds}")));
    options.extend(cli.locations.map(|count| format!("--locations {count}")));
    options.extend(cli.hours.map(|hours| format!("--hours {hours}")));
    options.extend(cli.rate.map(|rate| format!("--rate {rate}")));
    options.extend(cli.quick.then(|| "--quick".to_owned()));
    let options = options.join(" ");
    let mut words = vec!["cargo xtask simulate".to_owned()];
    words.extend(cli.scenario.iter().map(|name| format!("--scenario {name}")));
    words.extend(cli.policy.iter().map(|name| format!("--policy {name}")));
    words.push(options.clone());
    Origin {
        seed: cli.seed,
        seeds,
        command: words.join(" "),
        options,
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let file = folder.join(name);
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulations_of_the_documentation_can_be_run() -> Result<()> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").context("run by cargo")?;
        let root = Path::new(&package).join("../..");
        let mut seen = 0;
        for (page, command) in function_fetch_pages::typed(&root, &["cargo"])? {
            let [_, xtask, simulate, options @ ..] = &command.words[..] else {
                continue;
            };
            if xtask != "xtask" || simulate != "simulate" {
                continue;
            }
            let cli = Cli::try_parse_from([simulate].into_iter().chain(options))
                .with_context(|| page.display().to_string())?;
            chosen(
                &cli.scenario,
                scenario::all(),
                |scenario| scenario.name,
                "scenario",
            )
            .with_context(|| page.display().to_string())?;
            chosen(&cli.policy, ALL.to_vec(), |kind| kind.name(), "policy")
                .with_context(|| page.display().to_string())?;
            seen += 1;
        }
        assert!(seen > 10, "{seen}");
        Ok(())
    }
}
