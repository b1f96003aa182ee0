//! The HTTP kit of both services: problems, bodies, and the JSON of messages.
//!
//! - [`HttpRouter`]: routes on their way into a server; [`Route`]: a row of them, with its OpenAPI
//! - [`GuardedRoutes`]: routes that take no call without a token
//! - [`Problem`]: the one maker of an answer that is not what was asked for
//! - [`body`]: a body within its limits of size, time and type
//! - [`byte_order_mark`]: the mark before a text that is none of its characters
//! - [`Lines`]: a body that is read line by line, and never whole
//! - [`preconditions`]: preconditions, each honoured or refused by name
//! - [`json`]: messages from JSON objects and query strings, every fault at once

pub mod body;
pub mod byte_order_mark;
pub(crate) mod docs;
mod guarded;
pub mod json;
mod ndjson;
pub mod preconditions;
mod problem;
mod query;
mod reader;
mod router;
mod routes;

pub use self::{
    guarded::GuardedRoutes,
    ndjson::{Line, Lines, LinesLimits},
    problem::{Fault, Problem, ProblemBody},
    query::NoParameters,
    router::HttpRouter,
    routes::Route,
};
