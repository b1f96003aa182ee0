//! The API: gRPC, HTTP over it, and the conversion of messages.

#[cfg(fuzzing)]
pub mod fuzz;
pub mod grpc;
pub mod http;
pub mod wire;
