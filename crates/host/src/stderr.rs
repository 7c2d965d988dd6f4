//! An instance's stderr, when its events are watched: those go to the watcher, the rest to stderr as usual.

use crate::event::Event;
use std::io::Write;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Called with each event, by the instance that reports it, which waits meanwhile. Says whether it has taken it; if
/// not, its line goes to stderr like all others.
pub(crate) type Watcher = Arc<dyn Fn(Event) -> bool + Send + Sync>;

/// The longest line that is kept whole, and the most that is taken at once.
const LINE_LIMIT: usize = 64 * 1024;

/// All streams of one instance.
#[derive(Clone)]
pub(crate) struct WatchedStderr(Arc<Lines>);

struct Lines {
    watcher: Watcher,
    /// The beginning of an incomplete line.
    unfinished: Mutex<Vec<u8>>,
}

impl WatchedStderr {
    pub(crate) fn new(watcher: Watcher) -> Self {
        Self(Arc::new(Lines {
            watcher,
            unfinished: Mutex::new(Vec::new()),
        }))
    }
}

impl Lines {
    fn take(&self, bytes: &[u8]) {
        let lines = {
            let mut unfinished = self
                .unfinished
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            unfinished.extend_from_slice(bytes);
            let end = match unfinished.iter().rposition(|byte| *byte == b'\n') {
                Some(last) => last + 1,
                None if unfinished.len() > LINE_LIMIT => unfinished.len(),
                None => return,
            };
            let rest = unfinished.split_off(end);
            std::mem::replace(&mut *unfinished, rest)
        };
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let event = std::str::from_utf8(line)
                .ok()
                .and_then(|line| Event::from_line(line.trim_end()));
            let taken = event.is_some_and(|event| (self.watcher)(event));
            if !taken {
                pass_on(line);
            }
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let rest = self
            .unfinished
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        pass_on(rest);
    }
}

/// If stderr is closed, it is lost.
fn pass_on(bytes: &[u8]) {
    let _ = std::io::stderr().write_all(bytes);
}

impl IsTerminal for WatchedStderr {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for WatchedStderr {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for WatchedStderr {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.0.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl OutputStream for WatchedStderr {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.0.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(LINE_LIMIT)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for WatchedStderr {
    async fn ready(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_reported_whole_however_they_are_written() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let watcher = {
            let seen = seen.clone();
            Arc::new(move |event| {
                seen.lock().unwrap().push(event);
                true
            })
        };
        let lines = Lines {
            watcher,
            unfinished: Mutex::default(),
        };
        let line = "{\"source\":\"function-fetch\",\"event\":\"no_healthy_target\"}\n";
        for byte in format!("{line}no event\n{line}").bytes() {
            lines.take(&[byte]);
        }
        lines.take(format!("{line}{line}").as_bytes());
        assert_eq!(*seen.lock().unwrap(), vec![Event::NoHealthyTarget; 4]);
        lines.take(&vec![b'x'; LINE_LIMIT + 1]);
        assert!(lines.unfinished.lock().unwrap().is_empty());
    }
}
