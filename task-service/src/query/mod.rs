//! Queries: filter, sort, page, cursor, count, sync and full text, without I/O.

pub mod count;
pub mod cursor;
pub mod filter;
pub mod full_text;
pub mod page;
pub mod sort;
pub mod sync;
