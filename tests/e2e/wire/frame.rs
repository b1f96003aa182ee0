//! A message in its frame, as gRPC puts it on the wire.

use http::{HeaderMap, HeaderValue, Response, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use tonic::body::Body;

use crate::raw::framed;

/// The messages of a request.
pub async fn unwrapped(body: Body) -> Vec<Bytes> {
    let mut whole = body.collect().await.expect("a body of ours").to_bytes();
    let mut messages = Vec::new();
    while !whole.is_empty() {
        let head = whole.split_to(5);
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        assert_eq!(head[0], 0, "not compressed");
        messages.push(whole.split_to(usize::try_from(length).expect("a length")));
    }
    messages
}

/// An answer with one message that ends well.
pub fn wrapped(message: &[u8]) -> Response<Body> {
    let length = u32::try_from(message.len()).expect("a message");
    let frame = Full::new(Bytes::from(framed(0, length, message)));
    let end = HeaderMap::from_iter([("grpc-status".parse().expect("a name"), 0.into())]);
    let body = frame.with_trailers(async { Some(Ok(end)) });
    let mut response = Response::new(Body::new(body));
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, grpc);
    response
}
