//! ResponseBodies that last: streams that stay open for as long as their caller wants them.
//!
//! One of them takes no permit among the calls but a slot of its own kind (see `permits`);
//! what it sends must be taken in time, however long it stays silent (see `answers`); and
//! it ends before its connection does (here).

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{FutureExt, future::BoxFuture};
use hyper::body::{Body as HttpBody, Bytes, Frame};
use shared::error::refused_call;
use tonic::{
    Code,
    body::Body,
    codegen::http::{HeaderMap, Request, Response},
};
use tower::Service;

use crate::shutdown::Draining;

/// What a handler puts into the extensions of an answer that lasts. Over gRPC:
///
/// ```
/// # use server::body::streaming::StreamKind;
/// # fn answer<S>(changes: S) -> tonic::Response<S> {
/// let mut answer = tonic::Response::new(changes);
/// answer.extensions_mut().insert(StreamKind::Watch);
/// answer
/// # }
/// ```
///
/// Over HTTP, whose routes build answers of their own:
///
/// ```
/// # use server::body::streaming::StreamKind;
/// # fn answer<S: axum::response::IntoResponse>(events: S) -> axum::response::Response {
/// use axum::{Extension, response::IntoResponse};
/// (Extension(StreamKind::Watch), events).into_response()
/// # }
/// ```
///
/// Without it an answer must have been taken in whole 30 seconds after it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// It has no end of its own. The server ends it between two of its pieces when the
    /// connection is to close, because it is old or the server stops: over gRPC with
    /// UNAVAILABLE, over HTTP plainly. Its caller opens it again and says how far it got.
    Watch,
    /// It has an end, and without it is worth nothing. It goes on when its connection is
    /// to close, and is cut where it has not ended in the time that calls have; its caller
    /// can tell that from an end.
    Export,
}

/// What a watcher over gRPC is told at the end.
fn farewell() -> HeaderMap {
    let moved = refused_call(Code::Unavailable, "this connection closes, open the stream again");
    let mut trailers = HeaderMap::new();
    // It fails where the words are not fit for a header; these are.
    let _ = moved.add_header(&mut trailers);
    trailers
}

/// `response`, such that it ends when its connection does, if it is a [`StreamKind::Watch`].
pub fn until_draining<B>(
    response: Response<B>,
    departing: Option<Draining>,
    farewell: Option<fn() -> HeaderMap>,
) -> Response<Either<B>>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let is_watch = response.extensions().get() == Some(&StreamKind::Watch);
    match departing.filter(|_| is_watch) {
        Some(Draining(stopping)) => response.map(|body| {
            let draining = stopping.into_stopped().boxed();
            Either::Watch(Watch { body: Some(body), draining, farewell })
        }),
        None => response.map(Either::Other),
    }
}

/// The body of a watch, or another.
pub enum Either<B> {
    Watch(Watch<B>),
    Other(B),
}

/// A body that ends when its connection does.
pub struct Watch<B> {
    /// `None` after the end.
    body: Option<B>,
    draining: BoxFuture<'static, ()>,
    farewell: Option<fn() -> HeaderMap>,
}

impl<B: HttpBody<Data = Bytes> + Unpin> Watch<B> {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        // First, as a body that always has more must end as well.
        if self.draining.as_mut().poll(cx).is_ready() {
            self.body = None;
            let trailers = self.farewell.map(|words| Ok(Frame::trailers(words())));
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

/// The watches that are not ours to mark. Anybody may open them.
const PUBLIC: [&str; 3] = [
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// Whether a call to `path` opens a stream that needs no token.
pub fn is_public_watch(path: &str) -> bool {
    PUBLIC.contains(&path)
}

/// The services of a gRPC port, whose watches end with trailers. It stands below gRPC-Web,
/// which has a spelling of its own for those.
#[derive(Clone)]
pub struct Ending<S>(pub S);

impl<S> Service<Request<Body>> for Ending<S>
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
        let departing = request.extensions().get().cloned();
        let is_public = is_public_watch(request.uri().path());
        let answered = self.0.call(request);
        async move {
            let mut response = answered.await?;
            if is_public {
                response.extensions_mut().insert(StreamKind::Watch);
            }
            Ok(until_draining(response, departing, Some(farewell)))
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};
    use tonic::Status;

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
        until_draining(response, Some(Draining(stop.handle())), words)
    }

    #[tokio::test]
    async fn a_watch_ends_when_its_connection_is_to_close_however_much_there_is() {
        let stop = Shutdown::default();
        let mut body = endless(StreamKind::Watch, &stop, Some(farewell)).into_body();
        for _ in 0..3 {
            let frame = body.frame().await.expect("a frame").expect("no error");
            assert!(frame.is_data() && !body.is_end_stream());
        }
        stop.now();
        let last = body.frame().await.expect("trailers").expect("no error");
        let trailers = last.into_trailers().expect("trailers");
        let status = Status::from_header_map(&trailers).expect("a status");
        assert_eq!(status.code(), Code::Unavailable);
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }

    #[tokio::test]
    async fn over_http_it_just_ends_and_an_export_goes_on() {
        let stop = Shutdown::default();
        stop.now();
        let mut watch = endless(StreamKind::Watch, &stop, None).into_body();
        assert!(watch.frame().await.is_none());
        let mut export = endless(StreamKind::Export, &stop, None).into_body();
        assert!(export.frame().await.expect("a frame").expect("no error").is_data());
    }
}
