//! Streams end before their connections do: when those grow old, and when the server stops.

use std::time::{Duration, Instant};

use server::{Assembly, Limits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::Code;

use crate::{
    streaming::{EXPORT, Streams, WATCH, open},
    wire::framed,
    world::{Server, limits, sign_in, spawn_call, until, within},
};

/// Sends `request` and reads the response until the connection ends.
async fn exchange(stream: &mut TcpStream, request: &str, body: &[u8]) -> Vec<u8> {
    stream.write_all(request.as_bytes()).await.expect("sent");
    stream.write_all(body).await.expect("sent");
    let mut response = Vec::new();
    within(stream.read_to_end(&mut response)).await.expect("a whole answer");
    response
}

const EVENTS: &str = "GET /streams/watch HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// The end of a chunked body: without it, it was cut.
const END: &[u8] = b"0\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_connection_ends_its_streams_instead_of_cutting_them() {
    let connection_age = Duration::from_millis(300);
    let (server, _) = Streams::start(Limits { connection_age, ..limits() }).await;
    let connection = server.connect().await;
    let (mut one, mut other) = (
        within(open(&connection, WATCH, "quiet")).await.expect("a stream"),
        within(open(&connection, WATCH, "flood")).await.expect("a stream"),
    );
    assert!(within(one.message()).await.expect("open").is_some());
    let end = within(one.message()).await.expect_err("its connection is old");
    assert_eq!(end.code(), Code::Unavailable, "{end:?}");
    assert!(end.message().contains("open the stream again"), "{end:?}");
    let end = loop {
        match within(other.message()).await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("an end without a word"),
            Err(end) => break end,
        }
    };
    assert_eq!(end.code(), Code::Unavailable, "{end:?}");
    until(async || open(&connection, WATCH, "quiet").await.is_err()).await;
    within(open(&server.connect().await, WATCH, "quiet")).await.expect("elsewhere");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_connection_of_http_1_ends_its_stream_properly() {
    let connection_age = Duration::from_millis(300);
    let (server, _) = Streams::start(Limits { connection_age, ..limits() }).await;
    let mut stream = TcpStream::connect(server.http_addr).await.expect("a connection");
    let response = exchange(&mut stream, EVENTS, b"").await;
    let text = String::from_utf8_lossy(&response);
    assert!(text.contains("data: 0\n\n") && response.ends_with(END), "{text}");
}

/// gRPC-Web writes trailers into the body.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_a_browser_ends_with_a_reason() {
    let connection_age = Duration::from_millis(300);
    let (server, _) = Streams::start(Limits { connection_age, ..limits() }).await;
    let message = framed(&prost::Message::encode_to_vec(&sign_in("quiet")));
    let head = format!(
        "POST {WATCH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/grpc-web\r\n\
         content-length: {}\r\n\r\n",
        message.len()
    );
    let mut stream = TcpStream::connect(server.addr).await.expect("a connection");
    let response = exchange(&mut stream, &head, &message).await;
    let text = String::from_utf8_lossy(&response);
    assert!(text.contains("grpc-status:14\r\n") && response.ends_with(END), "{text}");
}

/// A finite stream gets the time of a call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_finished_on_an_old_connection() {
    let connection_age = Duration::from_millis(100);
    let (server, _) = Streams::start(Limits { connection_age, ..limits() }).await;
    let connection = server.connect().await;
    let mut export = within(open(&connection, EXPORT, "late")).await.expect("a stream");
    for _ in 0..3 {
        assert!(within(export.message()).await.expect("not cut").is_some());
    }
    assert!(within(export.message()).await.expect("not cut").is_none());
    assert!(open(&connection, EXPORT, "late").await.is_err(), "it was asked to leave");
}

/// Not before the port is closed: who opens its stream again must not come back here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_ends_every_stream_when_the_port_is_closed() {
    let (lame_duck, drain) = (Duration::from_millis(500), Duration::from_secs(9));
    let (mut server, _) = Streams::start(Limits { lame_duck, drain, ..limits() }).await;
    let connection = server.connect().await;
    let mut watch = within(open(&connection, WATCH, "quiet")).await.expect("a stream");
    assert!(within(watch.message()).await.expect("open").is_some());
    let mut events = TcpStream::connect(server.http_addr).await.expect("a connection");
    let events = tokio::spawn(async move { exchange(&mut events, EVENTS, b"").await });
    let start = Instant::now();
    server.stop();
    let end = within(watch.message()).await.expect_err("the server stops");
    let (took, addr) = (start.elapsed(), server.addr);
    assert_eq!(end.code(), Code::Unavailable, "{end:?}");
    assert!(took >= lame_duck, "only {took:?}");
    assert!(TcpStream::connect(addr).await.is_err(), "the port is still open");
    assert!(within(events).await.expect("a task").ends_with(END));
    server.ended().await;
    assert!(start.elapsed() < lame_duck + drain / 3, "{:?}", start.elapsed());
}

/// Says when it is dropped.
struct Guard(tokio::sync::watch::Sender<bool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

/// Calls that are still open may need what the jobs do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_get_the_shutdown_signal_and_their_jobs_outlive_the_calls() {
    let mut assembly = Assembly::default();
    let (stopping, (ended, job_ended)) =
        (assembly.shutdown_signal(), tokio::sync::watch::channel(false));
    let guard = Guard(ended);
    assembly.add_job(async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    let (lame_duck, drain) = (Duration::from_millis(300), Duration::from_secs(8));
    let limits = Limits { lame_duck, drain, ..limits() };
    let mut server = Server::start_beside(assembly, limits, false).await;
    let held = spawn_call(&server.client().await, "hold");
    server.wait_inside(1).await;
    let start = Instant::now();
    server.stop();
    assert!(!stopping.is_shutting_down(), "balancers look away first");
    within(stopping.stopped()).await;
    assert!(start.elapsed() >= lame_duck && stopping.is_shutting_down());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!*job_ended.borrow(), "a call is still open");
    server.release();
    within(held).await.expect("a task").expect("not lost");
    server.ended().await;
    assert!(*job_ended.borrow());
}
