//! Runs a server as a child until it ends, as if this process were that server: its output, the signals it is sent
//! and its exit status are passed through.

use std::future::pending;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::process;

/// What Spin and the embedded host print, before the address, once they accept connections.
const SERVING: &str = "Serving http://";

/// Runs `command` to its end. `on_serving` is called with the base URL once the server accepts connections.
///
/// Call this on the main thread: the server is asked to stop when the thread that started it ends.
pub async fn run(command: Command, on_serving: impl FnOnce(&str)) -> Result<ExitStatus> {
    process::echo(&command);
    // Before the child exists, so that no signal is missed.
    let mut signals = Signals::listen()?;
    let mut child = spawn(command)?;
    let mut lines =
        BufReader::new(child.stdout.take().context("the server has no stdout")?).lines();
    let mut on_serving = Some(on_serving);
    let mut pass = |line: &str| {
        process::say(line);
        if let Some(address) = line.trim().strip_prefix(SERVING)
            && let Some(on_serving) = on_serving.take()
        {
            on_serving(&format!("http://{}", address.trim_end_matches('/')));
        }
    };

    let mut reading = true;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            line = lines.next_line(), if reading => match line {
                Ok(Some(line)) => pass(&line),
                Ok(None) | Err(_) => reading = false,
            },
            signal = signals.next() => signals.forward(signal, &child),
        }
    };
    // The rest of its output. Bounded: a process that it left running may hold the pipe open.
    let last_words = async {
        while let Ok(Some(line)) = lines.next_line().await {
            pass(&line);
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), last_words).await;
    Ok(status)
}

/// The exit code for how the server ended; 128 + signal, as in a shell, when one killed it.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let killed = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
    #[cfg(not(unix))]
    let killed = None;
    let code = status
        .code()
        .or(killed)
        .and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

fn spawn(command: Command) -> Result<Child> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut command = tokio::process::Command::from(ending_with_us(command));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    // In a separate process group: the terminal's Ctrl-C then reaches only this process, and the server once, from
    // here. Twice could mean "do not drain, stop now" to it.
    #[cfg(unix)]
    command.process_group(0);
    command
        .spawn()
        .with_context(|| format!("cannot run `{name}`"))
}

/// Makes the kernel stop the server if this process is killed, where util-linux's `setpriv` is available. (Doing
/// it directly, between fork and exec, takes unsafe code.)
fn ending_with_us(command: Command) -> Command {
    let death_signal = ["--pdeathsig", "TERM"];
    let mut probe = Command::new("setpriv");
    probe
        .args(death_signal)
        .arg("true")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        return command;
    }
    let mut wrapped = Command::new("setpriv");
    wrapped
        .args(death_signal)
        .arg("--")
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    wrapped
}

/// The signals that end a server.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> rustix::process::Signal {
        use rustix::process::Signal;
        tokio::select! {
            Some(()) = self.interrupt.recv() => Signal::INT,
            Some(()) = self.terminate.recv() => Signal::TERM,
            // A closed terminal stops a server like any other request to stop: with a drain.
            Some(()) = self.hang_up.recv() => Signal::TERM,
            else => pending().await,
        }
    }

    /// To the whole group, as a terminal would: `spin up` has the server in a separate process.
    fn forward(&self, signal: rustix::process::Signal, child: &Child) {
        let group = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            // It may have ended by itself meanwhile.
            let _ = rustix::process::kill_process_group(group, signal);
        }
    }
}

/// On other systems the console itself signals the child; this process only must not exit before it.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    }

    fn forward(&self, (): (), _: &Child) {}
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    /// One test and not three: a signal reaches every server that this process has at the time.
    #[tokio::test]
    async fn stands_in_for_the_server() {
        // It accepts, and ends by itself.
        let mut url = String::new();
        let script = "echo Serving http://127.0.0.1:3000; exit 7";
        let status = run(shell(script), |at| url = at.to_owned()).await;
        assert_eq!(status.expect("sh runs").code(), Some(7));
        assert_eq!(url, "http://127.0.0.1:3000");

        // It cannot start.
        let status = run(shell("exit 1"), |_| unreachable!("it never accepts")).await;
        assert_eq!(status.expect("sh runs").code(), Some(1));

        // A signal arrives: the server gets it once, and has time to drain.
        let script = "exec 2>/dev/null
                      trap 'count=$((count + 1)); sleep 0.2; exit $count' TERM
                      kill -TERM $PPID
                      while :; do sleep 0.05; done";
        let status = run(shell(script), |_| {}).await;
        assert_eq!(status.expect("sh runs").code(), Some(1));
    }
}
