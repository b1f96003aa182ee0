//! HTTP itself, beyond the scenarios of both wires.

mod conditions;
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
mod raw_connection;
mod slow;
mod smuggling;
mod statuses;
mod stop;
