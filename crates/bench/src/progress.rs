//! What the user sees while a run lasts.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over the parts, with what is measured now. Where stderr is no terminal, a line for each part.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Of a run with so many parts.
    pub fn new(parts: usize) -> Self {
        let bar = ProgressBar::new(parts as u64);
        bar.set_style(
            ProgressStyle::with_template(
                "{elapsed_precise} {bar:20} {pos}/{len} {prefix} {wide_msg}",
            )
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar }
    }

    /// A part begins.
    pub fn part(&self, name: &'static str) {
        self.bar.set_prefix(name);
        self.bar.set_message("");
        if self.bar.is_hidden() {
            eprintln!("{name} …");
        }
    }

    /// What it does now.
    pub fn step(&self, what: String) {
        self.bar.set_message(what);
    }

    /// A part has ended.
    pub fn part_done(&self) {
        self.bar.inc(1);
    }

    /// A line that stays.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    /// The run has ended.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
