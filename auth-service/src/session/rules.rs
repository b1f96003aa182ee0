//! The rules of sessions.

use std::time::Duration;

use shared::config::{Reader, Vars};

use super::rotation::MIN_AGE;
use crate::{
    restriction::{SecondFactor, SignInRules},
    session_token::AtRest,
};

const DAY: Duration = Duration::from_hours(24);

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
        Self {
            lifetime: 7 * DAY,
            max_age: Some(90 * DAY),
            per_user: Some(100),
            rotation_grace: Duration::from_secs(10),
            tokens_at_rest: AtRest::Hashed,
            sign_in: SignInRules::default(),
        }
    }
}

impl SessionRules {
    /// Reads `SESSION_TTL`, `SESSION_MAX_AGE`, `SESSIONS_PER_USER`, `SESSION_ROTATION_GRACE`,
    /// `SESSION_TOKENS_AT_REST`, `TWO_FACTOR_ACCOUNTS` and `REQUIRE_EMAIL_VERIFICATION`.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        let default = Self::default();
        let lifetime = reader.duration("SESSION_TTL", default.lifetime);
        if lifetime < Duration::from_mins(1) {
            reader.fault("SESSION_TTL", "must be at least a minute");
        }
        if lifetime > 400 * DAY {
            reader.fault("SESSION_TTL", "must be at most 400 days");
        }
        let max_age = reader.duration_or_off(
            "SESSION_MAX_AGE",
            default.max_age,
            Duration::from_mins(1)..=3650 * DAY,
        );
        let per_user = reader.parsed("SESSIONS_PER_USER", per_user);
        let grace = reader.duration("SESSION_ROTATION_GRACE", default.rotation_grace);
        if !(Duration::from_secs(1)..=MIN_AGE).contains(&grace) {
            reader.fault("SESSION_ROTATION_GRACE", "must be from 1s to 5m");
        }
        let tokens_at_rest = reader.parsed("SESSION_TOKENS_AT_REST", |text| match text {
            "hashed" => Ok(AtRest::Hashed),
            "plain" => Ok(AtRest::Plain),
            _ => Err("must be `hashed` or `plain`".to_owned()),
        });
        Self {
            lifetime,
            max_age,
            per_user: per_user.unwrap_or(default.per_user),
            rotation_grace: grace,
            tokens_at_rest: tokens_at_rest.unwrap_or(default.tokens_at_rest),
            sign_in: read_sign_in(reader),
        }
    }
}

fn read_sign_in(reader: &mut Reader<'_, impl Vars>) -> SignInRules {
    let second_factor = reader.parsed("TWO_FACTOR_ACCOUNTS", |text| match text {
        "refuse" => Ok(SecondFactor::Refuse),
        "password-only" => Ok(SecondFactor::Skip),
        _ => Err("must be `refuse` or `password-only`".to_owned()),
    });
    SignInRules {
        second_factor: second_factor.unwrap_or_default(),
        needs_verified_email: reader.switch("REQUIRE_EMAIL_VERIFICATION", false),
    }
}

fn per_user(text: &str) -> Result<Option<u64>, String> {
    if text == "off" {
        return Ok(None);
    }
    let number = text.parse().ok().filter(|number| (1..=1000).contains(number));
    number.map(Some).ok_or_else(|| "must be `off` or a whole number from 1 to 1000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_is_a_number_in_its_range_or_off() {
        assert_eq!(per_user("off"), Ok(None));
        assert_eq!(per_user("1"), Ok(Some(1)));
        for text in ["0", "1001", "-1", "many"] {
            assert!(per_user(text).is_err(), "{text}");
        }
    }
}
