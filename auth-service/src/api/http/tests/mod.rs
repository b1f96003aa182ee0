//! The HTTP API on SQLite, against responses captured from a real server.

mod account;
mod bodies;
mod codes;
mod csrf;
mod logs;
mod openapi;
mod refusals;
mod restrictions;
mod rotation;
mod secret_rotation;
mod sessions;
mod sign_in;
mod world;
