//! Layers around every call, on both protocols.

pub mod call;
pub mod cors;
pub mod request_id;
