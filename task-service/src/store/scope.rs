//! The scope of a statement: the user whose rows it reaches, and the proof of the right to.
//!
//! Calls of users have an [`Owner`], which only the gate makes. System code takes one of the proofs
//! here: [`EveryUser`] for all users, [`OneUser`] for one of them at a time, and [`ErasedUser`] for
//! an erasure.

use shared::auth::{Owner, ServicePrincipal, UserId};

/// The user whose rows a statement reaches.
pub trait Scope: Sync {
    /// The id of the user.
    fn user_id(&self) -> &str;
}

impl Scope for Owner {
    fn user_id(&self) -> &str {
        self.user().as_str()
    }
}

/// The proof of acting for every user: by an authenticated service, or by a job of this process.
#[derive(Clone, Copy, Debug)]
pub struct EveryUser(());

impl EveryUser {
    /// The proof of a service.
    pub fn for_service(_service: &ServicePrincipal) -> Self {
        Self(())
    }

    /// The proof of the jobs of this process. A lint bans it except where the jobs are started.
    pub fn for_jobs() -> Self {
        Self(())
    }

    /// One of the users.
    pub fn user(self, user_id: &str) -> OneUser<'_> {
        OneUser { _all: self, user_id }
    }
}

/// One user, while a job or a service acts for every user. Made by [`EveryUser::user`] alone.
#[derive(Clone, Copy, Debug)]
pub struct OneUser<'a> {
    _all: EveryUser,
    user_id: &'a str,
}

impl Scope for OneUser<'_> {
    fn user_id(&self) -> &str {
        self.user_id
    }
}

/// The proof of a service that a user's account is gone. Valid for the erasure alone;
/// [`ErasedUser::confirmed_by`] alone makes one, from what only the gate of services makes.
#[derive(Clone, Debug)]
pub struct ErasedUser {
    user: UserId,
}

impl ErasedUser {
    /// The proof for `user`, by an authenticated service.
    pub fn confirmed_by(_service: &ServicePrincipal, user: UserId) -> Self {
        Self { user }
    }
}

impl Scope for ErasedUser {
    fn user_id(&self) -> &str {
        self.user.as_str()
    }
}
