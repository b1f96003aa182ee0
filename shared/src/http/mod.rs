//! What an HTTP door stands on: problems, bodies, and the JSON of messages.
//!
//! - [`Door`]: routes on their way into a server
//! - [`Problem`]: the one maker of an answer that is not what was asked for
//! - [`body`]: a body within its limits of size, time and type
//! - [`json`]: messages from JSON objects and query strings, every fault at once

pub mod body;
mod door;
pub mod json;
mod problem;

pub use self::{
    door::Door,
    problem::{Fault, Problem, ProblemBody},
};
