//! Tasks of one user: what each rpc does, happy and sad.

mod batch;
mod counts;
mod create_once;
mod due;
mod faults;
mod fields;
mod find;
mod ids;
mod order;
mod pages;
mod reminders;
mod repeat;
mod state;
mod sync;
mod tags;
mod transfer;
mod trash;
mod update;
mod versions;
mod watch;
