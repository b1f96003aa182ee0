//! The settings of rate limits: the limits, and the store that counts.

use std::time::Duration;

use shared::config::{Reader, Row, Setting, Unset, Vars, switch};

use super::gcra::Limit;

shared::settings! {
    /// The settings of rate limits.
    const SETTINGS: "Rate limits";

    PASSWORD_ATTEMPTS: Option<Limit> = Setting::new("10/60s", Limit::parse),
        "wrong passwords for an account from an address";
    PASSWORD_ATTEMPTS_PER_ACCOUNT: Option<Limit> = Setting::new("30/60s", Limit::parse),
        "wrong passwords for an account from all addresses";
    PASSWORD_ATTEMPTS_PER_ADDRESS: Option<Limit> = Setting::new("60/60s", Limit::parse),
        "wrong passwords from an address for all accounts";
    RIGHT_PASSWORDS: Option<Limit> = Setting::new("30/60s", Limit::parse),
        "right passwords for an account from an address";
    RIGHT_PASSWORDS_PER_ADDRESS: Option<Limit> = Setting::new("120/60s", Limit::parse),
        "right passwords from an address for all accounts";
    SIGN_UPS_PER_ADDRESS: Option<Limit> = Setting::new("20/60s", Limit::parse),
        "sign-ups from an address";
    INVALID_SESSIONS_PER_ADDRESS: Option<Limit> = Setting::new("300/60s", Limit::parse),
        "session tokens from an address that open no session";
    ATTEMPT_LIMITS: bool = Setting::new("on", switch),
        "switches all of them off, for a load test";
    ATTEMPT_STORE: RateLimitStore = Setting::new("auto", RateLimitStore::parse),
        "where they are counted: `auto` (PostgreSQL, or else memory), `memory`, `redis://…`";
}

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
        Self::read(&mut Reader::new(&Unset))
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

    /// Reads the limits, and `ATTEMPT_LIMITS`, the switch of all of them.
    fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        let on = reader.get(&ATTEMPT_LIMITS);
        let limits = Self {
            passwords: reader.get(&PASSWORD_ATTEMPTS),
            passwords_per_account: reader.get(&PASSWORD_ATTEMPTS_PER_ACCOUNT),
            passwords_per_address: reader.get(&PASSWORD_ATTEMPTS_PER_ADDRESS),
            right_passwords: reader.get(&RIGHT_PASSWORDS),
            right_passwords_per_address: reader.get(&RIGHT_PASSWORDS_PER_ADDRESS),
            sign_ups_per_address: reader.get(&SIGN_UPS_PER_ADDRESS),
            sessions_per_address: reader.get(&INVALID_SESSIONS_PER_ADDRESS),
        };
        if on { limits } else { Self::OFF }
    }
}

impl RateLimitSettings {
    /// Reads the limits and `ATTEMPT_STORE`.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        let limits = Limits::read(reader);
        Self { limits, store: reader.get(&ATTEMPT_STORE) }
    }

    /// The rows of what [`read`](Self::read) reads.
    #[must_use]
    pub const fn rows() -> &'static [Row] {
        SETTINGS
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
