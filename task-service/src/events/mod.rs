//! Event streams: the watch of one user, and the reminders of all users.

mod outage;
pub mod reminder_stream;
pub mod watch;
