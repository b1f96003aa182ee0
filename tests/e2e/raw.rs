//! Calls below the generated clients: any path, any bytes.

use axum::body::Body as Bytes;
use http::{Request, header::HeaderName, uri::PathAndQuery};
use prost::{
    Message,
    bytes::{Buf, BufMut},
};
use prost_types::{DescriptorProto, FileDescriptorSet};
use tonic::{
    Code, Status,
    body::Body,
    client::{Grpc, GrpcService},
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

/// Bytes that are no protobuf message of any type: field number zero.
pub const INVALID: &[u8] = &[0x00, 0xff];

/// One rpc of the contracts.
#[derive(Clone, Debug)]
pub struct Rpc {
    /// `package.Service`.
    pub service: String,
    /// `/package.Service/Method`.
    pub path: String,
    /// The request message.
    pub request: DescriptorProto,
}

/// Every rpc under `proto/`, as the descriptors list them.
pub fn every_rpc() -> Vec<Rpc> {
    let set = FileDescriptorSet::decode(proto::DESCRIPTORS).expect("descriptors");
    let mut rpcs = Vec::new();
    for file in &set.file {
        for service in &file.service {
            let service_name = format!("{}.{}", file.package(), service.name());
            for method in &service.method {
                rpcs.push(Rpc {
                    service: service_name.clone(),
                    path: format!("/{service_name}/{}", method.name()),
                    request: message(&set, method.input_type()),
                });
            }
        }
    }
    rpcs
}

fn message(set: &FileDescriptorSet, full_name: &str) -> DescriptorProto {
    let named = |package: &str, message: &DescriptorProto| {
        full_name == format!(".{package}.{}", message.name())
    };
    let mut all = set.file.iter().flat_map(|file| {
        file.message_type.iter().map(|message| (file.package().to_owned(), message))
    });
    let found = all.find(|(package, message)| named(package, message));
    found.expect("every request is described").1.clone()
}

/// Calls `path` with these bytes as the message, and this `authorization` if any.
pub async fn call(
    channel: &Channel,
    path: &str,
    authorization: Option<&str>,
    message: &[u8],
) -> Result<Vec<u8>, Status> {
    let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
    call_with(channel, path, &headers, message).await
}

/// The same with these headers.
pub async fn call_with(
    channel: &Channel,
    path: &str,
    headers: &[(&'static str, &str)],
    message: &[u8],
) -> Result<Vec<u8>, Status> {
    let mut request = tonic::Request::new(message.to_vec());
    for (name, value) in headers {
        request.metadata_mut().insert(*name, value.parse().expect("a header value"));
    }
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.expect("the server is there");
    let path: PathAndQuery = path.parse().expect("a path");
    grpc.unary(request, path, Raw).await.map(tonic::Response::into_inner)
}

/// Sends an HTTP/2 request as it is, and returns the gRPC code of the response. `None`: HTTP has
/// refused it.
pub async fn exchange(
    channel: &Channel,
    path: &str,
    headers: &[(&'static str, &str)],
    body: &[u8],
) -> Option<Code> {
    let mut request = Request::post(path).header("te", "trailers");
    for (name, value) in headers {
        request = request.header(HeaderName::from_static(name), *value);
    }
    let body = Body::new(Bytes::from(body.to_vec()));
    let request = request.body(body).expect("a request");
    let mut channel = channel.clone();
    std::future::poll_fn(|context| GrpcService::poll_ready(&mut channel, context))
        .await
        .expect("the server is there");
    let response = GrpcService::call(&mut channel, request).await.expect("an answer");
    if response.status() != http::StatusCode::OK {
        return None;
    }
    // Refusals come as headers alone; what ends with a trailer was answered.
    let header = response.headers().get("grpc-status");
    Some(header.map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes())))
}

/// A message as gRPC puts it on the wire: a flag, the length, the bytes.
pub fn framed(flag: u8, length: u32, bytes: &[u8]) -> Vec<u8> {
    [&[flag][..], &length.to_be_bytes(), bytes].concat()
}

/// Passes bytes through.
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, bytes: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&bytes);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}
