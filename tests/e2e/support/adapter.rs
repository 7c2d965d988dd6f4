//! Function Fetch on a JavaScript host: for each kind of host one Node.js process starts and stops all its proxies,
//! `adapters/test/cases`, controlled by lines of JSON.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use function_fetch_cases::{Setup, repository};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::support::environment::environment;

/// A kind of JavaScript host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adapter {
    /// Cloudflare Workers: workerd.
    Workers,
    /// Node.js.
    Node,
    /// The emulation of Alibaba Cloud ESA, in Node.js.
    Esa,
    /// The same in Deno.
    EsaDeno,
}

/// A proxy that serves. It stops with its value.
pub struct Proxy {
    /// Where it serves.
    pub address: SocketAddr,
    process: &'static Process,
    number: u64,
    stopped: bool,
}

impl Proxy {
    /// Starts one with the settings and the store of a case.
    pub async fn start(adapter: Adapter, setup: &Setup) -> Self {
        let mut entries = BTreeMap::new();
        if let Some(value) = &setup.store {
            entries.insert(setup.key(), String::from_utf8_lossy(value));
        }
        Self::start_with(adapter, &json!(setup.settings), &json!(entries)).await
    }

    /// Starts one with these settings and an empty store.
    pub async fn with(adapter: Adapter, settings: &BTreeMap<&str, &str>) -> Self {
        Self::start_with(adapter, &json!(settings), &json!({})).await
    }

    async fn start_with(adapter: Adapter, settings: &Value, entries: &Value) -> Self {
        let process = Process::of(adapter);
        let start = json!({"does": "start", "settings": settings, "entries": entries});
        let number = process.next.fetch_add(1, Ordering::Relaxed);
        let started = process.ask(number, start).await;
        let url = started["url"].as_str().unwrap_or_default();
        let address = url.strip_prefix("http://").and_then(|it| it.parse().ok());
        Self {
            address: address.unwrap_or_else(|| panic!("the host says {started}")),
            process,
            number,
            stopped: false,
        }
    }

    /// The content of its store under a key.
    pub async fn stored(&self, key: &str) -> Option<Vec<u8>> {
        let read = json!({"does": "read", "key": key});
        let read = self.process.ask(self.number, read).await;
        match &read["value"] {
            Value::String(value) => Some(value.clone().into_bytes()),
            Value::Null if read.get("value").is_some() => None,
            _ => panic!("the host says {read}"),
        }
    }

    /// Stops it; returns its notices for the operator.
    pub async fn stop(mut self) -> Vec<String> {
        self.stopped = true;
        let stopped = self.process.ask(self.number, stop()).await;
        let said = stopped["said"].as_array();
        let said = said.unwrap_or_else(|| panic!("the host says {stopped}"));
        said.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if !self.stopped {
            self.process.tell(self.number, stop());
        }
    }
}

fn stop() -> Value {
    json!({"does": "stop"})
}

/// By a proxy's number: who waits for the reply about it.
type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;

/// A Node.js process. It ends with this one, which holds its stdin.
struct Process {
    stdin: Mutex<ChildStdin>,
    waiting: Waiting,
    next: AtomicU64,
}

impl Process {
    /// The process of a kind of host, started by the first that needs it.
    fn of(adapter: Adapter) -> &'static Self {
        static ALL: [OnceLock<Process>; 4] = [const { OnceLock::new() }; 4];
        ALL[adapter as usize].get_or_init(|| Self::start(adapter))
    }

    fn start(adapter: Adapter) -> Self {
        let words: &[&str] = match adapter {
            Adapter::Workers => &["workers.ts"],
            Adapter::Node => &["node.ts"],
            Adapter::Esa => &["esa.ts", "node"],
            Adapter::EsaDeno => &["esa.ts", "deno"],
        };
        let node = environment().node.as_ref().expect("checked by the suite");
        let adapters = repository().join("adapters");
        let Child { stdin, stdout, .. } = Command::new(node)
            .args(["--import", "tsx"])
            .arg(adapters.join("test").join("cases").join(words[0]))
            .args(&words[1..])
            .current_dir(adapters)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", node.display()));
        let waiting = Waiting::default();
        let answered = waiting.clone();
        let stdout = stdout.expect("stdout is piped");
        thread::spawn(move || hand_out(BufReader::new(stdout), &answered));
        Self {
            stdin: Mutex::new(stdin.expect("stdin is piped")),
            waiting,
            next: AtomicU64::new(0),
        }
    }

    /// Sends a question about a proxy; there is one at a time for each.
    async fn ask(&self, proxy: u64, question: Value) -> Value {
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting).insert(proxy, answer);
        self.tell(proxy, question);
        answered.await.expect("the host's process runs")
    }

    fn tell(&self, proxy: u64, mut question: Value) {
        question["proxy"] = proxy.into();
        // If the process has ended, everything that waits for a reply fails.
        let _ = writeln!(lock(&self.stdin), "{question}");
    }
}

/// Passes each reply to whoever waits for it; when no more can come, nothing waits.
fn hand_out(answers: impl BufRead, waiting: &Waiting) {
    for line in answers.lines().map_while(Result::ok) {
        let answer: Value = serde_json::from_str(&line).unwrap_or_default();
        let waits = answer["proxy"]
            .as_u64()
            .and_then(|proxy| lock(waiting).remove(&proxy));
        match waits {
            Some(waits) => drop(waits.send(answer)),
            None => eprintln!("{line}"),
        }
    }
    lock(waiting).clear();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
