//! Clients without manners: one connection that is never remade, bodies byte for byte,
//! and naked TCP.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt};
use hyper::{
    body::{Body as HttpBody, Bytes, Frame, Incoming},
    client::conn::http2::{Builder, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tonic::{
    Status,
    body::Body,
    codegen::http::{Request, Response, Uri},
};

use crate::{
    preface::{EMPTY_SETTINGS, PREFACE},
    world::within,
};

/// The authority of requests, which the server ignores.
pub fn origin() -> Uri {
    Uri::from_static("http://localhost")
}

/// One HTTP/2 connection.
#[derive(Clone)]
pub struct Connection(SendRequest<Body>);

impl Connection {
    pub async fn open(addr: SocketAddr) -> io::Result<Self> {
        Self::open_with(addr, &Builder::new(TokioExecutor::new())).await
    }

    /// A connection whose window is too small for a response body.
    pub async fn open_without_window(addr: SocketAddr) -> io::Result<Self> {
        Self::open_with(addr, Builder::new(TokioExecutor::new()).initial_stream_window_size(0))
            .await
    }

    /// A connection whose peer reads no more of a body than `window` unless asked to.
    pub async fn open_narrow(addr: SocketAddr, window: u32) -> io::Result<Self> {
        Self::open_with(
            addr,
            Builder::new(TokioExecutor::new())
                .initial_stream_window_size(window)
                .initial_connection_window_size(window),
        )
        .await
    }

    /// A connection that comes from another address of this machine.
    pub async fn open_from(local: [u8; 4], addr: SocketAddr) -> io::Result<Self> {
        Self::over(connect_from(local, addr).await?, &Builder::new(TokioExecutor::new())).await
    }

    async fn open_with(addr: SocketAddr, http2: &Builder<TokioExecutor>) -> io::Result<Self> {
        Self::over(TcpStream::connect(addr).await?, http2).await
    }

    async fn over(stream: TcpStream, http2: &Builder<TokioExecutor>) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let connected = http2.handshake(TokioIo::new(stream)).await;
        let (sender, connection) = connected.map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends `body` as it is, under `headers`.
    pub async fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> hyper::Result<Response<Incoming>> {
        let mut request = Request::post(format!("http://localhost{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Body::new(Once(Some(Bytes::copy_from_slice(body))));
        within(self.0.send_request(request.body(body).expect("a request"))).await
    }
}

/// A naked connection that comes from another address of this machine.
pub async fn connect_from(local: [u8; 4], addr: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((local, 0)))?;
    socket.connect(addr).await
}

impl tower::Service<Request<Body>> for Connection {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = BoxFuture<'static, hyper::Result<Response<Incoming>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.send_request(request).boxed()
    }
}

/// A body of one piece.
struct Once(Option<Bytes>);

impl HttpBody for Once {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// The status of a trailers-only response.
pub fn status(response: &Response<Incoming>) -> Status {
    Status::from_header_map(response.headers()).expect("a status in the headers")
}

/// `message` as gRPC frames it.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("a short message");
    [&[0][..], &length.to_be_bytes(), message].concat()
}

/// Whether the server serves this client: it responds to the preface with its own.
pub async fn is_served(stream: &mut TcpStream) -> bool {
    let greeting = [PREFACE, EMPTY_SETTINGS].concat();
    let settings = async {
        stream.write_all(&greeting).await?;
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let mut body = vec![0; usize::from(head[2])];
        stream.read_exact(&mut body).await
    };
    within(settings).await.is_ok()
}

/// The last bytes from the server before it disconnects.
pub async fn last_bytes(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    // A disconnect with unread bytes is an error to TCP; the response is there.
    let _ = within(stream.read_to_end(&mut received)).await;
    received
}

/// Whether these frames have a GOAWAY among them, without an error (RFC 9113 section 6.8).
pub fn sends_goaway(mut frames: &[u8]) -> bool {
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = frames {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let Some((body, rest)) = rest.split_at_checked(length) else { return false };
        if *kind == 7 {
            return body.get(4..8) == Some(&[0; 4]);
        }
        frames = rest;
    }
    false
}

/// Waits until the server hangs up; `false` if it has not done so in `patience`.
pub async fn is_closed(stream: &mut TcpStream, patience: Duration) -> bool {
    let mut bytes = [0; 1024];
    let closed = async { while !matches!(stream.read(&mut bytes).await, Ok(0) | Err(_)) {} };
    tokio::time::timeout(patience, closed).await.is_ok()
}
