//! Rules about who may know whom.

use super::{Breaches, tree::Tree};

/// The generated messages stay where a wire is: the rpcs, the routes, the translation, and
/// the calls to the other service.
pub fn proto(tree: &Tree) -> Breaches {
    const ALLOWED: [&str; 2] = ["/src/api/", "/src/task_client/"];
    breaches(
        tree,
        &["proto::", "pb::"],
        |path| in_a_service(path) && !ALLOWED.iter().any(|place| path.contains(place)),
        |_, _| true,
    )
}

/// The database library stays with the tables and what can go wrong with them. A service's
/// `lib.rs` names the error of a failed start, and no more.
pub fn sea_orm(tree: &Tree) -> Breaches {
    const ALLOWED: [&str; 4] = ["/src/store/", "/src/entity/", "/src/migration/", "/src/error.rs"];
    breaches(
        tree,
        &["sea_orm"],
        |path| {
            const SERVER: [&str; 2] = ["server/src/db/", "server/src/audit_log/table"];
            !SERVER.iter().any(|place| path.starts_with(place))
                && !ALLOWED.iter().any(|place| path.contains(place))
        },
        |path, line| !(path.ends_with("/src/lib.rs") && line.trim() == "use sea_orm::DbErr;"),
    )
}

/// The router belongs to the server and the HTTP APIs.
pub fn axum(tree: &Tree) -> Breaches {
    const ALLOWED: [&str; 3] =
        ["server/src/", "auth-service/src/api/http/", "task-service/src/api/http/"];
    let elsewhere = |path: &str| !ALLOWED.iter().any(|place| path.starts_with(place));
    breaches(tree, &["axum::"], elsewhere, |_, _| true)
}

/// Every holder of the secret could sign; only auth-service does.
pub fn issuer(tree: &Tree) -> Breaches {
    let others =
        |path: &str| !path.starts_with("shared/src/auth/") && !path.starts_with("auth-service/");
    breaches(tree, &["TokenIssuer"], others, |_, _| true)
}

/// Statuses are made in one file, from a classified error or for a call that is refused, and by
/// the codec. `Status::from` makes none: it calls that function.
pub fn status(tree: &Tree) -> Breaches {
    const MAKERS: [&str; 2] = ["shared/src/error.rs", "proto/src/codec.rs"];
    let constructs = |line: &str| {
        line.match_indices("Status::").any(|(at, needle)| {
            let before = line[..at].chars().next_back();
            let after = &line[at + needle.len()..];
            !before.is_some_and(char::is_alphanumeric)
                && after.starts_with(char::is_lowercase)
                && !after.starts_with("from(")
        })
    };
    breaches(tree, &["Status::"], |path| !MAKERS.contains(&path), |_, line| constructs(line))
}

/// Crates depend downwards alone: services ▶ server ▶ shared, and everything ▶ proto. The gate
/// knows no contract, so that any service can be put behind it.
pub fn services(tree: &Tree) -> Breaches {
    let mut breaches = Breaches::new();
    for (manifest, forbidden) in [
        ("auth-service/Cargo.toml", &["task-service", "standalone"][..]),
        ("task-service/Cargo.toml", &["auth-service", "standalone"]),
        ("server/Cargo.toml", &["auth-service", "task-service", "standalone"]),
        ("shared/Cargo.toml", &["auth-service", "task-service", "standalone", "server", "proto"]),
        ("proto/Cargo.toml", &["auth-service", "task-service", "standalone", "server", "shared"]),
    ] {
        for (_, text) in tree.files().filter(|(path, _)| *path == manifest) {
            for (number, line) in (1..).zip(text.lines()) {
                // Its own name stands in quotes, a dependency's at the start of a line.
                if forbidden.iter().any(|name| line.starts_with(name)) {
                    breaches.push(format!("{manifest}:{number}: {line}"));
                }
            }
        }
    }
    breaches
}

fn in_a_service(path: &str) -> bool {
    ["auth-service/", "task-service/", "standalone/"].iter().any(|place| path.starts_with(place))
}

/// Lines of production code that name one of `needles` where it has no business.
fn breaches(
    tree: &Tree,
    needles: &[&str],
    is_off_limits: impl Fn(&str) -> bool,
    is_breach: impl Fn(&str, &str) -> bool,
) -> Breaches {
    tree.production()
        .filter(|(path, _, line)| {
            is_off_limits(path)
                && needles.iter().any(|needle| line.contains(needle))
                && is_breach(path, line)
        })
        .map(|(path, number, line)| format!("{path}:{number}: {}", line.trim()))
        .collect()
}
