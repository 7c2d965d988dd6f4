//! What the operator hears, from the engine's words to the host's.

use crate::wit;
use function_fetch_engine::Notice;

pub fn to_host(notice: Notice) -> wit::Notice {
    match notice {
        Notice::PrimaryChanged { from, to, reason } => {
            wit::Notice::PrimaryChanged(wit::PrimaryChanged {
                from,
                to,
                reason: reason.to_owned(),
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
        Notice::StoreFailed { operation } => wit::Notice::StoreFailed(operation.to_owned()),
        Notice::BadSetting { setting, reason } => wit::Notice::BadSetting(wit::BadSetting {
            setting: setting.to_owned(),
            reason,
        }),
    }
}
