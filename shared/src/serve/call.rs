//! What surrounds every call: its id, a place in the queue, a deadline, and a net for
//! panics.

use std::{
    convert::Infallible,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep},
};
use tonic::{
    Code, Status,
    body::Body,
    codegen::http::{HeaderMap, HeaderValue, Request, Response, StatusCode},
    service::Routes,
    transport::server::TcpConnectInfo,
};
use tonic_types::{ErrorDetails, StatusExt};
use tower::ServiceExt;
use tracing::Instrument;

use super::{limits::Limits, request_id};

/// Health is answered without a place too: a server that is busy is not dead, and whoever
/// took it for dead would make the others busier. Its `Watch` may stay open.
const HEALTH: &str = "/grpc.health.v1.Health/";

/// All services of a port, behind what surrounds every call.
#[derive(Clone)]
pub struct Calls {
    routes: Routes,
    places: Arc<Semaphore>,
    timeout: Duration,
    answer_timeout: Duration,
    peer: TcpConnectInfo,
    /// What calls from the same address have in common.
    share: Arc<Semaphore>,
}

impl Calls {
    pub fn new(routes: Routes, limits: &Limits) -> Self {
        let places = Arc::new(Semaphore::new(limits.calls));
        let peer = TcpConnectInfo { local_addr: None, remote_addr: None };
        Self {
            routes,
            share: places.clone(),
            places,
            timeout: limits.request_timeout,
            answer_timeout: limits.answer_timeout,
            peer,
        }
    }

    /// A place for one call, until its answer has been taken in whole. `None`: all are
    /// taken, or all that one address may take.
    fn place(&self) -> Option<[OwnedSemaphorePermit; 2]> {
        let in_all = self.places.clone().try_acquire_owned().ok()?;
        Some([in_all, self.share.clone().try_acquire_owned().ok()?])
    }

    /// The same services for one connection: handlers see who is at its other end
    /// (`Request::remote_addr`), and share their places with others from its address.
    pub fn for_peer(&self, peer: SocketAddr, share: Arc<Semaphore>) -> Self {
        let peer = TcpConnectInfo { local_addr: None, remote_addr: Some(peer) };
        Self { peer, share, ..self.clone() }
    }

    /// Answers `request`, whatever happens inside.
    async fn answer(self, request: Request<Incoming>) -> Response<Body> {
        if !speaks_grpc(request.headers()) {
            return unsupported();
        }
        let place = self.place();
        let is_health = request.uri().path().starts_with(HEALTH);
        if place.is_none() && !is_health {
            return refuse(Code::ResourceExhausted, "too many calls in progress, try again");
        }
        let timeout =
            caller_timeout(request.headers()).map_or(self.timeout, |t| t.min(self.timeout));
        let call = AssertUnwindSafe(self.routes.oneshot(request)).catch_unwind();
        match tokio::time::timeout(timeout, call).await {
            Ok(Ok(Ok(response))) if is_health => response,
            Ok(Ok(Ok(response))) => blame_caller(response).map(|body| {
                Body::new(Held { body, place, end: Box::pin(sleep(self.answer_timeout)) })
            }),
            Ok(Ok(Err(never))) => match never {},
            // The panic hook (see `telemetry`) has logged it, inside the call's span.
            Ok(Err(_panic)) => refuse(Code::Internal, "internal error"),
            Err(_elapsed) => refuse(Code::DeadlineExceeded, "the call took too long"),
        }
    }
}

impl hyper::service::Service<Request<Incoming>> for Calls {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer.clone());
        let id = request_id::of(request.headers());
        let rpc = request.uri().path().to_owned();
        let span = tracing::info_span!("call", request.id = id.to_str().unwrap_or("-"), rpc);
        let calls = self.clone();
        let answer = async move {
            let start = Instant::now();
            let mut response = calls.answer(request).await;
            log(response.headers(), start.elapsed());
            response.headers_mut().insert(request_id::HEADER, id);
            Ok(response)
        };
        answer.instrument(span).boxed()
    }
}

/// One line a call, to find it by. A fault of ours was logged with its cause where it
/// arose; what is left are refusals and callers that hang up, which are information. Success
/// is only worth a line to somebody who looks for it.
fn log(headers: &HeaderMap, elapsed: Duration) {
    let code =
        headers.get("grpc-status").map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()));
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    match code {
        Code::Ok => tracing::debug!(elapsed.us = micros, "answered"),
        Code::DeadlineExceeded => tracing::warn!(elapsed.us = micros, "took too long"),
        _ => tracing::info!(code = ?code, elapsed.us = micros, "not answered as asked"),
    }
}

/// An answer on its way to a caller. It keeps its place and has a deadline, else a caller
/// that asks and does not read would hold any number of answers in memory.
struct Held {
    body: Body,
    #[expect(dead_code, reason = "given back when the answer is gone")]
    place: Option<[OwnedSemaphorePermit; 2]>,
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

/// Whether the body is what gRPC says it is (gRPC over HTTP/2, "Content-Type").
fn speaks_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get("content-type").map_or(&b""[..], HeaderValue::as_bytes);
    match content_type.strip_prefix(b"application/grpc") {
        Some(rest) => rest.is_empty() || rest[0] == b'+' || rest[0] == b';',
        None => false,
    }
}

/// HTTP 415, as gRPC over HTTP/2 asks for.
fn unsupported() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}

/// tonic says INTERNAL of frames it cannot read; that is the caller's doing. A fault of
/// ours is told by its words, which `error` alone gives.
fn blame_caller(mut response: Response<Body>) -> Response<Body> {
    let ours = HeaderValue::from_static("internal%20error");
    let headers = response.headers_mut();
    if headers.get("grpc-status").is_some_and(|code| code == "13")
        && headers.get("grpc-message") != Some(&ours)
    {
        headers.insert("grpc-status", HeaderValue::from_static("3"));
    }
    response
}

fn refuse(code: Code, message: &str) -> Response<Body> {
    let mut details = ErrorDetails::new();
    if code == Code::ResourceExhausted {
        details.set_retry_info(Some(Duration::from_secs(1)));
    }
    Status::with_error_details(code, message, details).into_http()
}

/// `grpc-timeout`: at most eight digits and a unit (gRPC over HTTP/2). A malformed one is
/// ignored, as the limit of the server holds anyway.
fn caller_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout").map(HeaderValue::to_str)?.ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::StreamBody;

    use super::*;

    #[tokio::test]
    async fn an_answer_keeps_its_place_until_it_is_read_and_no_longer_than_it_may() {
        let places = Arc::new(Semaphore::new(2));
        let take = || places.clone().try_acquire_owned().expect("a place");
        let never = Body::new(StreamBody::new(futures_util::stream::pending::<
            Result<Frame<Bytes>, Status>,
        >()));
        let end = Box::pin(sleep(Duration::from_millis(20)));
        let mut held = Held { body: never, place: Some([take(), take()]), end };
        let mut frame =
            std::pin::pin!(std::future::poll_fn(|cx| Pin::new(&mut held).poll_frame(cx)));
        let late = frame.as_mut().await.expect("an end").expect_err("nobody read it");
        assert_eq!(late.code(), Code::DeadlineExceeded);
        assert_eq!(places.available_permits(), 0);
        drop(held);
        assert_eq!(places.available_permits(), 2);
    }

    #[test]
    fn only_grpc_is_spoken_here() {
        for (content_type, is_grpc) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/json", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::from_str(content_type).expect("a header value");
            headers.insert("content-type", value);
            assert_eq!(speaks_grpc(&headers), is_grpc, "{content_type:?}");
        }
        assert!(!speaks_grpc(&HeaderMap::new()));
    }

    #[test]
    fn frames_that_cannot_be_read_are_the_callers_fault_and_faults_of_ours_are_not() {
        for (message, code) in [("Missing request message.", "3"), ("internal error", "13")] {
            let told = blame_caller(Status::new(Code::Internal, message).into_http());
            assert_eq!(told.headers()["grpc-status"], code, "{message}");
        }
    }

    #[test]
    fn the_callers_timeout_is_read_as_the_protocol_spells_it() {
        for (text, timeout) in [
            ("3S", Some(Duration::from_secs(3))),
            ("250m", Some(Duration::from_millis(250))),
            ("1H", Some(Duration::from_hours(1))),
            ("99999999M", Some(Duration::from_mins(99_999_999))),
            ("100000000S", None),
            ("", None),
            ("S", None),
            ("3", None),
            ("3s", None),
            ("-3S", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", HeaderValue::from_str(text).expect("a header value"));
            assert_eq!(caller_timeout(&headers), timeout, "{text:?}");
        }
    }
}
