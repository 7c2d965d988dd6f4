//! The promises of Function Fetch (behaviour.md, section 1), shown end to end: the built component, on real hosts, between
//! real sockets. Each promise is written once and runs as `HOST::PROMISE` on every host that can show it.
//!
//! Run by `cargo xtask test`, which builds the component, the host and finds `wasmtime`.

mod support;

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
    suite.run(arguments).exit_code()
}
