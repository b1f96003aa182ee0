//! SQLite on a disk that was full for a moment: what is answered after it is stored, and a
//! session that was ended is over.

use fixtures::{Backend, FreshDatabase};
use sea_orm::ConnectionTrait;
use server::{ClientInfo, db};
use shared::error::Refusal;

use super::{Scene, keys, no_limit};
use crate::{
    session::{SessionRules, Sessions, Stay},
    session_token::{AtRest, SessionToken},
    store::{Store, Which},
};

/// Limits the disk to the size of the file, and signs up until the disk is full.
async fn fill(scene: &Scene, round: usize) {
    let limit = "PRAGMA max_page_count = 1"; // it is never less than the file has
    scene.store.database.writer().execute_unprepared(limit).await.expect("a limit");
    for number in 0..100 {
        let id = format!("filler-{round}-{number}");
        let sessions = scene.sessions(AtRest::Hashed);
        let (_, mut session) =
            sessions.prepare(&id, &ClientInfo::default(), Stay::Remembered).expect("a session");
        let mut user = scene.new_user(&id, &format!("{id}@example.com"));
        user.name = "x".repeat(20_000);
        if let Err(error) = scene.store.create_user(&mut user, &mut session).await {
            assert_eq!(db::class(&error), Refusal::StorageFull.into(), "{error}");
            return;
        }
    }
    panic!("the disk does not get full");
}

/// Removes the limit from the connection that has it.
async fn lift_limit(scene: &Scene) {
    let unlimited = "PRAGMA max_page_count = 1000000";
    scene.store.database.writer().execute_unprepared(unlimited).await.expect("no limit");
}

/// Whether a session is live for a process of its own on the same file.
async fn is_live_elsewhere(scene: &Scene, token: &SessionToken) -> bool {
    let store = Store::open(&scene.database.url()).await.expect("opens");
    let keys = keys(&[super::SECRET]);
    let sessions =
        Sessions::new(store, SessionRules::default(), keys, no_limit(), scene.clock.clone());
    sessions.resume_as_it_is(token, &ClientInfo::default()).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_and_sessions_are_as_answered_after_a_full_disk() {
    let database = FreshDatabase::new(Backend::Sqlite).await.expect("a file");
    let scene = Scene::new(database).await;
    let sessions = scene.sessions(AtRest::Hashed);
    let before = scene.sign_up("ada", "ada@example.com").await.expect("free");
    for round in 0..3 {
        fill(&scene, round).await;
        lift_limit(&scene).await;
        // An ordinary refusal, which rolls back.
        assert!(scene.sign_up("eve", "ada@example.com").await.is_none(), "the e-mail is taken");

        let id = format!("bob-{round}");
        let signed_up = scene.sign_up(&id, &format!("{id}@example.com")).await.expect("free");
        assert!(is_live_elsewhere(&scene, &signed_up).await, "a sign-up is stored");
        let signed_in = sessions.open("ada", None, &ClientInfo::default(), Stay::Remembered).await;
        let signed_in = signed_in.expect("opens").token;
        assert!(is_live_elsewhere(&scene, &signed_in).await, "a sign-in is stored");

        let caller = sessions.resume(&signed_in, &ClientInfo::default()).await.expect("live");
        let this = Which::One(&caller.session().id);
        sessions.end(&caller, this).await.expect("signs out");
        assert!(!is_live_elsewhere(&scene, &signed_in).await, "a sign-out ends the session");
        assert!(is_live_elsewhere(&scene, &before).await, "and no other");
    }
}
