//! The settings of rate limits: the limits, and the store that counts.

use std::{path::PathBuf, time::Duration};

use server::tls::{RemoteSettings, RemoteTls, file};
use shared::config::{Reader, Row, Setting, Unset, Vars, switch};

use super::{gcra::Limit, redis_server::RedisServer};

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
    ATTEMPT_STORE: StoreAddress = Setting::new("auto", StoreAddress::parse),
        "where they are counted: `auto` (PostgreSQL, or else memory), `memory`, `redis://…`, \
         `rediss://…`";
    ATTEMPT_STORE_CA_FILE: Option<PathBuf> = file("the system's"),
        "authorities (PEM) of a Redis with TLS";
    ATTEMPT_STORE_CERT_FILE: Option<PathBuf> = file("none"),
        "certificate chain (PEM) that is shown to a Redis with TLS";
    ATTEMPT_STORE_KEY_FILE: Option<PathBuf> = file("none"),
        "private key (PEM) of that certificate";
}

const TLS: RemoteSettings = RemoteSettings {
    authorities: ATTEMPT_STORE_CA_FILE,
    chain: ATTEMPT_STORE_CERT_FILE,
    key: ATTEMPT_STORE_KEY_FILE,
    needs: "needs a `rediss://…` in ATTEMPT_STORE",
};

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

/// The store that counts attempts.
#[derive(Clone)]
pub enum RateLimitStore {
    /// In PostgreSQL, where that is the database; else in memory.
    Auto,
    /// In memory, by each process for itself.
    Memory,
    /// In Redis.
    Redis(RedisServer),
}

/// The value of `ATTEMPT_STORE`. No `Debug`: the URL can contain a password.
pub enum StoreAddress {
    Auto,
    Memory,
    Redis(redis::Client),
    /// Redis with TLS.
    Rediss(redis::Client),
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
        let address = reader.get(&ATTEMPT_STORE);
        let secure = match &address {
            StoreAddress::Rediss(client) => Some(RedisServer::address(client)),
            _ => None,
        };
        let server = secure.as_ref().map(|(host, port)| (host.as_str(), *port));
        let tls = RemoteTls::read(reader, &TLS, server, None);
        let store = match (address, tls) {
            (StoreAddress::Auto, _) => RateLimitStore::Auto,
            (StoreAddress::Redis(client), _) => RateLimitStore::Redis(client.into()),
            (StoreAddress::Rediss(client), Some(tls)) => {
                RateLimitStore::Redis(RedisServer { client, tls: Some(tls) })
            }
            // The latter is a fault.
            (StoreAddress::Memory | StoreAddress::Rediss(_), _) => RateLimitStore::Memory,
        };
        Self { limits, store }
    }

    /// The rows of what [`read`](Self::read) reads.
    #[must_use]
    pub const fn rows() -> &'static [Row] {
        SETTINGS
    }
}

impl StoreAddress {
    fn parse(text: &str) -> Result<Self, String> {
        // The library's error could quote the password.
        let client = |rest| redis::Client::open(format!("redis://{rest}")).ok();
        let parsed = match (text, text.split_once("://")) {
            ("auto", _) => Some(Self::Auto),
            ("memory", _) => Some(Self::Memory),
            (_, Some(("redis", rest))) => client(rest).map(Self::Redis),
            // What follows a hash sign could only weaken TLS.
            (_, Some(("rediss", rest))) if !rest.contains('#') => client(rest).map(Self::Rediss),
            _ => None,
        };
        parsed.ok_or_else(|| {
            "must be `auto`, `memory`, `redis://user:password@host:port/number` or, with TLS, the \
             same with `rediss://`"
                .to_owned()
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
        for text in [
            "redis",
            "redis://",
            "rediss://",
            "redis://u:s3cret@h:port",
            "rediss://u:s3cret@h/#insecure",
            "on",
        ] {
            let faults = read(&[("ATTEMPT_STORE", text)]).err().expect("a fault");
            assert!(!faults.to_string().contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn files_of_tls_are_for_a_redis_with_tls() {
        for text in ["", "memory", "redis://127.0.0.1"] {
            let faults = read(&[("ATTEMPT_STORE", text), ("ATTEMPT_STORE_CA_FILE", "/a.pem")]);
            let fault = faults.err().expect("a fault").to_string();
            assert!(fault.starts_with("ATTEMPT_STORE_CA_FILE needs a `rediss://…`"), "{fault}");
        }
        let all = read(&[
            ("ATTEMPT_STORE", "rediss://127.0.0.1"),
            ("ATTEMPT_STORE_CA_FILE", "/missing/ca.pem"),
            ("ATTEMPT_STORE_CERT_FILE", "/missing/own.pem"),
        ]);
        let fault = all.err().expect("a fault").to_string();
        assert_eq!(fault, "ATTEMPT_STORE_KEY_FILE is missing: ATTEMPT_STORE_CERT_FILE is set");
    }
}
