//! The command line of a service: start, exit, and `doctor`.

pub mod doctor;
pub mod exit;
mod hardening;
mod program;

pub use self::program::{Program, main};
