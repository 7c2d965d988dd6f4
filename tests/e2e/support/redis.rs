//! A real Redis with a password, that can die, hang and come back.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::default_store::DefaultStore;
use super::environment::environment;
use super::port::Port;
use super::process::Process;
use super::store::KEY;
use super::waiting::eventually;

/// What must not appear in any log. In the URL, its special characters are percent-encoded.
pub const PASSWORD: &str = "open/sesame?";
const PASSWORD_ENCODED: &str = "open%2Fsesame%3F";

/// Not the default one.
const DATABASE: u8 = 3;

/// The server, and a runtime configuration for it.
pub struct Redis {
    config: DefaultStore,
    port: Port,
    process: Option<Process>,
}

impl Redis {
    /// The address of one, where nothing listens yet.
    pub fn absent() -> Self {
        let port = Port::hold();
        let url = format!("redis://:{PASSWORD_ENCODED}@{}/{DATABASE}", port.address());
        Self {
            config: DefaultStore::redis(&url),
            port,
            process: None,
        }
    }

    /// An empty one.
    pub async fn start() -> Self {
        let mut redis = Self::absent();
        redis.revive().await;
        redis
    }

    /// Starts it, again, on the same port. It has lost its data.
    pub async fn revive(&mut self) {
        let mut command = Command::new(environment().redis.as_ref().expect("checked by the suite"));
        command.current_dir(self.config.folder());
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--port", &self.port.address().port().to_string()]);
        command.args(["--requirepass", PASSWORD]);
        let mut process = Process::spawn(command);
        eventually("Redis accepts", || {
            assert_eq!(process.ended(), None, "Redis does not start");
            self.try_ask("PING").ok()
        })
        .await;
        self.process = Some(process);
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("it was started")
    }

    /// Kills it. From here on the port refuses.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Suspends it: its port accepts, and nothing replies.
    pub fn pause(&self) {
        self.process().signal(Signal::STOP);
    }

    /// Resumes it.
    pub fn resume(&self) {
        self.process().signal(Signal::CONT);
    }

    /// The runtime configuration file.
    pub fn runtime_config(&self) -> PathBuf {
        self.config.runtime_config()
    }

    /// The decision as JSON, if there is one.
    pub fn record(&self) -> Option<Value> {
        let value = self.try_ask(&format!("GET {KEY}")).ok()??;
        serde_json::from_slice(&value).ok()
    }

    /// Waits until the proxy has written a decision that satisfies `check`.
    pub async fn written(&self, what: &str, check: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || self.record().filter(|record| check(record))).await
    }

    /// Sends one command on a new connection. The value of the reply, if it has one.
    fn try_ask(&self, command: &str) -> std::io::Result<Option<Vec<u8>>> {
        let mut stream = TcpStream::connect(self.port.address())?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(
            stream,
            "AUTH {PASSWORD}\r\nSELECT {DATABASE}\r\n{command}\r\n"
        )?;
        let mut answers = BufReader::new(stream);
        let mut line = String::new();
        for _ in 0..3 {
            line.clear();
            answers.read_line(&mut line)?;
        }
        let refused = || std::io::Error::other(format!("Redis says {line:?}"));
        match line.trim_end().split_at_checked(1) {
            Some(("$", "-1")) | Some(("+", _)) => Ok(None),
            Some(("$", length)) => {
                let mut value = vec![0; length.parse().map_err(|_| refused())?];
                answers.read_exact(&mut value)?;
                Ok(Some(value))
            }
            _ => Err(refused()),
        }
    }
}
