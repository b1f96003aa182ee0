//! Tasks of one user: what each rpc does, happy and sad.

mod batch;
mod count;
mod due;
mod etags;
mod faults;
mod fields;
mod idempotency;
mod ids;
mod import_export;
mod list;
mod moves;
mod pages;
mod recurrence;
mod reminders;
mod state;
mod sync;
mod tags;
mod trash;
mod update;
mod watch;
