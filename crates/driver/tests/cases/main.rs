//! The table of cases (`tests/cases`) on the engine under its driver, with
//! nothing else: no sockets, no WASI, and no time but what the cases take of a
//! clock that jumps. What fails here fails for every host that is driven so.

mod front;
mod network;
mod platform;
mod stage;
mod wrong;

use function_fetch_cases::{Case, read_all};
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

/// This runner's name in the table.
const HOST: &str = "engine";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases = match read_all() {
        Ok(cases) => cases,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let trials = cases
        .into_iter()
        .map(trial)
        .chain(wrong::trials())
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(case: Case) -> Trial {
    let skipped = case.skipped(HOST).is_some();
    let name = format!("{HOST}::{}", case.id());
    Trial::test(name, move || Ok(stage::run(&case)?)).with_ignored_flag(skipped)
}
