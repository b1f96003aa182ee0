//! E-mails that other software has stored with capitals.

use std::time::{Duration, Instant};

use fixtures::{FreshDatabase, on_both_databases};
use sea_orm::ConnectionTrait;
use server::ClientInfo;

use super::Scene;
use crate::{
    email::Email,
    session::Stay,
    session_token::AtRest,
    store::{Store, mixed_case},
};

on_both_databases!(
    an_account_with_capitals_is_found_in_every_spelling,
    an_address_gets_no_second_account,
    accounts_that_differ_in_case_alone_need_the_exact_spelling,
    later_writes_of_other_servers_are_found,
    a_client_is_known_whatever_the_case_of_the_email,
    no_look_up_reads_the_whole_table,
);

async fn store_email(scene: &Scene, id: &str, email: &str) {
    let update = format!(r#"UPDATE "user" SET "email" = '{email}' WHERE "id" = '{id}'"#);
    scene.store.database.writer().execute_unprepared(&update).await.expect(&update);
}

async fn reopened(scene: &Scene) -> Store {
    Store::open(&scene.database.url()).await.expect("opens")
}

async fn found(store: &Store, email: &str) -> Option<String> {
    let email = Email::parse(email).expect("an address");
    store.user_by_email(&email).await.expect("reads").map(|user| user.id)
}

/// Waits until a user with this e-mail is found: the cache may be a moment old.
async fn found_soon(store: &Store, email: &str, id: &str) {
    let end = Instant::now() + Duration::from_secs(30);
    while found(store, email).await.as_deref() != Some(id) {
        assert!(Instant::now() < end, "{email} is not found");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn an_account_with_capitals_is_found_in_every_spelling(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "mixed@example.com").await.expect("free");
    scene.sign_up("u2", "plain@example.com").await.expect("free");
    store_email(&scene, "u1", "Mixed@Example.com").await;
    let store = reopened(&scene).await;
    for spelling in ["Mixed@Example.com", "mixed@example.com", "MIXED@EXAMPLE.COM"] {
        assert_eq!(found(&store, spelling).await.as_deref(), Some("u1"), "{spelling}");
    }
    for spelling in ["plain@example.com", "PLAIN@example.com"] {
        assert_eq!(found(&store, spelling).await.as_deref(), Some("u2"), "{spelling}");
    }
    assert_eq!(found(&store, "eve@example.com").await, None);
    let user = store.user("u1").await.expect("reads").expect("a user");
    assert_eq!(user.email, "Mixed@Example.com", "the row is left as it is");
}

async fn an_address_gets_no_second_account(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "mixed@example.com").await.expect("free");
    store_email(&scene, "u1", "Mixed@Example.com").await;
    let scene = Scene { store: reopened(&scene).await, ..scene };
    for spelling in ["mixed@example.com", "Mixed@Example.com", "MIXED@example.com"] {
        assert!(scene.sign_up("u2", spelling).await.is_none(), "{spelling}");
    }
    for table in ["user", "account", "session"] {
        assert_eq!(scene.column("id", table).await.len(), 1, "{table}");
    }
}

async fn accounts_that_differ_in_case_alone_need_the_exact_spelling(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    for (id, email) in [("u1", "ada@example.com"), ("u2", "b@example.com"), ("u3", "c@example.com")]
    {
        scene.sign_up(id, email).await.expect("free");
    }
    for (id, email) in [("u2", "Ada@example.com"), ("u3", "ADA@example.com")] {
        store_email(&scene, id, email).await;
    }
    let store = reopened(&scene).await;
    for (spelling, id) in [
        ("ada@example.com", Some("u1")),
        ("Ada@example.com", Some("u2")),
        ("ADA@example.com", Some("u3")),
        ("aDa@example.com", None),
    ] {
        assert_eq!(found(&store, spelling).await.as_deref(), id, "{spelling}");
    }
    let ids = mixed_case::read(&store.database).await.expect("reads");
    let spellings = mixed_case::spellings(&store.database, &ids).await.expect("reads");
    assert_eq!((spellings.accounts, spellings.shared, spellings.is_partial), (2, 1, false));
    store_email(&scene, "u2", "b@example.com").await;
    let ids = mixed_case::read(&store.database).await.expect("reads");
    let spellings = mixed_case::spellings(&store.database, &ids).await.expect("reads");
    assert_eq!((spellings.accounts, spellings.shared), (1, 1));
    store_email(&scene, "u3", "c@example.com").await;
    found_soon(&store, "aDa@example.com", "u1").await;
}

async fn later_writes_of_other_servers_are_found(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "mixed@example.com").await.expect("free");
    assert_eq!(found(&scene.store, "mixed@example.com").await.as_deref(), Some("u1"));
    store_email(&scene, "u1", "Mixed@Example.com").await;
    // In its own spelling at once.
    assert_eq!(found(&scene.store, "Mixed@Example.com").await.as_deref(), Some("u1"));
    found_soon(&scene.store, "mixed@example.com", "u1").await;
    store_email(&scene, "u1", "other@example.com").await;
    assert_eq!(found(&scene.store, "mixed@example.com").await, None);
    assert_eq!(found(&scene.store, "OTHER@example.com").await.as_deref(), Some("u1"));
}

async fn a_client_is_known_whatever_the_case_of_the_email(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "mixed@example.com").await.expect("free");
    store_email(&scene, "u1", "Mixed@Example.com").await;
    let scene = Scene { store: reopened(&scene).await, ..scene };
    let sessions = scene.sessions(AtRest::Hashed);
    let client = ClientInfo::at("192.0.2.1".parse().expect("an address"));
    sessions.open("u1", None, &client, Stay::Brief).await.expect("opens");
    assert!(sessions.is_known_client(&client, "mixed@example.com").await.expect("reads"));
    assert!(!sessions.is_known_client(&client, "eve@example.com").await.expect("reads"));
}

async fn no_look_up_reads_the_whole_table(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "mixed@example.com").await.expect("free");
    store_email(&scene, "u1", "Mixed@Example.com").await;
    let store = reopened(&scene).await;
    for email in ["mixed@example.com", "eve@example.com"] {
        let email = Email::parse(email).expect("an address");
        let condition = store.is_email(&email).await;
        let plan = super::plans::plan::<crate::entity::user::Entity>(&scene, condition).await;
        assert!(super::plans::is_indexed(&scene, &plan), "{plan}");
    }
}
