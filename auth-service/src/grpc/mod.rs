//! The gRPC face: four beats per rpc, and nothing of the domain.

mod auth;
mod credential;
mod session;

pub use auth::auth_service;
pub use session::session_service;
