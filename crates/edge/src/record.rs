//! The shared record, both ways.

use crate::wit;
use function_fetch_engine::record::TargetRecord;
use function_fetch_engine::{Record, Stored};

pub fn to_host(record: Record) -> wit::DecisionRecord {
    let targets = record.targets.into_iter().map(|target| wit::TargetRecord {
        n: target.n,
        fail: target.fail,
        ms: target.ms,
        at: target.at,
        until: target.until,
        last: target.last,
        live: target.live,
    });
    wit::DecisionRecord {
        version: record.version,
        at: record.at,
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
        ms: target.ms,
        at: target.at,
        until: target.until,
        last: target.last,
        live: target.live,
    });
    Stored::Record(Record {
        version: record.version,
        at: record.at,
        hash: record.hash,
        primary: record.primary,
        stands_in_for: record.stands_in_for,
        targets: targets.collect(),
        told: record.told,
    })
}
