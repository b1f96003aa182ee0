//! The settings of rate limits: the limits, and the store that counts.

use std::time::Duration;

use shared::config::{Reader, Vars};

use super::limit::Limit;

/// The rate limits; `None` is no limit.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Wrong passwords for one account from one address.
    pub passwords: Option<Limit>,
    /// Wrong passwords for one account from all addresses together.
    pub passwords_per_account: Option<Limit>,
    /// Wrong passwords for all accounts together from one address.
    pub passwords_per_address: Option<Limit>,
    /// Right passwords for one account from one address.
    pub right_passwords: Option<Limit>,
    /// Right passwords for all accounts together from one address.
    pub right_passwords_per_address: Option<Limit>,
    /// New accounts, made or refused, from one address.
    pub sign_ups_per_address: Option<Limit>,
    /// Invalid session tokens from one address.
    pub sessions_per_address: Option<Limit>,
}

/// The store that counts attempts. No `Debug`: the URL can contain a password.
#[derive(Clone)]
pub enum RateLimitStore {
    /// In PostgreSQL, where that is the database; else in memory.
    Auto,
    /// In memory, by each process for itself.
    Memory,
    /// In Redis.
    Redis(redis::Client),
}

/// The settings of rate limits.
#[derive(Clone)]
pub struct RateLimitSettings {
    pub limits: Limits,
    pub store: RateLimitStore,
}

impl Default for Limits {
    fn default() -> Self {
        let a_minute = |count| Some(Limit::new(count, Duration::from_mins(1)));
        Self {
            passwords: a_minute(10),
            passwords_per_account: a_minute(30),
            passwords_per_address: a_minute(60),
            right_passwords: a_minute(30),
            right_passwords_per_address: a_minute(120),
            sign_ups_per_address: a_minute(20),
            sessions_per_address: a_minute(300),
        }
    }
}

impl Limits {
    /// No limits.
    pub const OFF: Self = Self {
        passwords: None,
        passwords_per_account: None,
        passwords_per_address: None,
        right_passwords: None,
        right_passwords_per_address: None,
        sign_ups_per_address: None,
        sessions_per_address: None,
    };

    /// The longest time until an attempt expires.
    pub fn longest(&self) -> Duration {
        let all = [
            self.passwords,
            self.passwords_per_account,
            self.passwords_per_address,
            self.right_passwords,
            self.right_passwords_per_address,
            self.sign_ups_per_address,
            self.sessions_per_address,
        ];
        let longest = all.into_iter().flatten().map(Limit::full).max();
        Duration::from_micros(longest.unwrap_or_default().unsigned_abs())
    }

    /// Reads `ATTEMPT_LIMITS`, the switch of all limits, and `PASSWORD_ATTEMPTS`,
    /// `PASSWORD_ATTEMPTS_PER_ACCOUNT`, `PASSWORD_ATTEMPTS_PER_ADDRESS`, `RIGHT_PASSWORDS`,
    /// `RIGHT_PASSWORDS_PER_ADDRESS`, `SIGN_UPS_PER_ADDRESS` and `INVALID_SESSIONS_PER_ADDRESS`.
    fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        let default = Self::default();
        let on = reader.switch("ATTEMPT_LIMITS", true);
        let mut limit = |name, default| reader.parsed(name, Limit::parse).unwrap_or(default);
        let limits = Self {
            passwords: limit("PASSWORD_ATTEMPTS", default.passwords),
            passwords_per_account: limit(
                "PASSWORD_ATTEMPTS_PER_ACCOUNT",
                default.passwords_per_account,
            ),
            passwords_per_address: limit(
                "PASSWORD_ATTEMPTS_PER_ADDRESS",
                default.passwords_per_address,
            ),
            right_passwords: limit("RIGHT_PASSWORDS", default.right_passwords),
            right_passwords_per_address: limit(
                "RIGHT_PASSWORDS_PER_ADDRESS",
                default.right_passwords_per_address,
            ),
            sign_ups_per_address: limit("SIGN_UPS_PER_ADDRESS", default.sign_ups_per_address),
            sessions_per_address: limit(
                "INVALID_SESSIONS_PER_ADDRESS",
                default.sessions_per_address,
            ),
        };
        if on { limits } else { Self::OFF }
    }
}

impl RateLimitSettings {
    /// Reads the limits and `ATTEMPT_STORE`.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        let limits = Limits::read(reader);
        let store = reader.parsed("ATTEMPT_STORE", RateLimitStore::parse);
        Self { limits, store: store.unwrap_or(RateLimitStore::Auto) }
    }
}

impl RateLimitStore {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => return Ok(Self::Auto),
            "memory" => return Ok(Self::Memory),
            _ if text.starts_with("rediss://") => {
                return Err("cannot be Redis over TLS: use `redis://` through a tunnel or on a \
                            network of your own"
                    .to_owned());
            }
            _ => {}
        }
        // The library's error could quote the password.
        let client = text.starts_with("redis://").then(|| redis::Client::open(text).ok());
        client.flatten().map(Self::Redis).ok_or_else(|| {
            "must be `auto`, `memory` or `redis://user:password@host:port/number`".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use shared::config::Faults;

    use super::*;

    fn read(vars: &[(&'static str, &str)]) -> Result<RateLimitSettings, Faults> {
        let vars: HashMap<_, _> = vars.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        let mut reader = Reader::new(&vars);
        let settings = RateLimitSettings::read(&mut reader);
        reader.finish(Some(settings))
    }

    #[test]
    fn each_limit_can_be_moved_and_switched_off_and_all_at_once() {
        let limits = |vars: &[_]| read(vars).map(|settings| settings.limits).expect("settings");
        assert_eq!(limits(&[]).passwords, Limits::default().passwords);
        let some = limits(&[("PASSWORD_ATTEMPTS", "off"), ("SIGN_UPS_PER_ADDRESS", "2/1h")]);
        assert_eq!(some.passwords, None);
        assert_eq!(some.sign_ups_per_address, Some(Limit::new(2, Duration::from_hours(1))));
        assert!(some.passwords_per_account.is_some());
        assert_eq!(limits(&[("ATTEMPT_LIMITS", "off")]).longest(), Duration::ZERO);
    }

    #[test]
    fn the_store_of_counts_is_configured_and_faults_quote_no_password() {
        for text in ["auto", "memory", "redis://127.0.0.1:6379", "redis://u:p@cache.internal/2"] {
            assert!(read(&[("ATTEMPT_STORE", text)]).is_ok(), "{text}");
        }
        for text in ["redis", "redis://", "rediss://u:s3cret@h", "redis://u:s3cret@h:port", "on"] {
            let faults = read(&[("ATTEMPT_STORE", text)]).err().expect("a fault");
            assert!(!faults.to_string().contains("s3cret"), "{text}");
        }
    }
}
