//! The doors: what is about HTTP itself, beyond what the scenarios of both wires see.

mod conditions;
mod conversation;
mod cors;
mod events;
mod gate;
mod grpc_web;
mod limits;
mod malformed;
mod members;
mod off;
mod pages;
mod parameters;
mod slow;
mod smuggling;
mod statuses;
mod stop;
