//! Every kind of event in a life, as the log of the real binaries and the table have it.

use std::time::{Duration, Instant};

use fixtures::{Backend, FreshDatabase, on_both_databases};
use proto::{
    auth::v1::{
        ChangePasswordRequest, DeleteUserRequest, RevokeOtherSessionsRequest, SignOutRequest,
        UpdateUserRequest, VerifyPasswordRequest,
    },
    task::v1::ListTasksRequest,
};
use serde_json::Value;
use tonic::Code;

use crate::{
    answer::Refused,
    binary::Binary,
    caller::{PASSWORD, SignedIn, Stranger},
    process::{Server, Starting},
    scenarios,
    security_events::{kinds, so_many, so_many_at_tasks},
    table::Table,
    wire::{Transport, Wire},
    world::SECRET,
};

const OTHER: &str = "a harbour in the fog";
const WRONG: &str = "tulips and sun";
const EMAIL: &str = "alice@example.com";

/// What happens to Alice's account, oldest first.
const STORY: [&str; 10] = [
    "signed_up",
    "sign_in_failed",
    "sign_in_succeeded",
    "user_updated",
    "password_refused",
    "password_changed",
    "session_ended",
    "sign_in_succeeded",
    "session_ended",
    "account_deleted",
];

mod a_lifecycle_is_in_the_log_and_in_the_table {
    use super::{Backend, Wire, scenarios};

    scenarios::tests!(run: sqlite_grpc sqlite_http postgres_grpc postgres_http);

    async fn run(backend: Backend, wire: Wire) {
        super::a_lifecycle_is_logged(backend, wire).await;
    }
}

on_both_databases!(
    a_new_secret_is_noted_once_and_only_where_it_is_new,
    events_recorded_before_a_stop_are_in_the_table_after_it,
);

fn start(binary: Binary, database: &FreshDatabase) -> Server {
    let settings =
        [("DATABASE_URL", database.address()), ("LAME_DUCK", "0"), ("REQUEST_TIMEOUT", "60")];
    Starting::new(binary, &settings).wait()
}

fn way(server: &Server, wire: Wire) -> Transport {
    match wire {
        Wire::Grpc => Transport::Grpc(server.channel()),
        Wire::Http => Transport::Http(server.http_address()),
    }
}

/// The security events in the log, oldest first, once there are so many.
async fn logged(server: &Server, count: usize) -> Vec<Value> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let log = server.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let events: Vec<_> = lines.filter(|line| line["target"] == "audit").collect();
        if events.len() >= count {
            return events;
        }
        assert!(Instant::now() < end, "{log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Everything that can happen to an account today.
async fn live(stranger: &Stranger) -> SignedIn {
    let alice = stranger.sign_up(EMAIL).await;
    for email in [EMAIL, "nobody@example.com"] {
        let wrong = stranger.try_sign_in(email, WRONG).await;
        wrong.refused(Code::Unauthenticated, "INVALID_EMAIL_OR_PASSWORD");
    }
    stranger.sign_in(EMAIL).await;
    let update = UpdateUserRequest { name: Some("Alice".into()), image: None };
    alice.sessions().update_user(update).await.expect("updated");
    let wrong = VerifyPasswordRequest { password: WRONG.into() };
    let wrong = alice.sessions().verify_password(wrong).await;
    wrong.refused(Code::InvalidArgument, "INVALID_PASSWORD");
    let change = ChangePasswordRequest {
        current_password: PASSWORD.into(),
        new_password: OTHER.into(),
        revoke_other_sessions: false,
    };
    alice.sessions().change_password(change).await.expect("changed");
    // Ending none, the second time, is no event.
    for _ in 0..2 {
        let others = RevokeOtherSessionsRequest {};
        alice.sessions().revoke_other_sessions(others).await.expect("ended");
    }
    let there = stranger.try_sign_in(EMAIL, OTHER).await.expect("signs in");
    there.sessions().sign_out(SignOutRequest {}).await.expect("signed out");
    alice
}

async fn a_lifecycle_is_logged(backend: Backend, wire: Wire) {
    let Some(database) = FreshDatabase::new(backend).await else { return };
    let Some(tasks_database) = FreshDatabase::new(backend).await else { return };
    let auth = start(Binary::Auth, &database);
    let tasks = start(Binary::Tasks, &tasks_database);
    let alice = live(&Stranger::new(way(&auth, wire), way(&tasks, wire))).await;
    let theirs = ListTasksRequest { user_id: "bob".into(), ..Default::default() };
    let theirs = alice.tasks().list_tasks(theirs).await;
    theirs.refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");

    let listed = so_many(&alice, STORY.len() - 1).await;
    assert_eq!(kinds(&listed).into_iter().rev().collect::<Vec<_>>(), STORY[..STORY.len() - 1]);
    let at_tasks = so_many_at_tasks(&alice, 1).await;
    let confirm = DeleteUserRequest { password: Some(OTHER.into()) };
    alice.sessions().delete_user(confirm).await.expect("deleted");

    // One for the secret, and one of no user.
    let lines = logged(&auth, STORY.len() + 2).await;
    let mut about_her: Vec<_> =
        lines.iter().filter(|line| line["user.id"] == alice.id().as_str()).collect();
    let recorded: Vec<_> =
        about_her.iter().map(|line| line["event"].as_str().expect("one")).collect();
    assert_eq!(recorded, STORY);
    let nobodys: Vec<_> = lines.iter().filter(|line| line["user.id"].is_null()).collect();
    let recorded: Vec<_> =
        nobodys.iter().map(|line| line["event"].as_str().expect("one")).collect();
    assert_eq!(recorded, ["secret_first_used", "sign_in_failed"]);
    for (line, event) in about_her.iter().zip(listed.iter().rev()) {
        assert_eq!(line["request.id"].as_str(), event.request_id.as_deref());
        assert_eq!(line["session.id"].as_str(), event.session_id.as_deref());
        assert_eq!(line["client.address"], "127.0.0.1");
        assert_eq!((&line["level"], &line["message"]), (&"INFO".into(), &"security event".into()));
        assert_eq!(line["span"]["request.id"], line["request.id"]);
    }
    let refused = logged(&tasks, 1).await;
    about_her = refused.iter().collect();
    let [line] = about_her[..] else { panic!("one event: {refused:?}") };
    assert_eq!(
        (&line["event"], &line["user.id"]),
        (&"ownership_refused".into(), &alice.id().into())
    );
    assert_eq!(line["request.id"].as_str(), at_tasks[0].request_id.as_deref());

    let log = auth.log() + &tasks.log();
    let tokens = [alice.session_token.as_str(), &alice.access_token];
    for secret in [PASSWORD, OTHER, WRONG, EMAIL, "nobody@"].into_iter().chain(tokens) {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}

async fn a_new_secret_is_noted_once_and_only_where_it_is_new(database: FreshDatabase) {
    let rotated = format!("2:e2e-0a1b2c3d4e5f60718293a4b5c6d7e8f9,1:{SECRET}");
    let started = async |secrets: &str| {
        let settings = [("DATABASE_URL", database.address()), ("BETTER_AUTH_SECRETS", secrets)];
        let server = Starting::new(Binary::Auth, &settings).wait();
        // It listens, so the events of its start are recorded.
        let events = logged(&server, 0).await;
        let kinds = events.iter().map(|line| line["event"].as_str().expect("one").to_owned());
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(started("").await, ["secret_first_used"]);
    assert_eq!(started("").await, [""; 0]);
    assert_eq!(started(&rotated).await, ["secret_rotated"]);
    assert_eq!(started(&rotated).await, [""; 0]);
    let table = Table::open(database.address(), "security_event").await;
    assert_eq!(table.column::<String>("kind").await.len(), 2);
}

async fn events_recorded_before_a_stop_are_in_the_table_after_it(database: FreshDatabase) {
    let mut server = start(Binary::Tasks, &database);
    let (way, wait) = (server.channel(), Duration::from_secs(20));
    let table = Table::open(database.address(), "security_event").await;
    // Nothing can be written before the last call has ended.
    let held = table.lock().await;
    for user in 0..20 {
        let caller = Stranger::new(way.clone(), way.clone()).minted(&format!("user-{user}"));
        let theirs = ListTasksRequest { user_id: "bob".into(), ..Default::default() };
        let theirs = caller.tasks().list_tasks(theirs).await;
        theirs.refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
    }
    server.terminate();
    let end = Instant::now() + wait;
    while !server.log().contains("\"message\":\"stopped\"") {
        assert!(Instant::now() < end, "{}", server.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    held.rollback().await.expect("let go");
    let status = server.wait(wait).expect("it ends");
    assert_eq!(status.code(), Some(0), "{}", server.log());
    assert_eq!(table.column::<String>("kind").await, ["ownership_refused"; 20]);
}
