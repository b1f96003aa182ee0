//! The PROXY protocol: listed proxies name the client of a connection, other peers do not.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use server::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    streaming::Streams,
    wire::connect_from,
    world::{Server, limits, proxies, until, within},
};

const PROXY: [u8; 4] = [127, 0, 0, 9];
const STRANGER: [u8; 4] = [127, 0, 0, 8];

const WATCH: &str = "GET /streams/watch HTTP/1.1\r\nhost: localhost\r\n\r\n";
const LIVE: &str = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// The header in version 2 for `client`, with notes (TLVs) of this length.
fn header(client: [u8; 4], notes: u16) -> Vec<u8> {
    let length = (12 + notes).to_be_bytes();
    let target = Ipv4Addr::LOCALHOST.octets();
    let ports = [0x12, 0x34, 0, 80];
    let start = b"\r\n\r\n\0\r\nQUIT\n\x21\x11";
    [start, &length[..], &client, &target, &ports, &vec![0; notes.into()]].concat()
}

async fn start(limits: Limits) -> Server {
    Streams::start_behind(proxies("127.0.0.9", "on"), limits).await.0
}

/// The status of the response to these bytes, 0 where the connection is closed without one; and
/// the connection.
async fn send(server: &Server, from: [u8; 4], bytes: &[u8]) -> (u16, TcpStream) {
    let mut stream = connect_from(from, server.http_addr).await.expect("a connection");
    stream.write_all(bytes).await.expect("sent");
    let mut line = [0; 12];
    let status = match within(stream.read_exact(&mut line)).await {
        Ok(_) => std::str::from_utf8(&line[9..]).ok().and_then(|code| code.parse().ok()),
        Err(_closed) => Some(0),
    };
    (status.expect("a status"), stream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_counted_by_the_address_in_the_header_of_a_listed_proxy() {
    let in_line = |client: [u8; 4]| {
        let client = Ipv4Addr::from(client);
        format!("PROXY TCP4 {client} 127.0.0.1 4660 80\r\n").into_bytes()
    };
    let server = start(Limits { streams_per_address: 1, ..limits() }).await;
    let mut watches = Vec::new();
    for (client, expected) in [(1, 200), (2, 200), (1, 429)] {
        let client = [198, 51, 100, client];
        let bytes = [&header(client, 64), WATCH.as_bytes()].concat();
        let (status, watch) = send(&server, PROXY, &bytes).await;
        assert_eq!(status, expected, "{client:?}");
        watches.push(watch);
    }
    let bytes = [in_line([198, 51, 100, 2]), WATCH.into()].concat();
    assert_eq!(send(&server, PROXY, &bytes).await.0, 429, "in version 1 too");
    watches.clear();
    until(async || send(&server, PROXY, &bytes).await.0 == 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_count_for_the_client_that_is_named() {
    let server = start(Limits { connections_per_address: 2, ..limits() }).await;
    let mut watches = Vec::new();
    for (client, expected) in [(1, 200), (1, 200), (2, 200), (1, 0)] {
        let bytes = [&header([198, 51, 100, client], 0), WATCH.as_bytes()].concat();
        let (status, watch) = send(&server, PROXY, &bytes).await;
        assert_eq!(status, expected, "{client}");
        watches.push(watch);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listed_proxy_must_send_a_header_and_others_must_not() {
    let server = start(limits()).await;
    let client = [198, 51, 100, 1];
    for (from, header, status) in [
        (PROXY, header(client, 0), 200),
        (PROXY, b"PROXY UNKNOWN\r\n".to_vec(), 200),
        (PROXY, Vec::new(), 0),
        (PROXY, header(client, 5000), 0),
        (STRANGER, Vec::new(), 200),
        (STRANGER, header(client, 0), 400),
        (STRANGER, b"PROXY TCP4 198.51.100.1 127.0.0.1 4660 80\r\n".to_vec(), 400),
    ] {
        let (found, _) = send(&server, from, &[&header, LIVE.as_bytes()].concat()).await;
        assert_eq!(found, status, "{from:?} {header:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_has_the_time_of_a_handshake() {
    let handshake_timeout = Duration::from_millis(400);
    let server = start(Limits { handshake_timeout, ..limits() }).await;
    for beginning in [&b""[..], b"PROXY TCP4 1", &header([198, 51, 100, 1], 64)[..40]] {
        let start = Instant::now();
        let (status, _) = send(&server, PROXY, beginning).await;
        assert_eq!(status, 0);
        assert!(start.elapsed() >= handshake_timeout, "{:?}", start.elapsed());
    }
}
