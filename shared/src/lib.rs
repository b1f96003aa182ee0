//! What both services stand on: the gate in front of every guarded rpc, and the parts of
//! a server that have nothing to do with accounts or tasks.
//!
//! - [`audit`]: what happened, in the log and in a table
//! - [`auth`]: tokens, secrets, the interceptor and the ownership rule
//! - [`proto`]: the generated contracts and their descriptors
//! - [`codec`]: protobuf on the wire, with bad bytes answered as the caller's fault
//! - [`error`]: the one way from an error to a `tonic::Status`
//! - [`fields`]: every faulty field of a message at once
//! - [`config`]: settings from a lookup, every fault reported at once
//! - [`clock`]: time as a parameter
//! - [`db`]: SQLite and PostgreSQL behind one handle
//! - [`doctor`]: what a look at a deployment finds
//! - [`http`]: what an HTTP door stands on
//! - [`address`]: addresses in settings, by the whole grammar; [`origin`]: who a browser speaks for
//! - [`exit`]: the last words of a binary
//! - [`serve`]: the listener, its limits, health, and a stop that loses nothing
//! - [`storage`]: how much room there is, and what stays free
//! - [`telemetry`]: logs that cannot hold a secret

pub mod address;
pub mod audit;
pub mod auth;
pub mod clock;
pub mod codec;
pub mod config;
pub mod db;
pub mod doctor;
pub mod error;
pub mod exit;
pub mod fields;
pub mod hardening;
pub mod http;
pub mod origin;
pub mod private_file;
pub mod proto;
pub mod serve;
pub mod storage;
pub mod telemetry;
