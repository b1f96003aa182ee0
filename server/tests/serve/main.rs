//! The server loop under real sockets: what one bad caller, or too many, can do to the
//! others, and what a stop loses.
//!
//! Clients here are one HTTP/2 connection each and nothing more (see `wire`), so a lost
//! connection is a failed test and every deadline is the server's.
#![expect(clippy::expect_used, reason = "a server that cannot be set up is a failed test")]

mod bad_input;
mod caps;
mod deadlines;
mod discovery;
mod drain;
mod draining;
mod goaway;
mod idle;
mod panics;
mod preface;
mod proxied;
mod proxy_protocol;
mod public_streams;
mod readiness;
mod request_id;
mod shedding;
mod silence;
mod streaming;
mod streams;
mod unread;
mod uploads;
mod wire;
mod world;
