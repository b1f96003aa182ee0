//! `doctor`: its findings; it changes nothing and shows nothing secret.

use std::{os::unix::fs::PermissionsExt, path::Path};

use fixtures::{FreshDatabase, on_both_databases};
use sea_orm::{ConnectOptions, ConnectionTrait, Database};
use serde_json::Value;

use crate::{
    binary::Binary,
    caller::Stranger,
    forge::FOREIGN,
    process::{Exited, Server, Starting, run},
    world::URL,
};

/// Drawn, as the tests' usual one is not.
const SECRET: &str = "Zm9v7hQk2x+9rTqLw3YbPzN8sVdKj4Xa0uEcGiMoR6Q=";

on_both_databases!(
    a_deployment_in_order_has_no_fault,
    a_look_changes_nothing,
    what_takes_access_away_is_named_and_odd_emails_are_counted,
    a_database_in_another_layout_is_a_fault_and_a_missing_index_a_warning,
);

/// Runs it with these settings on top of what every service needs.
fn examine(binary: Binary, settings: &[(&str, &str)]) -> Exited {
    let mut command = binary.command();
    command.env("BETTER_AUTH_SECRET", SECRET).env("BETTER_AUTH_URL", URL);
    command.envs(settings.iter().copied()).arg("doctor");
    let ended = run(command);
    for secret in [SECRET, FOREIGN, "Zq7-marker", "@example.com"] {
        let output = [&*ended.stdout, &*ended.stderr].concat();
        assert!(!output.contains(secret), "{secret} is shown: {output}");
    }
    ended
}

/// Whether a line of the report has this verdict, this check and these words.
#[track_caller]
fn assert_finds(ended: &Exited, verdict: &str, check: &str, words: &str) {
    let is_it = |line: &&str| {
        let (first, rest) = line.split_once(' ').unwrap_or_default();
        first == verdict && rest.trim_start().starts_with(check) && rest.contains(words)
    };
    let report = &ended.stdout;
    assert!(report.lines().any(|line| is_it(&line)), "no {verdict} {check} {words}:\n{report}");
}

#[track_caller]
fn assert_verdict(ended: &Exited, faults: usize) {
    let found = ended.stdout.lines().filter(|line| line.starts_with("fault")).count();
    let code = Some(i32::from(faults > 0));
    assert_eq!((ended.code, found), (code, faults), "{}{}", ended.stdout, ended.stderr);
}

async fn execute(address: &str, statement: &str) {
    let mut options = ConnectOptions::new(address);
    options.max_connections(1).sqlx_logging(false);
    let connection = Database::connect(options).await.expect("the database answers");
    connection.execute_unprepared(statement).await.expect("it is done");
    connection.close().await.expect("closes");
}

async fn a_deployment_in_order_has_no_fault(database: FreshDatabase) {
    let server = Server::start(Binary::Auth, database.address());
    Stranger::new(server.channel(), server.channel()).sign_up("ada@example.com").await;
    let address = ("DATABASE_URL", database.address());
    let data = FreshDatabase::new(fixtures::Backend::Sqlite).await.expect("SQLite");
    let settings = [("DATABASE_URL", data.address()), ("BETTER_AUTH_SECRET", SECRET)];
    let tasks = Starting::new(Binary::Tasks, &settings).wait();
    let there = ("TASK_SERVICE_URL", &*format!("http://{}", tasks.address()));
    let found = examine(Binary::Auth, &[address, there]);
    assert_verdict(&found, 0);
    assert!(!found.stdout.contains("warn"), "{}", found.stdout);
    for (check, words) in [
        ("secret", "one secret signs"),
        ("settings", "http://localhost:3000"),
        ("tables", "missing: 0"),
        ("layout", "built-in layout"),
        ("hashing", "a second at most"),
        ("tasks", "takes the tokens"),
    ] {
        assert_finds(&found, "ok", check, words);
    }
    let of_database = if database.address().starts_with("sqlite") { "files" } else { "clock" };
    assert_finds(&found, "ok", of_database, "");

    let mut command = Binary::Auth.command();
    command.env("BETTER_AUTH_SECRET", SECRET).env("BETTER_AUTH_URL", URL);
    command.env(address.0, address.1).env(there.0, there.1).args(["doctor", "--json"]);
    let report: Value = serde_json::from_str(&run(command).stdout).expect("JSON");
    assert!(report.as_array().expect("a list").iter().all(|found| found["verdict"] == "ok"));
}

async fn what_takes_access_away_is_named_and_odd_emails_are_counted(database: FreshDatabase) {
    let server = Server::start(Binary::Auth, database.address());
    let stranger = Stranger::new(server.channel(), server.channel());
    for name in ["ada", "bob", "carol", "dave"] {
        stranger.sign_up(&format!("{name}@example.com")).await;
    }
    let address = database.address();
    for (email, stored) in
        [("bob", "Ada@Example.com"), ("carol", "Carol@Example.com"), ("dave", "DAVE@example.com")]
    {
        let update = format!(
            r#"UPDATE "user" SET "email" = '{stored}' WHERE "email" = '{email}@example.com'"#
        );
        execute(address, &update).await;
    }
    let flag = if address.starts_with("sqlite") { "integer" } else { "boolean" };
    for column in ["banned", "twoFactorEnabled", "disabled"] {
        execute(address, &format!(r#"ALTER TABLE "user" ADD COLUMN "{column}" {flag}"#)).await;
    }
    let address = ("DATABASE_URL", address);
    let found = examine(
        Binary::Auth,
        &[address, ("TASK_SERVICE_URL", "off"), ("TWO_FACTOR_ACCOUNTS", "password-only")],
    );
    assert_verdict(&found, 0);
    assert_finds(&found, "ok", "access", "`user`.`banned`");
    assert_finds(&found, "ok", "access", "TWO_FACTOR_ACCOUNTS");
    assert_finds(&found, "warn", "access", "`user`.`disabled` looks as if it took access away");
    assert_finds(&found, "warn", "settings", "signs in without it");
    assert_finds(&found, "ok", "emails", "3 accounts have capitals");
    assert_finds(&found, "warn", "emails", "1 addresses have several accounts");

    // So is it at start.
    let log = Server::start(Binary::Auth, address.1).log();
    for words in
        ["`user`.`banned`", r#""column":"disabled""#, r#""accounts":3"#, r#""addresses":1"#]
    {
        assert!(log.contains(words), "{words}: {log}");
    }
}

async fn a_look_changes_nothing(database: FreshDatabase) {
    let address = ("DATABASE_URL", database.address());
    for binary in [Binary::Auth, Binary::Tasks] {
        let found = examine(binary, &[address]);
        assert_verdict(&found, 0);
        let words =
            if database.address().starts_with("sqlite") { "first start" } else { "applies" };
        assert!(found.stdout.contains(words), "{}", found.stdout);
    }
    if let Some(file) = database.address().strip_prefix("sqlite://") {
        assert!(!Path::new(file).exists());
    } else {
        // Neither tables nor the record of migrations were made.
        execute(database.address(), r#"CREATE TABLE "user" ("id" text)"#).await;
        execute(database.address(), "CREATE TABLE auth_service_migration (version text)").await;
    }
}

async fn a_database_in_another_layout_is_a_fault_and_a_missing_index_a_warning(
    database: FreshDatabase,
) {
    let address = ("DATABASE_URL", database.address());
    Server::start(Binary::Auth, database.address()).kill();
    execute(database.address(), r#"DROP INDEX "session_userId_idx""#).await;
    let found = examine(Binary::Auth, &[address]);
    assert_verdict(&found, 0);
    assert_finds(&found, "warn", "indexes", r#"ON "session" ("userId")"#);

    execute(database.address(), r#"ALTER TABLE "user" RENAME COLUMN "createdAt" TO "made""#).await;
    let found = examine(Binary::Auth, &[address]);
    assert_verdict(&found, 1);
    assert_finds(&found, "fault", "layout", "createdAt");
}

#[test]
fn every_faulty_setting_is_a_fault() {
    for binary in Binary::ALL {
        let found = examine(
            binary,
            &[
                ("GRPC_ADDR", "Zq7-marker"),
                ("JWT_LEEWAY", "Zq7-marker"),
                ("RUST_LOG", "a=Zq7-marker"),
            ],
        );
        assert_verdict(&found, 3);
        for name in ["GRPC_ADDR", "JWT_LEEWAY", "RUST_LOG"] {
            assert_finds(&found, "fault", "settings", name);
        }
    }
}

#[test]
fn a_database_that_is_away_is_a_fault() {
    let away = [("DATABASE_URL", "postgres://someone:Zq7-marker@127.0.0.1:1/nothing")];
    for binary in [Binary::Auth, Binary::Tasks] {
        let found = examine(binary, &away);
        assert_verdict(&found, 1);
        assert_finds(&found, "fault", "database", "DATABASE_URL");
    }
}

#[tokio::test]
async fn what_is_allowed_and_questionable_is_a_warning() {
    let database = FreshDatabase::new(fixtures::Backend::Sqlite).await.expect("SQLite");
    Server::start(Binary::Auth, database.address()).kill();
    let file = database.address().strip_prefix("sqlite://").expect("a file");
    let folder = Path::new(file).parent().expect("a folder");
    for (path, mode) in [(folder, 0o755), (Path::new(file), 0o644)] {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, mode).expect("a mode");
    }
    let list = format!("2:{SECRET},1:this is the password for our app");
    let found = examine(
        Binary::Auth,
        &[
            ("DATABASE_URL", database.address()),
            ("BETTER_AUTH_SECRETS", &list),
            ("BETTER_AUTH_URL", "http://app.example.org"),
            ("JWT_AUDIENCE", "off"),
            ("ACCESS_TOKEN_TTL", "2h"),
            ("SESSION_TOKENS_AT_REST", "plain"),
            ("SESSION_COOKIE_CACHE", "5m"),
            ("ATTEMPT_LIMITS", "off"),
            ("TASK_SERVICE_URL", "off"),
            ("TRUSTED_PROXIES", "10.0.0.0/8, 0.0.0.0/0"),
        ],
    );
    assert_verdict(&found, 0);
    for (check, words) in [
        ("secret", "still verifies"),
        ("secret", "secret 2 of 2 looks made up"),
        ("settings", "BETTER_AUTH_URL"),
        ("settings", "JWT_AUDIENCE"),
        ("settings", "TRUSTED_ORIGINS"),
        ("settings", "ACCESS_TOKEN_TTL"),
        ("settings", "SESSION_TOKENS_AT_REST"),
        ("settings", "SESSION_COOKIE_CACHE"),
        ("settings", "ATTEMPT_LIMITS"),
        ("settings", "TRUSTED_PROXIES"),
        ("tasks", "tasks stay when an account goes"),
        ("files", "chmod 700"),
    ] {
        assert_finds(&found, "warn", check, words);
    }
    assert!(!found.stdout.contains("password for our"), "{}", found.stdout);
}

#[test]
fn a_secret_that_looks_made_up_is_a_warning_in_both_services() {
    for binary in [Binary::Auth, Binary::Tasks] {
        let typed = "this is the password for our app";
        let found = examine(binary, &[("BETTER_AUTH_SECRET", typed)]);
        assert_finds(&found, "warn", "secret", "secret 1 of 1 looks made up");
        assert!(!found.stdout.contains(typed), "{}", found.stdout);
    }
}

#[tokio::test]
async fn a_task_service_with_another_secret_is_a_fault() {
    let data = FreshDatabase::new(fixtures::Backend::Sqlite).await.expect("SQLite");
    let accounts = FreshDatabase::new(fixtures::Backend::Sqlite).await.expect("SQLite");
    for (secret, verdict, words) in
        [(SECRET, "ok", "takes the tokens"), (FOREIGN, "fault", "Invalid token signature")]
    {
        let settings = [("DATABASE_URL", data.address()), ("BETTER_AUTH_SECRET", secret)];
        let tasks = Starting::new(Binary::Tasks, &settings).wait();
        let url = format!("http://{}", tasks.address());
        let own = [("DATABASE_URL", accounts.address()), ("TASK_SERVICE_URL", &*url)];
        let found = examine(Binary::Auth, &own);
        assert_finds(&found, verdict, "tasks", words);
        assert_finds(&found, "ok", "clock", "task-service has the same time");
        tasks.kill();
        assert_finds(&examine(Binary::Auth, &own), "warn", "tasks", "does not answer");
    }
}
