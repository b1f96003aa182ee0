//! The black box: real servers on port 0 and real processes, spoken to over gRPC alone.
//!
//! Every scenario runs on SQLite and on PostgreSQL wherever a database matters.

// Always true here: it tells clippy that a broken expectation may panic anywhere in this
// crate, not in the functions marked `#[test]` alone.
#![cfg(test)]

// What the scenarios stand on.
mod answer;
mod binary;
mod caller;
mod forge;
mod health;
mod process;
mod raw;
mod table;
mod world;

// The two services, in this process.
mod account;
mod bad_input;
mod gate;
mod ownership;
mod session;
mod session_time;
mod sign_in;
mod sign_up;
mod tasks;

// The three binaries, as processes.
mod replicas;
mod restart;
mod start_up;
mod stop;

// What is written down.
mod readme;
mod tidy;
