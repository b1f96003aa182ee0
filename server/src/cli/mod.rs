//! The command line of a service: start, exit, and `doctor`.

pub mod doctor;
pub mod exit;
mod hardening;
mod program;
mod settings;

pub use self::{
    program::{Program, main},
    settings::server_settings,
};
