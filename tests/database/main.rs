//! What the handle of a database promises whatever happens to a call or a connection: that
//! what was answered is stored, and that no connection is given on inside a transaction.

// Always true here: it tells clippy that a broken expectation may panic anywhere in this
// crate, not in the functions marked `#[test]` alone.
#![cfg(test)]

mod cut_off;
mod failing;
mod full;
mod ledger;
mod lost_reads;
mod lost_server;
mod pooled;
