//! The access log: a line for each request, written by a thread of its own.

mod line;

use anyhow::Context;
use clap::ValueEnum;
use function_fetch_host::Access;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tracing::{error, warn};

/// Lines that may wait to be written; a disk that is slower than that loses some.
const QUEUE: usize = 16_384;

/// How long the last lines may take to be written.
const LAST_LINES: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum AccessLogFormat {
    /// A JSON object for each request
    Json,
    /// The common log format, then target, attempts and seconds
    Common,
    /// The combined log format, then target, attempts and seconds
    Combined,
}

/// Takes accesses, from any thread.
#[derive(Clone)]
pub struct AccessLog {
    lines: SyncSender<Line>,
    format: AccessLogFormat,
    lost: Arc<AtomicU64>,
}

enum Line {
    Text(String),
    End,
}

/// The thread that writes.
pub struct Writing {
    log: AccessLog,
    thread: JoinHandle<()>,
}

/// Opens the log: `-` is stdout, and a file is appended to.
pub fn open(path: &Path, format: AccessLogFormat) -> anyhow::Result<Writing> {
    let to: Box<dyn Write + Send> = if path == Path::new("-") {
        Box::new(io::stdout())
    } else {
        let file = OpenOptions::new().create(true).append(true).open(path);
        Box::new(file.with_context(|| {
            format!(
                "--access-log {}: cannot be written; give a file in a folder that exists, or - for stdout",
                path.display()
            )
        })?)
    };
    let (lines, queue) = sync_channel(QUEUE);
    let lost = Arc::<AtomicU64>::default();
    let log = AccessLog {
        lines,
        format,
        lost: lost.clone(),
    };
    let path = path.to_owned();
    let thread = std::thread::Builder::new()
        .name("access-log".to_owned())
        .spawn(move || write(&queue, BufWriter::new(to), &path, &lost))
        .context("cannot start the thread that writes the access log")?;
    Ok(Writing { log, thread })
}

impl AccessLog {
    /// Logs one. Never waits.
    pub fn take(&self, access: &Access) {
        let line = line::of(access, self.format);
        if self.lines.try_send(Line::Text(line)).is_err() {
            self.lost.fetch_add(1, Relaxed);
        }
    }
}

impl Writing {
    pub fn log(&self) -> AccessLog {
        self.log.clone()
    }

    /// Writes what is left.
    pub fn end(self) {
        // The threads of the server keep their ends of the queue.
        if self.log.lines.try_send(Line::End).is_err() {
            return;
        }
        let until = std::time::Instant::now() + LAST_LINES;
        while !self.thread.is_finished() && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Writes lines as they come, and flushes when there are no more for now.
fn write(
    queue: &Receiver<Line>,
    mut to: BufWriter<Box<dyn Write + Send>>,
    path: &Path,
    lost: &AtomicU64,
) {
    let mut works = true;
    loop {
        let next = match queue.try_recv() {
            Ok(line) => Some(line),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                note(to.flush(), &mut works, path);
                let lost = lost.swap(0, Relaxed);
                if lost > 0 {
                    warn!(lost, path = %path.display(), "the access log could not be written fast enough");
                }
                queue.recv().ok()
            }
        };
        match next {
            Some(Line::Text(line)) => note(to.write_all(line.as_bytes()), &mut works, path),
            Some(Line::End) | None => {
                note(to.flush(), &mut works, path);
                return;
            }
        }
    }
}

/// A full disk is reported once, until it works again.
fn note(result: io::Result<()>, works: &mut bool, path: &Path) {
    if let Err(reason) = &result
        && *works
    {
        error!(%reason, path = %path.display(), "the access log cannot be written");
    }
    *works = result.is_ok();
}
