//! Rotation of session tokens.

use std::{collections::HashSet, sync::Arc};

use chrono::TimeDelta;
use fixtures::{Foreign, FreshDatabase, Ids, TOKEN, on_both_databases};
use sea_orm::ConnectionTrait;
use server::ClientInfo;
use shared::{
    clock::{Clock, ManualClock},
    error::Refusal,
};

use super::{SECRET, Scene, WEEK, keys, no_limit};
use crate::{
    error::Error,
    session::{Opened, SessionRules, Sessions, Stay},
    session_token::{AtRest, SessionToken, stored_forms},
    store::Which,
};

const GRACE: TimeDelta = TimeDelta::seconds(10);
const APART: TimeDelta = TimeDelta::minutes(5);
const OLD_SECRET: &str = "old-5a7d3e9b1c0f46288c1e07d2f4b39a65";

on_both_databases!(
    a_token_is_replaced_and_its_session_stays,
    a_replaced_token_is_good_for_its_grace_and_ends_its_session_after_it,
    many_at_once_get_one_successor,
    a_client_two_steps_behind_gets_the_current_token,
    a_token_is_not_replaced_before_it_has_some_age,
    a_token_of_a_session_that_has_expired_is_no_alarm,
    a_successor_is_found_again_under_the_secret_that_made_it,
    a_replaced_token_extends_nothing,
    a_session_is_ended_by_a_handle_from_before_its_rotation,
    a_replaced_token_opens_no_session_that_was_opened_later,
    frequent_rotation_makes_no_older_token_unknown,
    texts,
    uuids,
    numbers,
);

async fn scene(database: FreshDatabase) -> Scene {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    scene
}

async fn open(sessions: &Sessions) -> Opened {
    sessions.open("u1", None, &ClientInfo::default(), Stay::Remembered).await.expect("opens")
}

async fn refreshed(sessions: &Sessions, token: &SessionToken) -> SessionToken {
    sessions.refresh(token, &ClientInfo::default()).await.expect("refreshes").token
}

fn is_refused<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Refused(Refusal::InvalidSession)))
}

async fn a_token_is_replaced_and_its_session_stays(database: FreshDatabase) {
    let scene = scene(database).await;
    for at_rest in [AtRest::Hashed, AtRest::Plain] {
        let sessions = scene.sessions(at_rest);
        let opened = open(&sessions).await;
        scene.clock.advance(TimeDelta::hours(3));
        let refreshed =
            sessions.refresh(&opened.token, &ClientInfo::default()).await.expect("refreshes");
        assert_ne!(refreshed.token.reveal(), opened.token.reveal());
        let mut expected = opened.session.clone();
        expected.token = refreshed.token.at_rest(at_rest);
        assert!(*refreshed.signed_in.session() == expected);
        let stored = sessions.resume(&refreshed.token, &ClientInfo::default()).await.expect("live");
        assert!(*stored.session() == expected && !stored.is_superseded());
        // Of replaced tokens only hashes are stored.
        let known = scene.column("token_hash", "rotated_token").await;
        assert!(known.contains(&opened.token.at_rest(AtRest::Hashed)));
        for column in ["token_hash", "successor_hash"] {
            let hashes = scene.column(column, "rotated_token").await;
            assert!(hashes.iter().all(|hash| hash.len() == 43), "{hashes:?}");
        }
        // Where tokens are stored plainly, another server finds the new one.
        let tokens = scene.column("token", "session").await;
        assert!(tokens.contains(&expected.token));
    }
}

async fn a_replaced_token_is_good_for_its_grace_and_ends_its_session_after_it(
    database: FreshDatabase,
) {
    let scene = scene(database).await;
    for at_rest in [AtRest::Hashed, AtRest::Plain] {
        let sessions = scene.sessions(at_rest);
        let (other, opened) = (open(&sessions).await, open(&sessions).await);
        let successor = refreshed(&sessions, &opened.token).await;
        scene.clock.advance(GRACE - TimeDelta::milliseconds(1));
        let behind =
            sessions.resume(&opened.token, &ClientInfo::default()).await.expect("in its grace");
        assert!(behind.is_superseded() && behind.session().id == opened.session.id);
        assert_eq!(refreshed(&sessions, &opened.token).await.reveal(), successor.reveal());
        assert!(sessions.resume(&successor, &ClientInfo::default()).await.is_ok());

        scene.clock.advance(TimeDelta::milliseconds(1));
        assert!(is_refused(&sessions.resume_as_it_is(&opened.token, &ClientInfo::default()).await));
        assert!(is_refused(&sessions.resume(&successor, &ClientInfo::default()).await));
        assert!(is_refused(&sessions.refresh(&successor, &ClientInfo::default()).await));
        assert!(is_refused(&sessions.refresh(&opened.token, &ClientInfo::default()).await));
        assert!(sessions.resume(&other.token, &ClientInfo::default()).await.is_ok());
        assert!(scene.column("token_hash", "rotated_token").await.is_empty());
    }
}

async fn many_at_once_get_one_successor(database: FreshDatabase) {
    let scene = scene(database).await;
    for at_rest in [AtRest::Hashed, AtRest::Plain] {
        let sessions = scene.sessions(at_rest);
        let opened = open(&sessions).await;
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (sessions, forms) = (sessions.clone(), opened.token.reveal().to_owned());
            asking.spawn(async move {
                let token = SessionToken::parse(&forms, &keys(&[SECRET])).expect("a token");
                refreshed(&sessions, &token).await.reveal().to_owned()
            });
        }
        let answers = asking.join_all().await;
        assert_eq!(answers.len(), 50);
        assert_eq!(answers.into_iter().collect::<HashSet<_>>().len(), 1);
    }
}

/// At another replica, whose clock is ahead.
async fn a_client_two_steps_behind_gets_the_current_token(database: FreshDatabase) {
    let scene = scene(database).await;
    let sessions = scene.sessions(AtRest::Hashed);
    let first = open(&sessions).await.token;
    let second = refreshed(&sessions, &first).await;
    let ahead = Arc::new(ManualClock::at(scene.clock.now() + APART));
    let rules = SessionRules::default();
    let ahead = Sessions::new(scene.store.clone(), rules, keys(&[SECRET]), no_limit(), ahead);
    let third = refreshed(&ahead, &second).await;
    scene.clock.advance(TimeDelta::seconds(9));
    for behind in [&first, &second] {
        assert_eq!(refreshed(&sessions, behind).await.reveal(), third.reveal());
        let latest = sessions.latest(behind).await.expect("reads").expect("known");
        assert_eq!(latest.reveal(), third.reveal());
    }
    // The grace period counts from a token's own rotation.
    scene.clock.advance(TimeDelta::seconds(1));
    assert!(sessions.resume(&second, &ClientInfo::default()).await.is_ok());
    assert!(is_refused(&sessions.refresh(&first, &ClientInfo::default()).await));
    assert!(is_refused(&sessions.resume(&third, &ClientInfo::default()).await));
}

async fn a_token_is_not_replaced_before_it_has_some_age(database: FreshDatabase) {
    let scene = scene(database).await;
    for at_rest in [AtRest::Hashed, AtRest::Plain] {
        let sessions = scene.sessions(at_rest);
        let first = open(&sessions).await.token;
        let second = refreshed(&sessions, &first).await;
        let before = scene.column("token_hash", "rotated_token").await;
        for wait in [TimeDelta::zero(), APART - TimeDelta::milliseconds(1)] {
            scene.clock.advance(wait);
            let answer = sessions.refresh(&second, &ClientInfo::default()).await.expect("answers");
            assert_eq!(answer.token.reveal(), second.reveal());
            assert!(
                !sessions
                    .resume(&second, &ClientInfo::default())
                    .await
                    .expect("live")
                    .is_superseded()
            );
        }
        assert_eq!(scene.column("token_hash", "rotated_token").await, before);
        scene.clock.advance(TimeDelta::milliseconds(1));
        assert_ne!(refreshed(&sessions, &second).await.reveal(), second.reveal());
    }
}

async fn a_token_of_a_session_that_has_expired_is_no_alarm(database: FreshDatabase) {
    let scene = scene(database).await;
    for is_expired in [true, false] {
        let sessions = scene.sessions(AtRest::Hashed);
        let first = open(&sessions).await.token;
        refreshed(&sessions, &first).await;
        scene.clock.advance(if is_expired { WEEK } else { GRACE });
        assert!(is_refused(&sessions.resume(&first, &ClientInfo::default()).await));
        // The session of the sign-up is left.
        assert_eq!(scene.column("id", "session").await.len(), 1);
        let alarms = scene.column("kind", "security_event").await;
        assert_eq!(alarms.is_empty(), is_expired, "{alarms:?}");
    }
}

async fn a_successor_is_found_again_under_the_secret_that_made_it(database: FreshDatabase) {
    let scene = scene(database).await;
    let with = |secrets: &[&str]| {
        let (store, clock) = (scene.store.clone(), scene.clock.clone());
        Sessions::new(store, SessionRules::default(), keys(secrets), no_limit(), clock)
    };
    let before = with(&[OLD_SECRET]);
    let during = with(&[SECRET, OLD_SECRET]);
    let after = with(&[SECRET]);
    let first = open(&before).await.token;
    let second = refreshed(&before, &first).await;
    assert_eq!(refreshed(&during, &first).await.reveal(), second.reveal());
    // Without the secret the successor is unknown, but no client is signed out.
    assert!(is_refused(&after.refresh(&first, &ClientInfo::default()).await));
    assert!(after.latest(&first).await.expect("reads").is_none());
    assert!(
        after.resume(&first, &ClientInfo::default()).await.is_ok()
            && after.resume(&second, &ClientInfo::default()).await.is_ok()
    );
    scene.clock.advance(APART);
    let third = refreshed(&during, &second).await;
    assert_eq!(refreshed(&during, &second).await.reveal(), third.reveal());
    assert!(
        before.resume(&third, &ClientInfo::default()).await.is_ok()
            && after.resume(&third, &ClientInfo::default()).await.is_ok()
    );
}

async fn a_replaced_token_extends_nothing(database: FreshDatabase) {
    let scene = scene(database).await;
    let sessions = scene.sessions(AtRest::Hashed);
    let opened = open(&sessions).await;
    scene.clock.advance(TimeDelta::days(1) - TimeDelta::seconds(1));
    let successor = refreshed(&sessions, &opened.token).await;
    scene.clock.advance(TimeDelta::seconds(1));
    let behind =
        sessions.resume(&opened.token, &ClientInfo::default()).await.expect("in its grace");
    assert!(!behind.was_extended());
    assert_eq!(behind.session().expires_at, opened.session.expires_at);
    assert!(
        sessions.resume(&successor, &ClientInfo::default()).await.expect("live").was_extended()
    );
}

async fn a_session_is_ended_by_a_handle_from_before_its_rotation(database: FreshDatabase) {
    let scene = scene(database).await;
    scene.sign_up("u2", "bob@example.com").await.expect("free");
    for at_rest in [AtRest::Hashed, AtRest::Plain] {
        let sessions = scene.sessions(at_rest);
        let caller = open(&sessions).await;
        let caller = sessions.resume(&caller.token, &ClientInfo::default()).await.expect("live");
        for reveal in [false, true] {
            let thief = open(&sessions).await.token;
            let handle = if reveal { thief.reveal().to_owned() } else { thief.at_rest(at_rest) };
            let successor = refreshed(&sessions, &thief).await;
            let bob = sessions.open("u2", None, &ClientInfo::default(), Stay::Remembered).await;
            let bob = sessions
                .resume(&bob.expect("opens").token, &ClientInfo::default())
                .await
                .expect("live");
            let forms = stored_forms(&handle);
            sessions.end(&bob, Which::StoredAs(&forms)).await.expect("ends nothing");
            assert!(sessions.resume(&successor, &ClientInfo::default()).await.is_ok());
            sessions.end(&caller, Which::StoredAs(&forms)).await.expect("ends it");
            assert!(is_refused(&sessions.resume(&successor, &ClientInfo::default()).await));
        }
        assert!(sessions.list(&caller).await.is_ok());
    }
}

/// A database with numeric ids may reuse the number of the newest session.
async fn a_replaced_token_opens_no_session_that_was_opened_later(database: FreshDatabase) {
    let scene = scene(database).await;
    let sessions = scene.sessions(AtRest::Hashed);
    let first = open(&sessions).await;
    refreshed(&sessions, &first.token).await;
    let run = async |sql: String| {
        scene.store.database.writer().execute_unprepared(&sql).await.expect("writes");
    };
    let id = &first.session.id;
    run(format!(r#"DELETE FROM "session" WHERE "id" = '{id}'"#)).await;
    for advance in [TimeDelta::seconds(1), GRACE] {
        scene.clock.advance(advance);
        let second = open(&sessions).await;
        run(format!(r#"UPDATE "session" SET "id" = '{id}' WHERE "id" = '{}'"#, second.session.id))
            .await;
        assert!(is_refused(&sessions.resume(&first.token, &ClientInfo::default()).await));
        let second = sessions.resume(&second.token, &ClientInfo::default()).await.expect("live");
        assert_eq!(second.session().id, *id);
        run(format!(r#"DELETE FROM "session" WHERE "id" = '{id}'"#)).await;
    }
}

async fn frequent_rotation_makes_no_older_token_unknown(database: FreshDatabase) {
    let scene = scene(database).await;
    let sessions = scene.sessions(AtRest::Hashed);
    let victims = open(&sessions).await.token;
    let mut thiefs = refreshed(&sessions, &victims).await;
    for _ in 0..70 {
        scene.clock.advance(APART);
        for _ in 0..2 {
            thiefs = refreshed(&sessions, &thiefs).await;
        }
    }
    assert_eq!(scene.column("token_hash", "rotated_token").await.len(), 71);
    assert!(is_refused(&sessions.resume(&victims, &ClientInfo::default()).await));
    assert!(is_refused(&sessions.resume(&thiefs, &ClientInfo::default()).await));
    assert_eq!(scene.column("kind", "security_event").await, ["session_token_reused"]);
}

async fn texts(database: FreshDatabase) {
    on_tables_of_better_auth(database, Ids::Text).await;
}

async fn uuids(database: FreshDatabase) {
    on_tables_of_better_auth(database, Ids::Uuid).await;
}

async fn numbers(database: FreshDatabase) {
    on_tables_of_better_auth(database, Ids::Serial).await;
}

/// Our tables fit the ids of Better Auth's.
async fn on_tables_of_better_auth(database: FreshDatabase, ids: Ids) {
    let foreign = Foreign { ids, has_issuer: false };
    foreign.make(&database).await;
    let scene = Scene::new(database).await;
    let sessions = scene.ruled(SessionRules {
        per_user: Some(2),
        tokens_at_rest: AtRest::Plain,
        ..SessionRules::default()
    });
    let first = SessionToken::parse(TOKEN, &keys(&[SECRET])).expect("a token");
    let second = refreshed(&sessions, &first).await;
    scene.clock.advance(APART);
    let third = refreshed(&sessions, &second).await;
    assert_eq!(refreshed(&sessions, &second).await.reveal(), third.reveal());
    let caller = sessions.resume(&third, &ClientInfo::default()).await.expect("live");
    assert_eq!(sessions.list(&caller).await.expect("lists").len(), 1);
    let long_ago = scene.clock.now() - TimeDelta::days(30);
    assert_eq!(scene.store.remove_ended_session_data(long_ago).await.expect("sweeps"), 0);

    // Another session is ended by its handle, and one over the cap ends the oldest.
    let user = foreign.user_id();
    let opened = async || {
        scene.clock.advance(TimeDelta::seconds(1));
        sessions
            .open(user, None, &ClientInfo::default(), Stay::Remembered)
            .await
            .expect("opens")
            .token
    };
    let other = opened().await;
    let successor = refreshed(&sessions, &other).await;
    let forms = stored_forms(other.reveal());
    sessions.end(&caller, Which::StoredAs(&forms)).await.expect("ends it");
    assert!(is_refused(&sessions.resume(&successor, &ClientInfo::default()).await));
    assert_eq!(scene.column("token_hash", "rotated_token").await.len(), 2);
    let other = opened().await;
    opened().await;
    assert!(is_refused(&sessions.resume(&third, &ClientInfo::default()).await));
    assert!(scene.column("token_hash", "rotated_token").await.is_empty());

    refreshed(&sessions, &other).await;
    scene.clock.advance(GRACE);
    assert!(is_refused(&sessions.resume(&other, &ClientInfo::default()).await));
    assert_eq!(scene.column("id", "session").await.len(), 1);
}
