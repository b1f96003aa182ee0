//! The entities of the tables. Written by hand: integers and times are `i64` on both databases.

pub mod import;
pub mod reminder;
pub mod request;
pub mod revision;
pub mod sequence;
pub mod task;
