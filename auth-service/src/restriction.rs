//! Restrictions of an account: bans, second factors and unverified e-mails, from columns of
//! Better Auth and its plugins, as rules without I/O. An unreadable value counts as a
//! restriction.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use shared::error::Refusal;

/// The ban of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ban {
    #[default]
    None,
    /// Until this time, inclusive.
    Until(DateTime<Utc>),
    ForGood,
}

/// The restrictions in the row of a user, before the rules are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restrictions {
    pub ban: Ban,
    pub has_second_factor: bool,
    pub has_unverified_email: bool,
}

/// Why a user is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Restriction {
    /// The user is banned.
    #[error("{}", Refusal::BannedUser)]
    Banned,
    /// The account has a second factor, which this service does not support.
    #[error("{}", Refusal::TwoFactorRequired)]
    SecondFactor,
    /// The e-mail is not verified.
    #[error("{}", Refusal::EmailNotVerified)]
    UnverifiedEmail,
}

/// The policy for accounts with a second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecondFactor {
    /// They cannot sign in here.
    #[default]
    Refuse,
    /// Their password suffices.
    Skip,
}

/// The rules of sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignInRules {
    pub second_factor: SecondFactor,
    /// Only accounts with a verified e-mail sign in. E-mails cannot be verified here, so sign-up
    /// is disabled too.
    pub needs_verified_email: bool,
}

impl Restriction {
    /// The row in the table of refusals.
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Banned => Refusal::BannedUser,
            Self::SecondFactor => Refusal::TwoFactorRequired,
            Self::UnverifiedEmail => Refusal::EmailNotVerified,
        }
    }
}

impl Restrictions {
    /// Refuses a user who may not use a session at `now`.
    pub fn check_use(self, now: DateTime<Utc>) -> Result<(), Restriction> {
        let is_banned = match self.ban {
            Ban::None => false,
            Ban::Until(end) => now <= end,
            Ban::ForGood => true,
        };
        if is_banned { Err(Restriction::Banned) } else { Ok(()) }
    }

    /// Refuses a user who may not sign in with a password at `now`.
    pub fn check_sign_in(self, rules: SignInRules, now: DateTime<Utc>) -> Result<(), Restriction> {
        if self.has_unverified_email && rules.needs_verified_email {
            return Err(Restriction::UnverifiedEmail);
        }
        self.check_use(now)?;
        if self.has_second_factor && rules.second_factor == SecondFactor::Refuse {
            return Err(Restriction::SecondFactor);
        }
        Ok(())
    }
}

impl Ban {
    /// The ban in two columns, both as texts: a flag, and a time or milliseconds.
    pub fn read(banned: Option<&str>, expires: Option<&str>) -> Self {
        match (is_set(banned), expires) {
            (false, _) => Self::None,
            (true, None) => Self::ForGood,
            (true, Some(end)) => parse_time(end).map_or(Self::ForGood, Self::Until),
        }
    }
}

/// Whether a flag, read as text, is on: anything but a known spelling of off.
pub fn is_set(flag: Option<&str>) -> bool {
    let is_off = |text: &str| matches!(text, "" | "0" | "0.0" | "f" | "false");
    flag.is_some_and(|text| !is_off(&text.trim().to_ascii_lowercase()))
}

/// A time in one of the spellings of databases, without a zone in UTC; or milliseconds since
/// 1970. `None`: neither, or out of range.
fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(millis) = text.parse::<f64>() {
        // Rounded down; infinity stays out of range.
        #[expect(clippy::cast_possible_truncation, reason = "it saturates, and is floored")]
        let millis = millis.floor() as i64;
        return DateTime::from_timestamp_millis(millis);
    }
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    let zoneless = text.trim_end_matches(['Z', 'z']);
    for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"] {
        if let Ok(moment) = NaiveDateTime::parse_from_str(zoneless, form) {
            return Some(moment.and_utc());
        }
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::parse_from_rfc3339("2026-11-20T22:18:00.970Z").expect("a moment").to_utc()
    }

    #[test]
    fn a_flag_is_on_unless_it_is_plainly_off() {
        for off in [None, Some("0"), Some("false"), Some("f"), Some("FALSE"), Some("")] {
            assert!(!is_set(off), "{off:?}");
        }
        for on in ["1", "true", "t", "yes", "2", "1.0", "?"] {
            assert!(is_set(Some(on)), "{on}");
        }
    }

    #[test]
    fn the_end_of_a_ban_is_read_in_every_spelling() {
        let millis = now().timestamp_millis();
        for spelling in [
            "2026-11-20T22:18:00.970Z",
            "2026-11-20T23:18:00.970+01:00",
            "2026-11-20 22:18:00.970",
            "2026-11-20 22:18:00.970Z",
            "2026-11-20T22:18:00.970",
            &millis.to_string(),
            &format!("{millis}.000000"),
        ] {
            assert_eq!(Ban::read(Some("1"), Some(spelling)), Ban::Until(now()), "{spelling}");
            assert_eq!(Ban::read(Some("0"), Some(spelling)), Ban::None, "{spelling}");
        }
        for odd in ["soon", "", "Infinity", "NaN?", "2026-13-01"] {
            assert_eq!(Ban::read(Some("1"), Some(odd)), Ban::ForGood, "{odd}");
        }
    }

    #[test]
    fn a_ban_ends_after_its_last_moment() {
        let until = |end| Restrictions { ban: Ban::Until(end), ..Restrictions::default() };
        let tick = TimeDelta::milliseconds(1);
        assert_eq!(until(now()).check_use(now()), Err(Restriction::Banned));
        assert_eq!(until(now() - tick).check_use(now()), Ok(()));
        let for_good = Restrictions { ban: Ban::ForGood, ..Restrictions::default() };
        assert_eq!(for_good.check_use(now()), Err(Restriction::Banned));
        assert_eq!(Restrictions::default().check_use(now()), Ok(()));
    }

    #[test]
    fn a_second_factor_and_an_unproven_address_stop_sign_in_alone() {
        let both = Restrictions {
            has_second_factor: true,
            has_unverified_email: true,
            ..Restrictions::default()
        };
        assert_eq!(both.check_use(now()), Ok(()));
        for (second_factor, needs_verified_email, verdict) in [
            (SecondFactor::Refuse, false, Err(Restriction::SecondFactor)),
            (SecondFactor::Skip, false, Ok(())),
            (SecondFactor::Refuse, true, Err(Restriction::UnverifiedEmail)),
            (SecondFactor::Skip, true, Err(Restriction::UnverifiedEmail)),
        ] {
            let rules = SignInRules { second_factor, needs_verified_email };
            assert_eq!(both.check_sign_in(rules, now()), verdict, "{rules:?}");
        }
    }
}
