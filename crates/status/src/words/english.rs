//! The page in English.

use super::{Rough, Text, Words, time};
use function_fetch_engine::status::{Cause, FoundBy, Micros, Source, Standing};
use function_fetch_engine::{ChangeReason, Notice, StoreOperation};

pub(super) struct English;

impl Words for English {
    fn tag(&self) -> &'static str {
        "en"
    }

    fn text(&self, text: Text) -> &'static str {
        match text {
            Text::Title => "Function Fetch status",
            Text::SignIn => "Sign in",
            Text::Token => "Token",
            Text::WrongToken => "That is not the token.",
            Text::SignOut => "Sign out",
            Text::Pause => "Pause",
            Text::Continue => "Continue",
            Text::AsOf => "As of",
            Text::OwnView => {
                "This is the view of the instance that answered; others have their own. Many hosts replace an instance after 128 requests."
            }
            Text::Since => "Its first request came",
            Text::Warnings => "Warnings",
            Text::Decision => "Decision",
            Text::Primary => "Primary",
            Text::Chosen => "This instance uses",
            Text::StandsInFor => "In place of",
            Text::Source => "Comes from",
            Text::Measured => "Measured",
            Text::Refresh => "Next refresh",
            Text::FreshUntil => "Fresh until",
            Text::UsedUntil => "Used until",
            Text::Change => "What would change it",
            Text::Targets => "Targets",
            Text::Rank => "Rank",
            Text::Target => "Target",
            Text::Tier => "Tier",
            Text::Weight => "Weight",
            Text::Health => "Health",
            Text::Latency => "Latency",
            Text::Recent => "Last probes",
            Text::Until => "until",
            Text::NoTargets => "There is no target, so every request gets a 500.",
            Text::Events => "Recent events",
            Text::NoEvents => "None in this instance.",
            Text::Settings => "Settings in force",
            Text::Setting => "Setting",
            Text::Value => "Value",
            Text::Hidden => "set, not shown",
        }
    }

    fn ago(&self, ms: u64) -> String {
        format!("{} ago", rough(ms))
    }

    fn ahead(&self, ms: u64) -> String {
        format!("in {}", rough(ms))
    }

    fn instance(&self, requests: u32) -> String {
        match requests {
            0 => "It has had no request yet.".to_owned(),
            1 => "It has had one request.".to_owned(),
            _ => format!("It has had {requests} requests."),
        }
    }

    fn no_decision(&self, probing: bool) -> &'static str {
        if probing {
            "none yet: the targets are being probed"
        } else {
            "none yet: the next request has the targets probed"
        }
    }

    fn source(&self, source: Source) -> &'static str {
        match source {
            Source::Probes => "probes of this instance",
            Source::Store => "the store: another instance has measured",
            Source::List => "the order of FETCH_TARGETS: nothing is measured",
            Source::None => "nothing yet",
        }
    }

    fn margin(&self, margin: &str, below: Option<&str>) -> String {
        let margin = margin.replace(',', " and ");
        let rule = format!(
            "a challenger that is faster by the larger of {margin}, measured again beside the primary"
        );
        match below {
            Some(below) => format!("{rule}: now below {below}"),
            None => rule,
        }
    }

    fn standing(&self, standing: Standing) -> &'static str {
        match standing {
            Standing::Healthy => "Healthy",
            Standing::Unmeasured => "Not measured yet",
            Standing::Listed => "In its turn",
            Standing::Overdue => "Overdue",
            Standing::Aside => "Set aside",
            Standing::Ejected => "Out",
            Standing::AwaitsProbe => "Out",
            Standing::HalfOpen => "On trial",
        }
    }

    fn outlook(&self, standing: Standing, trials: Option<(u32, u32)>) -> Option<String> {
        let text = match standing {
            Standing::Healthy | Standing::Unmeasured | Standing::Listed => return None,
            Standing::Overdue => "Its answers are overdue; a probe asks whether it is alive.",
            Standing::Aside => {
                "It asked for that with Retry-After: requests that may be retried go elsewhere."
            }
            Standing::Ejected => "Then a probe decides.",
            Standing::AwaitsProbe => "A probe is due, beside the next request.",
            Standing::HalfOpen => {
                let (passed, needed) = trials?;
                return Some(format!(
                    "It has passed {passed} of {needed} trials with live requests."
                ));
            }
        };
        Some(text.to_owned())
    }

    fn cause(&self, cause: &Cause) -> String {
        let why = match (cause.status, cause.error) {
            (Some(status), _) => format!("status {status}"),
            (None, Some(error)) => error.to_owned(),
            (None, None) => "overdue answers".to_owned(),
        };
        match cause.found_by {
            FoundBy::Probe => match cause.status {
                Some(status) => format!("The health path answered {status}."),
                None => format!("The health path did not answer: {why}."),
            },
            FoundBy::Connection => format!("It could not be reached: {why}."),
            FoundBy::Requests => {
                let (failed, of) = (cause.failed.unwrap_or(0), cause.of.unwrap_or(0));
                format!("{failed} of its last {of} requests failed, the last one by {why}.")
            }
            FoundBy::Latency => "Its answers took longer than another target's.".to_owned(),
            FoundBy::OtherInstance => {
                "Another instance found it out; that one's log says why.".to_owned()
            }
        }
    }

    fn still_well(&self, status: u16) -> String {
        format!("The health path still answers {status}.")
    }

    fn probes(&self, count: u32) -> String {
        match count {
            1 => "1 probe".to_owned(),
            _ => format!("{count} probes"),
        }
    }

    fn recent(&self, count: usize, failed: usize, range: Option<(Micros, Micros)>) -> String {
        let failed = match failed {
            0 => String::new(),
            _ => format!(", {failed} failed"),
        };
        match range {
            Some((least, most)) => {
                format!(
                    "last {count} probes: {} to {}{failed}",
                    time(least),
                    time(most)
                )
            }
            None => format!("last {count} probes{failed}"),
        }
    }

    fn notice(&self, notice: &Notice, name: &dyn Fn(&str) -> String) -> String {
        match notice {
            Notice::PrimaryChanged { from, to, reason } => {
                let why = match reason {
                    ChangeReason::Probed => "by its probes",
                    ChangeReason::Store => "as another instance found",
                    ChangeReason::Failover => "since the one before failed",
                    ChangeReason::Recovered => "since it is back",
                };
                match from {
                    Some(from) => {
                        format!("The primary is {} after {}, {why}.", name(to), name(from))
                    }
                    None => format!("The primary is {}, {why}.", name(to)),
                }
            }
            Notice::Ejected {
                target,
                reason,
                for_ms,
            } => {
                let span = rough(u64::from(*for_ms));
                format!("{} is out for {span}: {reason}.", name(target))
            }
            Notice::Recovered { target } => format!("{} is back.", name(target)),
            Notice::NoHealthyTarget => "No target is healthy; all of them are tried.".to_owned(),
            Notice::Denied { target, remedy } => {
                format!("The host does not allow {}: {remedy}.", name(target))
            }
            Notice::HealthPathCached { target, remedy } => {
                format!("Of {}: {remedy}.", name(target))
            }
            Notice::StoreFailed { operation } => match operation {
                StoreOperation::Read => "The store cannot be read.",
                StoreOperation::Write => "The store cannot be written.",
            }
            .to_owned(),
            Notice::BadSetting { setting, reason } => format!("{setting}: {reason}."),
        }
    }
}

fn rough(ms: u64) -> String {
    match Rough::of(ms) {
        Rough::Seconds(count) => format!("{count} s"),
        Rough::Minutes(count) => format!("{count} min"),
        Rough::Hours(count) => format!("{count} h"),
        Rough::Days(count) => format!("{count} d"),
    }
}
