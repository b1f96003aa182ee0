//! A life on each database that a Better Auth server may have made.

use chrono::DateTime;
use fixtures::{Foreign, FreshDatabase, Ids, PASSWORD_HASH, TOKEN, on_both_databases};
use sea_orm::{ConnectionTrait, DbBackend};
use server::{ClientInfo, audit_log::EventKind};
use shared::{
    auth::{Keyring, Secret},
    clock::Clock,
};

use super::{Scene, record};
use crate::{
    email::Email,
    profile::Image,
    session::Stay,
    session_token::{AtRest, SessionToken},
    store::{Precondition, PreconditionCheck, UserPatch, Which},
};

on_both_databases!(
    texts,
    texts_with_an_issuer,
    uuids,
    uuids_with_an_issuer,
    numbers,
    numbers_with_an_issuer,
    a_number_is_never_given_twice,
    a_number_that_is_in_use_is_not_an_email_that_is_taken,
    ids_of_another_shape_find_nothing_and_end_nothing,
);

async fn texts(database: FreshDatabase) {
    live(database, Foreign { ids: Ids::Text, has_issuer: false }).await;
}

async fn texts_with_an_issuer(database: FreshDatabase) {
    live(database, Foreign { ids: Ids::Text, has_issuer: true }).await;
}

async fn uuids(database: FreshDatabase) {
    live(database, Foreign { ids: Ids::Uuid, has_issuer: false }).await;
}

async fn uuids_with_an_issuer(database: FreshDatabase) {
    live(database, Foreign { ids: Ids::Uuid, has_issuer: true }).await;
}

async fn numbers(database: FreshDatabase) {
    live(database, Foreign { ids: Ids::Serial, has_issuer: false }).await;
}

async fn numbers_with_an_issuer(database: FreshDatabase) {
    live(database, Foreign { ids: Ids::Serial, has_issuer: true }).await;
}

/// Whether `id` is one that such a server could have given.
fn is_of(ids: Ids, id: &str) -> bool {
    match ids {
        Ids::Text => id == "u1",
        Ids::Uuid => {
            let hyphens: Vec<_> = id.match_indices('-').map(|(at, _)| at).collect();
            id.len() == 36 && hyphens == [8, 13, 18, 23] && &id[14..15] == "4"
        }
        Ids::Serial => id.parse::<u32>().is_ok_and(|id| id > 7),
    }
}

async fn live(database: FreshDatabase, foreign: Foreign) {
    foreign.make(&database).await;
    let scene = Scene::new(database).await;
    let store = &scene.store;

    // Who was there is known, by password and by session.
    let email = Email::parse("Ada@Example.com").expect("an address");
    let ada = store.user_by_email(&email).await.expect("reads").expect("a user");
    assert_eq!(ada.id, foreign.user_id());
    assert_eq!(ada.created_at.to_rfc3339(), "2026-11-20T22:18:00.970+00:00");
    let hash = store.password_hash(&ada.id).await.expect("reads");
    assert_eq!(hash.as_deref(), Some(PASSWORD_HASH));
    let linked = store.linked_accounts(&ada.id).await.expect("reads");
    assert_eq!((linked.len(), linked[0].user_id.as_str()), (1, ada.id.as_str()));
    let sessions = scene.sessions(AtRest::Plain);
    let secret = Secret::parse("q8Zr2LmX5vTnB1cHs7KdWf4GyJp9EaUo".to_owned()).expect("strong");
    let keys = Keyring::new(&secret, &[]);
    let token = SessionToken::parse(TOKEN, &keys).expect("a token");
    let caller = sessions.resume(&token, &ClientInfo::default()).await.expect("live");
    assert_eq!(caller.user().id, ada.id);

    // Who comes is kept as such a server would.
    scene.sign_up("u1", "bob@example.com").await.expect("free");
    assert!(scene.sign_up("u2", "ada@example.com").await.is_none());
    let bob = Email::parse("bob@example.com").expect("an address");
    let bob = store.user_by_email(&bob).await.expect("reads").expect("a user");
    assert!(is_of(foreign.ids, &bob.id), "{}", bob.id);
    let [one, two] = &scene.column("accountId", "account").await[..] else { panic!("two") };
    assert!([one, two].contains(&&bob.id) && [one, two].contains(&&ada.id));
    assert_eq!(scene.column("userId", "session").await.len(), 2);
    if foreign.has_issuer {
        assert_eq!(scene.column("issuer", "account").await, ["local:credential"; 2]);
    }

    // Every change reaches its rows, and no others.
    let client = ClientInfo::default();
    let opened = sessions.open(&ada.id, Some(PASSWORD_HASH), &client, Stay::Remembered);
    let opened = opened.await.expect("opens");
    assert_eq!(sessions.list(&caller).await.expect("lists").len(), 2);
    let [first] = &store.sessions_after(&ada.id, None, 1).await.expect("reads")[..] else {
        panic!("the first")
    };
    let rest = store.sessions_after(&ada.id, Some(&first.id), 9).await.expect("reads");
    assert!(rest.len() == 1 && rest[0].id != first.id);
    assert!(store.sessions_after(&ada.id, Some(&rest[0].id), 9).await.expect("reads").is_empty());
    sessions.end(&caller, Which::One(&opened.session.id)).await.expect("ends one");
    assert_eq!(sessions.list(&caller).await.expect("lists").len(), 1);
    let patch = UserPatch { name: None, image: Some(Image(Some("https://a.example".into()))) };
    let now = scene.clock.now();
    assert!(store.update_user(&ada.id, patch, now).await.expect("writes").is_some());
    assert!(store.user(&bob.id).await.expect("reads").is_some_and(|bob| bob.image.is_none()));
    let precondition =
        Precondition { password_hash: Some(PASSWORD_HASH), session_id: Some(&caller.session().id) };
    let (_, mut replacement) =
        sessions.prepare(&ada.id, &ClientInfo::default(), Stay::Remembered).expect("a session");
    let changed = record(EventKind::PasswordChanged);
    let new = "salt:new".to_owned();
    let changed =
        store.change_password(&ada.id, precondition, new, Some(&mut replacement), &changed, now);
    assert_eq!(changed.await.expect("writes"), PreconditionCheck::Met);
    assert!(sessions.resume(&token, &ClientInfo::default()).await.is_err());
    assert_eq!(
        store.sessions(&ada.id, now, DateTime::UNIX_EPOCH).await.expect("reads")[0].id,
        replacement.id
    );
    let later = store.extend_session(&replacement.id, now, now).await.expect("writes");
    assert!(
        later
            && store.sessions(&ada.id, now, DateTime::UNIX_EPOCH).await.expect("reads").is_empty()
    );

    let deleted = store
        .delete_user(&ada.id, Precondition::default(), &record(EventKind::AccountDeleted), None)
        .await
        .expect("deletes");
    assert_eq!(deleted, PreconditionCheck::Met);
    assert_eq!(scene.column("id", "user").await, [bob.id.as_str()]);
    for table in ["session", "account"] {
        assert_eq!(scene.column("userId", table).await, [bob.id.as_str()], "{table}");
    }
}

/// Better Auth's numbers on SQLite would be given again.
async fn a_number_is_never_given_twice(database: FreshDatabase) {
    let foreign = Foreign { ids: Ids::Serial, has_issuer: false };
    foreign.make(&database).await;
    let mut scene = Scene::new(database).await;
    let mut users = vec![foreign.user_id().to_owned()];
    let mut sessions = scene.column("id", "session").await;
    for round in 0..4 {
        for id in scene.column("id", "user").await {
            let deleted = scene
                .store
                .delete_user(&id, Precondition::default(), &record(EventKind::AccountDeleted), None)
                .await
                .expect("deletes");
            assert_eq!(deleted, PreconditionCheck::Met);
        }
        if round == 2 {
            let Scene { store, database, .. } = scene;
            store.database.close().await.expect("closes");
            scene = Scene::new(database).await;
        }
        scene.sign_up("-", "bob@example.com").await.expect("free");
        users.extend(scene.column("id", "user").await);
        sessions.extend(scene.column("id", "session").await);
        let bob = users.last().expect("bob").clone();
        scene.store.end_sessions(&bob, Which::All).await.expect("ends");
        let again = scene.sessions(AtRest::Hashed);
        again.open(&bob, None, &ClientInfo::default(), Stay::Remembered).await.expect("opens");
        sessions.extend(scene.column("id", "session").await);
    }
    for ids in [users, sessions] {
        let numbers: Vec<u32> = ids.iter().map(|id| id.parse().expect("a number")).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }

    // A user whom another server made and removes once they were seen here.
    if scene.store.database.backend() == DbBackend::Sqlite {
        let make = r#"INSERT INTO "user" VALUES (90, 'Eve', 'eve@example.com', 0, NULL,
                      '2026-11-20T22:18:00.970Z', '2026-11-20T22:18:00.970Z')"#;
        scene.store.database.writer().execute_unprepared(make).await.expect("writes");
        let open = scene.sessions(AtRest::Plain);
        open.open("90", None, &ClientInfo::default(), Stay::Remembered).await.expect("opens");
        let remove = r#"DELETE FROM "user" WHERE "id" = 90"#;
        scene.store.database.writer().execute_unprepared(remove).await.expect("writes");
        scene.sign_up("-", "zoe@example.com").await.expect("free");
        assert_eq!(scene.column("id", "user").await.last().map(String::as_str), Some("91"));
    }
}

/// A copied database counts from 1 again until its sequence is set.
async fn a_number_that_is_in_use_is_not_an_email_that_is_taken(database: FreshDatabase) {
    Foreign { ids: Ids::Serial, has_issuer: false }.make(&database).await;
    let scene = Scene::new(database).await;
    let sessions = scene.sessions(AtRest::Hashed);
    let prepared = sessions.prepare("-", &ClientInfo::default(), Stay::Remembered);
    let (_, mut session) = prepared.expect("a session");
    if scene.store.database.backend() == DbBackend::Postgres {
        let sql = r#"ALTER TABLE "user" ALTER COLUMN "id" RESTART WITH 7"#;
        scene.store.database.writer().execute_unprepared(sql).await.expect("alters");
        let mut bob = scene.new_user("-", "bob@example.com");
        assert!(scene.store.create_user(&mut bob, &mut session).await.is_err());
    }
    let mut ada = scene.new_user("-", "ada@example.com");
    assert!(!scene.store.create_user(&mut ada, &mut session).await.expect("asks"));
    let mut bob = scene.new_user("-", "bob@example.com");
    assert!(scene.store.create_user(&mut bob, &mut session).await.expect("writes"));
    assert_eq!((session.user_id.as_str(), scene.column("id", "user").await.len()), (&*bob.id, 2));
}

async fn ids_of_another_shape_find_nothing_and_end_nothing(database: FreshDatabase) {
    let foreign = Foreign { ids: Ids::Serial, has_issuer: false };
    foreign.make(&database).await;
    let scene = Scene::new(database).await;
    let (store, now) = (&scene.store, scene.clock.now());
    let long = "9".repeat(400);
    for id in ["abc", "", "07", "7 ", "9223372036854775808", &long, "7' OR '1'='1", "a\0b"] {
        assert!(store.user(id).await.expect("reads").is_none(), "{id}");
        assert!(store.password_hash(id).await.expect("reads").is_none(), "{id}");
        assert!(store.linked_accounts(id).await.expect("reads").is_empty(), "{id}");
        assert!(
            store.sessions(id, now, DateTime::UNIX_EPOCH).await.expect("reads").is_empty(),
            "{id}"
        );
        assert!(!store.extend_session(id, now, now).await.expect("writes"), "{id}");
        assert!(store.update_user(id, UserPatch::default(), now).await.expect("writes").is_none());
        store.end_sessions(id, Which::All).await.expect("ends nothing");
        store.end_sessions(foreign.user_id(), Which::One(id)).await.expect("ends nothing");
        store
            .delete_user(id, Precondition::default(), &record(EventKind::AccountDeleted), None)
            .await
            .expect("deletes nothing");
        assert_eq!(scene.column("id", "session").await.len(), 1, "{id}");
        assert_eq!(scene.column("id", "user").await.len(), 1, "{id}");
    }
    store.end_sessions(foreign.user_id(), Which::Others("abc")).await.expect("ends all");
    assert!(scene.column("id", "session").await.is_empty());
}
