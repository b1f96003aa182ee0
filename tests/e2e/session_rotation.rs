//! Session tokens that are replaced, and what becomes of the old ones. The clock is moved;
//! no test waits.

use std::collections::HashSet;

use chrono::TimeDelta;
use proto::auth::v1::{
    GetSessionRequest, GetTokenRequest, ListSessionsRequest, RefreshSessionRequest,
    RefreshSessionResponse, SignOutRequest,
};
use shared::clock::ManualClock;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::{
    answer::Refused, caller::SignedIn, scenarios::in_both_worlds_with_manual_clock,
    wire::Difference, world::World,
};

in_both_worlds_with_manual_clock!(
    a_refreshed_session_is_the_same_with_other_credentials,
    fifty_uses_of_a_token_give_one_successor_and_a_later_one_ends_the_session,
    any_call_with_a_replaced_token_ends_the_session,
    a_dead_session_is_not_refreshed,
);

/// How long a replaced token is good.
const GRACE: TimeDelta = TimeDelta::seconds(10);

async fn refresh(caller: &SignedIn) -> Result<RefreshSessionResponse, Status> {
    caller
        .sessions()
        .refresh_session(RefreshSessionRequest {})
        .await
        .map(tonic::Response::into_inner)
}

/// `caller` with the credentials that a refresh gives.
async fn refreshed(caller: &SignedIn) -> SignedIn {
    let answer = refresh(caller).await.expect("refreshes");
    SignedIn {
        session_token: answer.session_token,
        access_token: answer.access_token.expect("an access token").token,
        ..caller.clone()
    }
}

async fn a_refreshed_session_is_the_same_with_other_credentials(
    world: &World,
    clock: &ManualClock,
) {
    let alice = world.alice().await;
    clock.advance(TimeDelta::hours(3));
    let answer = refresh(&alice).await.expect("refreshes");
    assert_eq!(
        (answer.user, answer.session),
        (Some(alice.user.clone()), Some(alice.session.clone()))
    );
    assert_eq!(answer.session_token.len(), 32);
    let after = SignedIn {
        session_token: answer.session_token,
        access_token: answer.access_token.expect("an access token").token,
        ..alice.clone()
    };
    assert!(after.session_token != alice.session_token);
    assert!(after.session_lives().await);
    after.create("With the token that came along").await;
    // A client that is a moment behind is still served, and receives the same response again.
    assert!(alice.session_lives().await);
    alice.sessions().get_token(GetTokenRequest {}).await.expect("a token");
    assert!(refreshed(&alice).await.session_token == after.session_token);
    let listed = alice.sessions().list_sessions(ListSessionsRequest {}).await.expect("a list");
    assert_eq!(listed.into_inner().sessions.len(), 1);
    // Neither token is in the database, where there is one session as before.
    let rows: Vec<String> = world.auth_table("session").await.column("id").await;
    assert!(rows.iter().eq([&alice.session.id]));
    let mut stored: Vec<String> = world.auth_table("session").await.column("token").await;
    for column in ["token_hash", "successor_hash"] {
        stored.extend(world.auth_table("rotated_token").await.column::<String>(column).await);
    }
    for token in [&alice.session_token, &after.session_token] {
        assert!(!stored.contains(token));
    }
}

async fn fifty_uses_of_a_token_give_one_successor_and_a_later_one_ends_the_session(
    world: &World,
    clock: &ManualClock,
) {
    let mut alice = world.alice().await;
    for _ in 0..3 {
        let mut asking = JoinSet::new();
        for _ in 0..50 {
            let alice = alice.clone();
            asking.spawn(async move { refreshed(&alice).await.session_token });
        }
        let successors: HashSet<String> = asking.join_all().await.into_iter().collect();
        assert_eq!(successors.len(), 1);
        let before = alice.clone();
        alice.session_token = successors.into_iter().next().expect("one");
        assert!(alice.session_lives().await && before.session_lives().await);

        clock.advance(GRACE);
        assert!(alice.session_lives().await);
        refresh(&before).await.refused(Code::Unauthenticated, "INVALID_SESSION");
        refresh(&alice).await.refused(Code::Unauthenticated, "INVALID_SESSION");
        assert!(!alice.session_lives().await && !before.session_lives().await);
        alice = world.stranger().sign_in("alice@example.com").await;
    }
}

async fn any_call_with_a_replaced_token_ends_the_session(world: &World, clock: &ManualClock) {
    let elsewhere = world.alice().await;
    for call in 0..4 {
        let thief = world.stranger().sign_in("alice@example.com").await;
        let alice = refreshed(&thief).await;
        clock.advance(GRACE);
        let mut sessions = thief.sessions();
        match call {
            0 => drop(sessions.get_session(GetSessionRequest {}).await),
            1 => drop(sessions.get_token(GetTokenRequest {}).await),
            2 => drop(sessions.list_sessions(ListSessionsRequest {}).await),
            _ => {
                let answer = sessions.sign_out(SignOutRequest {}).await;
                assert_eq!(answer.is_ok(), world.differs(Difference::SignOutNeedsNoSession));
            }
        }
        assert!(!alice.session_lives().await, "{call}");
    }
    assert!(elsewhere.session_lives().await);
}

async fn a_dead_session_is_not_refreshed(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    let ended = world.stranger().sign_in("alice@example.com").await;
    let after = refreshed(&ended).await;
    ended.sessions().sign_out(SignOutRequest {}).await.expect("signed out");
    for dead in [&ended, &after] {
        refresh(dead).await.refused(Code::Unauthenticated, "INVALID_SESSION");
    }
    clock.advance(TimeDelta::days(7));
    refresh(&alice).await.refused(Code::Unauthenticated, "INVALID_SESSION");
    for other in [alice.access_token.clone(), "x".repeat(32)] {
        let swapped = SignedIn { session_token: other, ..alice.clone() };
        refresh(&swapped).await.refused(Code::Unauthenticated, "INVALID_SESSION");
    }
}
