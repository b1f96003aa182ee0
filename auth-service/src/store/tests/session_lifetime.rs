//! The maximum age, the cap and the last use of sessions.

use std::time::Duration;

use chrono::TimeDelta;
use fixtures::{FreshDatabase, on_both_databases};
use sea_orm::ConnectionTrait;
use server::{ClientInfo, audit_log::EventKind};
use shared::{clock::Clock, error::Refusal};

use super::{Scene, WEEK, record};
use crate::{
    error::Error,
    session::{Opened, SessionRules, Sessions, Stay},
    session_token::AtRest,
    store::{Precondition, PreconditionCheck, Use, Which},
};

on_both_databases!(
    a_session_that_is_used_every_day_ends_at_its_maximum_age,
    no_other_server_extends_a_session_beyond_its_maximum_age,
    without_a_maximum_age_use_extends_for_ever,
    a_maximum_age_below_the_lifetime_is_the_lifetime,
    a_session_over_the_cap_ends_the_oldest_of_its_user,
    concurrent_sign_ins_stay_within_the_cap,
    any_number_of_sessions_live_without_a_cap,
    the_last_use_is_listed_to_the_minute_and_kept,
    the_data_of_a_session_is_removed_with_it,
);

async fn open(sessions: &Sessions, user: &str) -> Opened {
    sessions.open(user, None, &ClientInfo::default(), Stay::Remembered).await.expect("opens")
}

async fn a_session_that_is_used_every_day_ends_at_its_maximum_age(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let token = scene.sign_up("u1", "ada@example.com").await.expect("free");
    let last = scene.clock.now() + TimeDelta::days(90);
    let sessions = scene.sessions(AtRest::Hashed);
    let mut extended = 0;
    for _ in 0..89 {
        scene.clock.advance(TimeDelta::days(1));
        let caller = sessions.resume(&token, &ClientInfo::default()).await.expect("live");
        assert!(caller.session().expires_at <= last);
        extended += u32::from(caller.was_extended());
        // An end at its maximum is not written on every use.
        assert!(
            !sessions.resume(&token, &ClientInfo::default()).await.expect("live").was_extended()
        );
    }
    assert_eq!(extended, 83);
    scene.clock.advance(TimeDelta::days(1) - TimeDelta::milliseconds(1));
    assert_eq!(
        sessions.resume(&token, &ClientInfo::default()).await.expect("live").session().expires_at,
        last
    );
    scene.clock.advance(TimeDelta::milliseconds(1));
    assert!(matches!(
        sessions.resume(&token, &ClientInfo::default()).await,
        Err(Error::Refused(Refusal::InvalidSession))
    ));
    assert!(scene.column("id", "session").await.is_empty());
}

async fn no_other_server_extends_a_session_beyond_its_maximum_age(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let token = scene.sign_up("u1", "ada@example.com").await.expect("free");
    let sessions = scene.sessions(AtRest::Hashed);
    let last = scene.clock.now() + TimeDelta::days(90);
    let far = r#"UPDATE "session" SET "expiresAt" = '2030-01-01T00:00:00.000Z'"#;
    scene.store.database.writer().execute_unprepared(far).await.expect("writes");
    let left = sessions.resume_as_it_is(&token, &ClientInfo::default()).await.expect("live");
    assert_eq!(left.session().expires_at, last);
    assert_eq!(sessions.list(&left).await.expect("lists")[0].session.expires_at, last);
    let caller = sessions.resume(&token, &ClientInfo::default()).await.expect("live");
    assert_eq!((caller.session().expires_at, caller.was_extended()), (last, false));
    let id = caller.session().id.clone();
    let stored = scene.store.sessions("u1", scene.clock.now(), scene.clock.now() - WEEK).await;
    assert_eq!(stored.expect("reads")[0].expires_at, last);

    scene.store.database.writer().execute_unprepared(far).await.expect("writes");
    scene.clock.advance(TimeDelta::days(90));
    let other = scene.sign_up("u2", "bob@example.com").await.expect("free");
    let (now, oldest) = (scene.clock.now(), scene.clock.now() - TimeDelta::days(90));
    assert!(scene.store.sessions("u1", now, oldest).await.expect("reads").is_empty());
    assert!(matches!(
        sessions.resume_as_it_is(&token, &ClientInfo::default()).await,
        Err(Error::Refused(Refusal::InvalidSession))
    ));
    assert!(!scene.column("id", "session").await.contains(&id));
    scene.store.database.writer().execute_unprepared(far).await.expect("writes");
    let later = now + TimeDelta::days(90);
    assert_eq!(scene.store.remove_expired_sessions(later, now).await.expect("sweeps"), 1);
    assert!(sessions.resume(&other, &ClientInfo::default()).await.is_err());
}

async fn without_a_maximum_age_use_extends_for_ever(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let token = scene.sign_up("u1", "ada@example.com").await.expect("free");
    let sessions = scene.ruled(SessionRules { max_age: None, ..SessionRules::default() });
    for _ in 0..30 {
        scene.clock.advance(TimeDelta::days(6));
        let caller = sessions.resume(&token, &ClientInfo::default()).await.expect("live");
        assert_eq!(caller.session().expires_at, scene.clock.now() + WEEK);
    }
}

async fn a_maximum_age_below_the_lifetime_is_the_lifetime(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    let max_age = Some(Duration::from_hours(12));
    let sessions = scene.ruled(SessionRules { max_age, ..SessionRules::default() });
    let opened = open(&sessions, "u1").await;
    let end = scene.clock.now() + TimeDelta::hours(12);
    assert_eq!(opened.session.expires_at, end);
    scene.clock.advance(TimeDelta::hours(11));
    let caller = sessions.resume(&opened.token, &ClientInfo::default()).await.expect("live");
    assert_eq!((caller.session().expires_at, caller.was_extended()), (end, false));
    assert_eq!(sessions.stay(caller.session()), Stay::Remembered);
}

async fn a_session_over_the_cap_ends_the_oldest_of_its_user(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let first = scene.sign_up("u1", "ada@example.com").await.expect("free");
    let bob = scene.sign_up("u2", "bob@example.com").await.expect("free");
    let sessions = scene.ruled(SessionRules { per_user: Some(3), ..SessionRules::default() });
    // An expired brief session ends no other, though it was opened later.
    let brief =
        sessions.open("u1", None, &ClientInfo::default(), Stay::Brief).await.expect("opens");
    scene.clock.advance(TimeDelta::days(1));
    let mut tokens = vec![first];
    for _ in 0..2 {
        scene.clock.advance(TimeDelta::seconds(1));
        tokens.push(open(&sessions, "u1").await.token);
    }
    for token in &tokens {
        assert!(sessions.resume(token, &ClientInfo::default()).await.is_ok());
    }
    assert!(sessions.resume(&brief.token, &ClientInfo::default()).await.is_err());
    for ended in 0..2 {
        scene.clock.advance(TimeDelta::seconds(1));
        tokens.push(open(&sessions, "u1").await.token);
        let mut alive = Vec::new();
        for token in &tokens {
            alive.push(sessions.resume(token, &ClientInfo::default()).await.is_ok());
        }
        assert_eq!(alive.iter().position(|alive| *alive), Some(ended + 1));
        assert_eq!(alive.iter().filter(|alive| **alive).count(), 3);
    }
    assert!(sessions.resume(&bob, &ClientInfo::default()).await.is_ok());
}

async fn concurrent_sign_ins_stay_within_the_cap(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    for most in [1, 5] {
        let rules = SessionRules { per_user: Some(most), ..SessionRules::default() };
        let sessions = scene.ruled(rules);
        scene.clock.advance(TimeDelta::seconds(1));
        let mut opening = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let sessions = sessions.clone();
            opening.spawn(async move { open(&sessions, "u1").await.session.id });
        }
        let opened = opening.join_all().await;
        let live = scene.column("id", "session").await;
        assert_eq!(live.len(), usize::try_from(most).expect("few"));
        assert!(live.iter().all(|id| opened.contains(id)), "the oldest has ended");
    }
}

async fn any_number_of_sessions_live_without_a_cap(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    let sessions = scene.ruled(SessionRules { per_user: None, ..SessionRules::default() });
    for _ in 0..110 {
        open(&sessions, "u1").await;
    }
    assert_eq!(scene.column("id", "session").await.len(), 111);
}

async fn the_last_use_is_listed_to_the_minute_and_kept(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let token = scene.sign_up("u1", "ada@example.com").await.expect("free");
    let sessions = scene.sessions(AtRest::Hashed);
    let other = open(&sessions, "u1").await;
    let start = scene.clock.now();
    scene.clock.advance(TimeDelta::minutes(10));
    let caller = sessions.resume(&token, &ClientInfo::default()).await.expect("live");
    scene.clock.advance(TimeDelta::seconds(59));
    sessions.resume(&token, &ClientInfo::default()).await.expect("live");
    let used = start + TimeDelta::minutes(10);
    let last_uses = async |sessions: &Sessions| {
        let mut listed = Vec::new();
        for one in sessions.list(&caller).await.expect("lists") {
            listed.push((one.session.id == other.session.id, one.last_used_at));
        }
        listed.sort_unstable();
        listed
    };
    assert_eq!(last_uses(&sessions).await, [(false, used), (true, start)]);
    // Another replica sees it once it was written.
    let replica = scene.sessions(AtRest::Hashed);
    assert_eq!(last_uses(&replica).await, [(false, start), (true, start)]);
    let writing = tokio::spawn(sessions.clone().write_last_uses());
    tokio::time::timeout(Duration::from_secs(30), async {
        while scene.column("last_used_at", "session_use").await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("is written");
    writing.abort();
    assert_eq!(last_uses(&replica).await, [(false, used), (true, start)]);
    // An earlier use that comes late changes nothing.
    let late = |at| {
        let (session_id, user_id) = (caller.session().id.clone(), "u1".to_owned());
        [Use { session_id, user_id, at }]
    };
    scene.store.record_uses(&mut late(start)).await.expect("writes");
    assert_eq!(last_uses(&replica).await, [(false, used), (true, start)]);
    let later = used + TimeDelta::minutes(1);
    scene.store.record_uses(&mut late(later)).await.expect("writes");
    assert_eq!(last_uses(&replica).await, [(false, later), (true, start)]);
}

async fn the_data_of_a_session_is_removed_with_it(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let sessions = scene.sessions(AtRest::Hashed);
    let traced = async |user: &str, email: &str| {
        if scene.store.user(user).await.expect("reads").is_none() {
            scene.sign_up(user, email).await.expect("free");
        }
        let opened = open(&sessions, user).await;
        let refreshed =
            sessions.refresh(&opened.token, &ClientInfo::default()).await.expect("refreshes");
        let (session_id, user_id) = (opened.session.id.clone(), user.to_owned());
        let mut uses = [Use { session_id, user_id, at: scene.clock.now() }];
        scene.store.record_uses(&mut uses).await.expect("writes");
        refreshed
    };
    let rows = async || {
        let mut users = scene.column("user_id", "session_use").await;
        users.extend(scene.column("user_id", "rotated_token").await);
        users.sort_unstable();
        users
    };
    let bob = traced("u2", "bob@example.com").await;
    let kept = ["u2", "u2"];

    let ada = traced("u1", "ada@example.com").await;
    assert_eq!(rows().await, ["u1", "u1", "u2", "u2"]);
    let id = ada.signed_in.session().id.clone();
    sessions.end(&ada.signed_in, Which::One(&id)).await.expect("ends");
    assert_eq!(rows().await, kept);

    let ada = traced("u1", "ada@example.com").await;
    sessions.end(&ada.signed_in, Which::Others(&ada.signed_in.session().id)).await.expect("ends");
    assert_eq!(rows().await, ["u1", "u1", "u2", "u2"]);
    sessions.end(&ada.signed_in, Which::All).await.expect("ends");
    assert_eq!(rows().await, kept);

    // One too many.
    traced("u1", "ada@example.com").await;
    let one = scene.ruled(SessionRules { per_user: Some(1), ..SessionRules::default() });
    open(&one, "u1").await;
    assert_eq!(rows().await, kept);

    traced("u1", "ada@example.com").await;
    let (_, mut replacement) =
        sessions.prepare("u1", &ClientInfo::default(), Stay::Remembered).expect("one");
    let (store, now) = (&scene.store, scene.clock.now());
    let changed = record(EventKind::PasswordChanged);
    let new = "a:b".to_owned();
    let change = store.change_password(
        "u1",
        Precondition::default(),
        new,
        Some(&mut replacement),
        &changed,
        now,
    );
    assert_eq!(change.await.expect("changes"), PreconditionCheck::Met);
    assert_eq!(rows().await, kept);

    traced("u1", "ada@example.com").await;
    let deleted = record(EventKind::AccountDeleted);
    let deleted =
        store.delete_user("u1", Precondition::default(), &deleted, None).await.expect("deletes");
    assert_eq!((deleted, rows().await), (PreconditionCheck::Met, kept.map(str::to_owned).to_vec()));

    // Another server ends one without our tables: the cleanup removes its data.
    traced("u1", "ada@example.com").await;
    let sql = r#"DELETE FROM "session" WHERE "userId" = 'u1'"#;
    scene.store.database.writer().execute_unprepared(sql).await.expect("deletes");
    let long_ago = scene.clock.now() - TimeDelta::days(30);
    assert_eq!(scene.store.remove_ended_session_data(long_ago).await.expect("sweeps"), 2);
    assert_eq!(rows().await, kept);
    // Replaced tokens are removed by age, too; the session stays.
    assert_eq!(scene.store.remove_ended_session_data(scene.clock.now()).await.expect("sweeps"), 1);
    assert!(sessions.resume(&bob.token, &ClientInfo::default()).await.is_ok());
}
