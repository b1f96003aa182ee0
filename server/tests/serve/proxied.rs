//! Behind a listed proxy: its clients are counted, not the proxy.

use server::{Assembly, Limits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    streaming::Streams,
    wire::{Connection, connect_from, framed, status},
    world::{Server, client, limits, proxies, sign_in, spawn_call, until, within},
};

const PROXY: [u8; 4] = [127, 0, 0, 9];
const STRANGER: [u8; 4] = [127, 0, 0, 8];

const WATCH: &str = "/streams/watch";
const DOCUMENT: &str = "/openapi.json";

/// A request over HTTP/1.1 for `client`, on a connection of its own; the status, and the
/// connection.
async fn ask(server: &Server, from: [u8; 4], client: &str, path: &str) -> (u16, TcpStream) {
    let mut stream = connect_from(from, server.http_addr).await.expect("a connection");
    let head =
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {client}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut line = [0; 12];
    let status = match within(stream.read_exact(&mut line)).await {
        Ok(_) => std::str::from_utf8(&line[9..]).ok().and_then(|code| code.parse().ok()),
        Err(_closed) => Some(0),
    };
    (status.expect("a status"), stream)
}

async fn behind_a_proxy(limits: Limits) -> Server {
    Streams::start_behind(proxies("127.0.0.9", "off"), limits).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_watch_through_one_proxy_beside_ordinary_requests() {
    let few = Limits {
        connections_per_address: 2,
        streams_per_address: 2,
        calls_per_address: 2,
        ..limits()
    };
    let server = behind_a_proxy(few).await;
    let mut watches = Vec::new();
    for number in 0..60 {
        let client = format!("198.51.100.{number}");
        let (status, watch) = ask(&server, PROXY, &client, WATCH).await;
        assert_eq!(status, 200, "{client}");
        watches.push(watch);
        let (status, _) = ask(&server, PROXY, &client, DOCUMENT).await;
        assert_eq!(status, 200, "{client}");
    }
}

/// Neither by streams nor by connections: over HTTP/1.1 each stream has one of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_behind_a_proxy_has_the_limits_of_a_direct_client() {
    for few in [
        Limits { streams_per_address: 3, ..limits() },
        Limits { connections_per_address: 3, ..limits() },
    ] {
        let server = behind_a_proxy(few).await;
        let mut watches = Vec::new();
        for _ in 0..3 {
            let (status, watch) = ask(&server, PROXY, "2001:db8::1", WATCH).await;
            assert_eq!(status, 200);
            watches.push(watch);
        }
        // One subscriber, however many addresses.
        let (status, _) = ask(&server, PROXY, "2001:db8::2", WATCH).await;
        assert_eq!(status, 429);
        let (status, _) = ask(&server, PROXY, "2001:db8:0:1::1", WATCH).await;
        assert_eq!(status, 200, "another client");
        watches.clear();
        until(async || ask(&server, PROXY, "2001:db8::1", WATCH).await.0 == 200).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_is_no_trusted_proxy_is_counted_itself() {
    let server = behind_a_proxy(Limits { streams_per_address: 2, ..limits() }).await;
    let mut watches = Vec::new();
    for (number, expected) in [(1, 200), (2, 200), (3, 429)] {
        let client = format!("198.51.100.{number}");
        let (status, watch) = ask(&server, STRANGER, &client, WATCH).await;
        assert_eq!(status, expected, "{client}");
        watches.push(watch);
    }
    // A proxy without `X-Forwarded-For` is a client like any other.
    for expected in [200, 200, 429] {
        let (status, watch) = ask(&server, PROXY, "unknown", WATCH).await;
        assert_eq!(status, expected);
        watches.push(watch);
    }
}

/// Over HTTP/2 a proxy sends calls of all its clients on one connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_on_one_connection_are_counted_by_client() {
    let few = Limits { calls_per_address: 1, ..limits() };
    let listed = proxies("127.0.0.9", "off");
    let mut server = Server::start_behind(listed, Assembly::default(), few, false).await;
    let connection = Connection::open_from(PROXY, server.addr).await.expect("a connection");
    let message = framed(&prost::Message::encode_to_vec(&sign_in("echo")));
    let ask = async |client: &str| {
        let path = "/auth.v1.AuthService/SignIn";
        let headers = [("x-forwarded-for", client)];
        connection.clone().post(path, &headers, &message).await.expect("an answer")
    };
    // Without the header it is the proxy's own.
    let held = spawn_call(&client(connection.clone()), "hold");
    server.wait_inside(1).await;
    for number in 0..5 {
        let client = format!("198.51.100.{number}");
        assert!(!ask(&client).await.headers().contains_key("grpc-status"), "{client}");
    }
    let refused = status(&ask("127.0.0.9").await);
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted, "{refused}");
    server.release();
    within(held).await.expect("a task").expect("an answer");
}
