//! The call chain around every call on either port: request id, admission, deadline, panic guard,
//! log line.

use std::{
    borrow::Cow, convert::Infallible, net::IpAddr, panic::AssertUnwindSafe, sync::Arc,
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Map, ready},
};
use hyper::body::Incoming;
use shared::error::{INTERNAL, Kind, refused_call};
use tokio::time::Instant;
use tonic::{
    Status,
    body::Body,
    codegen::http::{HeaderMap, HeaderValue, Request, Response, Version, header::CONNECTION},
};

use super::{
    framing,
    protocol::{Protocol, RequestInfo},
    refused_calls::{AlreadyLogged, RefusedCalls},
    request_id,
};
use crate::{
    admission::{
        connection_limit::{ConnectionLimit, ConnectionSlot},
        connection_state::ConnectionState,
        fair_share::FairShare,
        limits::Limits,
        permits::{Admission, Permit},
        refusal_log::RefusalLog,
        uploads::Uploads,
    },
    body::{request::RequestBody, response::ResponseBodies, streaming::StreamKind},
    client_info::{ClientInfo, Peer, client_prefix},
    proxies::Proxies,
    settings::Settings,
    shutdown::{Draining, Shutdown},
};

/// The layers that the ports of a server share.
#[derive(Clone)]
pub struct Layers {
    pub connection_limit: ConnectionLimit,
    /// The lame-duck time, in which HTTP/1.1 connections close with their next response.
    pub lame_duck: Shutdown,
    admission: Admission,
    fair_share: FairShare,
    uploads: Arc<Uploads>,
    proxies: Proxies,
    refused: RefusedCalls,
}

impl Layers {
    /// The layers of a server that accepts these uploads.
    pub fn new(settings: &Settings, uploads: Uploads) -> Self {
        let (limits, proxies) = (&settings.limits, &settings.trusted_proxies);
        let log = RefusalLog::default();
        Self {
            connection_limit: ConnectionLimit::new(limits, proxies.clone(), log.clone()),
            lame_duck: Shutdown::default(),
            admission: Admission::new(limits, log),
            fair_share: FairShare::new(limits),
            uploads: Arc::new(uploads),
            proxies: proxies.clone(),
            refused: RefusedCalls::default(),
        }
    }
}

/// The call chain: the services of a port behind the shared layers. Each call holds it, so it is
/// cheap to clone.
#[derive(Clone)]
pub struct CallChain<P>(Arc<Inner<P>>);

#[derive(Clone)]
struct Inner<P> {
    protocol: P,
    layers: Layers,
    timeout: Duration,
    upload_timeout: Duration,
    response_bodies: ResponseBodies,
    draining: Shutdown,
    peer: Option<Peer>,
    connection: Option<Arc<ConnectionState>>,
}

impl<P: Protocol> CallChain<P> {
    pub fn new(protocol: P, layers: Layers, limits: &Limits) -> Self {
        Self(Arc::new(Inner {
            protocol,
            layers,
            timeout: limits.request_timeout,
            upload_timeout: limits.upload_timeout,
            draining: Shutdown::default(),
            response_bodies: ResponseBodies::new(limits.answer_timeout),
            peer: None,
            connection: None,
        }))
    }

    /// The calls of one connection: they have the peer as their client, or the client behind a
    /// trusted proxy ([`ClientInfo`]), and share the permits of that client.
    pub fn for_peer(&self, peer: Peer, slot: &ConnectionSlot) -> ConnectionCalls {
        let mut calls = Inner::clone(&self.0);
        calls.connection = Some(slot.connection.clone());
        let share = calls.layers.fair_share.of(client_prefix(peer.address.ip()));
        calls.peer = Some(peer);
        let admission = calls.layers.admission.of(&share);
        calls.layers.admission = admission.on(slot.connection.clone(), slot.is_proxy);
        let response_bodies = calls.response_bodies.for_connection();
        calls.response_bodies = response_bodies.clone();
        let draining = Shutdown::default();
        calls.draining = draining.clone();
        ConnectionCalls { chain: Arc::new(calls), response_bodies, draining }
    }
}

/// The call chain of one connection. Its type names no protocol, so that programs contain the
/// code of a connection once.
#[derive(Clone)]
pub struct ConnectionCalls {
    chain: Arc<dyn Respond>,
    /// The unsent response bodies of the connection.
    pub response_bodies: ResponseBodies,
    /// The draining of the connection, which ends its streams.
    pub draining: Shutdown,
}

trait Respond: Send + Sync {
    fn call(self: Arc<Self>, request: Request<Incoming>) -> BoxFuture<'static, Response<Body>>;
}

impl<P: Protocol> Inner<P> {
    /// The address of the client: the peer, or the client behind a trusted proxy.
    fn client_address(&self, headers: &HeaderMap) -> Option<IpAddr> {
        self.peer.as_ref().map(|peer| self.layers.proxies.client(peer.address, headers).ip())
    }

    /// `response`, tracked with the permit of its call, which becomes a stream's permit if it
    /// streams.
    fn send(
        &self,
        info: &RequestInfo,
        response: Response<Body>,
        permit: &Permit,
    ) -> Response<Body> {
        if response.extensions().get::<StreamKind>().is_none() {
            return response.map(|body| self.response_bodies.send(body, permit));
        }
        match permit.become_stream() {
            Ok(()) => response.map(|body| self.response_bodies.stream(body, permit)),
            Err(refusal) => self.refuse_recorded(info, refusal),
        }
    }

    /// The permit of a call to `path`; `None` if it needs none.
    async fn acquire_permit(
        &self,
        admission: &Admission,
        path: &str,
    ) -> Result<Option<Permit>, Status> {
        if self.protocol.needs_no_permit(path) {
            return Ok(None);
        }
        if self.protocol.is_public_stream(path) {
            return admission.acquire_public().map(Some);
        }
        admission.acquire_in_order().await.map(Some)
    }

    /// A refusal by a limit, which the refusal log has recorded.
    fn refuse_recorded(&self, info: &RequestInfo, status: Status) -> Response<Body> {
        let mut response = self.protocol.refuse(info, status);
        response.extensions_mut().insert(AlreadyLogged);
        response
    }

    /// The admission of the client: behind a proxy that of the client, not of the proxy.
    fn admission_for(&self, client: Option<IpAddr>) -> Cow<'_, Admission> {
        let admission = &self.layers.admission;
        match (&self.peer, client) {
            (Some(peer), Some(client)) if peer.address.ip() != client => {
                Cow::Owned(admission.of(&self.layers.fair_share.of(client_prefix(client))))
            }
            _ => Cow::Borrowed(admission),
        }
    }

    /// Logs `response`, and adds its headers.
    fn finish(
        &self,
        mut response: Response<Body>,
        id: HeaderValue,
        has_goaway: bool,
        start: Instant,
    ) -> Response<Body> {
        let elapsed = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        if response.extensions().get::<AlreadyLogged>().is_none() {
            P::log(&response, elapsed, &self.layers.refused);
        }
        response.headers_mut().insert(request_id::HEADER, id);
        if !has_goaway && self.layers.lame_duck.has_begun() {
            // Else a proxy could send its next request just when the connection closes.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// The response to a request that needs no admission.
    fn respond_early(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        if framing::is_unambiguous(request) {
            self.protocol.respond_early(request)
        } else {
            Some(framing::bad_request())
        }
    }

    /// Responds to `request`, also after a panic or a timeout.
    async fn respond(&self, admission: &Admission, request: Request<Incoming>) -> Response<Body> {
        let info = RequestInfo::of(&request);
        let permit = match self.acquire_permit(admission, info.path()).await {
            Ok(permit) => permit,
            Err(refusal) => return self.refuse_recorded(&info, refusal),
        };
        let is_upload = self.layers.uploads.matches(info.path());
        let longest = if is_upload { self.upload_timeout } else { self.timeout };
        let timeout =
            self.protocol.requested_timeout(&request).map_or(longest, |wanted| wanted.min(longest));
        let longest_pause = is_upload.then_some(self.timeout);
        let request = request.map(|body| RequestBody::new(body, permit.clone(), longest_pause));
        let call = AssertUnwindSafe(self.protocol.clone().respond(request)).catch_unwind();
        match tokio::time::timeout(timeout, call).await {
            Ok(Ok(response)) => match permit {
                Some(permit) => self.send(&info, response, &permit),
                None => response,
            },
            // The panic hook (see `telemetry`) has logged it.
            Ok(Err(_panic)) => self.protocol.refuse(&info, refused_call(Kind::Internal, INTERNAL)),
            Err(_elapsed) => {
                self.protocol.refuse(&info, refused_call(Kind::TimedOut, "the call took too long"))
            }
        }
    }
}

impl hyper::service::Service<Request<Incoming>> for ConnectionCalls {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Map<
        BoxFuture<'static, Response<Body>>,
        fn(Response<Body>) -> Result<Response<Body>, Infallible>,
    >;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.chain.clone().call(request).map(Ok)
    }
}

impl<P: Protocol> Respond for Inner<P> {
    fn call(self: Arc<Self>, mut request: Request<Incoming>) -> BoxFuture<'static, Response<Body>> {
        let start = Instant::now();
        if let Some(connection) = &self.connection {
            connection.touch();
        }
        let address = self.client_address(request.headers());
        let id = request_id::of(request.headers());
        let client = ClientInfo::new(id.clone(), address, &request).over(self.peer.as_ref());
        let has_goaway = request.version() == Version::HTTP_2;
        if let Some(response) = self.respond_early(&request) {
            let finish = || self.finish(response, id, has_goaway, start);
            return ready(client.during_sync(finish)).boxed();
        }
        request.extensions_mut().insert(client.clone());
        request.extensions_mut().insert(Draining(self.draining.signal()));
        let response_future = async move {
            let response = self.respond(&self.admission_for(address), request).await;
            self.finish(response, id, has_goaway, start)
        };
        client.during(response_future).boxed()
    }
}
