//! Bodies of requests and responses, within limits of size and time; streaming responses.

pub mod request;
pub mod response;
pub mod streaming;
