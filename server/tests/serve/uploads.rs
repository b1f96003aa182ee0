//! Bodies that take longer than a call may.

use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt, stream};
use proto::auth::v1::SignInRequest;
use server::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::Code;

use crate::{
    streaming::{GATHER, Streams, UPLOAD, upload},
    world::{assert_served, limits, sign_in, until, within},
};

const PAUSE: Duration = Duration::from_millis(100);

/// So many messages, with a pause before each.
fn slow(count: usize) -> impl Stream<Item = SignInRequest> + Send {
    stream::iter(0..count).then(async |_| {
        tokio::time::sleep(PAUSE).await;
        sign_in("x")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_takes_its_time_where_other_calls_may_not() {
    let request_timeout = PAUSE * 4;
    let (server, _) = Streams::start(Limits { request_timeout, ..limits() }).await;
    let connection = server.connect().await;
    let counted = within(upload(&connection, UPLOAD, slow(10))).await.expect("an upload");
    assert_eq!(counted, "10");
    let cut = within(upload(&connection, GATHER, slow(10))).await.expect_err("too slow");
    assert_eq!(cut.code(), Code::DeadlineExceeded, "{cut}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_stalls_ends_and_so_does_an_endless_one() {
    let limits =
        Limits { request_timeout: PAUSE * 4, upload_timeout: PAUSE * 15, calls: 1, ..limits() };
    let (server, _) = Streams::start(limits).await;
    for (messages, least) in
        [(slow(2).chain(stream::pending()).boxed(), PAUSE * 6), (slow(10_000).boxed(), PAUSE * 15)]
    {
        let connection = server.connect().await;
        let start = Instant::now();
        let cut = within(upload(&connection, UPLOAD, messages)).await.expect_err("too slow");
        assert_eq!(cut.code(), Code::DeadlineExceeded, "{cut}");
        let took = start.elapsed();
        assert!((least..least + PAUSE * 8).contains(&took), "{took:?} instead of {least:?}");
        let mut client = server.client().await;
        until(async || client.sign_in(sign_in("echo")).await.is_ok()).await;
    }
}

/// It began on a connection that was about to leave.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_is_finished_on_an_old_connection() {
    let (request_timeout, answer_timeout) = (PAUSE * 3, PAUSE);
    let limits = Limits { connection_age: PAUSE, request_timeout, answer_timeout, ..limits() };
    let (server, _) = Streams::start(limits).await;
    let connection = server.connect().await;
    let counted = within(upload(&connection, UPLOAD, slow(12))).await.expect("not cut");
    assert_eq!(counted, "12");
    assert!(upload(&connection, UPLOAD, slow(1)).await.is_err(), "it was asked to leave");
}

/// A waiting upload blocks no other call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_pauses_releases_its_permit() {
    let (server, _) = Streams::start(Limits { calls: 1, ..limits() }).await;
    let connection = server.connect().await;
    let messages = stream::iter([sign_in("x")]).chain(stream::pending());
    let paused = tokio::spawn(async move { upload(&connection, UPLOAD, messages).await });
    let mut client = server.client().await;
    until(async || client.sign_in(sign_in("echo")).await.is_ok()).await;
    assert!(!paused.is_finished());
    paused.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_of_lines_over_http_takes_its_time_too() {
    let request_timeout = PAUSE * 4;
    let (server, _) = Streams::start(Limits { request_timeout, ..limits() }).await;
    for (path, content_type, status) in [
        ("/streams/a/upload", "application/x-ndjson", "HTTP/1.1 200"),
        ("/streams/a/upload", "application/json", "HTTP/1.1 415"),
    ] {
        let mut stream = TcpStream::connect(server.http_addr).await.expect("a connection");
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        for _ in 0..10 {
            tokio::time::sleep(PAUSE).await;
            // A refusal may come before the whole body is sent.
            let _ = stream.write_all(b"3\r\n{}\n\r\n").await;
        }
        let _ = stream.write_all(b"0\r\n\r\n").await;
        let mut response = vec![0; 12];
        within(stream.read_exact(&mut response)).await.expect("an answer");
        assert_eq!(String::from_utf8_lossy(&response), status);
        if status.ends_with("200") {
            let mut rest = String::new();
            within(stream.read_to_string(&mut rest)).await.expect("the rest");
            assert!(rest.ends_with("10 lines"), "{rest}");
        }
    }
    assert_served(&mut server.client().await).await;
}
