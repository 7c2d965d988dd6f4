//! The promises of Function Fetch (behaviour.md, section 1), tested end to end: the built component, on real hosts,
//! over real sockets. Each promise is written once and runs as `HOST::PROMISE` on every host that can run it.
//!
//! Run by `cargo xtask test`, which builds the component, the host and finds `wasmtime`.

mod bodies;
mod broken_uploads;
mod cases;
mod checking;
mod client_limits;
mod cold_start;
mod command;
mod composition;
mod concurrency;
mod confinement;
mod connections;
mod dying;
mod embedding;
mod failover;
mod fault_origin;
mod forwarding;
mod framing;
mod guest_limits;
mod h2spec;
mod hanging;
mod hedging;
mod host_calls;
mod https;
mod imports;
mod log_lines;
mod matrix;
mod memory;
mod monitoring;
mod package;
mod per_request;
mod probing;
mod racing;
mod raw_bytes;
mod responses;
mod routing;
mod settings;
mod shared_store;
mod spin;
mod spreading;
mod store_faults;
mod streaming;
mod support;
mod threads;
mod transparency;
mod whole;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use support::environment;
use support::suite::Suite;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if let (false, Err(missing)) = (arguments.list, environment::checked()) {
        eprintln!("{missing}: run `cargo xtask test`");
        return ExitCode::FAILURE;
    }
    let mut suite = Suite::default();
    imports::register(&mut suite);
    threads::register(&mut suite);
    routing::register(&mut suite);
    cold_start::register(&mut suite);
    racing::register(&mut suite);
    failover::register(&mut suite);
    dying::register(&mut suite);
    hanging::register(&mut suite);
    hedging::register(&mut suite);
    host_calls::register(&mut suite);
    spreading::register(&mut suite);
    fault_origin::register(&mut suite);
    bodies::register(&mut suite);
    broken_uploads::register(&mut suite);
    responses::register(&mut suite);
    whole::register(&mut suite);
    streaming::register(&mut suite);
    concurrency::register(&mut suite);
    connections::register(&mut suite);
    forwarding::register(&mut suite);
    framing::register(&mut suite);
    raw_bytes::register(&mut suite);
    h2spec::register(&mut suite);
    confinement::register(&mut suite);
    https::register(&mut suite);
    memory::register(&mut suite);
    per_request::register(&mut suite);
    store_faults::register(&mut suite);
    shared_store::register(&mut suite);
    settings::register(&mut suite);
    command::register(&mut suite);
    client_limits::register(&mut suite);
    monitoring::register(&mut suite);
    probing::register(&mut suite);
    checking::register(&mut suite);
    guest_limits::register(&mut suite);
    log_lines::register(&mut suite);
    embedding::register(&mut suite);
    composition::register(&mut suite);
    spin::register(&mut suite);
    package::register(&mut suite);
    transparency::register(&mut suite);
    cases::register(&mut suite);
    matrix::register(&mut suite);
    suite.run(arguments).exit_code()
}
