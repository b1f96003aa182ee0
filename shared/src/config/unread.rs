//! Unread variables: environment variables that look like settings of this program and are none.
//!
//! The manual (`.env.example`) lists all settings: one of another program of this project is
//! known, as they may share a file. Others are reported only if they are a typo away from a
//! setting, or have a prefix of several settings: an environment is full of other programs'
//! variables.

use std::collections::{BTreeMap, BTreeSet};

const MANUAL: &str = include_str!("../../../.env.example");

/// The number of settings that make their common prefix a family.
const MIN_FAMILY: usize = 3;

/// Prefixes that other programs use as well: limits, and the databases of platforms.
const SHARED_BEGINNINGS: [&str; 2] = ["MAX_", "DATABASE_"];

/// Other programs' variables that a prefix or a typo would match: the X session's, the password
/// store's, the database of test suites.
const FOREIGN: [&str; 4] = ["SESSION_MANAGER", "PASSWORD_STORE_", "TEST_DATABASE_URL", "SSL_CERT_"];

/// The length from which a name may be two typos away, instead of one.
const LONG_NAME: usize = 10;

/// The shortest name that is compared.
const MIN_NAME: usize = 5;

/// The names of all settings of all programs.
#[must_use]
pub fn manual() -> BTreeSet<&'static str> {
    let names = MANUAL.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix('#').unwrap_or(line).split_once('=')?;
        let is_name = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        (!name.is_empty() && name.bytes().all(is_name)).then_some(name)
    });
    names.collect()
}

/// A sentence for each of `set` that is not `known` and looks like a setting.
pub fn unknown_settings(set: &[String], known: &BTreeSet<&str>) -> Vec<String> {
    let families = families(known);
    let sentences = set.iter().filter(|name| !known.contains(name.as_str())).filter_map(|name| {
        let upper = name.to_ascii_uppercase();
        if is_foreign(&upper) {
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
    sentences.collect()
}

/// Whether Kubernetes sets the variable for each service: `AUTH_SERVICE_HOST`,
/// `AUTH_PORT_80_TCP`.
fn is_foreign(name: &str) -> bool {
    let of_a_service = name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || name.contains("_TCP")
        || name.contains("_UDP");
    of_a_service || FOREIGN.iter().any(|other| name.starts_with(other))
}

/// The setting that is at most a typo or two away.
fn nearest<'a>(name: &str, known: &BTreeSet<&'a str>) -> Option<&'a str> {
    let near = known.iter().filter(|known| known.len() >= MIN_NAME).filter_map(|known| {
        let distance = distance(name, known);
        let most = if known.len() >= LONG_NAME { 2 } else { 1 };
        (distance <= most).then_some((distance, *known))
    });
    near.min().map(|(_, known)| known)
}

/// A setting of the family that shares a prefix or a suffix with the name.
fn related<'a>(name: &str, family: &str, known: &BTreeSet<&'a str>) -> Option<&'a str> {
    let begins = |known: &&&str| {
        known.starts_with(family) && (known.starts_with(name) || name.starts_with(**known))
    };
    let rest = &name[family.len()..];
    known.iter().find(begins).or_else(|| known.iter().find(|known| **known == rest)).copied()
}

/// The common prefixes of several settings, up to a `_`.
fn families<'a>(known: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let mut by_word: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    for name in known {
        if let Some((word, _)) = name.split_once('_') {
            by_word.entry(word).or_default().push(name);
        }
    }
    let several = by_word.into_values().filter(|names| names.len() >= MIN_FAMILY);
    let families = several.filter_map(|names| {
        let (first, last) = (names.first()?, names.last()?); // sorted: the most unlike
        let common = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
        let end = first[..common].rfind('_')? + 1;
        Some(&first[..end])
    });
    families.filter(|family| !SHARED_BEGINNINGS.contains(family)).collect()
}

/// The edit distance: letters left out, inserted, changed or swapped with their neighbour.
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

    fn sentences(names: &[&str]) -> Vec<String> {
        let set: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        unknown_settings(&set, &manual())
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
    fn typos_and_unknown_members_of_a_family_are_reported_with_a_suggestion() {
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
            let sentences = sentences(&[name]);
            let expected = format!("{name} is not a setting: did you mean {meant}?");
            assert_eq!(sentences, [expected]);
        }
        for name in ["JWT_SECRET", "BETTER_AUTH_TELEMETRY", "PASSWORD_PEPPER"] {
            assert_eq!(sentences(&[name]), [format!("{name} is not a setting, and is not read")]);
        }
    }

    #[test]
    fn variables_of_other_programs_are_not_reported() {
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
        assert_eq!(sentences(&usual), Vec::<String>::new());
        let ours: Vec<&str> = manual().into_iter().collect();
        assert_eq!(sentences(&ours), Vec::<String>::new());
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
