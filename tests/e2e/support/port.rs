//! Reserved ports that nothing listens on.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// A port of 127.0.0.1 that is bound but not listened on: a connection to it is refused, and no other process, nor the
/// kernel for an outgoing connection, takes it meanwhile.
pub struct Port {
    held: TcpSocket,
}

impl Port {
    /// Holds a free port.
    pub fn hold() -> Self {
        let held = TcpSocket::new_v4().expect("a socket");
        held.set_reuseaddr(true)
            .expect("a fresh socket takes options");
        held.bind((Ipv4Addr::LOCALHOST, 0).into())
            .expect("a free port");
        Self { held }
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.held
            .local_addr()
            .expect("a bound socket has an address")
    }

    /// Its address as a target.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Listens on it, for as long as the listener lives. Must be called on a runtime.
    pub fn listen(&self) -> TcpListener {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .set_reuseaddr(true)
            .expect("a fresh socket takes options");
        socket.bind(self.address()).expect("the held port is ours");
        socket.listen(1024).expect("the held port is ours")
    }
}

/// A port that was free a moment ago, for programs that need a number.
pub fn free() -> u16 {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}
