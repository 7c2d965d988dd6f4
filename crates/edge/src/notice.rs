//! What the operator hears, from the engine to the host.

use crate::wit;
use function_fetch_engine::{ChangeReason, Notice, StoreOperation};

pub fn to_host(notice: Notice) -> wit::Notice {
    match notice {
        Notice::PrimaryChanged { from, to, reason } => {
            wit::Notice::PrimaryChanged(wit::PrimaryChanged {
                from,
                to,
                reason: change_reason(reason),
            })
        }
        Notice::Ejected {
            target,
            reason,
            for_ms,
        } => wit::Notice::Ejected(wit::Ejected {
            target,
            reason,
            for_ms,
        }),
        Notice::Recovered { target } => wit::Notice::Recovered(target),
        Notice::NoHealthyTarget => wit::Notice::NoHealthyTarget,
        Notice::Denied { target, remedy } => wit::Notice::Denied(wit::Denied {
            target,
            remedy: remedy.to_owned(),
        }),
        Notice::HealthPathCached { target, remedy } => {
            wit::Notice::HealthPathCached(wit::HealthPathCached {
                target,
                remedy: remedy.to_owned(),
            })
        }
        Notice::StoreFailed { operation } => wit::Notice::StoreFailed(match operation {
            StoreOperation::Read => wit::StoreOperation::Read,
            StoreOperation::Write => wit::StoreOperation::Write,
        }),
        Notice::BadSetting { setting, reason } => wit::Notice::BadSetting(wit::BadSetting {
            setting: setting.to_owned(),
            reason,
        }),
    }
}

fn change_reason(reason: ChangeReason) -> wit::ChangeReason {
    match reason {
        ChangeReason::Probed => wit::ChangeReason::Probed,
        ChangeReason::Store => wit::ChangeReason::Store,
        ChangeReason::Failover => wit::ChangeReason::Failover,
        ChangeReason::Recovered => wit::ChangeReason::Recovered,
    }
}
