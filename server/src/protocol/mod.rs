//! The two protocols that a port speaks: gRPC (with gRPC-Web) and HTTP with JSON.

pub mod grpc;
pub mod http;
