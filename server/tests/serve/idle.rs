//! Connections on which nothing happens: before the first call, and between two.

use std::time::{Duration, Instant};

use server::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    streaming::Streams,
    wire::{is_closed, is_served, last_bytes, sends_goaway},
    world::{Server, assert_served, limits, spawn_call, until, within},
};

const HEALTH: &[u8] = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Whether a request on this connection is answered with 200, and in whole.
async fn is_answered(stream: &mut TcpStream) -> bool {
    let mut response = Vec::new();
    if stream.write_all(HEALTH).await.is_err() {
        return false;
    }
    while !response.ends_with(b"}") {
        if !matches!(within(stream.read_buf(&mut response)).await, Ok(1..)) {
            return false;
        }
    }
    response.starts_with(b"HTTP/1.1 200")
}

/// Over HTTP/2 the client gets GOAWAY, and repeats a call that was in flight elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_a_call_has_the_time_of_a_handshake() {
    let handshake_timeout = Duration::from_millis(500);
    let mut server = Server::start(Limits { handshake_timeout, ..limits() }).await;
    let client = server.client().await;
    let held = spawn_call(&client, "hold");
    server.wait_inside(1).await;
    let (mut used, start) = (server.client().await, Instant::now());
    assert_served(&mut used).await;
    let mut unused = TcpStream::connect(server.addr).await.expect("a connection");
    assert!(is_served(&mut unused).await);
    let words = last_bytes(&mut unused).await;
    assert!(sends_goaway(&words), "{words:?}");
    assert!(start.elapsed() >= handshake_timeout, "{:?}", start.elapsed());
    // Neither a call in progress nor one that is over makes a connection unused.
    assert_served(&mut used).await;
    server.release();
    within(held).await.expect("a task").expect("an answer");
}

/// A balancer keeps connections that it has used, and sends on them without asking first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_of_http_1_is_kept_between_requests_for_longer_than_a_head_may_take() {
    let (head, keep_alive) = (Duration::from_millis(300), Duration::from_secs(3));
    let limits = Limits { handshake_timeout: head, keep_alive_timeout: keep_alive, ..limits() };
    let server = Server::start(limits).await;
    let mut kept = TcpStream::connect(server.http_addr).await.expect("a connection");
    for _ in 0..2 {
        assert!(is_answered(&mut kept).await);
        assert!(!is_closed(&mut kept, head * 3).await, "between two requests");
    }
    let start = Instant::now();
    assert!(is_answered(&mut kept).await);
    assert_eq!(last_bytes(&mut kept).await, b"", "it is closed without a word");
    assert!(start.elapsed() >= keep_alive, "{:?}", start.elapsed());
}

/// Wherever it has begun: what is waited for is the rest of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_has_begun_on_a_kept_connection_has_its_own_time() {
    let handshake_timeout = Duration::from_millis(400);
    let server = Server::start(Limits { handshake_timeout, ..limits() }).await;
    for beginning in [&b"G"[..], b"GET /health HTTP/1.1\r\nx-slow: a"] {
        let mut slow = TcpStream::connect(server.http_addr).await.expect("a connection");
        assert!(is_answered(&mut slow).await);
        assert!(!is_closed(&mut slow, handshake_timeout * 2).await);
        let start = Instant::now();
        slow.write_all(beginning).await.expect("sent");
        let (mut reader, mut writer) = slow.split();
        let dribble = async {
            while writer.write_all(b"a").await.is_ok() {
                tokio::time::sleep(handshake_timeout / 5).await;
            }
            std::future::pending::<()>().await;
        };
        let mut response = Vec::new();
        tokio::select! {
            () = dribble => {}
            _ = within(reader.read_to_end(&mut response)) => {}
        }
        assert!(start.elapsed() >= handshake_timeout, "{:?}", start.elapsed());
    }
}

/// Also where its request came in one piece with another: then no head was waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_no_idle_connection() {
    let keep_alive_timeout = Duration::from_millis(200);
    let (server, _) = Streams::start(Limits { keep_alive_timeout, ..limits() }).await;
    let watch = b"GET /streams/watch HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for requests in [&watch[..], &[HEALTH, watch].concat()] {
        let mut stream = TcpStream::connect(server.http_addr).await.expect("a connection");
        stream.write_all(requests).await.expect("sent");
        assert!(!is_closed(&mut stream, keep_alive_timeout * 5).await);
    }
}

/// The total time counts, not the number of pieces.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_comes_slowly_but_in_time_is_answered() {
    let handshake_timeout = Duration::from_secs(3);
    let server = Server::start(Limits { handshake_timeout, ..limits() }).await;
    let mut slow = TcpStream::connect(server.http_addr).await.expect("a connection");
    for _ in 0..2 {
        let (beginning, _) = HEALTH.split_at(20);
        slow.write_all(beginning).await.expect("sent");
        tokio::time::sleep(Duration::from_millis(200)).await;
        slow.write_all(&HEALTH[20..]).await.expect("sent");
        let mut response = Vec::new();
        until(async || {
            let _ = slow.read_buf(&mut response).await;
            response.ends_with(b"}")
        })
        .await;
        assert!(response.starts_with(b"HTTP/1.1 200"));
    }
}
