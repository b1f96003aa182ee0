//! Accounts in a database that a Better Auth server made, whatever its ids are.

use fixtures::{Backend, EMAIL, Foreign, FreshDatabase, Ids, PASSWORD, TOKEN};
use shared::proto::auth::v1::{GetSessionRequest, RevokeSessionRequest};

use crate::{
    caller, forge,
    scenarios::tests,
    wire::Wire,
    world::{SECRET, World},
};

/// Runs the scenario on tables with these ids.
macro_rules! on_tables_with {
    ($($name:ident: $ids:expr, $has_issuer:expr);+ $(;)?) => {$(
        mod $name {
            use super::*;

            tests!(run: sqlite_grpc sqlite_http postgres_grpc postgres_http);

            async fn run(backend: Backend, wire: Wire) {
                live(backend, wire, Foreign { ids: $ids, has_issuer: $has_issuer }).await;
            }
        }
    )+};
}

on_tables_with! {
    texts: Ids::Text, false;
    uuids: Ids::Uuid, false;
    numbers: Ids::Serial, false;
    numbers_and_an_issuer: Ids::Serial, true;
}

async fn live(backend: Backend, wire: Wire, foreign: Foreign) {
    let Some(accounts) = FreshDatabase::new(backend).await else { return };
    foreign.make(&accounts).await;
    let Some(world) = World::start_on(accounts, backend, wire, &[]).await else { return };
    assert_eq!(PASSWORD, caller::PASSWORD);

    // Who was there goes on, by session and by password.
    for token in [TOKEN.to_owned(), forge::signed_session(SECRET, TOKEN)] {
        let answer = world.stranger().sessions(&token).get_session(GetSessionRequest {}).await;
        let user = answer.expect("a session").into_inner().user.expect("a user");
        assert_eq!((user.id.as_str(), user.email.as_str()), (foreign.user_id(), EMAIL));
    }
    let ada = world.stranger().sign_in(EMAIL).await;
    assert_eq!(ada.id(), foreign.user_id());
    let task = ada.create("Water the plants").await;
    assert_eq!(task.user_id, foreign.user_id());

    // Who comes is somebody else.
    let alice = world.alice().await;
    assert_ne!(alice.id(), ada.id());
    let task = alice.create("Water the cat").await;
    assert_eq!(task.user_id, alice.id());

    // An id that cannot be one is no session's.
    for id in ["abc", "0", "-1", "99999999999999999999", "1; DROP TABLE session", "\u{e9}"] {
        let request = RevokeSessionRequest { session_id: id.into() };
        let answer = ada.sessions().revoke_session(request).await;
        answer.unwrap_or_else(|status| panic!("{id:?}: {status:?}"));
    }
    assert!(ada.session_lives().await && alice.session_lives().await);
    let other = world.stranger().sign_in(EMAIL).await;
    let request = RevokeSessionRequest { session_id: other.session.id.clone() };
    ada.sessions().revoke_session(request).await.expect("revoked");
    assert!(!other.session_lives().await && ada.session_lives().await);
    world.stop().await;
}
