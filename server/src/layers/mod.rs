//! Layers around every call, on both protocols.

pub mod call;
pub mod cors;
mod framing;
pub mod protocol;
pub mod refused_calls;
pub mod refused_origin;
pub mod request_id;
