//! What the operator hears.

use function_fetch_engine::Notice;
use std::io::Write;

/// Writes the notice to stderr.
pub fn tell(notice: &Notice) {
    // In one piece: `eprintln!` writes the end of the line apart, and another instance's line could come between.
    let line = notice.line() + "\n";
    let _ = std::io::stderr().write_all(line.as_bytes());
}
