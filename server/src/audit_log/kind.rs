//! The kinds of security events, a row each, with stable names.

/// The source of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// auth-service, about an account.
    Accounts,
    /// task-service, about a call in a user's name. Erasure removes these there.
    Tasks,
    /// Either, about a signing secret; no user.
    Secrets,
}

macro_rules! event_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $source:ident;)+) => {
        /// The kind of an event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventKind {
            $($(#[$doc])* $kind,)+
        }

        impl EventKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The name in the log, the table and the contract.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// The source of events of this kind.
            #[must_use]
            pub const fn source(self) -> Source {
                match self {
                    $(Self::$kind => Source::$source,)+
                }
            }
        }
    };
}

event_kinds! {
    /// An account was made.
    SignedUp = "signed_up", Accounts;
    /// A session was opened with the right password.
    SignInSucceeded = "sign_in_succeeded", Accounts;
    /// A sign-in with a wrong password, or for an unknown account, which has no user. Or the
    /// password was right and the account may not sign in: then `detail` is the reason.
    SignInFailed = "sign_in_failed", Accounts;
    /// A wrong password from a signed-in user.
    PasswordRefused = "password_refused", Accounts;
    /// Attempts beyond the rate limit.
    AttemptsLimited = "attempts_limited", Accounts;
    /// Name or picture changed.
    UserUpdated = "user_updated", Accounts;
    /// The password was replaced.
    PasswordChanged = "password_changed", Accounts;
    /// A session was ended by its user, or by the session cap. For several, and for the cap,
    /// `detail` is their number.
    SessionEnded = "session_ended", Accounts;
    /// A session token was used after its rotation.
    SessionTokenReused = "session_token_reused", Accounts;
    /// An operator ended sessions; `detail` is their number.
    SessionsEndedByOperator = "sessions_ended_by_operator", Accounts;
    /// A user named another user's id.
    OwnershipRefused = "ownership_refused", Tasks;
    /// An account was deleted.
    AccountDeleted = "account_deleted", Accounts;
    /// A user exported their data.
    DataExported = "data_exported", Accounts;
    /// A signing secret is used for the first time; `detail` is its key id.
    SecretFirstUsed = "secret_first_used", Secrets;
    /// Another secret signs from now on; `detail` is its key id.
    SecretRotated = "secret_rotated", Secrets;
}

impl EventKind {
    /// The names of the kinds of `source`.
    pub fn names_of(source: Source) -> impl Iterator<Item = &'static str> {
        let kinds = Self::ALL.iter().filter(move |kind| kind.source() == source);
        kinds.map(|kind| kind.as_str())
    }
}
