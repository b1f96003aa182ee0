//! Clients that connect and send nothing, or too little.

use std::time::{Duration, Instant};

use server::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    preface::PREFACE,
    wire::is_closed,
    world::{Server, assert_served, limits, spawn_call, within},
};

/// `count` connections that have sent `bytes` and then fell silent.
async fn silent(server: &Server, count: usize, bytes: &[u8]) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(server.addr).await.expect("a connection");
        stream.write_all(bytes).await.expect("sent");
        streams.push(stream);
    }
    // Accepted, and not taken for broken.
    for stream in &mut streams {
        assert!(!is_closed(stream, Duration::from_millis(2)).await, "{bytes:?}");
    }
    streams
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_does_not_wait_for_clients_without_a_handshake() {
    let drain = Duration::from_secs(6);
    for bytes in [&b""[..], &PREFACE[..10], PREFACE] {
        let mut server = Server::start(Limits { drain, ..limits() }).await;
        let _peers = silent(&server, 50, bytes).await;
        let start = Instant::now();
        server.stop();
        server.ended().await;
        assert!(start.elapsed() < drain / 3, "{} bytes: {:?}", bytes.len(), start.elapsed());
    }
}

/// They began properly, so they get the whole drain, and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_clients_delay_a_shutdown_until_the_deadline_only() {
    let mut server = Server::start(limits()).await;
    let greeting = [PREFACE, crate::preface::EMPTY_SETTINGS].concat();
    let _peers = silent(&server, 50, &greeting).await;
    let start = Instant::now();
    server.stop();
    server.ended().await;
    assert!(start.elapsed() < limits().drain + Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_a_handshake_in_time_is_closed_and_others_are_not() {
    let handshake_timeout = Duration::from_millis(300);
    let mut server = Server::start(Limits { handshake_timeout, ..limits() }).await;
    let mut client = server.client().await;
    let held = spawn_call(&client, "hold");
    server.wait_inside(1).await;
    for bytes in [&b""[..], &PREFACE[..1], &PREFACE[..23], PREFACE] {
        let start = Instant::now();
        for mut peer in silent(&server, 5, bytes).await {
            let closed = is_closed(&mut peer, Duration::from_secs(3)).await;
            assert!(closed, "{} bytes: still open", bytes.len());
        }
        assert!(start.elapsed() >= handshake_timeout, "{} bytes: too early", bytes.len());
        assert_served(&mut client).await;
    }
    server.release();
    within(held).await.expect("a task").expect("an answer");
}

/// Other protocols are refused at once, without a timeout.
#[tokio::test]
async fn another_protocol_is_closed_at_once() {
    let server = Server::start(limits()).await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"[..],
        b"SSH-2.0-OpenSSH_9.9\r\naaaaaaaaaaaaaaaaaaaaaaaaa",
    ] {
        let mut stream = TcpStream::connect(server.addr).await.expect("a connection");
        stream.write_all(bytes).await.expect("sent");
        assert!(is_closed(&mut stream, Duration::from_secs(2)).await, "{bytes:?}");
    }
    assert_served(&mut server.client().await).await;
}

/// HTTP/1.1 is spoken for gRPC-Web alone.
#[tokio::test]
async fn a_request_that_is_not_grpc_is_unsupported() {
    let server = Server::start(limits()).await;
    let mut stream = TcpStream::connect(server.addr).await.expect("a connection");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
    let mut head = [0; 12];
    within(stream.read_exact(&mut head)).await.expect("an answer");
    assert_eq!(&head, b"HTTP/1.1 415");
}
