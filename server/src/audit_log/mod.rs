//! What happened to accounts and at the gate: in the log, and in a table that users can
//! read about themselves.
//!
//! - [`EventKind`], [`Event`]: the vocabulary
//! - [`ClientInfo`]: the client of the call in progress
//! - [`AuditLog`]: the one way for an event to be noted; [`Record`]: one that is
//! - [`Writer`]: takes them from the trail to the table, beside the calls
//! - [`SecurityEvents`]: the table, one in the database of each service
//! - [`PageRequest`], [`Page`]: how it is read
//!
//! Nothing here holds a password, a token or an e-mail address, so an event can be told to
//! whoever may read the log.

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
    kind::EventKind,
    log::AuditLog,
    page::{InvalidPageToken, Page, PageRequest, PageSizeFault},
    retention::{read_retention, sweep},
    table::{EventView, SecurityEvents, create, forget_some_of, insert},
    writer::Writer,
};
