//! The kinds of events, by names that never change.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// An account was made.
    SignedUp,
    /// A session was opened with the right password.
    SignInSucceeded,
    /// A sign-in gave a wrong password, or named an account that is not there. Then it is
    /// nobody's. Or the password was right and the account may not sign in: then `detail` is
    /// the reason.
    SignInFailed,
    /// Somebody who is signed in gave a wrong password.
    PasswordRefused,
    /// Attempts came faster than they are taken.
    AttemptsLimited,
    /// Name or picture changed.
    UserUpdated,
    /// The password was replaced.
    PasswordChanged,
    /// A session was ended by its user, or to make room for another one. Where several were,
    /// or it made room, `detail` is their number.
    SessionEnded,
    /// A session token came that had been replaced by another one.
    SessionTokenReused,
    /// An operator ended sessions; `detail` is their number.
    SessionsEndedByOperator,
    /// Somebody asked for what is another user's.
    OwnershipRefused,
    /// An account was deleted.
    AccountDeleted,
    /// Somebody took all that is held about them.
    DataExported,
    /// A signing secret is used for the first time here; `detail` is its key id.
    SecretFirstUsed,
    /// Another secret signs from now on; `detail` is its key id.
    SecretRotated,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::SignedUp,
        Self::SignInSucceeded,
        Self::SignInFailed,
        Self::PasswordRefused,
        Self::AttemptsLimited,
        Self::UserUpdated,
        Self::PasswordChanged,
        Self::SessionEnded,
        Self::SessionTokenReused,
        Self::SessionsEndedByOperator,
        Self::OwnershipRefused,
        Self::AccountDeleted,
        Self::DataExported,
        Self::SecretFirstUsed,
        Self::SecretRotated,
    ];

    /// Its name in the log, in the table and in the contract.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedUp => "signed_up",
            Self::SignInSucceeded => "sign_in_succeeded",
            Self::SignInFailed => "sign_in_failed",
            Self::PasswordRefused => "password_refused",
            Self::AttemptsLimited => "attempts_limited",
            Self::UserUpdated => "user_updated",
            Self::PasswordChanged => "password_changed",
            Self::SessionEnded => "session_ended",
            Self::SessionTokenReused => "session_token_reused",
            Self::SessionsEndedByOperator => "sessions_ended_by_operator",
            Self::OwnershipRefused => "ownership_refused",
            Self::AccountDeleted => "account_deleted",
            Self::DataExported => "data_exported",
            Self::SecretFirstUsed => "secret_first_used",
            Self::SecretRotated => "secret_rotated",
        }
    }

    /// Those that are about the secret, and so about no user.
    pub(super) const OF_SECRETS: [Self; 2] = [Self::SecretFirstUsed, Self::SecretRotated];
}
