//! Every way to misuse a token that has a name, one module for each part of a token.
//!
//! The numbers (T1 to T23, H1 to H5) are the rules of this project's security checklist:
//! T for tokens, H for how they travel. T24 (no database, no network) holds by
//! construction, as a [`TokenVerifier`](super::TokenVerifier) has neither; T25 (the same
//! verdict over HTTP) is a matter of whole servers.

pub(super) mod forge;
mod forms;
mod header;
mod issuer;
mod json;
mod mac;
mod mutation;
mod parties;
mod purpose;
mod rotation;
mod service;
mod session_cache;
mod shape;
mod times;
mod transport;
mod trust;
mod twins;
mod user;
mod wycheproof;
