//! GOAWAY, frame by frame (RFC 9113 section 6.8): calls that cross with the first are answered.

use std::time::Duration;

use server::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    preface::{EMPTY_SETTINGS, PREFACE},
    world::{Server, limits, within},
};

const HEADERS: u8 = 1;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

/// The last stream of a GOAWAY that refuses none yet.
const ANY_STREAM: u32 = u32::MAX >> 1;

/// `GET /livez`: a complete request on stream 1.
const REQUEST: &[u8] = b"\0\0\x17\x01\x05\0\0\0\x01\x82\x86\x04\x06/livez\x01\x0blocalhost:1";

/// The next frame of this kind: its stream, and its payload.
async fn next(stream: &mut TcpStream, kind: u8) -> (u32, Vec<u8>) {
    loop {
        let mut head = [0; 9];
        within(stream.read_exact(&mut head)).await.expect("a frame");
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        within(stream.read_exact(&mut payload)).await.expect("a whole frame");
        if head[3] == kind {
            return (u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload);
        }
    }
}

/// The last stream that a GOAWAY lets pass.
async fn goaway(stream: &mut TcpStream) -> u32 {
    let (_, payload) = next(stream, GOAWAY).await;
    u32::from_be_bytes([payload[0], payload[1], payload[2], payload[3]])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_crosses_with_the_first_goaway_is_answered() {
    for connection_age in [Some(Duration::from_millis(200)), None] {
        let age = connection_age.unwrap_or(limits().connection_age);
        let mut server = Server::start(Limits { connection_age: age, ..limits() }).await;
        let mut stream = TcpStream::connect(server.http_addr).await.expect("a connection");
        stream.write_all(&[PREFACE, EMPTY_SETTINGS].concat()).await.expect("sent");
        stream.write_all(REQUEST).await.expect("sent");
        assert_eq!(next(&mut stream, HEADERS).await.0, 1);
        if connection_age.is_none() {
            server.stop();
        }
        assert_eq!(goaway(&mut stream).await, ANY_STREAM, "{connection_age:?}");
        let (_, ping) = next(&mut stream, PING).await;
        let mut crossing = REQUEST.to_vec();
        crossing[8] = 3;
        stream.write_all(&crossing).await.expect("sent");
        assert_eq!(next(&mut stream, HEADERS).await.0, 3, "{connection_age:?}");
        // From its acknowledgement on, the client knows.
        let acknowledgement = [&[0, 0, 8, PING, 1, 0, 0, 0, 0], &ping[..]].concat();
        stream.write_all(&acknowledgement).await.expect("sent");
        assert_eq!(goaway(&mut stream).await, 3, "{connection_age:?}");
        assert_eq!(within(stream.read(&mut [0])).await.expect("an end"), 0);
    }
}
