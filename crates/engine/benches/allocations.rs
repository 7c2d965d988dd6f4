//! How often each of the engine's operations allocates: a line with its name and the number.

mod operations;

/// Enough for what happens only now and then to show.
const TIMES: u64 = 1_000;

fn main() {
    for mut operation in operations::all() {
        let counted = allocation_counter::measure(|| {
            for _ in 0..TIMES {
                (operation.run)();
            }
        });
        let each = counted.count_total as f64 / TIMES as f64;
        println!("{} {each}", operation.name);
    }
}
