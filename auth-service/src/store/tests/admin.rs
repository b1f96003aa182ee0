//! Admin commands beside running servers.

use fixtures::{FreshDatabase, on_both_databases};
use server::ClientInfo;
use shared::error::Refusal;

use super::{Scene, raw};
use crate::{
    error::Error,
    session_token::AtRest,
    store::{Store, Which},
};

on_both_databases!(
    an_admin_ends_every_session_and_servers_refuse_them_at_once,
    all_sessions_end_in_steps,
    a_database_without_the_tables_is_refused_and_left_empty,
);

async fn an_admin_ends_every_session_and_servers_refuse_them_at_once(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let ada = scene.sign_up("u1", "ada@example.com").await.expect("free");
    let bob = scene.sign_up("u2", "bob@example.com").await.expect("free");
    let sessions = scene.sessions(AtRest::Hashed);
    let visitor = Store::open_existing(&scene.database.url()).await.expect("the tables");

    assert_eq!(visitor.end_sessions("u1", Which::All).await.expect("ends").count, 1);
    assert!(matches!(
        sessions.resume(&ada, &ClientInfo::default()).await,
        Err(Error::Refused(Refusal::InvalidSession))
    ));
    assert!(sessions.resume(&bob, &ClientInfo::default()).await.is_ok());
    assert_eq!(visitor.end_sessions("u1", Which::All).await.expect("ends").count, 0);

    assert_eq!(visitor.end_all_sessions().await.expect("ends"), 1);
    assert!(matches!(
        sessions.resume(&bob, &ClientInfo::default()).await,
        Err(Error::Refused(Refusal::InvalidSession))
    ));
    assert_eq!(visitor.end_all_sessions().await.expect("ends"), 0);
    assert_eq!(scene.column("id", "user").await.len(), 2);
}

async fn all_sessions_end_in_steps(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    let copies = r#"INSERT INTO "session"
            ("id", "token", "userId", "expiresAt", "createdAt", "updatedAt")
        WITH RECURSIVE numbers(n) AS
            (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2000)
        SELECT 'id' || n, 'token' || n, 'u1', s."expiresAt", s."createdAt", s."updatedAt"
        FROM numbers, "session" AS s"#;
    let writer = scene.store.database.writer();
    sea_orm::ConnectionTrait::execute_raw(writer, raw(&scene.store, copies.to_owned()))
        .await
        .expect("rows");
    assert_eq!(scene.store.end_all_sessions().await.expect("ends"), 2001);
    assert!(scene.column("id", "session").await.is_empty());
}

async fn a_database_without_the_tables_is_refused_and_left_empty(database: FreshDatabase) {
    let url = database.url();
    server::db::Database::connect(&url).await.expect("connects").close().await.expect("closes");
    assert!(Store::open_existing(&url).await.is_err());
    let there = server::db::Database::connect_read_only(&url).await.expect("connects");
    assert!(!there.has_table("user").await.expect("looks"));
    there.close().await.expect("closes");
}
