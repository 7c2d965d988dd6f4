//! The targets.

use crate::part::{bulk, cold, engine, failover, size, start, targets as many};
use crate::proxy::Proxy;
use crate::results::Metric;

/// What is compared with a target.
pub enum Measure {
    /// One subject's figure by another's, in the same rounds.
    Ratio {
        case: &'static str,
        metric: Metric,
        of: &'static str,
        to: &'static str,
    },
    /// The median of a figure.
    Median {
        case: &'static str,
        subject: &'static str,
        metric: Metric,
    },
    /// The largest sample of a figure.
    Worst {
        case: &'static str,
        subject: &'static str,
        metric: Metric,
    },
}

/// On which side of a number a figure must be.
pub enum Bound {
    /// A figure of which more is better.
    AtLeast(f64),
    /// A figure of which less is better.
    AtMost(f64),
}

/// What a run should reach.
pub struct Target {
    /// What is judged.
    pub figure: &'static str,
    /// Where it is in the results.
    pub measure: Measure,
    /// The target.
    pub bound: Bound,
    /// Of the numbers.
    pub unit: &'static str,
}

/// The subject that the targets are for.
pub const OURS: &str = Proxy::FunctionFetch.name();
const CADDY: &str = Proxy::Caddy.name();
const BARE: &str = Proxy::PassThrough.name();

/// Every one, in the order of the table.
pub fn targets() -> Vec<Target> {
    use Bound::{AtLeast, AtMost};
    use Metric::{Cpu, P50, PeakRss, Rate, RssGrowth, Throughput, Time};
    let ratio = |figure, case, metric, of, to, bound| Target {
        figure,
        measure: Measure::Ratio {
            case,
            metric,
            of,
            to,
        },
        bound,
        unit: "×",
    };
    let median = |figure, case, subject, metric, bound, unit| Target {
        figure,
        measure: Measure::Median {
            case,
            subject,
            metric,
        },
        bound,
        unit,
    };
    let worst = |figure, case, subject, metric, bound, unit| Target {
        figure,
        measure: Measure::Worst {
            case,
            subject,
            metric,
        },
        bound,
        unit,
    };
    let nginx = Proxy::Nginx.name();
    let direct = Proxy::Direct.name();
    let in_wasmtime = Proxy::WasmtimeFunctionFetch.name();
    vec![
        ratio(
            "vs Caddy, 13 B, 64 connections",
            "small-64",
            Rate,
            OURS,
            CADDY,
            AtLeast(1.8),
        ),
        ratio(
            "vs Caddy, 64 KiB, 64 connections",
            "large-64",
            Rate,
            OURS,
            CADDY,
            AtLeast(2.0),
        ),
        ratio(
            "vs nginx, 13 B, 64 connections",
            "small-64",
            Rate,
            OURS,
            nginx,
            AtLeast(0.45),
        ),
        ratio(
            "CPU per warm request vs Caddy's",
            "small-64",
            Cpu,
            OURS,
            CADDY,
            AtMost(0.55),
        ),
        ratio(
            "one connection: p50 vs Caddy's",
            "small-1",
            P50,
            OURS,
            CADDY,
            AtMost(1.0),
        ),
        ratio(
            "vs bare pass-through: requests/s",
            "small-64",
            Rate,
            OURS,
            BARE,
            AtLeast(0.95),
        ),
        ratio(
            "vs bare pass-through: p50",
            "small-64",
            P50,
            OURS,
            BARE,
            AtMost(1.05),
        ),
        ratio(
            "`wasmtime serve` vs Caddy",
            "small-64",
            Rate,
            in_wasmtime,
            CADDY,
            AtLeast(0.9),
        ),
        ratio(
            "1 GiB down vs direct",
            bulk::DOWN,
            Throughput,
            OURS,
            direct,
            AtLeast(0.9),
        ),
        ratio(
            "1 GiB up vs direct",
            bulk::UP,
            Throughput,
            OURS,
            direct,
            AtLeast(0.9),
        ),
        worst(
            "1 GiB down: peak RSS",
            bulk::DOWN,
            OURS,
            PeakRss,
            AtMost(64.0),
            "MiB",
        ),
        worst(
            "1 GiB up: peak RSS",
            bulk::UP,
            OURS,
            PeakRss,
            AtMost(64.0),
            "MiB",
        ),
        // Flat: what an allocator may keep, and no more however long the body is.
        worst(
            "1 GiB down: RSS stays flat",
            bulk::DOWN,
            OURS,
            RssGrowth,
            AtMost(4.0),
            "MiB",
        ),
        worst(
            "1 GiB up: RSS stays flat",
            bulk::UP,
            OURS,
            RssGrowth,
            AtMost(4.0),
            "MiB",
        ),
        median(
            "cold start, one hangs: p50",
            cold::CASE,
            cold::FRESH,
            Time,
            AtMost(3.0 * cold::FASTEST_MS),
            "ms",
        ),
        worst(
            "cold start, one hangs: worst",
            cold::CASE,
            cold::FRESH,
            Time,
            AtMost(3.0 * cold::FASTEST_MS),
            "ms",
        ),
        median(
            "failover on a refused primary: once",
            failover::CASE,
            failover::REFUSED_FIRST,
            Time,
            AtMost(2.0),
            "ms",
        ),
        // None, as far as a clock can tell on a machine that does other things.
        median(
            "failover on a refused primary: after",
            failover::CASE,
            failover::REFUSED_AFTER,
            Time,
            AtMost(0.5),
            "ms",
        ),
        ratio(
            "32 targets vs 2, warm",
            many::CASE,
            Rate,
            many::MOST,
            many::FEWEST,
            AtLeast(0.98),
        ),
        median(
            "engine per warm request",
            engine::CASE,
            engine::WARM_GET,
            Metric::OperationTime,
            AtMost(300.0),
            "ns",
        ),
        median(
            "engine per warm request: allocations",
            engine::CASE,
            engine::WARM_GET,
            Metric::Allocations,
            AtMost(0.0),
            "",
        ),
        median(
            "process start to first response",
            start::CASE,
            OURS,
            Time,
            AtMost(60.0),
            "ms",
        ),
        median(
            "size of the Spin flavour",
            size::CASE,
            size::SPIN,
            Metric::Size,
            AtMost(400_000.0),
            "bytes",
        ),
    ]
}
