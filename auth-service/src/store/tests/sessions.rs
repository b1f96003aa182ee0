//! Sessions: opening, extending and ending.

use chrono::{DateTime, TimeDelta};
use fixtures::{FreshDatabase, on_both_databases};
use server::ClientInfo;
use shared::{clock::Clock, error::Refusal};

use super::{SECRET, Scene, WEEK, keys};
use crate::{
    error::Error,
    rate_limit::{InvalidTokens, Limit},
    session::{SessionRules, Sessions, Stay},
    session_token::{AtRest, SessionToken, stored_forms},
    store::Which,
};

on_both_databases!(
    a_session_opens_by_either_form_and_slides_once_a_day,
    a_session_is_left_as_it_is_on_request,
    a_brief_session_ends_after_a_day_and_is_never_extended,
    a_session_ends_by_its_token_or_by_what_is_stored_of_it,
    an_expired_session_is_refused_and_removed,
    expired_sessions_are_removed_and_live_ones_stay,
    sessions_end_one_by_one_or_together_and_only_their_users,
    a_client_is_known_while_a_session_from_it_lives,
    invalid_tokens_are_counted_in_every_call_and_live_ones_are_not,
);

async fn a_session_opens_by_either_form_and_slides_once_a_day(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    for at_rest in [AtRest::Hashed, AtRest::Plain] {
        let sessions = scene.sessions(at_rest);
        let opened = sessions
            .open("u1", None, &ClientInfo::default(), Stay::Remembered)
            .await
            .expect("opens");
        let begin = scene.clock.now();
        scene.clock.advance(TimeDelta::days(1) - TimeDelta::milliseconds(1));
        let early = sessions.resume(&opened.token, &ClientInfo::default()).await.expect("live");
        assert_eq!(early.session().expires_at, begin + WEEK);
        scene.clock.advance(TimeDelta::milliseconds(1));
        let later = scene
            .sessions(AtRest::Hashed)
            .resume(&opened.token, &ClientInfo::default())
            .await
            .expect("live");
        assert_eq!(later.session().expires_at, scene.clock.now() + WEEK);
        let again = sessions.resume(&opened.token, &ClientInfo::default()).await.expect("live");
        assert_eq!(again.session().expires_at, scene.clock.now() + WEEK);
        assert!(matches!(
            sessions.list(&again).await,
            Err(Error::Refused(Refusal::SessionNotFresh))
        ));
    }
}

/// Counted inside `Sessions`: no caller has to remember it.
async fn invalid_tokens_are_counted_in_every_call_and_live_ones_are_not(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let live = scene.sign_up("u1", "ada@example.com").await.expect("free");
    let limit = Some(Limit::new(6, std::time::Duration::from_hours(24)));
    let dead = SessionToken::generate().expect("randomness");
    let (here, there) = ("192.0.2.1", "192.0.2.2");
    let from = |address: &str| ClientInfo::at(address.parse().expect("an address"));
    for call in 0..4 {
        let invalid_tokens = InvalidTokens::new(limit, scene.clock.clone());
        let (store, clock) = (scene.store.clone(), scene.clock.clone());
        let rules = SessionRules::default();
        let sessions = Sessions::new(store, rules, keys(&[SECRET]), invalid_tokens, clock);
        let ask = async |token: &SessionToken, client: &str| {
            let client = &from(client);
            match call {
                0 => sessions.resume(token, client).await.map(drop),
                1 => sessions.resume_as_it_is(token, client).await.map(drop),
                2 => sessions.resume_to_end(token, client).await.map(drop),
                _ => sessions.refresh(token, client).await.map(drop),
            }
        };
        ask(&live, here).await.expect("live");
        for _ in 0..3 {
            assert!(
                matches!(ask(&dead, here).await, Err(Error::Refused(Refusal::InvalidSession))),
                "{call}"
            );
        }
        let refused = ask(&dead, here).await;
        assert!(matches!(refused, Err(Error::TooManyAttempts { .. })), "{call}");
        ask(&live, here).await.expect("live, beside the dead ones");
        assert!(
            matches!(ask(&dead, there).await, Err(Error::Refused(Refusal::InvalidSession))),
            "{call}"
        );
    }
}

async fn a_client_is_known_while_a_session_from_it_lives(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    scene.sign_up("u2", "bob@example.com").await.expect("free");
    let sessions = scene.sessions(AtRest::Hashed);
    for address in ["192.0.2.1", "2001:db8:0:1::7"] {
        let client = ClientInfo::at(address.parse().expect("an address"));
        sessions.open("u1", None, &client, Stay::Brief).await.expect("opens");
    }
    let is_known_client = async |email, address: &str| {
        let client = ClientInfo::at(address.parse().expect("an address"));
        sessions.is_known_client(&client, email).await.expect("reads")
    };
    for near in ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8:0:1::8"] {
        assert!(is_known_client("ada@example.com", near).await, "{near}");
        assert!(!is_known_client("bob@example.com", near).await, "{near}");
        assert!(!is_known_client("eve@example.com", near).await, "{near}");
    }
    for far in ["192.0.2.2", "2001:db8:0:2::7"] {
        assert!(!is_known_client("ada@example.com", far).await, "{far}");
    }
    scene.clock.advance(TimeDelta::days(1));
    assert!(!is_known_client("ada@example.com", "192.0.2.1").await, "they have expired");
}

async fn a_session_is_left_as_it_is_on_request(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let token = scene.sign_up("u1", "ada@example.com").await.expect("free");
    let sessions = scene.sessions(AtRest::Hashed);
    let end = scene.clock.now() + WEEK;
    scene.clock.advance(TimeDelta::days(3));
    let left = sessions.resume_as_it_is(&token, &ClientInfo::default()).await.expect("live");
    assert_eq!((left.session().expires_at, left.was_extended()), (end, false));
    let extended = sessions.resume(&token, &ClientInfo::default()).await.expect("live");
    assert!(extended.session().expires_at > end && extended.was_extended());
    assert!(!sessions.resume(&token, &ClientInfo::default()).await.expect("live").was_extended());
}

async fn a_brief_session_ends_after_a_day_and_is_never_extended(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    let sessions = scene.sessions(AtRest::Hashed);
    let client = ClientInfo::default();
    let opened = sessions.open("u1", None, &client, Stay::Brief).await.expect("opens");
    let end = scene.clock.now() + TimeDelta::days(1);
    for hours in [0, 12, 11] {
        scene.clock.advance(TimeDelta::hours(hours));
        let caller = sessions.resume(&opened.token, &ClientInfo::default()).await.expect("live");
        assert_eq!((caller.session().expires_at, caller.was_extended()), (end, false));
        assert_eq!(sessions.stay(caller.session()), Stay::Brief);
    }
    scene.clock.advance(TimeDelta::hours(1));
    assert!(matches!(
        sessions.resume(&opened.token, &ClientInfo::default()).await,
        Err(Error::Refused(Refusal::InvalidSession))
    ));

    let hour = std::time::Duration::from_hours(1);
    let short = scene.ruled(SessionRules { lifetime: hour, ..SessionRules::default() });
    let open = short.open("u1", None, &client, Stay::Brief);
    let end = scene.clock.now() + TimeDelta::hours(1);
    assert_eq!(open.await.expect("opens").session.expires_at, end);
}

async fn a_session_ends_by_its_token_or_by_what_is_stored_of_it(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let ada = scene.sign_up("u1", "ada@example.com").await.expect("free");
    let bob = scene.sign_up("u2", "bob@example.com").await.expect("free");
    let sessions = scene.sessions(AtRest::Hashed);
    let caller = sessions.resume(&ada, &ClientInfo::default()).await.expect("live");
    for at_rest in [AtRest::Hashed, AtRest::Plain] {
        let sessions = scene.sessions(at_rest);
        for by_handle in [false, true] {
            let client = ClientInfo::default();
            let other = sessions.open("u1", None, &client, Stay::Remembered);
            let other = other.await.expect("opens");
            let given =
                if by_handle { other.token.at_rest(at_rest) } else { other.token.reveal().into() };
            let forms = stored_forms(&given);
            sessions.end(&caller, Which::StoredAs(&forms)).await.expect("ends it");
            assert!(
                sessions.resume(&other.token, &ClientInfo::default()).await.is_err(),
                "{at_rest:?} {by_handle}"
            );
        }
    }
    for given in [bob.reveal(), &bob.at_rest(AtRest::Hashed), "nope", ""] {
        let forms = stored_forms(given);
        sessions.end(&caller, Which::StoredAs(&forms)).await.expect("ends nothing");
    }
    assert!(
        sessions.resume(&ada, &ClientInfo::default()).await.is_ok()
            && sessions.resume(&bob, &ClientInfo::default()).await.is_ok()
    );
}

async fn an_expired_session_is_refused_and_removed(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let token = scene.sign_up("u1", "ada@example.com").await.expect("free");
    scene.clock.advance(WEEK);
    let sessions = scene.sessions(AtRest::Hashed);
    assert!(matches!(
        sessions.resume(&token, &ClientInfo::default()).await,
        Err(Error::Refused(Refusal::InvalidSession))
    ));
    assert!(scene.column("id", "session").await.is_empty());
}

async fn expired_sessions_are_removed_and_live_ones_stay(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    scene.clock.advance(TimeDelta::days(1));
    let late = scene.sign_up("u2", "bob@example.com").await.expect("free");
    scene.clock.advance(WEEK - TimeDelta::days(1));
    let now = scene.clock.now();
    let oldest = DateTime::UNIX_EPOCH;
    assert_eq!(scene.store.remove_expired_sessions(now, oldest).await.expect("sweeps"), 1);
    assert_eq!(scene.column("token", "session").await, [late.at_rest(AtRest::Hashed)]);
}

async fn sessions_end_one_by_one_or_together_and_only_their_users(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let ada = scene.sign_up("u1", "ada@example.com").await.expect("free");
    let bob = scene.sign_up("u2", "bob@example.com").await.expect("free");
    let sessions = scene.sessions(AtRest::Hashed);
    for _ in 0..3 {
        scene.clock.advance(TimeDelta::seconds(1));
        sessions.open("u1", None, &ClientInfo::default(), Stay::Remembered).await.expect("opens");
    }
    let ada = sessions.resume(&ada, &ClientInfo::default()).await.expect("live");
    let bob = sessions.resume(&bob, &ClientInfo::default()).await.expect("live");
    let listed = sessions.list(&ada).await.expect("lists");
    assert_eq!(listed.len(), 4);
    assert!(listed.is_sorted_by(|a, b| a.session.created_at > b.session.created_at));

    sessions.end(&ada, Which::One(&bob.session().id)).await.expect("ends nothing");
    sessions.end(&ada, Which::One(&listed[0].session.id)).await.expect("ends one");
    assert_eq!(sessions.list(&ada).await.expect("lists").len(), 3);
    sessions.end(&ada, Which::Others(&ada.session().id)).await.expect("ends two");
    assert_eq!(sessions.list(&ada).await.expect("lists").len(), 1);
    sessions.end(&ada, Which::All).await.expect("ends all");
    assert!(sessions.list(&ada).await.expect("lists").is_empty());
    assert_eq!(sessions.list(&bob).await.expect("lists").len(), 1);
}
