//! Queries: filter, sort, page, count, sync and full text, without I/O.

pub mod count;
pub mod filter;
pub mod full_text;
pub mod page;
pub mod sort;
pub mod sync;
