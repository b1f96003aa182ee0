//! What surrounds every call on either port: its id, a place in the queue, a deadline, and
//! a net for panics.

use std::{
    convert::Infallible,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};
use tonic::{
    Code, Status,
    body::Body,
    codegen::http::{HeaderMap, HeaderValue, Request, Response, StatusCode},
    transport::server::TcpConnectInfo,
};
use tonic_types::{ErrorDetails, StatusExt};
use tracing::Instrument;

use super::{
    limits::Limits,
    places::{Arriving, Place, Places, Share},
    request_id,
};

/// What is spoken on a port.
pub trait Wire: Clone + Send + Sync + 'static {
    /// The answer to what is refused before it takes a place, if it is.
    fn turn_away(&self, request: &Request<Incoming>) -> Option<Response<Body>>;

    /// Whether the call is answered without a place, and for as long as it takes.
    fn is_free(&self, path: &str) -> bool;

    /// The longest until the call must be answered, where its caller has a say in it.
    fn patience(&self, request: &Request<Incoming>) -> Option<Duration>;

    /// What its service answers.
    fn answer(self, request: Request<Arriving>) -> BoxFuture<'static, Response<Body>>;

    /// A refusal, in the words of this wire, readable for the page that asked.
    fn refuse(&self, asked: &Asked, status: Status) -> Response<Body>;

    /// One line about an answer.
    fn log(response: &Response<Body>, elapsed_us: u64);
}

/// What a refusal must know of its request.
pub struct Asked {
    /// Where it went.
    pub path: String,
    /// The page that sent it.
    pub origin: Option<HeaderValue>,
}

/// All that a port answers, behind what surrounds every call.
#[derive(Clone)]
pub struct Calls<W> {
    wire: W,
    places: Places,
    timeout: Duration,
    answer_timeout: Duration,
    peer: TcpConnectInfo,
}

impl<W: Wire> Calls<W> {
    pub fn new(wire: W, places: Places, limits: &Limits) -> Self {
        Self {
            wire,
            places,
            timeout: limits.request_timeout,
            answer_timeout: limits.answer_timeout,
            peer: TcpConnectInfo { local_addr: None, remote_addr: None },
        }
    }

    /// The same services for one connection: handlers see who is at its other end
    /// (`Request::remote_addr`), and share their places with others from its address.
    pub fn for_peer(&self, peer: SocketAddr, share: &Share) -> Self {
        let mut calls = self.clone();
        calls.peer.remote_addr = Some(peer);
        calls.places = self.places.of(share);
        calls
    }

    /// Answers `request`, whatever happens inside.
    async fn answer(self, request: Request<Incoming>) -> Response<Body> {
        if !has_known_framing(request.headers()) {
            return bad_request();
        }
        if let Some(turned_away) = self.wire.turn_away(&request) {
            return turned_away;
        }
        let origin = request.headers().get("origin").cloned();
        let asked = Asked { path: request.uri().path().to_owned(), origin };
        let is_free = self.wire.is_free(&asked.path);
        let place = match self.places.take() {
            Ok(place) => Some(place),
            Err(_) if is_free => None,
            Err(busy) => return self.wire.refuse(&asked, busy),
        };
        let timeout = self.wire.patience(&request).map_or(self.timeout, |t| t.min(self.timeout));
        let request = request.map(|body| Arriving::new(body, place.clone()));
        let call = AssertUnwindSafe(self.wire.clone().answer(request)).catch_unwind();
        match tokio::time::timeout(timeout, call).await {
            Ok(Ok(response)) if is_free => response,
            Ok(Ok(response)) => response.map(|body| {
                Body::new(Held { body, place, end: Box::pin(sleep(self.answer_timeout)) })
            }),
            // The panic hook (see `telemetry`) has logged it, inside the call's span.
            Ok(Err(_panic)) => self.wire.refuse(&asked, refusal(Code::Internal, "internal error")),
            Err(_elapsed) => {
                self.wire.refuse(&asked, refusal(Code::DeadlineExceeded, "the call took too long"))
            }
        }
    }
}

/// Whether the body is framed in a way that nobody in between could take for another (RFC
/// 9112 section 6.1): `chunked` is the only transfer coding there is here.
fn has_known_framing(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all("transfer-encoding").iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(only), None) => only.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

/// What the parser says of a head that is none, too.
fn bad_request() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert("connection", HeaderValue::from_static("close"));
    response
}

/// What a call is told that did not reach its service, or not in time.
pub fn refusal(code: Code, message: &str) -> Status {
    let mut details = ErrorDetails::new();
    if code == Code::ResourceExhausted {
        details.set_retry_info(Some(Duration::from_secs(1)));
    }
    Status::with_error_details(code, message, details)
}

impl<W: Wire> hyper::service::Service<Request<Incoming>> for Calls<W> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer.clone());
        let id = request_id::of(request.headers());
        let path = request.uri().path().to_owned();
        let span = tracing::info_span!("call", request.id = id.to_str().unwrap_or("-"), path);
        let calls = self.clone();
        let answer = async move {
            let start = Instant::now();
            let mut response = calls.answer(request).await;
            let elapsed = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
            W::log(&response, elapsed);
            response.headers_mut().insert(request_id::HEADER, id);
            Ok(response)
        };
        answer.instrument(span).boxed()
    }
}

/// An answer on its way to a caller. It keeps its place and has a deadline, else a caller
/// that asks and does not read would hold any number of answers in memory.
struct Held {
    body: Body,
    #[expect(dead_code, reason = "given back when the answer is gone")]
    place: Option<Place>,
    end: Pin<Box<Sleep>>,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_pending() && self.end.as_mut().poll(cx).is_ready() {
            let late = Status::new(Code::DeadlineExceeded, "the answer was not taken in time");
            return Poll::Ready(Some(Err(late)));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::StreamBody;

    use super::*;

    #[tokio::test]
    async fn an_answer_keeps_its_place_until_it_is_read_and_no_longer_than_it_may() {
        let limits = Limits { calls: 1, ..Limits::default() };
        let places = Places::new(&limits).of(&Share::new(&limits));
        let never = Body::new(StreamBody::new(futures_util::stream::pending::<
            Result<Frame<Bytes>, Status>,
        >()));
        let end = Box::pin(sleep(Duration::from_millis(20)));
        let mut held = Held { body: never, place: places.take().ok(), end };
        let mut frame =
            std::pin::pin!(std::future::poll_fn(|cx| Pin::new(&mut held).poll_frame(cx)));
        let late = frame.as_mut().await.expect("an end").expect_err("nobody read it");
        assert_eq!(late.code(), Code::DeadlineExceeded);
        assert!(places.take().is_err());
        drop(held);
        assert!(places.take().is_ok());
    }
}
