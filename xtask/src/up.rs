//! `cargo xtask up`: build, then serve.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, anyhow};
use function_fetch_component::variables::variable;

use crate::components::{self, Flavour};
use crate::demo::Demo;
use crate::workspace::Workspace;
use crate::{host, process, server, spin};

#[derive(clap::Args)]
pub struct Args {
    /// The address to serve on; port 0 takes a free port
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: String,
    /// Serve with the installed Spin instead of the embedded host
    #[arg(long)]
    spin: bool,
    /// Further arguments for the host (`function-fetch serve`), or for `spin up`
    #[arg(last = true)]
    extra: Vec<String>,
}

/// Serves until the host ends, and exits with its status.
pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let spin = if args.spin { Some(find_spin()?) } else { None };
    let command = match &spin {
        Some(spin) => spin_up(&workspace, args, spin)?,
        None => embedded(&workspace, args)?,
    };
    // One thread is enough for three demo origins and a child.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let status = runtime.block_on(serve(command, args))?;
    Ok(server::exit_code(status))
}

async fn serve(mut command: Command, args: &Args) -> Result<std::process::ExitStatus> {
    let mut settings = settings_of_environment();
    let mut demo = None;
    if !names_targets(&settings, &args.extra) {
        let started = Demo::start()
            .await
            .context("cannot start the demo origins")?;
        settings.retain(|(name, _)| name != "FETCH_TARGETS");
        settings.push(("FETCH_TARGETS".to_owned(), started.targets()));
        if !args.spin {
            command.env("FETCH_TARGETS", started.targets());
        }
        demo = Some(started);
    }
    if args.spin {
        // Spin passes none of its environment to components; empty is the same as missing.
        for (name, value) in settings.iter().filter(|(_, value)| !value.is_empty()) {
            command
                .arg("--variable")
                .arg(format!("{}={value}", variable(name)));
        }
    }
    server::run(command, |url| {
        if let Some(demo) = &demo {
            process::say(&demo.guide(url));
        }
    })
    .await
}

fn find_spin() -> Result<PathBuf> {
    spin::find().map_err(|why| {
        anyhow!("{why:#}: install Spin (https://spinframework.dev/install), or leave out --spin to use the embedded host")
    })
}

fn embedded(workspace: &Workspace, args: &Args) -> Result<Command> {
    let component = components::build_unoptimized(workspace, Flavour::Spin)?;
    // In the caller's folder, to which paths among the extra arguments are relative.
    let mut command = Command::new(host::build(workspace)?);
    command
        .arg("serve")
        .arg(component)
        .args(["--listen", &args.listen])
        .args(&args.extra);
    Ok(command)
}

fn spin_up(workspace: &Workspace, args: &Args, spin: &PathBuf) -> Result<Command> {
    components::build_for_spin_toml(workspace)?;
    let mut command = Command::new(spin);
    command
        .arg("up")
        .arg("--from")
        .arg(workspace.root.join("spin.toml"));
    command.args(["--listen", &args.listen]);
    command
        .arg("--runtime-config-file")
        .arg(workspace.root.join("runtime-config.toml"));
    command.args(&args.extra);
    Ok(command)
}

/// Every `FETCH_*` of the environment.
fn settings_of_environment() -> Vec<(String, String)> {
    let variables = std::env::vars_os();
    let variables = variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    variables
        .filter(|(name, _)| name.starts_with("FETCH_"))
        .collect()
}

/// Whether the user has set targets: in the environment, or by `--env` or `--variable` to the host.
fn names_targets(settings: &[(String, String)], extra: &[String]) -> bool {
    let in_environment = settings
        .iter()
        .any(|(name, value)| name == "FETCH_TARGETS" && !value.trim().is_empty());
    let in_arguments = extra
        .iter()
        .any(|argument| argument.to_ascii_lowercase().contains("fetch_targets="));
    in_environment || in_arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demo_origins_start_only_without_targets() {
        let setting = |value: &str| vec![("FETCH_TARGETS".to_owned(), value.to_owned())];
        let extra = |argument: &str| vec!["--env".to_owned(), argument.to_owned()];
        assert!(!names_targets(&[], &[]));
        assert!(!names_targets(&setting(" "), &[]));
        assert!(names_targets(&setting("http://a"), &[]));
        assert!(names_targets(&[], &extra("FETCH_TARGETS=http://a")));
        assert!(names_targets(
            &[],
            &["--variable=fetch_targets=http://a".to_owned()]
        ));
        assert!(!names_targets(&[], &extra("FETCH_EXPLAIN=true")));
    }
}
