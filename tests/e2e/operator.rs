//! Operator commands from a shell while the servers run.

mod doctor;

use std::time::{Duration, Instant};

use fixtures::{FreshDatabase, on_both_databases};

use crate::{
    binary::Binary,
    caller::{SignedIn, Stranger},
    process::{Exited, Server, run},
};

on_both_databases!(
    the_sessions_of_a_user_end_on_every_replica_within_a_second,
    the_sessions_of_all_end_on_every_replica_within_a_second,
);

/// The time after which every replica refuses a session that has ended.
const SOON: Duration = Duration::from_secs(1);

/// Runs a command on a database, with no other setting: it takes no secret.
fn operate(binary: Binary, database: &str, arguments: &[&str]) -> Exited {
    let mut command = binary.command();
    let name = if binary == Binary::Standalone { "AUTH_DATABASE_URL" } else { "DATABASE_URL" };
    command.env(name, database).args(arguments);
    run(command)
}

#[track_caller]
fn assert_output(ended: &Exited, output: &str) {
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(ended.stdout, output);
}

#[track_caller]
fn assert_refused(ended: &Exited, code: i32, why: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{}", ended.stderr);
    assert!(ended.stderr.contains(why), "{}", ended.stderr);
    assert!(!ended.stderr.contains("@example"), "an address is shown: {}", ended.stderr);
}

/// Two replicas, and a way to each.
fn replicas(database: &FreshDatabase) -> (Vec<Server>, Vec<Stranger>) {
    let servers: Vec<_> = (0..2).map(|_| Server::start(Binary::Auth, database.address())).collect();
    let ways = servers.iter().map(|server| Stranger::new(server.channel(), server.channel()));
    let ways = ways.collect();
    (servers, ways)
}

/// Asserts that no replica accepts a session of `ended` in a call that begins later than
/// [`SOON`] after `since`.
async fn assert_ended(ways: &[Stranger], ended: &[&SignedIn], since: Instant) {
    for way in ways {
        for caller in ended {
            let there = SignedIn { ways: way.clone(), ..(*caller).clone() };
            let mut begun = since.elapsed();
            while there.session_lives().await {
                assert!(begun < SOON, "a session of {} lives after {begun:?}", caller.id());
                begun = since.elapsed();
            }
        }
    }
}

async fn the_sessions_of_a_user_end_on_every_replica_within_a_second(database: FreshDatabase) {
    let (_servers, ways) = replicas(&database);
    let ada = ways[0].sign_up("ada@example.com").await;
    let there = ways[1].sign_in("ada@example.com").await;
    let bob = ways[0].sign_up("bob@example.com").await;
    let (id, address) = (ada.id(), database.address());

    let by_address =
        operate(Binary::Auth, address, &["sessions", "end", "--user", " ADA@example.com"]);
    let since = Instant::now();
    assert_output(&by_address, "sessions ended: 2\n");
    assert_ended(&ways, &[&ada, &there], since).await;
    assert!(bob.session_lives().await);

    let again = ways[1].sign_in("ada@example.com").await;
    let by_id = operate(Binary::Standalone, address, &["sessions", "end", "--user", &id]);
    assert_output(&by_id, "sessions ended: 1\n");
    assert_ended(&ways, &[&again], Instant::now()).await;
    assert_output(
        &operate(Binary::Auth, address, &["sessions", "end", "--user", &id]),
        "sessions ended: 0\n",
    );
    for nobody in ["eve@example.com", "nobody", ""] {
        let ended = operate(Binary::Auth, address, &["sessions", "end", "--user", nobody]);
        assert_refused(&ended, 1, "there is no such user");
    }
    assert!(bob.session_lives().await);
}

async fn the_sessions_of_all_end_on_every_replica_within_a_second(database: FreshDatabase) {
    let (_servers, ways) = replicas(&database);
    let ada = ways[0].sign_up("ada@example.com").await;
    let bob = ways[1].sign_up("bob@example.com").await;

    let unconfirmed = operate(Binary::Auth, database.address(), &["sessions", "end", "--all"]);
    assert_refused(&unconfirmed, 1, "add --yes");
    for unclear in [&["sessions", "end"][..], &["sessions", "end", "--all", "--user", "x"]] {
        assert_refused(&operate(Binary::Auth, database.address(), unclear), 2, "Usage");
    }
    assert!(ada.session_lives().await && bob.session_lives().await);

    let ended = operate(Binary::Auth, database.address(), &["sessions", "end", "--all", "--yes"]);
    let since = Instant::now();
    assert_output(&ended, "sessions ended: 2\n");
    assert_ended(&ways, &[&ada, &bob], since).await;
    assert!(ways[0].sign_in("ada@example.com").await.session_lives().await);
}

#[test]
fn a_database_that_is_not_there_is_one_line_and_is_not_made() {
    let folder = std::env::temp_dir().join(format!("operator-{}", std::process::id()));
    let file = format!("sqlite://{}/auth.db", folder.display());
    for address in [&file, "postgres://someone:Zq7-marker@127.0.0.1:1/nothing"] {
        let ended = operate(Binary::Auth, address, &["sessions", "end", "--all", "--yes"]);
        assert_refused(&ended, 1, "cannot use the database of accounts");
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert!(!ended.stderr.contains("marker"), "{}", ended.stderr);
    }
    assert!(!folder.exists());
    let ended = operate(Binary::Auth, "mysql://Zq7-marker", &["sessions", "end", "--all", "--yes"]);
    assert_refused(&ended, 2, "DATABASE_URL");
}
