//! The gRPC face: four beats per rpc, and nothing of the domain.

mod auth;
mod credential;
pub mod peer;
mod session;

pub use auth::auth_service;
pub use session::session_service;
use tonic::Request;

use crate::session::Device;

/// Who is at the other end of the connection.
fn device<T>(request: &Request<T>) -> Device {
    let user_agent = request.metadata().get("user-agent").and_then(|value| value.to_str().ok());
    Device::new(request.remote_addr(), user_agent)
}
