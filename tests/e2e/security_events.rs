//! Security events that users can read, and those that no user can.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use proto::{
    audit::v1::SecurityEvent,
    auth::v1::{self as auth, DeleteUserRequest, VerifyPasswordRequest},
    task::v1 as task,
};
use shared::clock::ManualClock;
use tonic::{Code, Request, Status};

use crate::{
    answer::Refused,
    caller::{PASSWORD, SignedIn},
    scenarios::{in_both_worlds, in_both_worlds_with_manual_clock},
    world::World,
};

in_both_worlds!(
    an_event_records_what_happened_where_and_in_which_call,
    users_see_what_happened_to_them_and_nothing_else,
    the_list_goes_on_page_by_page,
    every_fault_of_a_page_is_named,
    events_of_a_deleted_account_are_kept_and_unreadable,
);
in_both_worlds_with_manual_clock!(calls_for_anothers_things_are_written_once_a_minute,);

/// How long an event may take to be listed on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

type Listed = (Vec<SecurityEvent>, String);

/// A page of what happened to the account of `caller`.
async fn account_events(caller: &SignedIn, size: i32, token: &str) -> Result<Listed, Status> {
    let request = auth::ListSecurityEventsRequest { page_size: size, page_token: token.to_owned() };
    let answer = caller.sessions().list_security_events(request).await?.into_inner();
    Ok((answer.events, answer.next_page_token))
}

/// A page of what happened at task-service in the name of `caller`.
async fn task_events(caller: &SignedIn, size: i32, token: &str) -> Result<Listed, Status> {
    let request = task::ListSecurityEventsRequest {
        user_id: caller.id(),
        page_size: size,
        page_token: token.to_owned(),
    };
    let answer = caller.tasks().list_security_events(request).await?.into_inner();
    Ok((answer.events, answer.next_page_token))
}

/// What happened to the account of `caller`, newest first, once there is so much.
pub async fn so_many(caller: &SignedIn, count: usize) -> Vec<SecurityEvent> {
    until(count, async || account_events(caller, 100, "").await.expect("a page").0).await
}

/// Security events of task-service.
pub async fn so_many_at_tasks(caller: &SignedIn, count: usize) -> Vec<SecurityEvent> {
    until(count, async || task_events(caller, 100, "").await.expect("a page").0).await
}

async fn until(count: usize, list: impl AsyncFn() -> Vec<SecurityEvent>) -> Vec<SecurityEvent> {
    let end = Instant::now() + PATIENCE;
    loop {
        let events = list().await;
        if events.len() >= count {
            assert_eq!(events.len(), count, "{events:?}");
            return events;
        }
        assert!(Instant::now() < end, "not listed: {events:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn kinds(events: &[SecurityEvent]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

async fn an_event_records_what_happened_where_and_in_which_call(world: &World) {
    let alice = world.alice().await;
    let mut wrong = Request::new(auth::SignInRequest {
        email: "alice@example.com".into(),
        password: "tulips and sun".into(),
    });
    wrong.metadata_mut().insert("x-request-id", "guess-1".parse().expect("a value"));
    let refused = world.stranger().accounts().sign_in(wrong).await;
    refused.refused(Code::Unauthenticated, "INVALID_EMAIL_OR_PASSWORD");

    let events = so_many(&alice, 2).await;
    let [failed, signed_up] = &events[..] else { panic!("two events") };
    assert_eq!((failed.kind.as_str(), signed_up.kind.as_str()), ("sign_in_failed", "signed_up"));
    assert_eq!(failed.request_id.as_deref(), Some("guess-1"));
    assert!(signed_up.request_id.as_ref().is_some_and(|id| !id.is_empty()));
    assert_eq!((&failed.session_id, &failed.detail), (&None, &None));
    assert_eq!(signed_up.session_id.as_ref(), Some(&alice.session.id));
    for event in &events {
        assert_eq!(event.ip_address.as_deref(), Some("127.0.0.1"));
        assert!(event.user_agent.as_ref().is_some_and(|agent| agent.starts_with("e2e")));
        assert!(event.at.is_some() && event.id.len() == 36);
    }
    assert!(failed.id > signed_up.id);
}

async fn users_see_what_happened_to_them_and_nothing_else(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let nobody = world.stranger().try_sign_in("nobody@example.com", PASSWORD).await;
    nobody.refused(Code::Unauthenticated, "INVALID_EMAIL_OR_PASSWORD");
    let theirs = task::ListTasksRequest { user_id: bob.id(), ..Default::default() };
    alice.tasks().list_tasks(theirs).await.refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");

    assert_eq!(kinds(&so_many_at_tasks(&alice, 1).await), ["ownership_refused"]);
    assert_eq!(kinds(&so_many(&alice, 1).await), ["signed_up"]);
    assert_eq!(kinds(&so_many(&bob, 1).await), ["signed_up"]);
    assert_eq!(so_many_at_tasks(&bob, 0).await, []);
    let his = task::ListSecurityEventsRequest { user_id: bob.id(), ..Default::default() };
    alice
        .tasks()
        .list_security_events(his)
        .await
        .refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
}

async fn the_list_goes_on_page_by_page(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    for _ in 0..4 {
        let wrong = VerifyPasswordRequest { password: "tulips and sun".into() };
        let wrong = alice.sessions().verify_password(wrong).await;
        wrong.refused(Code::InvalidArgument, "INVALID_PASSWORD");
    }
    let all = so_many(&alice, 5).await;
    let (mut paged, mut token) = (Vec::new(), String::new());
    loop {
        let (events, next) = account_events(&alice, 2, &token).await.expect("a page");
        assert!(events.len() <= 2);
        paged.extend(events);
        if next.is_empty() {
            break;
        }
        // Her place in her list is none in his.
        assert_eq!(account_events(&bob, 100, &next).await.faulty(), ["page_token"]);
        token = next;
    }
    assert_eq!(paged, all);
    assert_eq!(kinds(&all)[4], "signed_up");
}

async fn every_fault_of_a_page_is_named(world: &World) {
    let alice = world.alice().await;
    for token in ["!", "AQ", "0", "AgAAAAAAAAAAAAAAAAAAAAA"] {
        let faults = ["page_size", "page_token"];
        assert_eq!(account_events(&alice, -1, token).await.faulty(), faults, "{token}");
        assert_eq!(task_events(&alice, -1, token).await.faulty(), faults, "{token}");
    }
    assert_eq!(account_events(&alice, i32::MAX, "").await.expect("a page").1, "");
}

async fn events_of_a_deleted_account_are_kept_and_unreadable(world: &World) {
    let alice = world.alice().await;
    let wrong = VerifyPasswordRequest { password: "tulips and sun".into() };
    let wrong = alice.sessions().verify_password(wrong).await;
    wrong.refused(Code::InvalidArgument, "INVALID_PASSWORD");
    so_many(&alice, 2).await;
    let confirm = DeleteUserRequest { password: Some(PASSWORD.into()) };
    alice.sessions().delete_user(confirm).await.expect("deleted");
    account_events(&alice, 0, "").await.refused(Code::Unauthenticated, "INVALID_SESSION");

    let table = world.auth_table("security_event").await;
    let mut kept: Vec<String> = table.column("kind").await;
    kept.sort();
    assert_eq!(kept, ["account_deleted", "password_refused", "secret_first_used", "signed_up"]);
    // A later account with the same e-mail address is another user.
    assert_eq!(kinds(&so_many(&world.alice().await, 1).await), ["signed_up"]);
}

async fn calls_for_anothers_things_are_written_once_a_minute(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    let ask = async || {
        for _ in 0..20 {
            let theirs = task::ListTasksRequest { user_id: "bob".into(), ..Default::default() };
            let refused = alice.tasks().list_tasks(theirs).await;
            refused.refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
        }
    };
    ask().await;
    assert_eq!(kinds(&so_many_at_tasks(&alice, 1).await), ["ownership_refused"]);
    clock.advance(TimeDelta::seconds(60));
    ask().await;
    assert_eq!(so_many_at_tasks(&alice, 2).await.len(), 2);
}
