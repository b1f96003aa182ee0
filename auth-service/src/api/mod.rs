//! The API on both wires: gRPC and Better Auth's HTTP.

pub mod grpc;
pub mod http;
mod wire;
