//! Virtual time: whole microseconds since the start of the simulation.
//!
//! Integers, so that the order of events never hangs on a rounding; the engine
//! sees them as milliseconds since the Unix epoch, as it does everywhere.

/// A point in virtual time, or a length of it, in microseconds.
pub type Micros = u64;

/// The simulation starts at this wall-clock time, ms since the Unix epoch. Any
/// time would do; a fixed one makes runs alike.
pub const EPOCH_MS: f64 = 1_700_000_000_000.0;

/// One millisecond.
pub const MILLISECOND: Micros = 1_000;

/// One second.
pub const SECOND: Micros = 1_000_000;

/// One minute.
pub const MINUTE: Micros = 60 * SECOND;

/// One hour.
pub const HOUR: Micros = 60 * MINUTE;

/// Milliseconds as microseconds, rounded; what is negative is none.
#[must_use]
pub fn from_ms(ms: f64) -> Micros {
    (ms * 1e3).round().max(0.0) as Micros
}

/// Microseconds as milliseconds.
#[must_use]
pub fn to_ms(micros: Micros) -> f64 {
    micros as f64 / 1e3
}
