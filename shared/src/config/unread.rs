//! Variables that look as if they were meant for this program, and are none of its settings.
//!
//! The manual (`.env.example`) is the list of all settings there are: one that another of
//! the programs reads is no stranger here, because they may share a file. What the manual
//! does not have is spoken of only where it is a typo away from a setting, or has a prefix
//! of several of ours: an environment is full of other programs' variables.

use std::collections::{BTreeMap, BTreeSet};

const MANUAL: &str = include_str!("../../../.env.example");

/// How many of our settings must begin alike for the beginning to be ours.
const FAMILY: usize = 3;

/// Beginnings that others use as well: any program's limits, and what platforms say of their
/// databases.
const SHARED_BEGINNINGS: [&str; 2] = ["MAX_", "DATABASE_"];

/// Others' variables that a beginning or a typo of ours would catch: the X session's, the
/// password store's, the database of test suites.
const OF_OTHERS: [&str; 3] = ["SESSION_MANAGER", "PASSWORD_STORE_", "TEST_DATABASE_URL"];

/// Names at least this long may be two typos away, others one.
const LONG: usize = 10;

/// Shorter ones are everybody's.
const SHORT: usize = 5;

/// The names of every setting there is, of whatever program.
#[must_use]
pub fn manual() -> BTreeSet<&'static str> {
    let names = MANUAL.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix('#').unwrap_or(line).split_once('=')?;
        let is_name = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        (!name.is_empty() && name.bytes().all(is_name)).then_some(name)
    });
    names.collect()
}

/// A sentence for each of `set` that is none of `known` and looks like one of them.
pub fn strangers(set: &[String], known: &BTreeSet<&str>) -> Vec<String> {
    let families = families(known);
    let told = set.iter().filter(|name| !known.contains(name.as_str())).filter_map(|name| {
        let upper = name.to_ascii_uppercase();
        if is_of_others(&upper) {
            return None;
        }
        if let Some(meant) = nearest(&upper, known) {
            return Some(format!("{name} is not a setting: did you mean {meant}?"));
        }
        let family = families.iter().find(|family| upper.starts_with(*family))?;
        Some(match related(&upper, family, known) {
            Some(meant) => format!("{name} is not a setting: did you mean {meant}?"),
            None => format!("{name} is not a setting, and is not read"),
        })
    });
    told.collect()
}

/// Kubernetes puts variables of each service beside: `AUTH_SERVICE_HOST`, `AUTH_PORT_80_TCP`.
fn is_of_others(name: &str) -> bool {
    let of_a_service = name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || name.contains("_TCP")
        || name.contains("_UDP");
    of_a_service || OF_OTHERS.iter().any(|other| name.starts_with(other))
}

/// The setting that is at most a typo or two away.
fn nearest<'a>(name: &str, known: &BTreeSet<&'a str>) -> Option<&'a str> {
    let near = known.iter().filter(|known| known.len() >= SHORT).filter_map(|known| {
        let distance = distance(name, known);
        let most = if known.len() >= LONG { 2 } else { 1 };
        (distance <= most).then_some((distance, *known))
    });
    near.min().map(|(_, known)| known)
}

/// A setting of the family of which the name is a beginning, or that it begins or ends with.
fn related<'a>(name: &str, family: &str, known: &BTreeSet<&'a str>) -> Option<&'a str> {
    let begins = |known: &&&str| {
        known.starts_with(family) && (known.starts_with(name) || name.starts_with(**known))
    };
    let rest = &name[family.len()..];
    known.iter().find(begins).or_else(|| known.iter().find(|known| **known == rest)).copied()
}

/// What several settings begin with, up to a `_`.
fn families<'a>(known: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let mut by_word: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    for name in known {
        if let Some((word, _)) = name.split_once('_') {
            by_word.entry(word).or_default().push(name);
        }
    }
    let several = by_word.into_values().filter(|names| names.len() >= FAMILY);
    let families = several.filter_map(|names| {
        let (first, last) = (names.first()?, names.last()?); // sorted: the most unlike
        let common = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
        let end = first[..common].rfind('_')? + 1;
        Some(&first[..end])
    });
    families.filter(|family| !SHARED_BEGINNINGS.contains(family)).collect()
}

/// How many letters were left out, put in, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let change = last[j] + usize::from(x != y);
            let mut fewest = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                fewest = fewest.min(before[j - 1] + 1);
            }
            row.push(fewest);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(names: &[&str]) -> Vec<String> {
        let set: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        strangers(&set, &manual())
    }

    #[test]
    fn the_manual_is_read_for_its_names() {
        let manual = manual();
        for name in ["BETTER_AUTH_SECRET", "JWT_ISSUER", "JWKS", "DATABASE_URL", "LOG_FORMAT"] {
            assert!(manual.contains(name), "{name}");
        }
        assert!(manual.len() > 40 && manual.len() < 200, "{}", manual.len());
    }

    #[test]
    fn what_is_a_typo_away_or_of_our_family_is_told_with_what_was_meant() {
        for (name, meant) in [
            ("BETTER_AUTH_SECERT", "BETTER_AUTH_SECRET"),
            ("BETTER_AUTH_URI", "BETTER_AUTH_URL"),
            ("BETTERAUTH_URL", "BETTER_AUTH_URL"),
            ("better_auth_url", "BETTER_AUTH_URL"),
            ("TRUSTED_ORIGIN", "TRUSTED_ORIGINS"),
            ("TRUSTED_ORGIN", "TRUSTED_ORIGINS"),
            ("BETTER_AUTH_TRUSTED_ORIGINS", "TRUSTED_ORIGINS"),
            ("JWT_AUD", "JWT_AUDIENCE"),
            ("DATABASE_URI", "DATABASE_URL"),
            ("DATABSE_URL", "DATABASE_URL"),
            ("GRPC_ADR", "GRPC_ADDR"),
            ("RUSTLOG", "RUST_LOG"),
            ("MAX_CALL", "MAX_CALLS"),
            ("HASH_CONCURENCY", "HASH_CONCURRENCY"),
            ("SESSION_TTL_SECONDS", "SESSION_TTL"),
        ] {
            let told = told(&[name]);
            let expected = format!("{name} is not a setting: did you mean {meant}?");
            assert_eq!(told, [expected]);
        }
        for name in ["JWT_SECRET", "BETTER_AUTH_TELEMETRY", "PASSWORD_PEPPER"] {
            assert_eq!(told(&[name]), [format!("{name} is not a setting, and is not read")]);
        }
    }

    #[test]
    fn what_others_need_is_not_spoken_of() {
        let usual = "PATH HOME USER LOGNAME SHELL TERM LANG LC_ALL PWD OLDPWD SHLVL HOSTNAME TZ \
            TMPDIR EDITOR DISPLAY SESSION_MANAGER DESKTOP_SESSION XDG_SESSION_ID XDG_RUNTIME_DIR \
            DBUS_SESSION_BUS_ADDRESS SSH_AUTH_SOCK SSH_CONNECTION PASSWORD_STORE_DIR \
            HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy ALL_PROXY \
            CARGO_HOME CARGO_MANIFEST_DIR CARGO_PKG_NAME RUSTUP_HOME RUST_BACKTRACE RUSTFLAGS \
            RUST_LIB_BACKTRACE RUST_MIN_STACK TOKIO_WORKER_THREADS MIMALLOC_PURGE_DELAY \
            npm_config_cache npm_lifecycle_event NODE_ENV NODE_OPTIONS PORT HOST DEBUG CI \
            PGHOST PGUSER PGPASSWORD PGDATABASE PGPORT PGSSLMODE POSTGRES_USER POSTGRES_PASSWORD \
            POSTGRES_DB COMPOSE_PROFILES DOCKER_HOST SSL_CERT_FILE SSL_CERT_DIR REDIS_URL \
            TEST_DATABASE_URL TEST_REDIS_URL REQUIRE_POSTGRES DATABASE_URL_UNPOOLED \
            DATABASE_PRIVATE_URL GRPC_VERBOSITY GRPC_TRACE LOG_LEVEL MAX_OLD_SPACE \
            KUBERNETES_SERVICE_HOST KUBERNETES_PORT TASK_SERVICE_SERVICE_HOST \
            TASK_SERVICE_PORT_50052_TCP_ADDR SESSION_PORT JWT_SERVICE_PORT_HTTP INVOCATION_ID \
            JOURNAL_STREAM NOTIFY_SOCKET LISTEN_FDS NEXT_PUBLIC_API_URL GOOGLE_CLIENT_SECRET \
            OTEL_SERVICE_NAME SENTRY_DSN AWS_REGION FLY_REGION RAILWAY_ENVIRONMENT _";
        let usual: Vec<&str> = usual.split_whitespace().collect();
        assert_eq!(told(&usual), Vec::<String>::new());
        let ours: Vec<&str> = manual().into_iter().collect();
        assert_eq!(told(&ours), Vec::<String>::new());
    }

    #[test]
    fn typos_are_counted() {
        for (a, b, edits) in [
            ("", "", 0),
            ("ABC", "ABC", 0),
            ("ABC", "ACB", 1),
            ("ABC", "AB", 1),
            ("AB", "ABC", 1),
            ("ABC", "AXC", 1),
            ("ABCD", "BADC", 2),
            ("KITTEN", "SITTING", 3),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }
}
