//! The audit log: security events of accounts and of the gate, in the log and in a table that
//! users can list.
//!
//! - [`EventKind`], [`Event`]: the vocabulary
//! - [`ClientInfo`](crate::ClientInfo): the client of the call in progress
//! - [`AuditLog`]: the one way to record an event; [`Record`]: an event with its time and client
//! - [`Writer`]: inserts records into the table, in the background
//! - [`SecurityEvents`]: the table, one in the database of each service
//! - [`PageRequest`], [`Page`]: how it is read
//!
//! No event holds a password, a token or an e-mail address, so operators may read all of them.

mod dedup;
mod event;
mod kind;
mod line;
mod log;
mod page;
mod retention;
mod table;
#[cfg(test)]
mod tests;
mod wire;
mod writer;

pub use self::{
    event::{Event, Record},
    kind::{EventKind, Source},
    log::AuditLog,
    page::{InvalidPageToken, Page, PageRequest, PageSizeFault},
    retention::{SETTINGS, enforce_retention, read_retention},
    table::{EventView, SecurityEvents, delete_some_of, insert, migration},
    writer::Writer,
};
