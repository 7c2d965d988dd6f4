//! The columns of tables: a figure's name, where it comes from, how it is
//! written. Of several seeds: the median, and the worst.

use crate::report::summary::Summary;
use crate::report::trouble::TroubleFigures;
use std::fmt::Write;

/// One column, of what `T` holds.
pub struct Figure<T> {
    /// Its heading.
    pub name: &'static str,
    digits: usize,
    unit: &'static str,
    of: fn(&T) -> Numbers,
}

/// The numbers of a cell: one, or some that belong together. `None` is *never*.
type Numbers = Vec<Option<f64>>;

/// What each scenario is told by. More is worse in all of these, which
/// [`Figure::spread`] relies on.
pub const USUAL: [Figure<Summary>; 13] = [
    figure("failed GET / POST", 0, "", |s| {
        counts(&[s.failed_gets, s.failed_posts])
    }),
    figure("mean", 1, "", |s| one(s.mean_ms)),
    figure("over oracle", 1, " %", |s| {
        s.excess_percent.map_or_else(Vec::new, one)
    }),
    figure("p50", 1, "", |s| one(s.p50_ms)),
    figure("p90", 1, "", |s| one(s.p90_ms)),
    figure("p99", 1, "", |s| one(s.p99_ms)),
    figure("max ms", 0, "", |s| one(s.max_ms)),
    figure("slowest GET ms", 0, "", |s| one(s.slowest_get_ms)),
    figure("attempts / request", 3, "", |s| one(s.attempts_per_request)),
    figure("switches / location·h", 1, "", |s| {
        one(s.switches_per_location_hour)
    }),
    figure("probes", 2, " %", |s| one(s.probes_percent_of_requests)),
    figure(
        "store reads / writes per location and half TTL",
        1,
        "",
        |s| {
            all(&[
                s.store_reads_per_location_half_ttl,
                s.store_writes_per_location_half_ttl,
            ])
        },
    ),
    // Of short lists only: a day has too many incidents for a cell.
    figure("settled after", 0, " s", |s| match &*s.settled_s {
        few if few.len() <= 4 => few.iter().map(|(_, took)| *took).collect(),
        _ => Vec::new(),
    }),
];

/// What a time of trouble is told by; here too more is worse.
pub const TROUBLE: [Figure<TroubleFigures>; 8] = [
    figure(
        "GETs that saw an error: to 10 s / to 1 min / later / after",
        0,
        "",
        |t| counts(&t.get_errors),
    ),
    figure("POSTs likewise", 0, "", |t| counts(&t.post_errors)),
    figure("POSTs after 10 s", 2, " %", |t| {
        one(t.post_errors_after_10_s_percent)
    }),
    figure(
        "p99 of GETs: before / to 1 min / later / after",
        0,
        "",
        |t| all(&t.get_p99_ms),
    ),
    figure("half / all of the excess gone after", 0, " s", |t| {
        t.excess_gone_s.clone()
    }),
    figure("switches / wrong ones", 0, "", |t| {
        counts(&[t.switches, t.wrong_switches])
    }),
    figure("trials", 2, " %", |t| one(t.trials_percent)),
    figure("ejections: in it / before and after", 0, "", |t| {
        counts(&[t.ejections, t.other_ejections])
    }),
];

const fn figure<T>(
    name: &'static str,
    digits: usize,
    unit: &'static str,
    of: fn(&T) -> Numbers,
) -> Figure<T> {
    Figure {
        name,
        digits,
        unit,
        of,
    }
}

fn one(value: f64) -> Numbers {
    vec![Some(value)]
}

fn all(values: &[f64]) -> Numbers {
    values.iter().copied().map(Some).collect()
}

fn counts(values: &[u64]) -> Numbers {
    values.iter().map(|count| Some(*count as f64)).collect()
}

/// A number of each seed, in short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Half of the seeds have at most this; infinite is *never*.
    pub median: f64,
    /// The worst of the seeds.
    pub worst: f64,
}

impl<T> Figure<T> {
    /// Number by number, the spread over some seeds.
    #[must_use]
    pub fn spread(&self, seeds: &[&T]) -> Vec<Spread> {
        let cells: Vec<Numbers> = seeds.iter().map(|seed| (self.of)(seed)).collect();
        let length = cells.iter().map(Vec::len).min().unwrap_or(0);
        (0..length)
            .map(|place| {
                let mut values: Vec<f64> = cells
                    .iter()
                    .map(|cell| cell[place].unwrap_or(f64::INFINITY))
                    .collect();
                values.sort_by(f64::total_cmp);
                let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
                Spread {
                    median: f64::midpoint(low, high),
                    worst: values[values.len() - 1],
                }
            })
            .collect()
    }

    fn cell(&self, seeds: &[&T]) -> String {
        let write = |value: f64| match value {
            f64::INFINITY => "never".to_owned(),
            value => format!("{value:.*}{}", self.digits, self.unit),
        };
        let cells = self.spread(seeds).into_iter().map(|spread| match seeds {
            [_] => write(spread.median),
            _ => format!("{} ({})", write(spread.median), write(spread.worst)),
        });
        cells.collect::<Vec<_>>().join(" / ")
    }
}

/// Writes a table: a row for each policy, by its figures under some seeds.
pub fn table<T>(page: &mut String, columns: &[Figure<T>], rows: &[(&str, Vec<&T>)]) {
    page.push_str("| policy |");
    for column in columns {
        let _ = write!(page, " {} |", column.name);
    }
    page.push_str("\n| --- |");
    page.push_str(&" --: |".repeat(columns.len()));
    for (policy, seeds) in rows {
        let _ = write!(page, "\n| {policy} |");
        for column in columns {
            let _ = write!(page, " {} |", column.cell(seeds));
        }
    }
    page.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURE: Figure<Numbers> = figure("settled after", 0, " s", Clone::clone);

    fn spread(seeds: &[f64]) -> Spread {
        let cells: Vec<Numbers> = seeds.iter().map(|value| one(*value)).collect();
        FIGURE.spread(&cells.iter().collect::<Vec<_>>())[0]
    }

    #[test]
    fn the_median_and_the_worst_of_seeds() {
        let of = |median, worst| Spread { median, worst };
        assert_eq!(spread(&[30.0, 10.0, 20.0]), of(20.0, 30.0));
        assert_eq!(spread(&[40.0, 10.0, 20.0, 30.0]), of(25.0, 40.0));
        assert_eq!(spread(&[7.0]), of(7.0, 7.0));
    }

    #[test]
    fn never_is_the_worst_and_the_median_of_most() {
        let cell = |seeds: &[Option<f64>]| {
            let cells: Vec<Numbers> = seeds.iter().map(|took| vec![*took]).collect();
            FIGURE.cell(&cells.iter().collect::<Vec<_>>())
        };
        assert_eq!(cell(&[Some(50.0), None, Some(40.0)]), "50 s (never)");
        assert_eq!(cell(&[None, None, Some(40.0)]), "never (never)");
    }

    #[test]
    fn a_table_of_one_seed_has_plain_figures() {
        let (a, b) = (vec![Some(1.0), None], vec![Some(3.0), Some(4.0)]);
        let mut page = String::new();
        table(&mut page, &[FIGURE], &[("ours", vec![&a])]);
        table(&mut page, &[FIGURE], &[("ours", vec![&a, &b])]);
        let head = "| policy | settled after |\n| --- | --: |\n";
        let wanted =
            format!("{head}| ours | 1 s / never |\n{head}| ours | 2 s (3 s) / never (never) |\n");
        assert_eq!(page, wanted);
    }
}
