//! The Redis store against a real Redis: what it keeps, and how quickly it notices that there is none.
//!
//! `REDIS_SERVER` names the server, else it is looked for on PATH. Without one, the tests are skipped, each by its
//! name.

use function_fetch_host::key_value::{KeyValueStore, RedisStore, StoreLimits};
use libtest_mimic::{Arguments, Trial};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const PASSWORD: &str = "sesame";

/// No operation may take longer, whatever the Redis does. The store's own limits are half of it; the machine may be
/// busy.
const BOUND: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let missing = server().is_none();
    let trials = [
        trial(
            "stores_whatever_bytes_under_its_keys",
            stores_arbitrary_bytes,
        ),
        trial("lists_more_keys_than_one_step_finds", lists_many_keys),
        trial("values_and_lists_are_limited", limited),
        trial("databases_are_apart", databases_are_apart),
        trial("a_hanging_redis_is_given_up_and_found_again", hanging),
        trial("a_restarted_redis_is_found_at_once", restarted),
        trial("a_redis_that_refuses_writes_is_still_read", refusing),
        trial("tls_is_checked", tls_is_checked),
    ];
    let arguments = Arguments::from_args();
    if missing && !arguments.list {
        for trial in &trials {
            println!("skipped: {}: redis-server is not installed", trial.name());
        }
    }
    let trials = trials.map(|trial| trial.with_ignored_flag(missing));
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

fn trial<F: Future<Output = ()> + 'static>(name: &str, test: fn() -> F) -> Trial {
    Trial::test(name, move || {
        tokio::runtime::Runtime::new()?.block_on(test());
        Ok(())
    })
}

fn server() -> Option<PathBuf> {
    let named = std::env::var_os("REDIS_SERVER").map(PathBuf::from);
    let path = named.unwrap_or_else(|| "redis-server".into());
    let mut command = Command::new(&path);
    command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
        .status()
        .is_ok_and(|status| status.success())
        .then_some(path)
}

/// A Redis for one test.
struct Redis {
    process: Child,
    port: u16,
}

impl Redis {
    async fn start() -> Self {
        // The port was free a moment ago; if another process takes it, another one is tried.
        for _ in 0..10 {
            let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            if let Some(redis) = Self::start_on(port).await {
                return redis;
            }
        }
        panic!("no port for Redis");
    }

    async fn start_on(port: u16) -> Option<Self> {
        let mut command = Command::new(server().unwrap());
        command.current_dir(env!("CARGO_TARGET_TMPDIR"));
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.args(["--requirepass", PASSWORD, "--port", &port.to_string()]);
        let process = command.stdout(Stdio::null()).spawn().unwrap();
        let mut redis = Self { process, port };
        for _ in 0..500 {
            if redis.process.try_wait().unwrap().is_some() {
                return None;
            }
            if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(redis);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("Redis does not accept");
    }

    fn store(&self, database: u8) -> RedisStore {
        store(
            &format!("redis://:{PASSWORD}@127.0.0.1:{}/{database}", self.port),
            &[],
        )
    }

    fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let status = Command::new("kill").args([signal, &id]).status();
        assert!(status.unwrap().success());
    }

    async fn restart(mut self) -> Self {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        Self::start_on(self.port)
            .await
            .expect("its port is still free")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Both fail only when it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn store(url: &str, ca_files: &[PathBuf]) -> RedisStore {
    RedisStore::new(
        url.parse().unwrap(),
        "default".to_owned(),
        ca_files,
        StoreLimits {
            max_keys: 3500,
            ..StoreLimits::default()
        },
    )
    .unwrap()
}

fn key() -> String {
    "proxy:fastest".to_owned()
}

/// Runs an operation, which must not take long.
async fn soon<T>(operation: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let result = operation.await;
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    result
}

async fn stores_arbitrary_bytes() {
    let redis = Redis::start().await;
    let store = redis.store(0);
    assert_eq!(store.get(key()).await, Ok(None));
    assert_eq!(store.exists(key()).await, Ok(false));
    assert_eq!(store.delete(key()).await, Ok(()));
    for value in [&b""[..], b"1", b"\0\xff\r\n", &[7; 100_000]] {
        assert_eq!(store.set(key(), value.to_vec()).await, Ok(()));
        assert_eq!(store.get(key()).await, Ok(Some(value.to_vec())));
    }
    assert_eq!(store.exists(key()).await, Ok(true));
    assert_eq!(store.keys().await, Ok(vec![key()]));
    assert_eq!(store.delete(key()).await, Ok(()));
    assert_eq!(store.keys().await, Ok(vec![]));
}

async fn lists_many_keys() {
    let redis = Redis::start().await;
    let store = redis.store(0);
    let mut expected: Vec<_> = (0..3500).map(|number| format!("key {number}")).collect();
    for key in &expected {
        store.set(key.clone(), vec![]).await.unwrap();
    }
    expected.sort();
    assert_eq!(store.keys().await, Ok(expected));
}

async fn limited() {
    let redis = Redis::start().await;
    let large = redis.store(0);
    for (key, size) in [
        ("empty", 0),
        ("fits", 1000),
        ("larger", 1001),
        ("huge", 1_000_000),
    ] {
        large.set(key.to_owned(), vec![7; size]).await.unwrap();
    }
    let url = format!("redis://:{PASSWORD}@127.0.0.1:{}/0", redis.port);
    let limits = StoreLimits {
        max_value_bytes: 1000,
        max_keys: 3,
    };
    let store = RedisStore::new(url.parse().unwrap(), "default".to_owned(), &[], limits).unwrap();
    assert_eq!(store.get("empty".to_owned()).await, Ok(Some(vec![])));
    assert_eq!(store.get("none".to_owned()).await, Ok(None));
    assert_eq!(store.get("fits".to_owned()).await, Ok(Some(vec![7; 1000])));
    for key in ["larger", "huge"] {
        let refusal = store.get(key.to_owned()).await.unwrap_err().to_string();
        assert!(refusal.contains("larger than 1000 bytes"), "{refusal}");
    }
    assert!(store.set(key(), vec![7; 1001]).await.is_err());
    assert!(store.keys().await.is_err());
    assert_eq!(store.delete("huge".to_owned()).await, Ok(()));
    assert_eq!(store.keys().await.unwrap().len(), 3);
}

async fn databases_are_apart() {
    let redis = Redis::start().await;
    redis.store(2).set(key(), b"v".to_vec()).await.unwrap();
    assert_eq!(redis.store(2).get(key()).await, Ok(Some(b"v".to_vec())));
    assert_eq!(redis.store(1).get(key()).await, Ok(None));
}

async fn hanging() {
    let redis = Redis::start().await;
    let store = redis.store(0);
    store.set(key(), b"v".to_vec()).await.unwrap();
    redis.signal("-STOP");
    // Many at once, as from many instances: none waits for another.
    let many = futures::future::join_all((0..50).map(|_| store.get(key())));
    assert!(soon(many).await.iter().all(Result::is_err));
    // While it is known to hang, no operation waits.
    let started = Instant::now();
    assert!(store.get(key()).await.is_err());
    assert!(
        started.elapsed() < Duration::from_millis(200),
        "{:?}",
        started.elapsed()
    );
    // It still accepts connections, but sends no reply.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(soon(store.set(key(), vec![])).await.is_err());
    redis.signal("-CONT");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(soon(store.get(key())).await.is_ok());
}

async fn restarted() {
    let redis = Redis::start().await;
    let store = redis.store(0);
    store.set(key(), b"v".to_vec()).await.unwrap();
    let _redis = redis.restart().await;
    assert_eq!(store.get(key()).await, Ok(None));
    assert_eq!(store.set(key(), b"w".to_vec()).await, Ok(()));
}

async fn refusing() {
    let redis = Redis::start().await;
    let store = redis.store(0);
    store.set(key(), b"v".to_vec()).await.unwrap();
    let url = format!("redis://:{PASSWORD}@127.0.0.1:{}", redis.port);
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("CONFIG")
        .arg(&["SET", "maxmemory", "1"])
        .exec_async(&mut connection)
        .await
        .unwrap();
    let refusal = soon(store.set(key(), b"w".to_vec())).await.unwrap_err();
    assert!(refusal.to_string().contains("OOM"), "{refusal}");
    assert_eq!(store.get(key()).await, Ok(Some(b"v".to_vec())));
}

async fn tls_is_checked() {
    let redis = Redis::start().await;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key_pair = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key_pair, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key_pair.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = redis.port;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A failed handshake is the client's to report.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut redis = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut redis).await;
            });
        }
    });
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("redis-authority.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let url = |host: &str| format!("rediss://:{PASSWORD}@{host}:{port}");

    let trusting = store(&url("localhost"), std::slice::from_ref(&file));
    assert_eq!(trusting.set(key(), b"v".to_vec()).await, Ok(()));
    assert_eq!(trusting.get(key()).await, Ok(Some(b"v".to_vec())));
    for (url, ca_files) in [
        (url("localhost"), &[][..]),
        (url("127.0.0.1"), std::slice::from_ref(&file)),
    ] {
        let refusal = soon(store(&url, ca_files).get(key())).await.unwrap_err();
        assert!(refusal.to_string().starts_with("TLS: "), "{url}: {refusal}");
    }
    // It takes the handshake for the beginning of a command, and waits for the rest.
    let plain = format!("rediss://:{PASSWORD}@localhost:{behind}");
    assert!(soon(store(&plain, &[file]).get(key())).await.is_err());
}
