//! The configuration of auth-service. Its manual is `.env.example`.

use std::{num::NonZero, sync::Arc, time::Duration};

use server::{
    Addresses, Settings,
    cli::server_settings,
    db::{DatabaseUrl, database_url},
};
use shared::{
    auth::{Keyring, TokenKind, TokenPolicy, token_settings},
    config::{Faults, Reader, Row, Setting, Vars, time_span, time_span_or_off},
    origin::{BETTER_AUTH_URL, Origin},
};

use crate::{
    password::{self, PasswordRules, hashing},
    rate_limit::RateLimitSettings,
    session::{self, SessionRules},
    task_client::{self, TaskServiceAddress},
};

/// The addresses of this service.
pub const ADDRESSES: Addresses = Addresses::by_default("127.0.0.1:50051", "127.0.0.1:8001");

/// The database of accounts.
pub const DATABASE_URL: Setting<DatabaseUrl> = database_url("sqlite://data/auth.db");

/// The database of accounts, in a program that has others as well.
pub const AUTH_DATABASE_URL: Setting<DatabaseUrl> =
    DATABASE_URL.named("AUTH_DATABASE_URL", "Data", "the database of accounts and sessions");

shared::settings! {
    /// The settings of access tokens.
    const ACCESS_TOKENS: "Tokens";

    ACCESS_TOKEN_TTL: Duration = Setting::new("15m", time_span).checked(|lifetime| {
        (lifetime.as_secs() == 0).then_some("must be at least a second")
    }), "the lifetime of an access token";
}

shared::settings! {
    /// The settings of cookies and headers.
    const BROWSERS: "Accounts and sessions";

    SESSION_COOKIE_CACHE: Option<Duration> = Setting::new("off", |text| {
        // A copy outlives its session, so its lifetime is short.
        time_span_or_off(text, Duration::from_secs(1)..=Duration::from_hours(1))
    }), "the lifetime of a signed copy of the session in a cookie";
    HSTS_MAX_AGE: Option<Duration> = Setting::new("180d", |text| {
        time_span_or_off(text, Duration::from_secs(1)..=Duration::from_hours(2 * 365 * 24))
    }), "how long browsers keep to TLS once they were here, where BETTER_AUTH_URL is https";
}

/// The configuration of auth-service. No `Debug`: it holds secrets.
#[derive(Clone)]
pub struct Config {
    /// The keys that sign and verify.
    pub keys: Arc<Keyring>,
    /// Issuer, audience and lifetime of tokens.
    pub policy: TokenPolicy,
    /// The origin of this server in browsers, if known.
    pub origin: Option<Origin>,
    /// The rate limits.
    pub rate_limit: RateLimitSettings,
    /// The settings of accounts and sessions.
    pub accounts: AccountSettings,
    /// The address of task-service, for erasure and export.
    pub tasks: TaskServiceAddress,
    /// The database of accounts.
    pub database: DatabaseUrl,
    /// The settings of the server.
    pub server: Settings,
}

/// The rules of accounts and sessions.
#[derive(Clone, Copy, Debug)]
pub struct AccountSettings {
    /// The rules of sessions.
    pub sessions: SessionRules,
    /// The lifetime of access tokens.
    pub access_token_lifetime: Duration,
    /// The rules for new passwords.
    pub passwords: PasswordRules,
    /// The number of concurrent password hashes.
    pub hash_concurrency: NonZero<usize>,
    /// The lifetime of the session cookie cache; `None`: off.
    pub session_cookie_cache: Option<Duration>,
    /// How long browsers keep to TLS; `None`: they are not told to.
    pub hsts_max_age: Option<Duration>,
    /// The retention of security events.
    pub security_event_retention: Duration,
}

impl AccountSettings {
    /// Reads the rules of tokens, cookies, sessions, passwords and security events. `longest` is
    /// what verifiers accept.
    pub fn read(reader: &mut Reader<'_, impl Vars>, longest: Option<Duration>) -> Self {
        let access_token_lifetime = reader.get(&ACCESS_TOKEN_TTL);
        if longest.is_some_and(|longest| access_token_lifetime > longest) {
            reader.fault(&ACCESS_TOKEN_TTL, "must not be longer than JWT_MAX_LIFETIME");
        }
        Self {
            session_cookie_cache: reader.get(&SESSION_COOKIE_CACHE),
            hsts_max_age: reader.get(&HSTS_MAX_AGE),
            security_event_retention: server::audit_log::read_retention(reader),
            sessions: SessionRules::read(reader),
            access_token_lifetime,
            hash_concurrency: hashing::read_concurrency(reader),
            passwords: PasswordRules::read(reader),
        }
    }

    /// The rows of what [`read`](Self::read) reads, but for those of every server.
    #[must_use]
    pub fn rows() -> Vec<Row> {
        [ACCESS_TOKENS, session::SETTINGS, BROWSERS, password::SETTINGS, hashing::SETTINGS].concat()
    }
}

impl AccountSettings {
    /// Refuses settings that conflict: the session cookie cache names its user as an access token
    /// does, and only issuer and audience distinguish them.
    pub fn check(&self, policy: &TokenPolicy, reader: &mut Reader<'_, impl Vars>) {
        let unchecked = policy.issuer.is_none() && policy.audience.is_none();
        if unchecked && self.session_cookie_cache.is_some() {
            reader.fault(
                &SESSION_COOKIE_CACHE,
                "needs JWT_ISSUER or JWT_AUDIENCE: with both `off` its copy of the session would \
                 pass for an access token",
            );
        }
    }
}

impl Config {
    /// Reads all settings. `None`, or faults in `reader`: the configuration is invalid.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Option<Self> {
        let keys = Keyring::read(reader);
        let policy = TokenPolicy::read(reader, &BETTER_AUTH_URL);
        let origin = Origin::read_own(reader, &BETTER_AUTH_URL);
        let longest = policy.as_ref().map(|policy| policy.max_lifetime);
        let accounts = AccountSettings::read(reader, longest);
        if let Some(policy) = &policy {
            accounts.check(policy, reader);
        }
        let rate_limit = RateLimitSettings::read(reader);
        let tasks = TaskServiceAddress::read(reader);
        if !matches!(tasks, TaskServiceAddress::Off) {
            TokenKind::refuse_others(reader);
        }
        let database = Self::read_database(reader);
        let server = Settings::read(reader, &ADDRESSES);
        Some(Self {
            keys: Arc::new(keys?),
            policy: policy?,
            origin,
            rate_limit,
            accounts,
            tasks,
            database: database?,
            server,
        })
    }

    /// Reads `DATABASE_URL` alone, for a command that needs no secret.
    pub fn read_database(reader: &mut Reader<'_, impl Vars>) -> Option<DatabaseUrl> {
        reader.read_elsewhere(&AUTH_DATABASE_URL, &[DATABASE_URL.row()]);
        DatabaseUrl::read(reader, &DATABASE_URL)
    }

    /// The rows of what [`read`](Self::read) reads.
    #[must_use]
    pub fn rows() -> Vec<Row> {
        let data = vec![DATABASE_URL.row()];
        let accounts = [AccountSettings::rows(), task_client::SETTINGS.to_vec()].concat();
        let limits = RateLimitSettings::rows().to_vec();
        let server = server_settings(&ADDRESSES);
        [token_settings(&BETTER_AUTH_URL), accounts, limits, data, server].concat()
    }

    /// Reads all settings from `vars`, or lists every fault.
    pub fn from_vars(vars: &impl Vars) -> Result<Self, Faults> {
        let mut reader = Reader::new(vars);
        let config = Self::read(&mut reader);
        reader.finish(config)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn an_empty_environment_lists_what_must_be_set_and_nothing_else() {
        let faults = Config::from_vars(&HashMap::<&str, String>::new()).err().expect("faults");
        let names: Vec<_> = faults.0.iter().map(|fault| fault.name).collect();
        assert_eq!(names, ["BETTER_AUTH_SECRET", "BETTER_AUTH_URL"]);
    }

    #[test]
    fn the_session_cookie_cache_is_off_by_default() {
        let read = |text: &str| {
            let vars = HashMap::from([("SESSION_COOKIE_CACHE", text.to_owned())]);
            let mut reader = Reader::new(&vars);
            let settings = AccountSettings::read(&mut reader, None);
            reader.finish(Some(settings.session_cookie_cache)).ok()
        };
        assert_eq!(read(""), Some(None));
        assert_eq!(read("off"), Some(None));
        assert_eq!(read("5m"), Some(Some(Duration::from_mins(5))));
        for text in ["on", "0", "999ms", "61m", "soon"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_copy_of_the_session_must_not_pass_for_an_access_token() {
        let mut vars = HashMap::from([
            ("BETTER_AUTH_SECRET", "0b5f1c9e7a3d48626e2f9b04c7d1583a".to_owned()),
            ("JWT_ISSUER", "off".to_owned()),
            ("JWT_AUDIENCE", "off".to_owned()),
        ]);
        assert!(Config::from_vars(&vars).is_ok());
        vars.insert("SESSION_COOKIE_CACHE", "5m".to_owned());
        let faults = Config::from_vars(&vars).err().expect("a fault");
        assert_eq!(faults.0[0].name, "SESSION_COOKIE_CACHE");
        vars.insert("JWT_AUDIENCE", "tasks".to_owned());
        assert!(Config::from_vars(&vars).is_ok());
    }

    #[test]
    fn every_fault_is_listed_at_once() {
        let vars = HashMap::from([
            ("BETTER_AUTH_SECRET", "short".to_owned()),
            ("BETTER_AUTH_URL", "nowhere".to_owned()),
            ("ACCESS_TOKEN_TTL", "8d".to_owned()),
            ("SESSION_TTL", "soon".to_owned()),
            ("SESSION_MAX_AGE", "never".to_owned()),
            ("SESSIONS_PER_USER", "0".to_owned()),
            ("SESSION_ROTATION_GRACE", "6m".to_owned()),
            ("SESSION_TOKENS_AT_REST", "encrypted".to_owned()),
            ("TWO_FACTOR_ACCOUNTS", "ask".to_owned()),
            ("REQUIRE_EMAIL_VERIFICATION", "perhaps".to_owned()),
            ("PASSWORD_MIN_LENGTH", "4".to_owned()),
            ("HASH_CONCURRENCY", "0".to_owned()),
            ("RIGHT_PASSWORDS", "-1/60s".to_owned()),
            ("SESSION_COOKIE_CACHE", "2h".to_owned()),
            ("PASSWORD_ATTEMPTS", "many".to_owned()),
            ("ATTEMPT_STORE", "disk".to_owned()),
            ("TRUSTED_PROXIES", "everybody".to_owned()),
            ("SECURITY_EVENT_RETENTION", "1m".to_owned()),
            ("DATABASE_URL", "mysql://root@localhost/auth".to_owned()),
            ("TASK_SERVICE_URL", "task-service:50052".to_owned()),
            ("GRPC_ADDR", "localhost".to_owned()),
            ("REFLECTION", "perhaps".to_owned()),
            ("MAX_CALLS", "0".to_owned()),
        ]);
        let faults = Config::from_vars(&vars).err().expect("faults");
        let names: Vec<_> = faults.0.iter().map(|fault| fault.name).collect();
        let mut expected: Vec<_> = vars.keys().copied().collect();
        expected.retain(|name| *name != "ACCESS_TOKEN_TTL"); // no policy to compare it with
        let mut sorted = names.clone();
        sorted.sort_unstable();
        expected.sort_unstable();
        assert_eq!(sorted, expected);
    }
}
