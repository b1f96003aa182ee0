//! Streams that last: not counted as calls, not cut for their age, and ended where their
//! caller does not take what it asked for.

use std::time::Duration;

use server::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::Code;

use crate::{
    streaming::{EXPORT, PAUSE, Streams, UNMARKED, WATCH, open},
    wire::{Connection, framed},
    world::{assert_served, limits, sign_in, until, within},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_take_no_permit_of_calls_and_have_limits_of_their_own() {
    for crowded in [
        Limits { calls: 1, streams: 3, ..limits() },
        Limits { calls: 1, streams_per_address: 3, ..limits() },
    ] {
        let (server, _) = Streams::start(crowded).await;
        let (first, second) = (server.connect().await, server.connect().await);
        let mut client = server.client().await;
        let mut streams = Vec::new();
        for connection in [&first, &second, &first] {
            // The call needs a permit first, which the last call may just have released.
            let mut stream = within(open(connection, WATCH, "quiet")).await.expect("a slot");
            assert!(within(stream.message()).await.expect("open").is_some());
            streams.push(stream);
            assert_served(&mut client).await;
            until(async || client.sign_in(crate::world::sign_in("echo")).await.is_ok()).await;
        }
        let refused = within(open(&second, WATCH, "quiet")).await.expect_err("no slot");
        assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
        until(async || client.sign_in(crate::world::sign_in("echo")).await.is_ok()).await;
        streams.remove(0);
        until(async || open(&second, WATCH, "quiet").await.is_ok()).await;
    }
}

/// The deadline of a call is for the head of its answer; the time to read an answer is for
/// each piece.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_may_be_older_than_any_call_and_silent_for_longer_than_a_reader_may_be() {
    let short = PAUSE / 3;
    let (server, _) =
        Streams::start(Limits { request_timeout: short, answer_timeout: short, ..limits() }).await;
    for (path, whole) in [(WATCH, true), (EXPORT, true), (UNMARKED, false)] {
        let connection = server.connect().await;
        let mut stream = within(open(&connection, path, "late")).await.expect("a stream");
        let mut read = 0;
        let end = loop {
            match within(stream.message()).await {
                Ok(Some(_)) => read += 1,
                end => break end,
            }
        };
        assert_eq!(end.is_ok() && read == 3, whole, "{path}: {read}, {end:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unread_piece_ends_its_connection_and_releases_the_permit() {
    let answer_timeout = Duration::from_millis(300);
    let request_timeout = Duration::from_millis(300);
    let narrow = Limits { streams: 1, answer_timeout, request_timeout, ..limits() };
    let (server, _) = Streams::start(narrow).await;
    let stalled = Connection::open_without_window(server.addr).await.expect("a connection");
    let _unread = within(open(&stalled, WATCH, "quiet")).await.expect("a head");
    let other = server.connect().await;
    let refused = within(open(&other, WATCH, "quiet")).await.expect_err("one slot");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    until(async || open(&other, WATCH, "quiet").await.is_ok()).await;
    until(async || open(&stalled, WATCH, "quiet").await.is_err()).await;
}

/// Unread messages are not produced either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_holds_a_bounded_amount_and_ends() {
    let answer_timeout = Duration::from_millis(500);
    let request_timeout = Duration::from_millis(300);
    let (server, streams) =
        Streams::start(Limits { answer_timeout, request_timeout, ..limits() }).await;
    let slow = Connection::open_narrow(server.addr, 64 * 1024).await.expect("a connection");
    let _unread = within(open(&slow, WATCH, "flood")).await.expect("a head");
    until(async || open(&slow, WATCH, "quiet").await.is_err()).await;
    // A window of 64 KiB, and what one stream and one connection have in hand.
    let made = streams.flooded() * 8;
    assert!((64..=128).contains(&made), "{made} KiB");
}

/// A proxy that compresses would hold the first events back until it has enough of them.
#[tokio::test]
async fn a_stream_may_be_neither_kept_nor_transformed_on_its_way() {
    let (server, _) = Streams::start(limits()).await;
    let message = framed(&prost::Message::encode_to_vec(&sign_in("quiet")));
    let events = "GET /streams/watch HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned();
    let grpc_web = format!(
        "POST {WATCH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/grpc-web\r\n\
         content-length: {}\r\n\r\n",
        message.len()
    );
    for (address, head, body) in
        [(server.http_addr, events, &[][..]), (server.addr, grpc_web, &message)]
    {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(&[head.as_bytes(), body].concat()).await.expect("sent");
        let mut response = Vec::new();
        until(async || {
            let _ = stream.read_buf(&mut response).await;
            String::from_utf8_lossy(&response).contains("\r\n\r\n")
        })
        .await;
        let text = String::from_utf8_lossy(&response);
        assert!(text.contains("cache-control: no-store, no-transform\r\n"), "{head}{text}");
    }
}
