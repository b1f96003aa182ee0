//! Accounts in a database that a Better Auth server made, whatever its ids are.

use fixtures::{Backend, EMAIL, Foreign, FreshDatabase, Ids, PASSWORD, TOKEN};
use proto::auth::v1::{
    GetSessionRequest, GetTokenRequest, ListSessionsRequest, RefreshSessionRequest,
    RevokeSessionRequest,
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database};
use tonic::{Code, Status};
use tonic_types::StatusExt;

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

    // The new account is another user.
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

mod restricted {
    use super::*;

    tests!(run: sqlite_grpc sqlite_http postgres_grpc postgres_http);

    async fn run(backend: Backend, wire: Wire) {
        banned_and_back(backend, wire).await;
    }
}

/// A ban of the server beside this one holds on the next call, and no longer than it lasts.
async fn banned_and_back(backend: Backend, wire: Wire) {
    let Some(accounts) = FreshDatabase::new(backend).await else { return };
    let foreign = Foreign { ids: Ids::Text, has_issuer: false };
    foreign.make(&accounts).await;
    let address = accounts.address().to_owned();
    let (flag, time) = match backend {
        Backend::Postgres => ("boolean", "timestamptz"),
        Backend::Sqlite => ("integer", "date"),
    };
    for (name, kind) in [("banned", flag), ("banExpires", time), ("twoFactorEnabled", flag)] {
        execute(&address, &format!(r#"ALTER TABLE "user" ADD COLUMN "{name}" {kind}"#)).await;
    }
    let Some(world) = World::start_on(accounts, backend, wire, &[]).await else { return };
    let ada = world.stranger().sign_in(EMAIL).await;

    let sign_in =
        async |password: &str| world.stranger().try_sign_in(EMAIL, password).await.map(drop);
    let reason = |answer: Result<(), Status>| {
        let refused = answer.expect_err("refused");
        (refused.code(), refused.get_details_error_info().map(|info| info.reason))
    };
    let forbidden = |why: &str| (Code::PermissionDenied, Some(why.to_owned()));

    execute(&address, r#"UPDATE "user" SET "banned" = TRUE"#).await;
    assert_eq!(reason(sign_in(PASSWORD).await), forbidden("BANNED_USER"));
    let wrong = reason(sign_in("not the password").await);
    assert_eq!(wrong.1.as_deref(), Some("INVALID_EMAIL_OR_PASSWORD"));
    for answer in [
        ada.sessions().get_token(GetTokenRequest {}).await.map(drop),
        ada.sessions().list_sessions(ListSessionsRequest {}).await.map(drop),
        ada.sessions().refresh_session(RefreshSessionRequest {}).await.map(drop),
    ] {
        assert_eq!(reason(answer), forbidden("BANNED_USER"));
    }
    execute(&address, r#"UPDATE "user" SET "banExpires" = '2026-01-01T00:00:00.000Z'"#).await;
    assert!(ada.session_lives().await, "the ban has lapsed");
    sign_in(PASSWORD).await.expect("lets in again");

    execute(&address, r#"UPDATE "user" SET "twoFactorEnabled" = TRUE"#).await;
    assert_eq!(reason(sign_in(PASSWORD).await), forbidden("TWO_FACTOR_REQUIRED"));
    assert!(ada.session_lives().await, "who asked for it opened the session");
    world.stop().await;
}

async fn execute(address: &str, statement: &str) {
    let mut options = ConnectOptions::new(address);
    options.max_connections(1).sqlx_logging(false);
    let connection = Database::connect(options).await.expect("the database answers");
    connection.execute_unprepared(statement).await.expect(statement);
    connection.close().await.expect("closes");
}
