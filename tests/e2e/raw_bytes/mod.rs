//! Raw bytes: for requests and responses that no library would write, what the target receives and what the client gets,
//! on each host that a raw socket reaches.
//!
//! What is expected of each row is in `expected.json`. Apart from that, no row may ever reach another host than the
//! target, become two requests, arrive in a form that leaves room for interpretation, or change, unless a reason is given
//! there.

mod exchanges;
mod expected;
mod floods;
mod frames;
mod framing;
mod heads;
mod limits;
mod outcome;
mod play;
mod responses;
mod row;
mod strict;
mod tap;
mod targets;

use crate::promises;
use crate::support::any_host::{ALL, AnyHost, EMBEDDED};
use crate::support::suite::{Suite, TestHost};
use expected::Expected;
use row::Row;
use tap::Tap;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        ALL,
        [
            raw_framing_has_one_meaning,
            raw_heads_pass_whole_or_not_at_all,
            raw_targets_never_choose_the_host,
            raw_exchanges_stay_apart,
            raw_responses_stay_apart,
            raw_sizes_pass_whole_or_not_at_all,
        ]
    );
    promises!(suite, &[EMBEDDED], [raw_rows_and_expectations_fit]);
    frames::register(suite);
    floods::register(suite);
}

async fn raw_framing_has_one_meaning(host: AnyHost) {
    play_all(host, framing::rows()).await;
}

async fn raw_heads_pass_whole_or_not_at_all(host: AnyHost) {
    play_all(host, heads::rows()).await;
}

async fn raw_targets_never_choose_the_host(host: AnyHost) {
    play_all(host, targets::rows()).await;
}

async fn raw_exchanges_stay_apart(host: AnyHost) {
    play_all(host, exchanges::rows()).await;
}

async fn raw_responses_stay_apart(host: AnyHost) {
    play_all(host, responses::rows()).await;
}

async fn raw_sizes_pass_whole_or_not_at_all(host: AnyHost) {
    play_all(host, limits::rows()).await;
}

/// Plays every row, though some fail: one run shows everything that differs.
async fn play_all(host: AnyHost, rows: Vec<Row>) {
    let expected = Expected::read();
    let (tap, decoy) = (Tap::start(), Tap::start());
    let target = tap.address().to_string();
    let proxy = host.start(&format!("http://{target}"), &[]).await;
    let mut differences = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let outcome = play::play(row, number, proxy.address(), &tap, &decoy).await;
        let line = outcome.line(row);
        let wanted = expected
            .outcome(&row.name, host.name())
            .unwrap_or("nothing is said");
        if !wanted.split(" or ").any(|wanted| wanted == line) {
            differences.push(format!(
                "{}\n    expected {wanted}\n    was      {line}",
                row.name
            ));
        }
        if expected.why(&row.name, host.name()).is_none() {
            for violation in outcome.violations(&target, row) {
                differences.push(format!("{}\n    {violation}\n    {line}", row.name));
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{} differences in {} rows:\n{}",
        differences.len(),
        rows.len(),
        differences.join("\n")
    );
}

/// A row that was renamed or removed leaves nothing behind, and no name has two meanings.
async fn raw_rows_and_expectations_fit(_: AnyHost) {
    let groups = [
        framing::rows(),
        heads::rows(),
        targets::rows(),
        exchanges::rows(),
        responses::rows(),
        limits::rows(),
    ];
    let mut rows: Vec<String> = groups.into_iter().flatten().map(|row| row.name).collect();
    rows.sort();
    let expected = Expected::read();
    let names: Vec<&str> = expected.names().collect();
    assert_eq!(rows, names);
}
