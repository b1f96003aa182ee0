//! The `doctor` command: checks settings, database, clocks and the cost of a password, and
//! changes nothing.

use std::{
    num::NonZero,
    sync::Arc,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use server::{
    Loopback,
    cli::doctor::{self, Report},
};
use shared::{
    auth::{Profile, TokenIssuer, UserId},
    clock::{Clock, SystemClock},
    config::{Reader, Vars},
};

use crate::{
    config::{AccountSettings, Config},
    password::Password,
    password::hashing::{self, HASH_BYTES},
    rate_limit::{RateLimitSettings, RateLimitStore},
    remotes,
    restriction::SecondFactor,
    session_token::AtRest,
    store,
    task_client::{
        self, TaskServiceAddress,
        probe::{self, Verdict},
    },
};

/// The longest lifetime of access tokens without a warning: sign-out does not end them.
const LONG_TOKEN: Duration = Duration::from_hours(1);

/// The slowest hash without a warning.
const SLOW_HASH: Duration = Duration::from_millis(400);

/// The user id of the probe's token, which no user has.
const PROBE_USER: &str = "doctor";

/// Checks everything this service needs, including a remote task-service.
pub async fn examine(config: &Config, vars: &impl Vars, report: &mut Report) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let leeway = config.policy.leeway;
    let own = config.origin.as_ref();
    doctor::settings(report, &config.keys, &config.policy, own, &config.server.trusted_origins);
    doctor::secret_strength(report, &Reader::new(vars));
    doctor::server(report, &config.server);
    accounts(report, &config.accounts);
    rate_limit(report, &config.rate_limit, config.database.file().is_none());
    store::examine(report, &config.database, &*clock, leeway).await;
    remotes::examine(config, report).await;
    hash_cost(report, config.accounts.hash_concurrency).await;
    match &config.tasks {
        TaskServiceAddress::Clear(_) | TaskServiceAddress::Tls(..) => {
            task_service(report, config, clock).await;
        }
        TaskServiceAddress::Off => report.warn(
            "tasks",
            "TASK_SERVICE_URL is `off`: tasks stay when an account goes, and no export has them",
        ),
        TaskServiceAddress::Loopback => {}
    }
}

fn accounts(report: &mut Report, settings: &AccountSettings) {
    let span = humantime::format_duration;
    let tokens = settings.access_token_lifetime;
    if tokens > LONG_TOKEN {
        report.warn(
            "settings",
            format!("ACCESS_TOKEN_TTL is {}: sign-out does not end an access token", span(tokens)),
        );
    }
    if settings.sessions.tokens_at_rest == AtRest::Plain {
        report.warn(
            "settings",
            "SESSION_TOKENS_AT_REST is `plain`: a copy of the database opens every session; needed \
             only while a Better Auth server shares it",
        );
    }
    if settings.sessions.sign_in.second_factor == SecondFactor::Skip {
        report.warn(
            "settings",
            "TWO_FACTOR_ACCOUNTS is `password-only`: who has a second factor signs in without it",
        );
    }
    if let Some(cache) = settings.session_cookie_cache {
        report.warn(
            "settings",
            format!("SESSION_COOKIE_CACHE: a browser's copy outlives sign-out by {}", span(cache)),
        );
    }
}

/// Checks rate limits. `is_shared`: replicas can share the database.
fn rate_limit(report: &mut Report, settings: &RateLimitSettings, is_shared: bool) {
    if settings.limits.longest().is_zero() {
        report.warn(
            "settings",
            "ATTEMPT_LIMITS is `off`: passwords are guessed as fast as they are checked",
        );
    } else if is_shared && matches!(settings.store, RateLimitStore::Memory) {
        report.warn(
            "settings",
            "ATTEMPT_STORE is `memory`: each replica allows as many attempts as all should together",
        );
    }
}

/// Measures one hash, the faster of two on a machine that may be busy. `at_once` run
/// concurrently.
async fn hash_cost(report: &mut Report, at_once: NonZero<usize>) {
    hash_memory(report, at_once, hashing::memory_limit());
    let measure = || {
        let began = Instant::now();
        let password = Password::parse("a password to measure".to_owned()).ok()?;
        password.hash([0; 16]).ok().map(|_| began.elapsed())
    };
    let measured = tokio::task::spawn_blocking(move || measure().min(measure())).await;
    let Ok(Some(took)) = measured else {
        report.fault("hashing", "no password can be hashed");
        return;
    };
    let cores = available_parallelism().unwrap_or(NonZero::<usize>::MIN).min(at_once);
    let rate = f64::from(u32::try_from(cores.get()).unwrap_or(u32::MAX)) / took.as_secs_f64();
    let found = format!(
        "a password takes {} ms, so {cores} at once are {rate:.0} a second at most",
        took.as_millis()
    );
    if took > SLOW_HASH {
        report
            .warn("hashing", format!("{found}: sign-ins will queue; give it more or faster cores"));
    } else {
        report.ok("hashing", found);
    }
}

/// Checks the memory of concurrent hashes against the limit of this process.
fn hash_memory(report: &mut Report, at_once: NonZero<usize>, limit: Option<u64>) {
    let bytes = (at_once.get() as u64).saturating_mul(HASH_BYTES);
    let mib = |bytes: u64| bytes >> 20;
    let found = format!(
        "{at_once} at once (HASH_CONCURRENCY) take {} MiB, {} MiB each",
        mib(bytes),
        mib(HASH_BYTES)
    );
    match limit {
        Some(limit) if bytes > limit / 2 => report.warn(
            "hashing",
            format!(
                "{found}, of the {} MiB that this process may have: it may be killed under load; \
                 lower HASH_CONCURRENCY or give it more",
                mib(limit)
            ),
        ),
        _ => report.ok("hashing", found),
    }
}

/// Probes task-service with a token: the only proof that it has the same secret.
async fn task_service(report: &mut Report, config: &Config, clock: Arc<dyn Clock>) {
    let Some(channel) = task_client::channel(&config.tasks, &Loopback::default()) else { return };
    let lifetime = Duration::from_mins(1).min(config.policy.max_lifetime);
    let policy = config.policy.clone();
    let issuer = TokenIssuer::new(config.keys.clone(), policy, lifetime, clock.clone());
    let made = UserId::parse(PROBE_USER).ok().map(|user| issuer.issue(&user, Profile::default()));
    let Some(Ok(made)) = made else {
        report.fault("tasks", "no token can be made");
        return;
    };
    let before = clock.now();
    let answer = probe::ask(channel, PROBE_USER, &made.token).await;
    let local = [before, clock.now()];
    match answer.verdict {
        Verdict::Accepted => report.ok("tasks", "task-service takes the tokens that are made here"),
        Verdict::Refused(why) => report.fault(
            "tasks",
            format!(
                "task-service refuses the tokens that are made here ({why}): give both the same \
                 BETTER_AUTH_SECRET and BETTER_AUTH_URL, and the same time"
            ),
        ),
        Verdict::Unavailable => report.warn(
            "tasks",
            "task-service does not answer: not known whether it has the same secret",
        ),
    }
    if let Some(remote) = answer.time {
        let second = TimeDelta::seconds(1);
        doctor::clock_drift(report, "task-service", local, remote, second, config.policy.leeway);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use server::cli::doctor::Verdict as Finding;

    use super::*;

    #[test]
    fn hashes_that_take_more_than_half_of_the_memory_are_reported() {
        for (at_once, limit, verdict) in
            [(4, None, Finding::Ok), (4, Some(256), Finding::Ok), (4, Some(255), Finding::Warn)]
        {
            let mut report = Report::default();
            let at_once = NonZero::new(at_once).expect("some");
            hash_memory(&mut report, at_once, limit.map(|mib: u64| mib << 20));
            let said = &report.findings()[0];
            assert_eq!(said.verdict, verdict, "{limit:?}");
            assert!(said.message.contains("HASH_CONCURRENCY) take 128 MiB"), "{}", said.message);
        }
    }

    #[test]
    fn rate_limits_that_are_off_or_not_shared_are_reported() {
        for (name, value, is_shared, warnings) in [
            ("PASSWORD_ATTEMPTS", "5/60s", true, 0),
            ("ATTEMPT_STORE", "memory", false, 0),
            ("ATTEMPT_STORE", "memory", true, 1),
            ("ATTEMPT_LIMITS", "off", false, 1),
        ] {
            let vars = HashMap::from([(name, value.to_owned())]);
            let settings = RateLimitSettings::read(&mut Reader::new(&vars));
            let mut report = Report::default();
            rate_limit(&mut report, &settings, is_shared);
            assert_eq!(report.findings().len(), warnings, "{name}={value}");
        }
    }
}
