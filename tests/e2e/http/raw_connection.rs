//! A raw connection, below any client: bytes out, bytes in.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The longest wait for a response or an end.
const PATIENCE: Duration = Duration::from_secs(40);

/// A TCP connection that speaks HTTP/1.1.
pub struct RawConnection(TcpStream);

impl RawConnection {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the port is open");
        stream.set_nodelay(true).expect("small pieces leave at once");
        Self(stream)
    }

    /// Sends bytes. The peer may have closed; earlier responses can still be read.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    /// The next response: its status and its body. `None`: the connection has ended.
    pub async fn receive(&mut self) -> Option<(u16, Vec<u8>)> {
        let heard = tokio::time::timeout(PATIENCE, self.answer()).await;
        heard.expect("an answer, or an end")
    }

    async fn answer(&mut self) -> Option<(u16, Vec<u8>)> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).expect("a head in ASCII");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.ok()?;
        Some((status(&head), body))
    }

    /// All bytes until the peer closes, and how long that took.
    pub async fn rest(mut self) -> (String, Duration) {
        let start = Instant::now();
        let mut heard = Vec::new();
        let mut piece = [0; 4096];
        let all = async {
            while let Ok(length @ 1..) = self.0.read(&mut piece).await {
                heard.extend_from_slice(&piece[..length]);
            }
        };
        tokio::time::timeout(PATIENCE, all).await.expect("an end");
        (String::from_utf8_lossy(&heard).into_owned(), start.elapsed())
    }
}

/// The status in the first line of an answer.
fn status(head: &str) -> u16 {
    let word = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.split_whitespace().next());
    word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{head}"))
}
