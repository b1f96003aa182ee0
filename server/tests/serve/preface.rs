//! The limits of a connection, in the server's first frame (RFC 9113

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    wire::framed,
    world::{Server, assert_served, limits, within},
};

/// The client preface.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A SETTINGS frame that changes nothing.
pub const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

const SETTINGS: u8 = 4;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const MAX_HEADER_LIST_SIZE: u16 = 6;

/// The settings of the server at the other end of `stream`.
async fn settings(stream: &mut TcpStream) -> Vec<(u16, u32)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.expect("a frame");
    assert_eq!(head[3], SETTINGS, "the first frame");
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut body = vec![0; length as usize];
    stream.read_exact(&mut body).await.expect("a whole frame");
    let pair = |six: &[u8]| {
        let id = u16::from_be_bytes([six[0], six[1]]);
        (id, u32::from_be_bytes([six[2], six[3], six[4], six[5]]))
    };
    body.chunks_exact(6).map(pair).collect()
}

#[tokio::test]
async fn streams_and_headers_are_limited_by_settings() {
    let server = Server::start(limits()).await;
    let mut stream = TcpStream::connect(server.addr).await.expect("a connection");
    stream.write_all(&[PREFACE, EMPTY_SETTINGS].concat()).await.expect("sent");
    let settings = within(settings(&mut stream)).await;
    for (id, value) in [(MAX_CONCURRENT_STREAMS, 128), (MAX_HEADER_LIST_SIZE, 16 * 1024)] {
        let received: Vec<_> = settings.iter().filter(|setting| setting.0 == id).collect();
        assert_eq!(received, [&(id, value)]);
    }
}

/// Refused below gRPC, so with an HTTP status (431) and no `grpc-status`; far beyond the
/// limit the connection itself ends.
#[tokio::test]
async fn oversized_headers_never_reach_a_service() {
    const SIGN_IN: &str = "/auth.v1.AuthService/SignIn";
    let server = Server::start(limits()).await;
    for (size, code) in [(12 * 1024, Some(200)), (17 * 1024, Some(431)), (1024 * 1024, None)] {
        let mut connection = server.connect().await;
        let value = "x".repeat(size);
        let response = connection.post(SIGN_IN, &[("x-large", &value)], &framed(b"")).await;
        let status = response.as_ref().ok().map(|response| response.status().as_u16());
        assert_eq!(status, code, "{size}: {response:?}");
        let labelled =
            response.is_ok_and(|response| response.headers().contains_key("x-request-id"));
        assert_eq!(labelled, code == Some(200), "{size}: an id shows that it got in");
    }
    assert_served(&mut server.client().await).await;
}
