//! Connections, each served by a task of its own.

use std::future::Future;
use std::pin::pin;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Serves connections until `stopped`. Then, or when this is dropped, all of them end with it.
pub async fn accept<T>(listener: TcpListener, stopped: impl Future, serve: impl Fn(TcpStream) -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    let mut stopped = pin!(stopped);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(serve(stream));
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}
