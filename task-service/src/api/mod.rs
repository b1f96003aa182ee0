//! The API: gRPC, HTTP over it, and the conversion of messages.

pub mod grpc;
pub mod http;
pub mod wire;
