//! The savepoints of changes that share a transaction.
//!
//! Each statement of its own wakes the driver's thread. So a savepoint is sent together with the
//! first statement of its change.

/// The savepoints that are released together, by the name of the outermost. With more of them
/// SQLite keeps more to undo, which it writes to a temporary file beyond 64 KiB.
pub const MAX: usize = 2;

/// Releases all savepoints.
pub const RELEASE_ALL: &str = "RELEASE changes";

/// A savepoint within as many others: its begin and its undoing.
pub fn within(others: usize) -> [&'static str; 2] {
    match others {
        0 => ["SAVEPOINT changes", "ROLLBACK TO changes; RELEASE changes"],
        _ => ["SAVEPOINT change", "ROLLBACK TO change; RELEASE change"],
    }
}

/// The start of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// That of the transaction.
    Transaction,
    /// A savepoint that is not sent yet.
    Unsent,
    /// A savepoint.
    Savepoint,
}
