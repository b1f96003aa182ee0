//! Expiry of sessions and tokens. The clock is moved; no test waits.

use chrono::TimeDelta;
use prost_types::Timestamp;
use proto::auth::v1::{
    DeleteUserRequest, GetSessionRequest, GetTokenRequest, ListSessionsRequest, Session,
};
use shared::clock::{Clock, ManualClock};
use tonic::Code;

use crate::{
    answer::Refused,
    caller::{PASSWORD, SignedIn},
    scenarios::in_both_worlds_with_manual_clock,
    world::World,
};

in_both_worlds_with_manual_clock!(
    a_session_is_extended_by_use_once_a_day,
    a_session_that_is_not_used_ends_after_seven_days,
    a_session_that_is_used_lives_on,
    a_session_that_is_used_ends_after_ninety_days,
    what_needs_a_fresh_session_is_refused_after_a_day,
    an_access_token_ends_after_fifteen_minutes_and_its_leeway,
);

async fn session(caller: &SignedIn) -> Session {
    let answer = caller.sessions().get_session(GetSessionRequest {}).await.expect("a session");
    answer.into_inner().session.expect("a session")
}

fn seconds(time: Option<&Timestamp>) -> i64 {
    time.expect("a time").seconds
}

async fn a_session_is_extended_by_use_once_a_day(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    clock.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    assert_eq!(session(&alice).await, alice.session);

    clock.advance(TimeDelta::seconds(1));
    let extended = session(&alice).await;
    let later = seconds(extended.expires_at.as_ref()) - seconds(alice.session.expires_at.as_ref());
    assert_eq!(later, 24 * 3600);
    assert_ne!(extended.updated_at, alice.session.updated_at);
    assert_eq!(extended.created_at, alice.session.created_at);

    clock.advance(TimeDelta::hours(23));
    assert_eq!(session(&alice).await, extended);
}

async fn a_session_that_is_not_used_ends_after_seven_days(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    let there = world.stranger().sign_in("alice@example.com").await;
    clock.advance(TimeDelta::days(7));
    let answer = alice.sessions().get_token(GetTokenRequest {}).await;
    answer.refused(Code::Unauthenticated, "INVALID_SESSION");
    assert!(!there.session_lives().await);
    // The next sign-in takes away what has expired.
    let again = world.stranger().sign_in("alice@example.com").await;
    let rows: Vec<String> = world.auth_table("session").await.column("id").await;
    assert_eq!(rows, [again.session.id]);
}

async fn a_session_that_is_used_lives_on(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    for _ in 0..5 {
        clock.advance(TimeDelta::days(6));
        assert!(alice.session_lives().await);
    }
}

async fn a_session_that_is_used_ends_after_ninety_days(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    let last = seconds(alice.session.created_at.as_ref()) + 90 * 24 * 3600;
    for _ in 0..17 {
        clock.advance(TimeDelta::days(5));
        let session = session(&alice).await;
        assert!(seconds(session.expires_at.as_ref()) <= last);
    }
    clock.advance(TimeDelta::days(5) - TimeDelta::seconds(1));
    assert_eq!(seconds(session(&alice).await.expires_at.as_ref()), last);
    clock.advance(TimeDelta::seconds(1));
    let answer = alice.sessions().get_token(GetTokenRequest {}).await;
    answer.refused(Code::Unauthenticated, "INVALID_SESSION");
}

async fn what_needs_a_fresh_session_is_refused_after_a_day(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    clock.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    alice.sessions().list_sessions(ListSessionsRequest {}).await.expect("still fresh");
    clock.advance(TimeDelta::seconds(1));
    // Use extends a session; it does not make it fresh.
    assert!(alice.session_lives().await);
    let listed = alice.sessions().list_sessions(ListSessionsRequest {}).await;
    listed.refused(Code::PermissionDenied, "SESSION_NOT_FRESH");
    let deleted = alice.sessions().delete_user(DeleteUserRequest { password: None }).await;
    deleted.refused(Code::PermissionDenied, "SESSION_NOT_FRESH");

    let confirmed = DeleteUserRequest { password: Some(PASSWORD.into()) };
    alice.sessions().delete_user(confirmed).await.expect("the password is enough");
}

async fn an_access_token_ends_after_fifteen_minutes_and_its_leeway(
    world: &World,
    clock: &ManualClock,
) {
    let alice = world.alice().await;
    clock.advance(TimeDelta::minutes(15));
    alice.create("In the leeway").await;
    clock.advance(TimeDelta::seconds(15));
    alice.page(0, "", None).await.refused(Code::Unauthenticated, "TOKEN_EXPIRED");

    let answer = alice.sessions().get_token(GetTokenRequest {}).await.expect("a token");
    let token = answer.into_inner().access_token.expect("a token");
    let life = seconds(token.expires_at.as_ref()) - clock.now().timestamp();
    assert_eq!(life, 15 * 60);
    let renewed = SignedIn { access_token: token.token, ..alice };
    assert_eq!(renewed.all_tasks().await.len(), 1);
}
