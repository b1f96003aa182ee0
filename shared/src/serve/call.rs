//! What surrounds every call: its id, a place in the queue, a deadline, and a net for
//! panics.

use std::{
    convert::Infallible, net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use hyper::body::Incoming;
use tokio::{sync::Semaphore, time::Instant};
use tonic::{
    Code, Status,
    body::Body,
    codegen::http::{HeaderMap, HeaderValue, Request, Response},
    service::Routes,
    transport::server::TcpConnectInfo,
};
use tonic_types::{ErrorDetails, StatusExt};
use tower::ServiceExt;
use tracing::Instrument;

use super::{limits::Limits, request_id};

/// Health is asked for without a place: a server that is busy is not dead, and whoever
/// took it for dead would make the others busier.
const HEALTH: &str = "/grpc.health.v1.Health/";

/// All services of a port, behind what surrounds every call.
#[derive(Clone)]
pub struct Calls {
    routes: Routes,
    places: Arc<Semaphore>,
    timeout: Duration,
    peer: TcpConnectInfo,
}

impl Calls {
    pub fn new(routes: Routes, limits: &Limits) -> Self {
        let places = Arc::new(Semaphore::new(limits.calls));
        let peer = TcpConnectInfo { local_addr: None, remote_addr: None };
        Self { routes, places, timeout: limits.request_timeout, peer }
    }

    /// The same services for one connection: handlers see who is at its other end
    /// (`Request::remote_addr`).
    pub fn for_peer(&self, peer: SocketAddr) -> Self {
        let peer = TcpConnectInfo { local_addr: None, remote_addr: Some(peer) };
        Self { peer, ..self.clone() }
    }

    /// Answers `request`, whatever happens inside.
    async fn answer(self, request: Request<Incoming>) -> Response<Body> {
        let place = self.places.try_acquire();
        if place.is_err() && !request.uri().path().starts_with(HEALTH) {
            return refuse(Code::ResourceExhausted, "too many calls in progress, try again");
        }
        let timeout =
            caller_timeout(request.headers()).map_or(self.timeout, |t| t.min(self.timeout));
        let call = AssertUnwindSafe(self.routes.oneshot(request)).catch_unwind();
        match tokio::time::timeout(timeout, call).await {
            Ok(Ok(Ok(response))) => response,
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
    use super::*;

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
