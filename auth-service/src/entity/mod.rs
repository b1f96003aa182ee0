//! Rows of Better Auth's tables, the columns this service reads. Columns that plugins of a
//! Better Auth server add are left alone.

pub mod account;
pub mod session;
pub mod user;
