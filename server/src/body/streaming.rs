//! Streaming responses, which stay open for as long as the client wants.
//!
//! A stream takes a permit of its own kind (see `permits`); each piece must be read in time (see
//! `response`); and it ends before its connection does (here).

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{FutureExt, future::BoxFuture};
use hyper::body::{Body as HttpBody, Bytes, Frame};
use shared::error::{Kind, refused_call};
use tonic::{
    body::Body,
    codegen::http::{HeaderMap, HeaderValue, Request, Response, header::CACHE_CONTROL},
};
use tower::Service;

use crate::shutdown::Draining;

/// The kind of a streaming response, which a handler inserts into its extensions. Over gRPC:
///
/// ```
/// # use server::StreamKind;
/// # fn answer<S>(changes: S) -> tonic::Response<S> {
/// let mut answer = tonic::Response::new(changes);
/// answer.extensions_mut().insert(StreamKind::Watch);
/// answer
/// # }
/// ```
///
/// Over HTTP:
///
/// ```
/// # use server::StreamKind;
/// # fn answer<S: axum::response::IntoResponse>(events: S) -> axum::response::Response {
/// use axum::{Extension, response::IntoResponse};
/// (Extension(StreamKind::Watch), events).into_response()
/// # }
/// ```
///
/// Without it a response must be read in full within 30 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// An endless stream. The server ends it between two pieces when the connection is drained, by
    /// age or shutdown: over gRPC with UNAVAILABLE, over HTTP without an error. The client reopens
    /// it from its last position.
    Watch,
    /// A finite stream, worthless without its end. It continues when its connection is drained, and
    /// is cut at the deadline of calls; the client can tell that from an end.
    Export,
}

/// The cache control of streams: intermediaries must not buffer or compress them.
pub const STREAMED: HeaderValue = HeaderValue::from_static("no-store, no-transform");

/// The trailers of a drained gRPC watch (GOAWAY).
fn goaway_trailers() -> HeaderMap {
    let moved = refused_call(Kind::Unavailable, "this connection closes, open the stream again");
    let mut trailers = HeaderMap::new();
    // The message is valid in a header, so this does not fail.
    let _ = moved.add_header(&mut trailers);
    trailers
}

/// `response`, ending with its connection if it is a [`StreamKind::Watch`].
pub fn until_draining<B>(
    response: Response<B>,
    draining: Option<Draining>,
    goaway_trailers: Option<fn() -> HeaderMap>,
) -> Response<Either<B>>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let is_watch = response.extensions().get() == Some(&StreamKind::Watch);
    match draining.filter(|_| is_watch) {
        Some(Draining(stopping)) => response.map(|body| {
            let draining = stopping.into_stopped().boxed();
            Either::Watch(Watch { body: Some(body), draining, goaway_trailers })
        }),
        None => response.map(Either::Other),
    }
}

/// The body of a watch, or another.
pub enum Either<B> {
    Watch(Watch<B>),
    Other(B),
}

/// A body that ends when its connection is drained.
pub struct Watch<B> {
    /// `None` after the end.
    body: Option<B>,
    draining: BoxFuture<'static, ()>,
    goaway_trailers: Option<fn() -> HeaderMap>,
}

impl<B: HttpBody<Data = Bytes> + Unpin> Watch<B> {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        // First, so that a body that is always ready ends as well.
        if self.draining.as_mut().poll(cx).is_ready() {
            self.body = None;
            let trailers = self.goaway_trailers.map(|words| Ok(Frame::trailers(words())));
            return Poll::Ready(trailers);
        }
        Pin::new(body).poll_frame(cx)
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Either<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match &mut *self {
            Self::Watch(watch) => watch.poll_frame(cx),
            Self::Other(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Watch(watch) => watch.body.as_ref().is_none_or(HttpBody::is_end_stream),
            Self::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Watch(_) => hyper::body::SizeHint::default(),
            Self::Other(body) => body.size_hint(),
        }
    }
}

/// The streams of other crates' services, which need no token.
const PUBLIC_STREAMS: [&str; 3] = [
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// Whether a call to `path` opens a stream without a token.
pub fn is_public_watch(path: &str) -> bool {
    PUBLIC_STREAMS.contains(&path)
}

/// The services of a gRPC port, with watches that end with trailers, and streams that proxies must
/// not compress. Below gRPC-Web, which encodes trailers in its own way.
#[derive(Clone)]
pub struct DrainWatches<S>(pub S);

impl<S> Service<Request<Body>> for DrainWatches<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Either<Body>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let draining = request.extensions().get().cloned();
        let is_public = is_public_watch(request.uri().path());
        let response_future = self.0.call(request);
        async move {
            let mut response = response_future.await?;
            if is_public {
                response.extensions_mut().insert(StreamKind::Watch);
            }
            if response.extensions().get::<StreamKind>().is_some() {
                response.headers_mut().insert(CACHE_CONTROL, STREAMED);
            }
            Ok(until_draining(response, draining, Some(goaway_trailers)))
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};
    use tonic::{Code, Status};

    use super::*;
    use crate::shutdown::Shutdown;

    fn endless(
        marker: StreamKind,
        stop: &Shutdown,
        words: Option<fn() -> HeaderMap>,
    ) -> Response<Either<Body>> {
        let frames = stream::repeat_with(|| Ok::<_, Status>(Frame::data(Bytes::from("piece"))));
        let mut response = Response::new(Body::new(StreamBody::new(frames)));
        response.extensions_mut().insert(marker);
        until_draining(response, Some(Draining(stop.signal())), words)
    }

    #[tokio::test]
    async fn a_watch_ends_when_its_connection_is_to_close_however_much_there_is() {
        let stop = Shutdown::default();
        let mut body = endless(StreamKind::Watch, &stop, Some(goaway_trailers)).into_body();
        for _ in 0..3 {
            let frame = body.frame().await.expect("a frame").expect("no error");
            assert!(frame.is_data() && !body.is_end_stream());
        }
        stop.begin();
        let last = body.frame().await.expect("trailers").expect("no error");
        let trailers = last.into_trailers().expect("trailers");
        let status = Status::from_header_map(&trailers).expect("a status");
        assert_eq!(status.code(), Code::Unavailable);
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }

    #[tokio::test]
    async fn over_http_it_just_ends_and_an_export_goes_on() {
        let stop = Shutdown::default();
        stop.begin();
        let mut watch = endless(StreamKind::Watch, &stop, None).into_body();
        assert!(watch.frame().await.is_none());
        let mut export = endless(StreamKind::Export, &stop, None).into_body();
        assert!(export.frame().await.expect("a frame").expect("no error").is_data());
    }
}
