//! Start-up of the binaries, and their refusals to start.

use std::time::Duration;

use fixtures::{Backend, FreshDatabase};
use tonic::Code;

use crate::{
    answer::Refused,
    binary::Binary,
    caller::Stranger,
    process::{Exited, Server, command_line, run},
    world::{SECRET, URL},
};

/// Weak secrets. The marker is in all of them that can hold one, so that a fault that
/// quotes its value is noticed.
const WEAK: [(&str, &str); 9] = [
    ("empty", ""),
    ("short", "Zq7-marker-too-short"),
    ("31 bytes", "Zq7-marker-c9e7a3d48620b5f1c9e7"),
    ("the default of Better Auth", "better-auth-secret-12345678901234567890"),
    ("an example's placeholder", "Zq7-marker-CHANGE_ME-CHANGE_ME-CHANGE_ME"),
    ("another one's", "your-secret-key-at-least-32-characters-Zq7-marker"),
    ("white space in front", " Zq7-marker-0b5f1c9e7a3d48626e2f9b04c7d1583a"),
    ("a line break at the end", "Zq7-marker-0b5f1c9e7a3d48626e2f9b04c7d1583a\n"),
    ("one letter", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
];

/// Starts with these settings alone; on top of what is sound unless `settings` change it.
fn refused(binary: Binary, settings: &[(&str, &str)]) -> Exited {
    let mut command = binary.command();
    // What must not happen is a start; if it does, it should not take a fixed port.
    command
        .env("GRPC_ADDR", "127.0.0.1:0")
        .env("HTTP_ADDR", "127.0.0.1:0")
        .envs(settings.iter().copied());
    command.current_dir(std::env::temp_dir());
    run(command)
}

/// Settings that would do, but for a secret.
const SOUND: (&str, &str) = ("BETTER_AUTH_URL", URL);

#[track_caller]
fn assert_refused_with(ended: &Exited, binary: Binary, faulty: &[&str]) {
    let output = &ended.stderr;
    assert_eq!(ended.code, Some(2), "{output}");
    assert!(ended.took < Duration::from_secs(2), "{:?}", ended.took);
    assert_eq!(ended.stdout, "");
    assert!(!output.contains("marker"), "a value is shown: {output}");
    assert!(!output.contains('\u{1b}'), "coloured: {output:?}");
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), faulty.len(), "{output}");
    for (line, name) in lines.iter().zip(faulty) {
        let start = format!("{}: {name} ", binary.name());
        assert!(line.starts_with(&start), "{line:?} does not start with {start:?}");
    }
}

#[test]
fn a_weak_secret_is_one_line_and_is_not_shown() {
    for binary in Binary::ALL {
        for (what, secret) in WEAK {
            // Standalone draws a secret where none is given.
            if binary == Binary::Standalone && secret.is_empty() {
                continue;
            }
            let ended = refused(binary, &[SOUND, ("BETTER_AUTH_SECRET", secret)]);
            assert_refused_with(&ended, binary, &["BETTER_AUTH_SECRET"]);
            let secret = secret.trim();
            assert!(secret.is_empty() || !ended.stderr.contains(secret), "{what} is shown");
        }
    }
}

#[test]
fn a_missing_secret_is_one_line() {
    for binary in [Binary::Auth, Binary::Tasks] {
        let ended = refused(binary, &[SOUND]);
        assert_refused_with(&ended, binary, &["BETTER_AUTH_SECRET"]);
        assert!(ended.stderr.contains("is missing"), "{}", ended.stderr);
    }
}

#[test]
fn every_weak_entry_of_a_list_of_secrets_is_a_line() {
    let list = format!("2:{SECRET},2:{SECRET}x,1:Zq7-marker-short,Zq7-marker-without-version");
    for binary in Binary::ALL {
        let ended = refused(binary, &[SOUND, ("BETTER_AUTH_SECRETS", &list)]);
        assert_refused_with(&ended, binary, &["BETTER_AUTH_SECRETS"; 3]);
        assert!(!ended.stderr.contains(SECRET));
    }
}

#[test]
fn tokens_that_cannot_be_verified_are_one_line() {
    let tasks = Binary::Tasks;
    for (binary, kind, output) in [
        (tasks, "Zq7-marker", "`hs256`, `session-cache` or `jwks`"),
        (tasks, "hs256,jwks", "exactly one"),
        (tasks, "jwks", "`--features jwks`"),
        (Binary::Standalone, "jwks", "task-service alone"),
        (Binary::Standalone, "session-cache", "task-service alone"),
    ] {
        let secret = ("BETTER_AUTH_SECRET", SECRET);
        let kind = ("TOKEN_VERIFIER", kind);
        let ended = refused(binary, &[SOUND, secret, kind, ("JWKS_URL", "http://127.0.0.1:1/")]);
        assert_refused_with(&ended, binary, &["TOKEN_VERIFIER"]);
        assert!(ended.stderr.contains(output), "{}", ended.stderr);
    }
}

#[test]
fn all_faults_are_listed_at_once_and_no_value_is_shown() {
    let everywhere = [
        ("BETTER_AUTH_SECRET", "Zq7-marker"),
        ("BETTER_AUTH_URL", "Zq7-marker"),
        ("GRPC_ADDR", "Zq7-marker"),
        ("TRUSTED_PROXIES", "Zq7-marker"),
        ("REFLECTION", "Zq7-marker"),
        ("MAX_CALLS", "Zq7-marker"),
        ("DRAIN_TIMEOUT", "Zq7-marker"),
        ("JWT_LEEWAY", "Zq7-marker"),
        ("LOG_FORMAT", "Zq7-marker"),
        ("RUST_LOG", "Zq7-marker=Zq7-marker"),
    ];
    let bad_database = "mysql://Zq7-marker:Zq7-marker@localhost/d";
    let own: [(Binary, &[(&str, &str)]); 3] = [
        (
            Binary::Auth,
            &[
                ("DATABASE_URL", bad_database),
                ("SESSION_TTL", "Zq7-marker"),
                ("PASSWORD_ATTEMPTS", "Zq7-marker"),
                ("ATTEMPT_STORE", "redis://:Zq7-marker@cache:Zq7-marker"),
                ("SESSION_MAX_AGE", "Zq7-marker"),
                ("SESSIONS_PER_USER", "Zq7-marker"),
                ("SESSION_ROTATION_GRACE", "Zq7-marker"),
                ("SESSION_TOKENS_AT_REST", "Zq7-marker"),
                ("TWO_FACTOR_ACCOUNTS", "Zq7-marker"),
                ("PASSWORD_MIN_LENGTH", "4"),
            ],
        ),
        (Binary::Tasks, &[("DATABASE_URL", bad_database)]),
        (
            Binary::Standalone,
            &[
                ("AUTH_DATABASE_URL", bad_database),
                ("TASK_DATABASE_URL", "sqlite://"),
                ("SIGN_UPS_PER_ADDRESS", "Zq7-marker"),
            ],
        ),
    ];
    for (binary, own) in own {
        let settings = [&everywhere, own].concat();
        let ended = refused(binary, &settings);
        let mut expected: Vec<&str> = settings.iter().map(|(name, _)| *name).collect();
        expected.sort_unstable();
        let mut named: Vec<&str> = ended
            .stderr
            .lines()
            .filter_map(|line| line.split_once(": ")?.1.split_once(' '))
            .map(|(name, _)| name)
            .collect();
        let as_printed = named.clone();
        named.sort_unstable();
        assert_eq!(named, expected, "{}", ended.stderr);
        assert_refused_with(&ended, binary, &as_printed);
    }
}

#[test]
fn an_unread_setting_is_reported_at_start_and_by_doctor_without_its_value() {
    let secret = ("BETTER_AUTH_SECRET", SECRET);
    let typo = ("TRUSTED_ORIGIN", "https://Zq7-marker.example");
    let database = ("DATABASE_URL", "postgres://u:Zq7-marker@127.0.0.1:1/d");
    let pair = ("AUTH_DATABASE_URL", "postgres://u:Zq7-marker@127.0.0.1:1/d");
    // Settings of others, which may share a file, and of other programs.
    let beside = [("TRASH_RETENTION", "30d"), ("SESSION_TTL", "7d"), ("HTTP_PROXY", "http://p")];
    for (binary, wrong, right) in [
        (Binary::Auth, pair, "DATABASE_URL"),
        (Binary::Tasks, ("TASK_DATABASE_URL", pair.1), "DATABASE_URL"),
        (Binary::Standalone, database, "AUTH_DATABASE_URL and TASK_DATABASE_URL"),
    ] {
        // It does not start, and still warns.
        let stop = ("MAX_CALLS", "Zq7-marker");
        let ended = refused(binary, &[&[SOUND, secret, typo, wrong, stop], &beside[..]].concat());
        let output = &ended.stderr;
        assert_eq!((ended.code, output.lines().count()), (Some(2), 3), "{output}");
        let elsewhere = format!("{} is set and not read here: set {right}", wrong.0);
        let meant = "TRUSTED_ORIGIN is not a setting: did you mean TRUSTED_ORIGINS?".to_owned();
        for warning in [&elsewhere, &meant] {
            let warns = |line: &str| line.contains("WARN") && line.ends_with(warning);
            assert!(output.lines().any(warns), "{warning}: {output}");
        }
        assert!(!output.contains("marker"), "{output}");

        let mut command = binary.command();
        command.envs([SOUND, secret, typo, wrong, stop]).envs(beside).arg("doctor");
        command.current_dir(std::env::temp_dir());
        let doctor = run(command);
        for warning in [&elsewhere, &meant] {
            let warns = |line: &str| line.starts_with("warn") && line.ends_with(warning);
            assert!(doctor.stdout.lines().any(warns), "{warning}: {}", doctor.stdout);
        }
        assert!(!doctor.stdout.contains("marker"), "{}", doctor.stdout);
    }
}

#[test]
fn an_address_that_breaks_the_grammar_is_one_line_with_the_cause() {
    for (binary, name, address, output) in [
        (Binary::Auth, "TRUSTED_ORIGINS", "http://localhost:x", "its port is no number"),
        (
            Binary::Tasks,
            "TRUSTED_ORIGINS",
            "http://a.example,http://b.example/x",
            "entry 2: it has a path",
        ),
        (Binary::Standalone, "BETTER_AUTH_URL", "http://localhost:03000", "its port is no number"),
        (Binary::Auth, "TASK_SERVICE_URL", "http://marker@tasks:50052", "before the host"),
    ] {
        let ended = refused(binary, &[("BETTER_AUTH_SECRET", SECRET), SOUND, (name, address)]);
        assert_refused_with(&ended, binary, &[name]);
        assert!(ended.stderr.contains(output), "{}", ended.stderr);
    }
}

#[test]
fn a_database_that_cannot_be_opened_is_one_line() {
    for binary in [Binary::Auth, Binary::Tasks] {
        let address = ("DATABASE_URL", "sqlite:///proc/nowhere/tasks.db");
        let ended = refused(binary, &[SOUND, ("BETTER_AUTH_SECRET", SECRET), address]);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap_or_default();
        let start = format!("{}: cannot open the database", binary.name());
        assert!(last.starts_with(&start), "{}", ended.stderr);
        assert!(last.contains("/proc/nowhere/tasks.db"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_one_line() {
    let database = FreshDatabase::new(Backend::Sqlite).await.expect("SQLite is always there");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let settings = [
        SOUND,
        ("BETTER_AUTH_SECRET", SECRET),
        ("DATABASE_URL", database.address()),
        ("GRPC_ADDR", &address),
    ];
    for binary in [Binary::Auth, Binary::Tasks] {
        let ended = refused(binary, &settings);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with(&format!("{}: ", binary.name())), "{}", ended.stderr);
        assert!(last.contains(&format!("cannot listen on {address}")), "{}", ended.stderr);
    }
}

#[test]
fn help_and_version_need_no_settings() {
    for binary in Binary::ALL {
        let mut command = binary.command();
        command.arg("--help");
        let help = run(command);
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
        assert!(help.stdout.contains(&format!("Usage: {}", binary.name())), "{}", help.stdout);
        assert!(help.stdout.contains(".env.example"), "{}", help.stdout);
        assert!(help.stdout.contains("RUST_LOG [default: info]"), "{}", help.stdout);

        let mut command = binary.command();
        command.arg("--version");
        let version = run(command);
        let expected = format!("{} {}\n", binary.name(), env!("CARGO_PKG_VERSION"));
        assert_eq!((version.code, version.stdout), (Some(0), expected));

        let mut command = binary.command();
        command.arg("--no-such-option");
        let wrong = run(command);
        assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(2), ""));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minted_token_works_and_the_secret_is_in_no_command_line() {
    let database = FreshDatabase::new(Backend::Sqlite).await.expect("SQLite is always there");
    let server = Server::start(Binary::Tasks, database.address());
    assert!(!command_line(server.id()).contains(SECRET));
    assert!(!server.log().contains(SECRET));

    for binary in [Binary::Auth, Binary::Standalone] {
        let mut command = binary.command();
        command.env("BETTER_AUTH_SECRET", SECRET).env("BETTER_AUTH_URL", URL);
        command.args(["token", "--user-id", "ada", "--ttl", "5m"]);
        let minted = run(command);
        assert_eq!((minted.code, minted.stderr.as_str()), (Some(0), ""));
        let token = minted.stdout.strip_suffix('\n').expect("one line");
        let mut tasks = Stranger::new(server.channel(), server.channel()).tasks(token);
        let list = |user: &str| proto::task::v1::ListTasksRequest {
            user_id: user.into(),
            ..Default::default()
        };
        tasks.list_tasks(list("ada")).await.expect("her own");
        let other = tasks.list_tasks(list("bob")).await;
        other.refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
    }
}

#[test]
fn a_token_is_not_minted_without_a_user_or_a_secret() {
    for arguments in [&["token"][..], &["token", "--user-id", ""], &["token", "--user-id", "a\nb"]]
    {
        let mut command = Binary::Auth.command();
        command.env("BETTER_AUTH_SECRET", SECRET).env("BETTER_AUTH_URL", URL).args(arguments);
        let ended = run(command);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
    }
    let mut command = Binary::Auth.command();
    command.env("BETTER_AUTH_URL", URL).args(["token", "--user-id", "ada"]);
    assert_refused_with(&run(command), Binary::Auth, &["BETTER_AUTH_SECRET"]);
}

#[tokio::test]
async fn health_asks_the_server_and_answers_with_its_exit_code() {
    let database = FreshDatabase::new(Backend::Sqlite).await.expect("SQLite is always there");
    let server = Server::start(Binary::Tasks, database.address());
    for binary in Binary::ALL {
        let mut command = binary.command();
        command.env("GRPC_ADDR", server.address().to_string()).arg("health");
        let healthy = run(command);
        assert_eq!(healthy.code, Some(0), "{}", healthy.stderr);
        let mut command = binary.command();
        command.env("GRPC_ADDR", "127.0.0.1:1").arg("health");
        assert_eq!(run(command).code, Some(1));
    }
}
