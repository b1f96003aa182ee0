//! The black box: real servers on port 0 and real processes, spoken to over gRPC alone.
//!
//! Every scenario runs on SQLite and on PostgreSQL wherever a database matters.

// `cfg(test)` is always true here. It tells clippy that these are tests, where a broken
// expectation may panic.

// What the scenarios stand on.
#[cfg(test)]
mod answer;
#[cfg(test)]
mod binary;
#[cfg(test)]
mod caller;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod process;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod table;
#[cfg(test)]
mod world;

// The two services, in this process.
#[cfg(test)]
mod account;
#[cfg(test)]
mod bytes;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod ownership;
#[cfg(test)]
mod session;
#[cfg(test)]
mod session_time;
#[cfg(test)]
mod sign_in;
#[cfg(test)]
mod sign_up;
#[cfg(test)]
mod tasks;

// The three binaries, as processes.
#[cfg(test)]
mod start_up;
