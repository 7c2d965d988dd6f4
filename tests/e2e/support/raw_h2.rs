//! An HTTP/2 client below the protocol: it sends frames as a test writes them, and replies to none.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::waiting::SOON;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Types of frames (RFC 9113 section 6).
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PUSH_PROMISE: u8 = 5;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

/// Flags of HEADERS and DATA.
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;
pub const PADDED: u8 = 8;

/// The flag of SETTINGS and PING.
pub const ACK: u8 = 1;

/// `SETTINGS_INITIAL_WINDOW_SIZE` and `SETTINGS_MAX_CONCURRENT_STREAMS`.
pub const INITIAL_WINDOW: u16 = 4;
pub const MAX_STREAMS: u16 = 3;

/// A received frame.
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// The stream that it belongs to.
    pub stream: u32,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// A frame as it is written.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len())
        .expect("a small frame")
        .to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Fields as literals that enter no table (RFC 7541 section 6.2.2), whatever bytes they have.
pub fn block(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            length(text.len(), &mut block);
            block.extend_from_slice(text);
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541 section 5.1).
fn length(length: usize, block: &mut Vec<u8>) {
    const PREFIX: usize = 127;
    let Some(mut rest) = length.checked_sub(PREFIX) else {
        return block.push(length as u8);
    };
    block.push(PREFIX as u8);
    while rest >= 128 {
        block.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    block.push(rest as u8);
}

/// The connection.
pub struct RawH2 {
    stream: TcpStream,
}

impl RawH2 {
    /// Connects and sends the preface, with one setting if any.
    pub async fn connect(to: SocketAddr, setting: Option<(u16, u32)>) -> Self {
        let mut stream = TcpStream::connect(to).await.expect("the proxy accepts");
        let _ = stream.set_nodelay(true);
        stream.write_all(PREFACE).await.expect("the proxy reads");
        let mut client = Self { stream };
        let payload = setting.map_or(vec![], |(name, value)| {
            [&name.to_be_bytes()[..], &value.to_be_bytes()[..]].concat()
        });
        client.say(SETTINGS, 0, 0, &payload).await;
        client
    }

    /// Writes a frame.
    pub async fn say(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.stream
            .write_all(&frame(kind, flags, stream, payload))
            .await
            .expect("the proxy reads");
    }

    /// Writes any bytes.
    pub async fn say_bytes(&mut self, bytes: &[u8]) {
        // The proxy may have closed already, which what it says will show.
        let _ = self.stream.write_all(bytes).await;
    }

    /// Opens a stream with a request head: GET, or POST with a body to come.
    pub async fn request(&mut self, stream: u32, post: bool) {
        // Indexed fields of the static table (RFC 7541 appendix A), and `:authority` as a literal.
        let method = if post { 0x83 } else { 0x82 };
        let block = [method, 0x87, 0x84, 0x41, 1, b'a'];
        let flags = if post {
            END_HEADERS
        } else {
            END_HEADERS | END_STREAM
        };
        self.say(HEADERS, flags, stream, &block).await;
    }

    /// The next frame; none once the proxy has closed.
    pub async fn frame(&mut self) -> Option<Frame> {
        let read = async {
            let mut head = [0; 9];
            self.stream.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            self.stream.read_exact(&mut payload).await.ok()?;
            Some(Frame {
                kind: head[3],
                stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
                payload,
            })
        };
        tokio::time::timeout(SOON, read)
            .await
            .expect("the proxy says something, or closes")
    }

    /// Reads until a frame of this type arrives.
    pub async fn until(&mut self, kind: u8) -> Frame {
        while let Some(frame) = self.frame().await {
            if frame.kind == kind {
                return frame;
            }
        }
        panic!("closed before a frame of kind {kind} came");
    }

    /// Reads until the proxy closes.
    pub async fn closed(mut self) {
        while self.frame().await.is_some() {}
    }
}
