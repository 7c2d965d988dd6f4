//! The shared record, both ways.

use crate::wit;
use function_fetch_engine::record::{Ejection, Live, TargetRecord};
use function_fetch_engine::{
    HalfOpen, LatencyTrial, LogTimes, Millis, Pairs, Record, Stored, Tally, Timestamp,
};

pub fn to_host(record: Record) -> wit::DecisionRecord {
    let targets = record.targets.into_iter().map(|target| wit::TargetRecord {
        n: target.n,
        fail: target.fail,
        latency: target.latency.map(|latency| latency.0),
        at: target.at.map(|at| at.0),
        until: target.until.map(|until| until.0),
        last_ejection: target.last_ejection.map(|last| wit::Ejection {
            ends: last.ends.0,
            length: last.length.0,
        }),
        live: target.live.map(|live| wit::Live {
            mean: live.mean,
            variance: live.variance,
        }),
        live_answers: target.live_answers.map(|tally| wit::Tally {
            good: tally.good,
            bad: tally.bad,
            at: tally.at.0,
        }),
        half_open: target.half_open.map(|half_open| wit::HalfOpen {
            passed: times_to_host(half_open.passed),
            limit: half_open.limit,
            next: half_open.next.0,
        }),
        aside: target.aside.map(|until| until.0),
    });
    wit::DecisionRecord {
        version: record.version,
        at: record.at.0,
        hash: record.hash,
        primary: record.primary,
        stands_in_for: record.stands_in_for,
        targets: targets.collect(),
        trial: record.trial.map(|trial| wit::LatencyTrial {
            challenger: trial.challenger,
            own: times_to_host(trial.own),
            other: times_to_host(trial.other),
        }),
        pairs: record.pairs.map(|pairs| wit::Pairs {
            blamed: pairs.blamed,
            shared: pairs.shared,
        }),
        told: record.told,
    }
}

pub fn from_host(stored: wit::Stored) -> Stored {
    let record = match stored {
        wit::Stored::Record(record) => record,
        wit::Stored::Text(text) => return Stored::Text(text),
    };
    let targets = record.targets.into_iter().map(|target| TargetRecord {
        n: target.n,
        fail: target.fail,
        latency: target.latency.map(Millis),
        at: target.at.map(Timestamp),
        until: target.until.map(Timestamp),
        last_ejection: target.last_ejection.map(|last| Ejection {
            ends: Timestamp(last.ends),
            length: Millis(last.length),
        }),
        live: target.live.map(|live| Live {
            mean: live.mean,
            variance: live.variance,
        }),
        live_answers: target.live_answers.map(|tally| Tally {
            good: tally.good,
            bad: tally.bad,
            at: Timestamp(tally.at),
        }),
        half_open: target.half_open.map(|half_open| HalfOpen {
            passed: times(half_open.passed),
            limit: half_open.limit,
            next: Timestamp(half_open.next),
        }),
        aside: target.aside.map(Timestamp),
    });
    Stored::Record(Record {
        version: record.version,
        at: Timestamp(record.at),
        hash: record.hash,
        primary: record.primary,
        stands_in_for: record.stands_in_for,
        targets: targets.collect(),
        trial: record.trial.map(|trial| LatencyTrial {
            challenger: trial.challenger,
            own: times(trial.own),
            other: times(trial.other),
        }),
        pairs: record.pairs.map(|pairs| Pairs {
            blamed: pairs.blamed,
            shared: pairs.shared,
        }),
        told: record.told,
    })
}

fn times_to_host(times: LogTimes) -> wit::LogTimes {
    wit::LogTimes {
        count: times.count,
        mean: times.mean,
        squares: times.squares,
    }
}

fn times(times: wit::LogTimes) -> LogTimes {
    LogTimes {
        count: times.count,
        mean: times.mean,
        squares: times.squares,
    }
}
