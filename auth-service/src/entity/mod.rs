//! Rows of Better Auth's tables: the columns this service reads. Columns of plugins are ignored.
//! Ids are read as text, and compared as their column has them: see
//! [`IdKind`](crate::store::IdKind). Besides, tables of this service's own.

pub mod account;
pub mod erased_from;
pub mod erasure;
pub mod finished_erasure;
pub mod rotated_token;
pub mod session;
pub mod session_use;
pub mod user;
