//! A service of streams, on both ports, and how to call it.

use std::{
    convert::Infallible,
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Extension, Router, response::IntoResponse};
use futures_util::{FutureExt, Stream, StreamExt, future::BoxFuture, stream, stream::BoxStream};
use proto::auth::v1::{SignInRequest, SignInResponse};
use server::{
    Assembly, Limits, Proxies, StreamKind,
    http::{GuardedRoutes, HttpRouter, Lines, LinesLimits, Problem},
};
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    client::Grpc as Client,
    codegen::http::{
        HeaderMap, Request as HttpRequest, Response as HttpResponse, uri::PathAndQuery,
    },
    server::{Grpc, NamedService},
};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use crate::{
    wire::{Connection, origin},
    world::{Server, sign_in},
};

/// Marked as a watch, as an export, and not marked.
pub const WATCH: &str = "/test.v1.Streams/Watch";
pub const EXPORT: &str = "/test.v1.Streams/Export";
pub const UNMARKED: &str = "/test.v1.Streams/Unmarked";

/// A method that takes a stream of messages and returns their number;
pub const UPLOAD: &str = "/test.v1.Streams/Upload";
pub const GATHER: &str = "/test.v1.Streams/Gather";

/// Between the messages of `late`.
pub const PAUSE: Duration = Duration::from_millis(300);

/// How many messages of `flood` were asked for.
#[derive(Clone, Default)]
pub struct Streams(Arc<AtomicUsize>);

impl Streams {
    pub async fn start(limits: Limits) -> (Server, Self) {
        Self::start_behind(Proxies::default(), limits).await
    }

    /// Behind these proxies.
    pub async fn start_behind(proxies: Proxies, limits: Limits) -> (Server, Self) {
        let (mut assembly, streams) = (Assembly::default(), Self::default());
        assembly.add(streams.clone());
        assembly.add_router(router());
        assembly.allow_upload(UPLOAD);
        assembly.allow_upload("/streams/{name}/upload");
        (Server::start_behind(proxies, assembly, limits, false).await, streams)
    }

    pub fn flooded(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// `quiet`: one message, and nothing more. `late`: three, with pauses. `flood`: without
    /// end, as fast as they are taken.
    fn messages(&self, kind: &str) -> BoxStream<'static, Result<SignInResponse, Status>> {
        let message =
            |text: String| Ok(SignInResponse { session_token: text, ..Default::default() });
        let first = stream::iter([message("0".into())]);
        let request = self.0.clone();
        match kind {
            "flood" => stream::repeat_with(move || {
                request.fetch_add(1, Ordering::Relaxed);
                message("x".repeat(8 * 1024))
            })
            .boxed(),
            "late" => {
                let later = stream::iter(1..3).then(move |n: u8| async move {
                    tokio::time::sleep(PAUSE).await;
                    message(n.to_string())
                });
                first.chain(later).boxed()
            }
            _ => first.chain(stream::pending()).boxed(),
        }
    }
}

impl NamedService for Streams {
    const NAME: &'static str = "test.v1.Streams";
}

impl Service<HttpRequest<Body>> for Streams {
    type Response = HttpResponse<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<HttpResponse<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<Body>) -> Self::Future {
        let streams = self.clone();
        async move {
            let path = request.uri().path().to_owned();
            let mut grpc = Grpc::new(ProstCodec::<SignInResponse, SignInRequest>::default());
            if [UPLOAD, GATHER].contains(&&*path) {
                return Ok(grpc.client_streaming(service_fn(count), request).await);
            }
            let open = service_fn(move |request: Request<SignInRequest>| {
                let mut response = Response::new(streams.messages(&request.get_ref().email));
                match &*path {
                    WATCH => drop(response.extensions_mut().insert(StreamKind::Watch)),
                    EXPORT => drop(response.extensions_mut().insert(StreamKind::Export)),
                    _ => {}
                }
                ready(Ok::<_, Status>(response))
            });
            Ok(grpc.server_streaming(open, request).await)
        }
        .boxed()
    }
}

async fn count(
    request: Request<Streaming<SignInRequest>>,
) -> Result<Response<SignInResponse>, Status> {
    let (mut messages, mut count) = (request.into_inner(), 0);
    while messages.message().await?.is_some() {
        count += 1;
    }
    Ok(Response::new(SignInResponse { session_token: count.to_string(), ..Default::default() }))
}

fn router() -> HttpRouter {
    let events = async || {
        let events = stream::iter([Ok::<_, Infallible>("data: 0\n\n")]).chain(stream::pending());
        let body = axum::body::Body::from_stream(events);
        (Extension(StreamKind::Watch), [("content-type", "text/event-stream")], body)
    };
    let upload = async |headers: HeaderMap, body: axum::body::Body| {
        let mut lines = Lines::of(&headers, body, LinesLimits::of_total(1024))?;
        let mut count = 0;
        while lines.next().await?.is_some() {
            count += 1;
        }
        Ok::<_, Problem>(format!("{count} lines"))
    };
    let routes = Router::new()
        .route("/streams/watch", axum::routing::get(events))
        .route("/streams/{name}/upload", axum::routing::post(upload));
    let api = Box::new(utoipa::openapi::OpenApi::default);
    let (guarded, refusal) = (GuardedRoutes::default(), Problem::into_response);
    HttpRouter { prefix: "/streams/", routes, guarded, refusal, api }
}

/// Opens a stream.
pub async fn open(
    connection: &Connection,
    path: &'static str,
    kind: &str,
) -> Result<Streaming<SignInResponse>, Status> {
    let mut client = Client::with_origin(connection.clone(), origin());
    let codec = ProstCodec::<SignInRequest, SignInResponse>::default();
    client.ready().await.map_err(|closed| Status::unavailable(closed.to_string()))?;
    let path = PathAndQuery::from_static(path);
    let opened = client.server_streaming(Request::new(sign_in(kind)), path, codec).await;
    opened.map(Response::into_inner)
}

/// Sends a stream of messages, and gets their number.
pub async fn upload(
    connection: &Connection,
    path: &'static str,
    messages: impl Stream<Item = SignInRequest> + Send + 'static,
) -> Result<String, Status> {
    let mut client = Client::with_origin(connection.clone(), origin());
    let codec = ProstCodec::<SignInRequest, SignInResponse>::default();
    client.ready().await.map_err(|closed| Status::unavailable(closed.to_string()))?;
    let path = PathAndQuery::from_static(path);
    let response = client.client_streaming(Request::new(messages), path, codec).await;
    response.map(|response: Response<SignInResponse>| response.into_inner().session_token)
}
