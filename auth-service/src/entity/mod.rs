//! Rows of Better Auth's tables, the columns this service reads. Columns that plugins of a
//! Better Auth server add are left alone. Ids are read as texts, whatever they are; to be
//! compared they have to be what they are: see [`IdKind`](crate::store::IdKind).
//! Beside them, tables of our own: `rotated_token` and `session_use`.

pub mod account;
pub mod erased_from;
pub mod erasure;
pub mod finished_erasure;
pub mod rotated_token;
pub mod session;
pub mod session_use;
pub mod user;
