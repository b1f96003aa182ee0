//! The HTTP API on SQLite, against responses captured from a real server.

mod account;
mod bodies;
mod codes;
mod csrf;
mod logs;
mod openapi;
mod refusals;
mod restrictions;
mod secret_rotation;
mod sessions;
mod sign_in;
mod token_rotation;
mod world;
