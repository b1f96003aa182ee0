//! The gRPC API: each rpc authenticates, reads its message, calls the domain and responds.

mod auth;
mod credential;
mod session;

pub use auth::auth_service;
pub use session::session_service;
