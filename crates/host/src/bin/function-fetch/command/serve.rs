//! `function-fetch serve`.

use super::monitoring::Monitoring;
use super::{check, summary};
use crate::cli::{Assignment, ServeArgs};
use crate::{access_log, changes, environment, logging};
use anyhow::Context;
use function_fetch_host::{
    ComponentSource, Error, InstanceLimits, RuntimeConfig, Server, ServerBuilder, Variables,
};
use std::io::Write;
use std::num::NonZero;
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code of a server that was stopped by force.
const FORCED: u8 = 130;

pub fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    logging::start(&args.log)?;
    // It accepts connections; the server's threads serve them.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let code = runtime.block_on(serve(args));
    // What is still running has had its time.
    runtime.shutdown_background();
    code
}

async fn serve(mut args: ServeArgs) -> anyhow::Result<ExitCode> {
    let mut ends = EndSignals::new().context("cannot listen for signals")?;
    let access_log = match args.access_log.take() {
        Some(file) => Some(access_log::open(&file, args.access_log_format)?),
        None => None,
    };
    let for_people = args.log.is_for_people();
    let monitoring = Monitoring::of(&args).await?;
    let (mut builder, runtime) = builder(args)?;
    if let Some(writing) = &access_log {
        let log = writing.log();
        builder = builder.on_access(move |access| log.take(access));
    }
    if for_people {
        builder = builder.on_event(|event| changes::show(&event));
    }
    if let Some(monitoring) = &monitoring {
        builder = builder.metrics(monitoring.metrics());
    }
    let settings = builder.settings();
    let server = builder.bind().await.map_err(with_remedy)?;
    summary::say(&settings, &runtime, for_people);
    let exporting = monitoring.map(Monitoring::start);
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "Serving http://{}", server.local_addr())
        .and_then(|()| stdout.flush())
        .context("cannot write to stdout")?;
    drop(stdout);

    let (end, ending) = tokio::sync::oneshot::channel::<()>();
    let serving = server.run(async {
        let _ = ending.await;
    });
    let forced = async {
        ends.next().await;
        drop(end);
        ends.next().await;
    };
    let code = tokio::select! {
        () = serving => ExitCode::SUCCESS,
        () = forced => ExitCode::from(FORCED),
    };
    if let Some(exporting) = exporting {
        exporting.end().await;
    }
    if let Some(writing) = access_log {
        writing.end();
    }
    Ok(code)
}

/// The server, and where its stores are.
fn builder(args: ServeArgs) -> anyhow::Result<(ServerBuilder, RuntimeConfig)> {
    let mut variables = Variables::from_environment(environment::utf8());
    for Assignment { name, value } in args.variables {
        variables.set(name, value);
    }
    let mut runtime = match &args.runtime_config_file {
        Some(file) => RuntimeConfig::from_file(file).map_err(with_remedy)?,
        None => RuntimeConfig::default(),
    };
    args.upstream.apply(&mut runtime.outbound_http);
    let settings = environment::shared(environment::utf8(), args.environment);
    let component = match args.component {
        Some(file) => ComponentSource::file(file),
        None => ComponentSource::built_in().context(
            "COMPONENT: none is built into this build of the command; give a component file, such as `cargo xtask build` makes",
        )?,
    };
    let builder = Server::builder(component)
        .envs(settings)
        .variables(variables);
    let known = check::read(&builder.settings());
    let targets = known.targets.iter().map(|target| target.origin().parse());
    let targets: Vec<_> = targets.collect::<Result<_, _>>().context("a target")?;
    let mut builder = builder
        .listen(args.listen)
        .threads(args.threads.unwrap_or_else(cores))
        .runtime_config(runtime.clone())
        .store_limits(args.stores.into())
        .allow_outbound(targets.into_iter().chain(args.allow_outbound))
        .instances(InstanceLimits {
            reuse: args.max_instance_reuse_count,
            concurrent_reuse: args.max_instance_concurrent_reuse_count,
            idle_timeout: args.idle_instance_timeout,
            max_instances: args.max_instances,
            max_waiting: args.max_waiting_requests,
            max_memory_bytes: args.max_instance_memory_bytes,
            compute_timeout: args.instance_compute_timeout,
            wait_timeout: args.instance_wait_timeout,
        })
        .clients(args.clients.into())
        .drain_timeout(args.drain_timeout);
    let cache = args.compile_cache.or_else(environment::cache_folder);
    if let Some(folder) = cache.filter(|_| !args.no_compile_cache) {
        builder = builder.compile_cache(folder);
    }
    for file in args.ca_files {
        builder = builder.ca_file(file);
    }
    Ok((builder, runtime))
}

/// Within the limits that a container may set.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Names the argument and the remedy, which the library does not know.
fn with_remedy(error: Error) -> anyhow::Error {
    let (argument, remedy) = match &error {
        Error::Listen { .. } => (
            "--listen",
            "choose an address of this machine whose port is free (port 0 takes any)",
        ),
        Error::ReadComponent { .. } | Error::Component { .. } => (
            "COMPONENT",
            "give a component file, such as `cargo xtask build` makes",
        ),
        Error::RuntimeConfig { .. } => (
            "--runtime-config-file",
            "correct the file, or leave the option out",
        ),
        Error::CaFile { .. } => ("--ca-file", "give a PEM file of certificates"),
        _ => return error.into(),
    };
    anyhow::anyhow!("{argument}: {error}; {remedy}")
}

/// Ctrl-C and SIGTERM, which mean the same here.
struct EndSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl EndSignals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
