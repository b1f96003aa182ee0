//! What an operator asks of this service from a shell, beside the servers at work.

mod doctor;
mod sessions;

pub use self::{
    doctor::examine,
    sessions::{OperatorError, SessionsCommand},
};
