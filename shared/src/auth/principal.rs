//! The principal of a call, and the proof of ownership.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};
use tonic::Request;

use super::Refusal;

/// A user's id, from the token: opaque, compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(Arc<str>);

/// The prefix of the subjects of service tokens, which are never users.
pub(super) const SERVICE_PREFIX: &str = "service:";

/// The text is empty, over 255 bytes, holds a control character, or names a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 255 bytes without control characters and not begin with `service:`")]
pub struct InvalidUserId;

impl UserId {
    /// Parses 1 to 255 bytes without control characters that do not begin with `service:`.
    pub fn parse(text: &str) -> Result<Self, InvalidUserId> {
        let fits = (1..=255).contains(&text.len()) && !text.contains(char::is_control);
        if !fits || text.starts_with(SERVICE_PREFIX) {
            return Err(InvalidUserId);
        }
        Ok(Self(text.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The principal of a verified token. Only [`TokenVerifier::verify`] makes one, so holding it
/// means a token was checked.
///
/// ```
/// fn user_of(principal: &shared::auth::Principal) -> &shared::auth::UserId {
///     principal.user()
/// }
/// ```
///
/// ```compile_fail,E0451
/// # use shared::auth::{Principal, UserId};
/// let forged = Principal {
///     user: UserId::parse("alice").unwrap(),
///     expires_at: std::time::SystemTime::UNIX_EPOCH.into(),
///     observer: None,
/// };
/// ```
///
/// [`TokenVerifier::verify`]: super::TokenVerifier::verify
#[derive(Clone, Debug)]
pub struct Principal {
    user: UserId,
    expires_at: DateTime<Utc>,
    observer: Option<Arc<dyn OwnershipObserver>>,
}

/// The observer of clients that name another user: an audit log, which the gate need not know.
pub trait OwnershipObserver: fmt::Debug + Send + Sync {
    /// A client with a valid token of `user` named another user, and was refused.
    fn ownership_refused(&self, user: &UserId);
}

impl Principal {
    pub(super) fn new(user: UserId, expires_at: DateTime<Utc>) -> Self {
        Self { user, expires_at, observer: None }
    }

    pub(super) fn observed_by(self, observer: Option<Arc<dyn OwnershipObserver>>) -> Self {
        Self { observer, ..self }
    }

    /// The principal that the gate inserted into `request`. Fails closed: a service that was
    /// mounted without the gate refuses every call.
    pub fn of<T>(request: &Request<T>) -> Result<&Self, Refusal> {
        request.extensions().get().ok_or(Refusal::MissingToken)
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// The time from which the gate refuses the token: its `exp`, with the leeway. A longer call
    /// continues without permission.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }

    /// The ownership rule, written here and nowhere else: the user a request names must be the
    /// token's user, byte for byte. A refusal is reported to the gate's observer.
    pub fn owning(&self, named: &str) -> Result<Owner, Refusal> {
        if self.user.as_str() == named {
            Ok(Owner { user: self.user.clone() })
        } else {
            if let Some(observer) = &self.observer {
                observer.ownership_refused(&self.user);
            }
            Err(Refusal::ForbiddenUserAccess)
        }
    }
}

/// The proof that a user accesses their own things. Only [`Principal::owning`] makes one, and
/// every method of a store of users' things takes one first.
///
/// ```
/// fn rows_of(owner: &shared::auth::Owner) -> String {
///     format!("user_id = {}", owner.user())
/// }
/// ```
///
/// ```compile_fail,E0451
/// # use shared::auth::{Owner, UserId};
/// let forged = Owner { user: UserId::parse("alice").unwrap() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    user: UserId,
}

impl Owner {
    /// The user whose things may be accessed.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_opaque_but_bounded() {
        for good in ["a", "1", "xbnptV22pO4RmFmMnZWIg06pqeOYJwnR", "ада", " ", &"x".repeat(255)]
        {
            assert!(UserId::parse(good).is_ok(), "{good:?}");
        }
        for bad in [
            "",
            "service:auth-service",
            "a\0",
            "a\nb",
            "\u{85}",
            &"x".repeat(256),
            &"é".repeat(128),
        ] {
            assert!(UserId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_the_very_same_bytes_are_the_same_user() {
        let alice = Principal::new(UserId::parse("alice").expect("an id"), DateTime::UNIX_EPOCH);
        assert_eq!(alice.owning("alice").expect("hers").user().as_str(), "alice");
        for other in ["", "Alice", "alice ", " alice", "alic", "alicee", "аlice", "alice\u{200b}"]
        {
            assert_eq!(alice.owning(other), Err(Refusal::ForbiddenUserAccess), "{other:?}");
        }
    }

    #[test]
    fn a_request_that_missed_the_gate_has_no_principal() {
        assert_eq!(Principal::of(&Request::new(())).err(), Some(Refusal::MissingToken));
    }
}
