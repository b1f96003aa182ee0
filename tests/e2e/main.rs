//! The black box: real servers on port 0 and real processes, called over both wires.
//!
//! Every scenario runs on SQLite and on PostgreSQL wherever a database matters, and over
//! gRPC and HTTP unless it states why not.

// Always true here: it tells clippy that a broken expectation may panic anywhere in this
// crate, not in the functions marked `#[test]` alone.
#![cfg(test)]

// What the scenarios stand on.
mod answer;
mod binary;
mod caller;
mod exchange;
mod file_pair;
mod forge;
mod health;
mod process;
mod raw;
mod scenarios;
mod table;
mod wire;
mod world;

// The two services, in this process.
mod account;
mod attempts;
mod bad_input;
mod data_export;
mod erasure;
mod foreign;
mod gate;
mod http;
mod ownership;
mod security_events;
mod session;
mod session_rotation;
mod session_time;
mod sign_in;
mod sign_up;
mod tasks;

// The three binaries, as processes.
mod availability;
mod operator;
mod outage;
mod replicas;
mod restart;
mod restored;
mod secrecy;
mod security_alarms;
mod security_log;
mod start_up;
mod stop;
mod storage;
mod tls;

// What is written down.
mod readme;
mod tidy;
