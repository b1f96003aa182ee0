//! Sessions: what opens them, what they give, what ends them.

use proto::auth::v1::{
    self as pb, GetSessionRequest, GetTokenRequest, ListSessionsRequest,
    RevokeOtherSessionsRequest, RevokeSessionRequest, RevokeSessionsRequest, SignOutRequest,
};
use tonic::Code;

use crate::{
    answer::Refused,
    caller::SignedIn,
    exchange::AGENT,
    forge::{self, FOREIGN},
    scenarios::in_both_worlds,
    security_events::{kinds, so_many},
    wire::Difference,
    world::{SECRET, World},
};

in_both_worlds!(
    a_session_names_its_user,
    a_session_gives_access_tokens_that_task_service_takes,
    a_session_token_is_taken_raw_and_signed_and_nothing_else_is,
    neither_credential_stands_in_for_the_other,
    sign_out_ends_the_session_at_once_and_the_access_token_lives_on,
    sessions_are_listed_newest_first_and_the_callers_is_marked,
    one_session_is_revoked_by_its_id_and_only_by_its_user,
    all_sessions_or_all_but_this_one_are_revoked,
    the_database_holds_no_token_that_opens_anything,
);

async fn a_session_names_its_user(world: &World) {
    let alice = world.alice().await;
    let answer = alice.sessions().get_session(GetSessionRequest {}).await.expect("a session");
    let answer = answer.into_inner();
    assert_eq!(answer.user, Some(alice.user.clone()));
    let session = answer.session.expect("a session");
    assert_eq!(session, alice.session);
    let seconds = |time: Option<prost_types::Timestamp>| time.expect("a time").seconds;
    let life = seconds(session.expires_at) - seconds(session.created_at);
    assert_eq!(life, 7 * 24 * 3600);
    assert!(session.user_agent.expect("a user agent").starts_with(AGENT));
}

async fn a_session_gives_access_tokens_that_task_service_takes(world: &World) {
    let alice = world.alice().await;
    let answer = alice.sessions().get_token(GetTokenRequest {}).await.expect("a token");
    let fresh = answer.into_inner().access_token.expect("a token");
    let tasks = SignedIn { access_token: fresh.token, ..alice.clone() };
    let task = tasks.create("Water the plants").await;
    assert_eq!(task.user_id, alice.id());
    // The one that came with the sign-up is still good.
    assert_eq!(alice.get(&task.id).await.expect("the task"), task);
}

async fn a_session_token_is_taken_raw_and_signed_and_nothing_else_is(world: &World) {
    let alice = world.alice().await;
    let stranger = world.stranger();
    let token = &alice.session_token;
    let signed = forge::signed_session(SECRET, token);
    let encoded = signed.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    for good in [token, &signed, &encoded] {
        let answer = stranger.sessions(good).get_session(GetSessionRequest {}).await;
        assert_eq!(answer.expect("signed in").into_inner().user, Some(alice.user.clone()));
    }
    let swapped: String =
        token.chars().map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c }).collect();
    for bad in [
        forge::signed_session(FOREIGN, token),
        format!("{token}."),
        format!("{token}x"),
        token[..31].to_owned(),
        swapped,
        "x".repeat(32),
        alice.session.id.clone(),
    ] {
        let answer = stranger.sessions(&bad).get_session(GetSessionRequest {}).await;
        answer.refused(Code::Unauthenticated, "INVALID_SESSION");
    }
}

async fn neither_credential_stands_in_for_the_other(world: &World) {
    let alice = world.alice().await;
    let swapped = SignedIn {
        session_token: alice.access_token.clone(),
        access_token: alice.session_token.clone(),
        ..alice
    };
    let answer = swapped.sessions().get_session(GetSessionRequest {}).await;
    answer.refused(Code::Unauthenticated, "INVALID_SESSION");
    swapped.page(0, "", None).await.refused(Code::Unauthenticated, "MALFORMED_TOKEN");
}

async fn sign_out_ends_the_session_at_once_and_the_access_token_lives_on(world: &World) {
    let alice = world.alice().await;
    let elsewhere = world.stranger().sign_in("alice@example.com").await;
    alice.sessions().sign_out(SignOutRequest {}).await.expect("signed out");

    let again = alice.sessions().sign_out(SignOutRequest {}).await;
    if world.differs(Difference::SignOutNeedsNoSession) {
        again.expect("still signed out");
    } else {
        again.refused(Code::Unauthenticated, "INVALID_SESSION");
    }
    let token = alice.sessions().get_token(GetTokenRequest {}).await;
    token.refused(Code::Unauthenticated, "INVALID_SESSION");

    alice.create("Still mine for fifteen minutes").await;
    assert!(elsewhere.session_lives().await);
}

async fn sessions_are_listed_newest_first_and_the_callers_is_marked(world: &World) {
    let mut opened = vec![world.alice().await];
    world.bob().await;
    for _ in 0..2 {
        opened.push(world.stranger().sign_in("alice@example.com").await);
    }
    let caller = &opened[1];
    let listed = caller.sessions().list_sessions(ListSessionsRequest {}).await.expect("a list");
    let mut listed = listed.into_inner().sessions;
    for session in &mut listed {
        let last_used_at = session.last_used_at.take().expect("a moment");
        let created_at = session.created_at.expect("a moment");
        assert!(last_used_at.seconds - created_at.seconds <= 60);
        let time = |at: prost_types::Timestamp| (at.seconds, at.nanos);
        let used_since = time(last_used_at) > time(created_at);
        assert!(used_since || !session.current, "this very call is a use");
    }
    let expected: Vec<pb::Session> = opened
        .iter()
        .rev()
        .map(|one| pb::Session {
            current: one.session.id == caller.session.id,
            ..one.session.clone()
        })
        .collect();
    assert_eq!(listed, expected);
    assert!(!format!("{listed:?}").contains(&caller.session_token));
}

async fn one_session_is_revoked_by_its_id_and_only_by_its_user(world: &World) {
    let here = world.alice().await;
    let there = world.stranger().sign_in("alice@example.com").await;
    let bob = world.bob().await;
    let revoke = async |caller: &SignedIn, id: &str| {
        let request = RevokeSessionRequest { session_id: id.into() };
        caller.sessions().revoke_session(request).await
    };
    // Another's session and no session are answered alike, and nothing happens.
    for id in [there.session.id.as_str(), "no such session", "' OR 1=1 --"] {
        revoke(&bob, id).await.unwrap_or_else(|status| panic!("{id:?}: {status:?}"));
    }
    assert!(there.session_lives().await && here.session_lives().await);
    // PostgreSQL cannot even compare text with NUL; that is no outage.
    for id in ["", &"x".repeat(256), "no\0such"] {
        let answer = revoke(&here, id).await;
        if world.differs(Difference::SessionsAreRevokedByToken) {
            answer.unwrap_or_else(|status| panic!("{id:?}: {status:?}"));
        } else {
            assert_eq!(answer.faulty(), ["session_id"], "{id:?}");
        }
    }
    assert!(there.session_lives().await && here.session_lives().await);

    revoke(&here, &there.session.id).await.expect("revoked");
    assert!(!there.session_lives().await && here.session_lives().await);
    revoke(&here, &there.session.id).await.expect("already revoked");
    revoke(&here, &here.session.id).await.expect("revoked");
    assert!(!here.session_lives().await && bob.session_lives().await);
}

async fn all_sessions_or_all_but_this_one_are_revoked(world: &World) {
    let bob = world.bob().await;
    let one = world.alice().await;
    let two = world.stranger().sign_in("alice@example.com").await;
    let answer = one.sessions().revoke_other_sessions(RevokeOtherSessionsRequest {}).await;
    answer.expect("revoked");
    assert!(one.session_lives().await && !two.session_lives().await);

    let three = world.stranger().sign_in("alice@example.com").await;
    one.sessions().revoke_sessions(RevokeSessionsRequest {}).await.expect("revoked");
    assert!(!one.session_lives().await && !three.session_lives().await);
    assert!(bob.session_lives().await);
}

async fn the_database_holds_no_token_that_opens_anything(world: &World) {
    let alice = world.alice().await;
    let stored: Vec<String> = world.auth_table("session").await.column("token").await;
    assert_eq!(stored.len(), 1);
    assert_ne!(stored[0], alice.session_token);
    for credential in [stored[0].clone(), forge::signed_session(SECRET, &stored[0])] {
        let answer = world.stranger().sessions(&credential);
        let answer = answer.clone().get_session(GetSessionRequest {}).await;
        answer.refused(Code::Unauthenticated, "INVALID_SESSION");
    }
    let passwords: Vec<String> = world.auth_table("account").await.column("password").await;
    assert!(!passwords[0].contains(crate::caller::PASSWORD));
}

mod one_session_too_many_ends_the_oldest {
    crate::scenarios::tests!(run: sqlite_grpc sqlite_http postgres_grpc postgres_http);

    async fn run(backend: fixtures::Backend, wire: crate::wire::Wire) {
        let settings = [("SESSIONS_PER_USER", "2")];
        if let Some(world) = super::World::start_with(backend, wire, &settings).await {
            super::one_session_too_many_ends_the_oldest(&world).await;
            world.stop().await;
        }
    }
}

async fn one_session_too_many_ends_the_oldest(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let second = world.stranger().sign_in("alice@example.com").await;
    assert!(alice.session_lives().await && second.session_lives().await);
    let third = world.stranger().sign_in("alice@example.com").await;
    assert!(!alice.session_lives().await && second.session_lives().await);
    let fourth = world.stranger().sign_in("alice@example.com").await;
    assert!(!second.session_lives().await && third.session_lives().await);
    assert!(fourth.session_lives().await && bob.session_lives().await);
    let told = so_many(&fourth, 6).await;
    assert_eq!(kinds(&told).iter().filter(|kind| **kind == "session_ended").count(), 2);
}
