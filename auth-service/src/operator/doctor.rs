//! The `doctor` sub-command: looks at settings, database, clocks and the cost of a password,
//! and changes nothing.

use std::{
    num::NonZero,
    sync::Arc,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use http::Uri;
use shared::{
    auth::{Profile, TokenIssuer, UserId},
    clock::{Clock, SystemClock},
    config::{Reader, Vars},
    doctor::{self, Report},
};

use super::strength;
use crate::{
    config::{AccountSettings, Config},
    password::Password,
    peer::{
        TaskServiceAddress,
        probe::{self, Verdict},
    },
    session_token::AtRest,
    store,
};

/// An access token that lives longer is a session that nobody can end.
const LONG_TOKEN: Duration = Duration::from_hours(1);

/// A hash that takes longer leaves too few sign-ins.
const SLOW_HASH: Duration = Duration::from_millis(400);

/// Whom the token stands for that task-service is asked with: nobody's id.
const NOBODY: &str = "doctor";

/// Looks at everything this service needs, task-service among it where that is elsewhere.
pub async fn examine(config: &Config, vars: &impl Vars, report: &mut Report) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let leeway = config.policy.leeway;
    let own = config.origin.as_ref();
    doctor::settings(report, &config.keys, &config.policy, own, &config.server.trusted_origins);
    strength::judge(report, &Reader::new(vars));
    accounts(report, &config.accounts);
    store::examine(report, &config.database, &*clock, leeway).await;
    hash_cost(report).await;
    if let TaskServiceAddress::At(address) = &config.tasks {
        task_service(report, config, address, clock).await;
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
    if let Some(cache) = settings.session_cookie_cache {
        report.warn(
            "settings",
            format!("SESSION_COOKIE_CACHE: a browser's copy outlives sign-out by {}", span(cache)),
        );
    }
}

/// Measures one hash, on a machine that may be busy: the faster of two counts.
async fn hash_cost(report: &mut Report) {
    let measure = || {
        let began = Instant::now();
        let password = Password::offered("a password to measure".to_owned()).ok()?;
        password.hash([0; 16]).ok().map(|_| began.elapsed())
    };
    let measured = tokio::task::spawn_blocking(move || measure().min(measure())).await;
    let Ok(Some(took)) = measured else {
        report.fault("hashing", "no password can be hashed");
        return;
    };
    let cores = available_parallelism().map_or(1, NonZero::get);
    let rate = f64::from(u32::try_from(cores).unwrap_or(u32::MAX)) / took.as_secs_f64();
    let found = format!(
        "a password takes {} ms, so {cores} cores check {rate:.0} a second at most",
        took.as_millis()
    );
    if took > SLOW_HASH {
        report
            .warn("hashing", format!("{found}: sign-ins will queue; give it more or faster cores"));
    } else {
        report.ok("hashing", found);
    }
}

/// Asks task-service with a token of ours: the only proof that it has the same secret.
async fn task_service(report: &mut Report, config: &Config, address: &Uri, clock: Arc<dyn Clock>) {
    let lifetime = Duration::from_mins(1).min(config.policy.max_lifetime);
    let policy = config.policy.clone();
    let issuer = TokenIssuer::new(config.keys.clone(), policy, lifetime, clock.clone());
    let made = UserId::parse(NOBODY).ok().map(|nobody| issuer.issue(&nobody, Profile::default()));
    let Some(Ok(made)) = made else {
        report.fault("tasks", "no token can be made");
        return;
    };
    let before = clock.now();
    let answer = probe::ask(address, NOBODY, &made.token).await;
    let ours = [before, clock.now()];
    match answer.verdict {
        Verdict::Taken => report.ok("tasks", "task-service takes the tokens that are made here"),
        Verdict::Refused(why) => report.fault(
            "tasks",
            format!(
                "task-service refuses the tokens that are made here ({why}): give both the same \
                 BETTER_AUTH_SECRET and BETTER_AUTH_URL, and the same time"
            ),
        ),
        Verdict::Away => report.warn(
            "tasks",
            "task-service does not answer: not known whether it has the same secret",
        ),
    }
    if let Some(theirs) = answer.time {
        let second = TimeDelta::seconds(1);
        doctor::drift(report, "task-service", ours, theirs, second, config.policy.leeway);
    }
}
