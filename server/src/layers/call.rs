//! What surrounds every call on either port: its id, a permit in the queue, a deadline, and
//! a net for panics.

use std::{
    borrow::Cow,
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use hyper::body::Incoming;
use shared::error::refused_call;
use tokio::time::Instant;
use tonic::{
    Code, Status,
    body::Body,
    codegen::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version},
};
use tracing::Instrument;

use super::request_id;
use crate::{
    admission::{
        connection_limit::ConnectionSlot,
        connection_state::ConnectionState,
        fair_share::FairShare,
        limits::Limits,
        permits::{Admission, Permit},
        uploads::Uploads,
    },
    body::{request::RequestBody, response::ResponseBodies, streaming::StreamKind},
    client_info::{ClientInfo, client_prefix},
    proxies::Proxies,
    shutdown::{Draining, Shutdown},
};

/// What is spoken on a port.
pub trait Protocol: Clone + Send + Sync + 'static {
    /// The answer to what is refused before it takes a permit, if it is.
    fn turn_away(&self, _request: &Request<Incoming>) -> Option<Response<Body>> {
        None
    }

    /// Whether the call is answered without a permit, and for as long as it takes.
    fn is_free(&self, path: &str) -> bool;

    /// Whether the call opens a stream that anybody may open.
    fn is_public_stream(&self, _path: &str) -> bool {
        false
    }

    /// The longest until the call must be answered, where its caller has a say in it.
    fn patience(&self, _request: &Request<Incoming>) -> Option<Duration> {
        None
    }

    /// What its service answers.
    fn answer(self, request: Request<RequestBody>) -> BoxFuture<'static, Response<Body>>;

    /// A refusal, in the words of this wire, readable for the page that asked.
    fn refuse(&self, asked: &RequestInfo, status: Status) -> Response<Body>;

    /// One line about an answer.
    fn log(response: &Response<Body>, elapsed_us: u64);
}

/// An answer that gets no line of its own, since the log tells what is behind it: of refusals
/// together with others like them (see `refusal_log`), of readiness when it changes.
#[derive(Clone)]
pub struct AlreadyLogged;

/// What a refusal must know of its request.
pub struct RequestInfo {
    /// Where it went.
    pub path: String,
    /// The page that sent it.
    pub origin: Option<HeaderValue>,
}

/// What the ports of a server have in common.
#[derive(Clone)]
pub struct Layers {
    pub permits: Admission,
    pub fair_share: FairShare,
    pub uploads: Arc<Uploads>,
    pub proxies: Proxies,
}

/// All that a port answers, behind what surrounds every call. Each call holds it, so it is
/// cheap to clone.
#[derive(Clone)]
pub struct CallChain<W>(Arc<Inner<W>>);

#[derive(Clone)]
struct Inner<W> {
    wire: W,
    around: Layers,
    timeout: Duration,
    upload_timeout: Duration,
    answers: ResponseBodies,
    draining: Shutdown,
    peer: Option<SocketAddr>,
    connection: Option<Arc<ConnectionState>>,
}

impl<W: Protocol> CallChain<W> {
    pub fn new(wire: W, around: Layers, limits: &Limits) -> Self {
        Self(Arc::new(Inner {
            wire,
            around,
            timeout: limits.request_timeout,
            upload_timeout: limits.upload_timeout,
            draining: Shutdown::default(),
            answers: ResponseBodies::new(limits.answer_timeout),
            peer: None,
            connection: None,
        }))
    }

    /// The same services for one connection: handlers see who is at its other end, or for
    /// whom it calls if that is a trusted proxy ([`ClientInfo`]); their permits they share
    /// with others of that client.
    pub fn for_peer(&self, peer: SocketAddr, slot: &ConnectionSlot) -> Self {
        let mut calls = Inner::clone(&self.0);
        calls.peer = Some(peer);
        calls.connection = Some(slot.connection.clone());
        let permits =
            calls.around.permits.of(&calls.around.fair_share.of(client_prefix(peer.ip())));
        calls.around.permits = permits.on(slot.connection.clone(), slot.is_proxy);
        calls.answers = calls.answers.elsewhere();
        calls.draining = Shutdown::default();
        Self(Arc::new(calls))
    }

    /// With this, streams on this connection are told that it is to close.
    pub fn draining(&self) -> &Shutdown {
        &self.0.draining
    }

    /// The answers of this connection that are still on their way.
    pub fn answers(&self) -> &ResponseBodies {
        &self.0.answers
    }
}

impl<W: Protocol> Inner<W> {
    /// The address of the client: the peer's, or the one for whom a trusted proxy calls.
    fn client_address(&self, headers: &HeaderMap) -> Option<IpAddr> {
        self.peer.map(|peer| self.around.proxies.caller(peer, headers).ip())
    }

    /// `response` on its way, with the permit of its call, or a slot if it lasts.
    fn send(
        &self,
        asked: &RequestInfo,
        response: Response<Body>,
        permit: &Permit,
    ) -> Response<Body> {
        if response.extensions().get::<StreamKind>().is_none() {
            return response.map(|body| self.answers.send(body, permit));
        }
        match permit.outlast() {
            Ok(()) => response.map(|body| self.answers.stream(body, permit)),
            Err(crowded) => self.refuse_recorded(asked, crowded),
        }
    }

    /// What a call to `path` needs to begin; `None`: nothing.
    fn take_place(&self, permits: &Admission, path: &str) -> Result<Option<Permit>, Status> {
        if self.wire.is_free(path) {
            return Ok(None);
        }
        let is_public = self.wire.is_public_stream(path);
        if is_public { permits.take_public() } else { permits.take() }.map(Some)
    }

    /// A refusal by a limit, which has been recorded.
    fn refuse_recorded(&self, asked: &RequestInfo, status: Status) -> Response<Body> {
        let mut response = self.wire.refuse(asked, status);
        response.extensions_mut().insert(AlreadyLogged);
        response
    }

    /// The permits that a client takes: behind a proxy the client takes them, not the proxy.
    fn permits(&self, client: Option<IpAddr>) -> Cow<'_, Admission> {
        let permits = &self.around.permits;
        match (self.peer, client) {
            (Some(peer), Some(client)) if peer.ip() != client => {
                Cow::Owned(permits.of(&self.around.fair_share.of(client_prefix(client))))
            }
            _ => Cow::Borrowed(permits),
        }
    }

    /// ResponseBodies `request`, whatever happens inside.
    async fn answer(&self, permits: &Admission, request: Request<Incoming>) -> Response<Body> {
        if !has_known_framing(request.headers()) || !names_one_host(&request) {
            return bad_request();
        }
        if let Some(turned_away) = self.wire.turn_away(&request) {
            return turned_away;
        }
        let origin = request.headers().get("origin").cloned();
        let asked = RequestInfo { path: request.uri().path().to_owned(), origin };
        let permit = match self.take_place(permits, &asked.path) {
            Ok(permit) => permit,
            Err(busy) => return self.refuse_recorded(&asked, busy),
        };
        let is_upload = self.around.uploads.include(&asked.path);
        let most = if is_upload { self.upload_timeout } else { self.timeout };
        let timeout = self.wire.patience(&request).map_or(most, |wanted| wanted.min(most));
        let longest_pause = is_upload.then_some(self.timeout);
        let request = request.map(|body| RequestBody::new(body, permit.clone(), longest_pause));
        let call = AssertUnwindSafe(self.wire.clone().answer(request)).catch_unwind();
        match tokio::time::timeout(timeout, call).await {
            Ok(Ok(response)) => match permit {
                Some(permit) => self.send(&asked, response, &permit),
                None => response,
            },
            // The panic hook (see `telemetry`) has logged it, inside the call's span.
            Ok(Err(_panic)) => {
                self.wire.refuse(&asked, refused_call(Code::Internal, "internal error"))
            }
            Err(_elapsed) => self
                .wire
                .refuse(&asked, refused_call(Code::DeadlineExceeded, "the call took too long")),
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

/// RFC 9112 section 3.2: exactly one `Host` in HTTP/1.1. HTTP/1.0 may do without, as health
/// checks of balancers do, and HTTP/2 has a field of its own for it.
fn names_one_host<B>(request: &Request<B>) -> bool {
    let hosts = request.headers().get_all("host").iter().count();
    match request.version() {
        Version::HTTP_09 | Version::HTTP_10 => hosts <= 1,
        Version::HTTP_11 => hosts == 1,
        _ => true,
    }
}

/// What the parser says of a head that is none, too.
fn bad_request() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response.headers_mut().insert("connection", HeaderValue::from_static("close"));
    response
}

impl<W: Protocol> hyper::service::Service<Request<Incoming>> for CallChain<W> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let calls = self.0.clone();
        if let Some(connection) = &calls.connection {
            connection.touch();
        }
        let address = calls.client_address(request.headers());
        let id = request_id::of(request.headers());
        let path = request.uri().path().to_owned();
        let client = ClientInfo::new(id.clone(), address, request.headers());
        request.extensions_mut().insert(client.clone());
        request.extensions_mut().insert(Draining(calls.draining.handle()));
        let span = tracing::info_span!("call", request.id = id.to_str().unwrap_or("-"), path);
        let answer = async move {
            let start = Instant::now();
            let mut response = calls.answer(&calls.permits(address), request).await;
            let elapsed = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
            if response.extensions().get::<AlreadyLogged>().is_none() {
                W::log(&response, elapsed);
            }
            response.headers_mut().insert(request_id::HEADER, id);
            Ok(response)
        };
        client.during(answer).instrument(span).boxed()
    }
}
