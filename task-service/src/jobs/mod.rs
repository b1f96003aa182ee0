//! Background jobs, each for as long as the service runs.

mod backoff;
pub mod broadcast;
pub mod epoch;
pub mod reminder_scheduler;
pub mod retention;
pub mod search_index;
