//! Function Fetch inside a Rust program: serves the component with the program's own store, and prints the events.
//!
//! ```bash
//! cargo run --release -p function-fetch-host --example embed -- function-fetch-spin.wasm https://us.example.com https://eu.example.com
//! ```

use function_fetch_host::key_value::{KeyValueStore, MemoryStore, StoreFuture};
use function_fetch_host::{ComponentSource, Error, Event, Server};
use std::process::ExitCode;
use std::sync::Arc;

/// A store that prints each write. A real one would keep the values where other machines find them.
#[derive(Default)]
struct PrintingStore(MemoryStore);

impl KeyValueStore for PrintingStore {
    fn get(&self, key: String) -> StoreFuture<'_, Option<Vec<u8>>> {
        self.0.get(key)
    }

    fn set(&self, key: String, value: Vec<u8>) -> StoreFuture<'_, ()> {
        Box::pin(async move {
            println!("stored {key}: {}", String::from_utf8_lossy(&value));
            self.0.set(key, value).await
        })
    }

    fn delete(&self, key: String) -> StoreFuture<'_, ()> {
        self.0.delete(key)
    }

    fn exists(&self, key: String) -> StoreFuture<'_, bool> {
        self.0.exists(key)
    }

    fn keys(&self) -> StoreFuture<'_, Vec<String>> {
        self.0.keys()
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(component) = arguments.next() else {
        eprintln!("usage: embed COMPONENT TARGET...");
        return ExitCode::FAILURE;
    };
    let targets: Vec<String> = arguments.collect();
    match serve(component, &targets.join(" ")).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(component: String, targets: &str) -> Result<(), Error> {
    // The watcher must not block an instance, so printing is done elsewhere.
    let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::builder(ComponentSource::file(component))
        .listen("127.0.0.1:0")
        .env("FETCH_TARGETS", targets)
        .key_value_store("default", Arc::new(PrintingStore::default()))
        .on_event(move |event| {
            // Fails only when the program is about to exit.
            let _ = sender.send(event);
        })
        .bind()
        .await?;
    println!("Serving http://{}", server.local_addr());

    let printing = tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            match event {
                Event::PrimaryChanged { to, reason, .. } => {
                    println!("traffic goes to {to} ({reason})");
                }
                Event::Ejected { target, reason, .. } => println!("{target} failed ({reason})"),
                other => println!("{other:?}"),
            }
        }
    });
    server
        .run(async {
            // An error means that there is no signal to wait for; then stop now.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await;
    // The server is gone, and the sender with it: the remaining events are printed.
    let _ = printing.await;
    println!("ended");
    Ok(())
}
