//! The gRPC face: four beats per rpc, and nothing of the domain.

mod auth;
mod credential;
mod session;

pub use auth::auth_service;
pub use session::session_service;
use tonic::Request;

use crate::session::Origin;

/// A user agent is kept up to this length.
const USER_AGENT_BYTES: usize = 512;

/// Who is at the other end of the connection.
fn origin<T>(request: &Request<T>) -> Origin {
    let user_agent = request.metadata().get("user-agent").and_then(|value| value.to_str().ok());
    Origin {
        ip_address: request.remote_addr().map(|peer| peer.ip().to_canonical().to_string()),
        user_agent: user_agent.map(|text| text.chars().take(USER_AGENT_BYTES).collect()),
    }
}
