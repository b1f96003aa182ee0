//! One HTTP/1.1 request and its response, over a connection of its own.

use std::{net::SocketAddr, time::Duration};

use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderName, USER_AGENT},
};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Bytes, Incoming},
    client::conn::http1::{self, Parts, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{io::AsyncReadExt, net::TcpStream, task::JoinHandle};

/// The user agent of every caller of this suite, on either wire.
pub const AGENT: &str = "e2e";

/// The longest any answer may take: longer than every limit of a server.
const PATIENCE: Duration = Duration::from_mins(1);

/// The sender of a request, its response, and the connection that is left afterwards.
type Begun = (
    SendRequest<Full<Bytes>>,
    Response<Incoming>,
    JoinHandle<hyper::Result<Parts<TokioIo<TcpStream>>>>,
);

/// An HTTP request.
#[derive(Clone, Debug)]
pub struct HttpRequest(Request<Bytes>);

impl HttpRequest {
    /// A request for `path` without a body.
    pub fn new(method: Method, path: &str) -> Self {
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse::<Uri>().expect("a path");
        Self(request).with(USER_AGENT, AGENT)
    }

    /// Its path.
    pub fn path(&self) -> &str {
        self.0.uri().path()
    }

    /// With one more value of a header.
    pub fn with(mut self, name: impl Into<HeaderName>, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("what a header can hold");
        self.0.headers_mut().append(name.into(), value);
        self
    }

    /// With one more value of a header with this name.
    pub fn header(self, name: &'static str, value: &str) -> Self {
        self.with(HeaderName::from_static(name), value)
    }

    /// With `authorization: Bearer <credential>`.
    pub fn bearer(self, credential: &str) -> Self {
        self.with(AUTHORIZATION, &format!("Bearer {credential}"))
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.with(CONTENT_TYPE, "application/json").body(body.to_string())
    }

    /// With these bytes as its body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self.0.body_mut() = body.into();
        self
    }

    /// Sends the request to `address`.
    pub async fn send(self, address: SocketAddr) -> Reply {
        let what = format!("{} {}", self.0.method(), self.0.uri());
        let answered = tokio::time::timeout(PATIENCE, self.exchange(address)).await;
        answered.unwrap_or_else(|_| panic!("no answer to {what:.200}"))
    }

    async fn exchange(self, address: SocketAddr) -> Reply {
        let last = self.with(CONNECTION, "close");
        // Held until all is read: a caller that hangs up early is another thing to a server.
        let (_sender, answer, connection) = last.begin(address).await;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        // A response holds the permit of its call until it is sent, which its caller can receive
        // of in one way: the server ends the connection.
        if let Ok(Ok(parts)) = connection.await {
            let _ = parts.io.into_inner().read(&mut [0]).await;
        }
        Reply { status: head.status, headers: head.headers, body }
    }

    /// Sends the request to `address` and returns as soon as the response begins.
    pub async fn open(self, address: SocketAddr) -> Response<Incoming> {
        self.begin(address).await.1
    }

    async fn begin(mut self, address: SocketAddr) -> Begun {
        let host = HeaderValue::try_from(address.to_string()).expect("an address");
        self.0.headers_mut().entry(HOST).or_insert(host);
        let stream = TcpStream::connect(address).await.expect("the port is open");
        let shaken = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.expect("a connection");
        let connection = tokio::spawn(connection.without_shutdown());
        let answer = sender.send_request(self.0.map(Full::new)).await.expect("an answer");
        (sender, answer, connection)
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// The only value of a header; empty where there is none.
    #[track_caller]
    pub fn text(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next().map(|value| value.to_str().expect("ASCII"));
        assert!(values.next().is_none(), "{name} comes twice: {self:?}");
        first.unwrap_or_default()
    }

    /// The body.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }

    /// What a caller can compare of it: all but what differs from call to call.
    pub fn comparable(&self) -> Vec<u8> {
        let passing = ["date", "x-request-id"];
        let mut lines: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| !passing.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        lines.sort();
        [self.status.as_str().as_bytes(), lines.join("\n").as_bytes(), &self.body].concat()
    }
}
