//! The engine in time, by criterion: `cargo bench -p function-fetch-engine --bench engine`.

mod operations;

use criterion::{Criterion, criterion_group, criterion_main};

fn engine(criterion: &mut Criterion) {
    for mut operation in operations::all() {
        criterion.bench_function(operation.name, |bencher| bencher.iter(&mut operation.run));
    }
}

criterion_group!(benches, engine);
criterion_main!(benches);
