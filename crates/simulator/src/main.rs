fn main() {
    let name = std::env::args().nth(1).unwrap();
    let s = function_fetch_simulator::scenario::named(&name).unwrap();
    let t = std::time::Instant::now();
    let kinds = function_fetch_simulator::policy::ALL;
    let r = function_fetch_simulator::run::run(&s, &kinds, 1, &|_| {});
    for (k, m) in kinds.iter().zip(r) {
        println!("{:20} req {} fg {} fp {} mean {:.2} p50 {:.1} p90 {:.1} p99 {:.1} max {:.0} att {} probes {} r {} w {} sw {} fc {} inst {} dead {} max {}", k.name(), m.requests, m.failed_gets, m.failed_posts, m.mean_ms(), m.quantile_ms(0.5), m.quantile_ms(0.9), m.quantile_ms(0.99), m.latency.max() as f64/1e3, m.attempts, m.probes, m.store_reads, m.store_writes, m.switches, m.first_choice_changes, m.instances, m.dead_attempts, m.dead_attempts_of_an_instance);
        if !m.notices.is_empty() { println!("    {:?}", m.notices); }
    }
    println!("{:?}", t.elapsed());
}
