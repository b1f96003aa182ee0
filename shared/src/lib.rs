//! The gate in front of every guarded rpc, and its foundations. Any tonic service can be put
//! behind it, without a database or an HTTP framework.
//!
//! - [`auth`]: tokens, secrets, the interceptor and the ownership rule
//! - [`error`]: the table of refusals, and the one way from an error to a `tonic::Status`; [`fields`]: every faulty field
//!   of a message at once
//! - [`config`]: settings from a lookup, every fault reported at once
//! - [`address`]: addresses in settings, by the whole grammar; [`origin`]: origins of browsers
//! - [`clock`]: time as a parameter

pub mod address;
pub mod auth;
pub mod clock;
pub mod config;
pub mod error;
pub mod fields;
mod json;
pub mod origin;
pub mod trusted_origin;
