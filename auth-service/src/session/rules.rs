//! The rules of sessions.

use std::time::Duration;

use shared::config::{
    Reader, Setting, Unset, Vars, either, number_or_off, switch, time_span, time_span_or_off,
};

use super::token_rotation::MIN_AGE;
use crate::{
    restriction::{SecondFactor, SignInRules},
    session_token::AtRest,
};

const DAY: Duration = Duration::from_hours(24);

shared::settings! {
    /// The settings of sessions and of sign-in.
    pub const SETTINGS: "Accounts and sessions";

    SESSION_TTL: Duration = Setting::new("7d", time_span).checked(|lifetime| match *lifetime {
        short if short < Duration::from_mins(1) => Some("must be at least a minute"),
        long if long > 400 * DAY => Some("must be at most 400 days"),
        _ => None,
    }), "the lifetime of a session since it was last extended";
    SESSION_MAX_AGE: Option<Duration> = Setting::new("90d", |text| {
        time_span_or_off(text, Duration::from_mins(1)..=3650 * DAY)
    }), "the longest lifetime since it was opened, or `off`";
    SESSIONS_PER_USER: Option<u64> = Setting::new("100", |text| number_or_off(text, 1..=1000)),
        "the cap on live sessions of a user, or `off`; a new one ends the oldest";
    SESSION_ROTATION_GRACE: Duration = Setting::new("10s", time_span).checked(|grace| {
        let is_allowed = (Duration::from_secs(1)..=MIN_AGE).contains(grace);
        (!is_allowed).then_some("must be from 1s to 5m")
    }), "how long a replaced session token stays valid";
    SESSION_TOKENS_AT_REST: AtRest = Setting::new("hashed", |text| {
        either(text, [("hashed", AtRest::Hashed), ("plain", AtRest::Plain)])
    }), "`hashed`, or `plain` while a Better Auth server shares the database";
    TWO_FACTOR_ACCOUNTS: SecondFactor = Setting::new("refuse", |text| {
        either(text, [("refuse", SecondFactor::Refuse), ("password-only", SecondFactor::Skip)])
    }), "accounts with a second factor: `refuse` or `password-only`";
    REQUIRE_EMAIL_VERIFICATION: bool = Setting::new("false", switch),
        "whether only accounts with a verified e-mail sign in";
}

/// The rules of sessions: lifetime, cap, rotation, form at rest, sign-in.
#[derive(Clone, Copy, Debug)]
pub struct SessionRules {
    /// The lifetime after the last extension.
    pub lifetime: Duration,
    /// The maximum age, whatever extends the session; `None`: unlimited.
    pub max_age: Option<Duration>,
    /// The session cap of a user; `None`: unlimited.
    pub per_user: Option<u64>,
    /// The grace period of a replaced token.
    pub rotation_grace: Duration,
    /// The form of session tokens in the database.
    pub tokens_at_rest: AtRest,
    /// The rules of sign-in.
    pub sign_in: SignInRules,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self::read(&mut Reader::new(&Unset))
    }
}

impl SessionRules {
    /// Reads the settings of sessions and of sign-in.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        Self {
            lifetime: reader.get(&SESSION_TTL),
            max_age: reader.get(&SESSION_MAX_AGE),
            per_user: reader.get(&SESSIONS_PER_USER),
            rotation_grace: reader.get(&SESSION_ROTATION_GRACE),
            tokens_at_rest: reader.get(&SESSION_TOKENS_AT_REST),
            sign_in: SignInRules {
                second_factor: reader.get(&TWO_FACTOR_ACCOUNTS),
                needs_verified_email: reader.get(&REQUIRE_EMAIL_VERIFICATION),
            },
        }
    }
}
