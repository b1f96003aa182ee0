//! The command line of a service: how a process starts and ends, and `doctor`.

pub mod doctor;
pub mod exit;
mod hardening;
mod program;

pub use self::program::{Program, main};
