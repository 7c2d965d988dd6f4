//! One of the engine's operations so many times, for callgrind to count: the difference between two runs of different
//! lengths has no start-up in it.
//!
//! `cargo xtask bench --only engine` runs it in valgrind.

mod operations;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|times| times.parse().ok());
    let found = operations::all()
        .into_iter()
        .find(|operation| operation.name == name);
    let (Some(mut operation), Some(times)) = (found, times) else {
        let names = operations::all().map(|operation| operation.name);
        eprintln!(
            "expected NAME TIMES, with NAME one of: {}",
            names.join(", ")
        );
        std::process::exit(2);
    };
    for _ in 0..times {
        (operation.run)();
    }
}
