//! Whose rows a statement reaches, and the proof that it may.
//!
//! A user's own calls come with an [`Owner`], which only the gate makes. What no user calls
//! takes one of the proofs here: [`EveryUser`] for what acts for all, a [`OneUser`] at a time,
//! and [`Departed`] for a user whose account is gone.

use shared::auth::{Owner, ServicePrincipal, UserId};

/// The user whose rows a statement reaches, and no others.
pub trait Scope: Sync {
    /// The id of the user.
    fn user_id(&self) -> &str;
}

impl Scope for Owner {
    fn user_id(&self) -> &str {
        self.user().as_str()
    }
}

/// Proof that what is done is done for every user: by a service that has shown who it is, or by
/// a job of this process.
#[derive(Clone, Copy, Debug)]
pub struct EveryUser(());

impl EveryUser {
    /// The proof of a service.
    pub fn told_by(_service: &ServicePrincipal) -> Self {
        Self(())
    }

    /// The proof of the jobs of this process. Lints refuse any use but the one where the jobs
    /// are started.
    pub fn for_jobs() -> Self {
        Self(())
    }

    /// One of them.
    pub fn user(self, user_id: &str) -> OneUser<'_> {
        OneUser { _all: self, user_id }
    }
}

/// A user of all, while a job or a service acts for every one. [`EveryUser::user`] alone makes
/// one.
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

/// Proof that a service has said that a user's account is gone. It is good for the removal
/// and nothing else. [`Departed::said_by`] alone makes one, and what that takes only the
/// gate of services does.
#[derive(Clone, Debug)]
pub struct Departed {
    user: UserId,
}

impl Departed {
    /// `user`, by the word of a service that has shown who it is.
    pub fn said_by(_service: &ServicePrincipal, user: UserId) -> Self {
        Self { user }
    }
}

impl Scope for Departed {
    fn user_id(&self) -> &str {
        self.user.as_str()
    }
}
