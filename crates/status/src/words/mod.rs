//! What the page says, in each language. A sentence that one of them lacks does not
//! compile.

mod chinese;
mod english;

use crate::preference::Language;
use function_fetch_engine::Notice;
use function_fetch_engine::status::{Cause, Micros, Source, Standing};

/// A language.
pub(crate) trait Words {
    /// Its tag (BCP 47).
    fn tag(&self) -> &'static str;
    /// A text that is always the same.
    fn text(&self, text: Text) -> &'static str;
    /// How long ago, or how far ahead.
    fn ago(&self, ms: u64) -> String;
    fn ahead(&self, ms: u64) -> String;
    fn instance(&self, requests: u32) -> String;
    fn no_decision(&self, probing: bool) -> &'static str;
    fn source(&self, source: Source) -> &'static str;
    /// What a challenger must do to become the primary.
    fn margin(&self, margin: &str, below: Option<&str>) -> String;
    fn standing(&self, standing: Standing) -> &'static str;
    /// What becomes of a target that does not get its requests.
    fn outlook(&self, standing: Standing, trials: Option<(u32, u32)>) -> Option<String>;
    fn cause(&self, cause: &Cause) -> String;
    /// Beside failing requests: the health path answers all the same.
    fn still_well(&self, status: u16) -> String;
    fn probes(&self, count: u32) -> String;
    /// The last probes, for whoever does not see the drawing.
    fn recent(&self, count: usize, failed: usize, range: Option<(Micros, Micros)>) -> String;
    /// A notice; `name` shortens a target.
    fn notice(&self, notice: &Notice, name: &dyn Fn(&str) -> String) -> String;
}

/// Texts that are always the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    Title,
    SignIn,
    Token,
    WrongToken,
    SignOut,
    Pause,
    Continue,
    AsOf,
    OwnView,
    Since,
    Warnings,
    Decision,
    Primary,
    Chosen,
    StandsInFor,
    Source,
    Measured,
    Refresh,
    FreshUntil,
    UsedUntil,
    Change,
    Targets,
    Rank,
    Target,
    Tier,
    Weight,
    Health,
    Latency,
    Recent,
    Until,
    NoTargets,
    Events,
    NoEvents,
    Settings,
    Setting,
    Value,
    Hidden,
}

impl Language {
    pub(crate) fn words(self) -> &'static dyn Words {
        match self {
            Self::English => &english::English,
            Self::Chinese => &chinese::Chinese,
        }
    }
}

/// A span as it is shown: in whole ms, unless it is shorter than some of them.
pub(crate) fn time(Micros(us): Micros) -> String {
    match us {
        0..10_000 => format!("{us} µs"),
        _ => format!("{} ms", us / 1000),
    }
}

/// A span in the largest unit of which there are two at least.
pub(crate) enum Rough {
    Seconds(u64),
    Minutes(u64),
    Hours(u64),
    Days(u64),
}

impl Rough {
    pub(crate) fn of(ms: u64) -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        match (ms + 500) / 1000 {
            s if s < 2 * MINUTE => Self::Seconds(s),
            s if s < 2 * HOUR => Self::Minutes(s / MINUTE),
            s if s < 2 * DAY => Self::Hours(s / HOUR),
            s => Self::Days(s / DAY),
        }
    }
}
