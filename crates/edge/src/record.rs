//! The shared record, both ways.

use crate::wit;
use function_fetch_engine::record::{Ejection, Live, TargetRecord};
use function_fetch_engine::{Millis, Record, Stored, Timestamp};

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
    });
    wit::DecisionRecord {
        version: record.version,
        at: record.at.0,
        hash: record.hash,
        primary: record.primary,
        stands_in_for: record.stands_in_for,
        targets: targets.collect(),
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
    });
    Stored::Record(Record {
        version: record.version,
        at: Timestamp(record.at),
        hash: record.hash,
        primary: record.primary,
        stands_in_for: record.stands_in_for,
        targets: targets.collect(),
        told: record.told,
    })
}
