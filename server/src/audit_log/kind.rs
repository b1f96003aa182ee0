//! The kinds of security events, with stable names.

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// An account was made.
    SignedUp,
    /// A session was opened with the right password.
    SignInSucceeded,
    /// A sign-in with a wrong password, or for an unknown account, which has no user. Or the
    /// password was right and the account may not sign in: then `detail` is the reason.
    SignInFailed,
    /// A wrong password from a signed-in user.
    PasswordRefused,
    /// Attempts beyond the rate limit.
    AttemptsLimited,
    /// Name or picture changed.
    UserUpdated,
    /// The password was replaced.
    PasswordChanged,
    /// A session was ended by its user, or by the session cap. For several, and for the cap,
    /// `detail` is their number.
    SessionEnded,
    /// A session token was used after its rotation.
    SessionTokenReused,
    /// An operator ended sessions; `detail` is their number.
    SessionsEndedByOperator,
    /// A user named another user's id.
    OwnershipRefused,
    /// An account was deleted.
    AccountDeleted,
    /// A user exported their data.
    DataExported,
    /// A signing secret is used for the first time; `detail` is its key id.
    SecretFirstUsed,
    /// Another secret signs from now on; `detail` is its key id.
    SecretRotated,
}

impl EventKind {
    /// All kinds.
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

    /// The name in the log, the table and the contract.
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

    /// The kinds about the secret, which have no user.
    pub(super) const OF_SECRETS: [Self; 2] = [Self::SecretFirstUsed, Self::SecretRotated];
}
