//! The door on SQLite, request by request, against what was captured of a real server.

mod account;
mod bodies;
mod codes;
mod described;
mod entrance;
mod logs;
mod refusals;
mod restrictions;
mod rotation;
mod secret_rotation;
mod sessions;
mod sites;
mod world;
