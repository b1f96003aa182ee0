//! Restriction columns, in every type.

use chrono::{DateTime, TimeDelta, Utc};
use fixtures::{Foreign, FreshDatabase, Ids, PASSWORD_HASH, TOKEN, on_both_databases};
use sea_orm::{ConnectionTrait, DbBackend};
use server::ClientInfo;
use shared::{clock::Clock, error::Refusal};

use super::{SECRET, Scene, keys, no_limit, raw};
use crate::{
    error::Error,
    restriction::{Restriction, SecondFactor, SignInRules},
    session::{Opened, SessionRules, Sessions, SignedIn, Stay},
    session_token::SessionToken,
    store::{OpenError, Schema, Store, Which},
};

on_both_databases!(
    a_ban_is_honoured_in_every_type,
    a_ban_that_has_lapsed_is_removed_at_sign_in,
    a_banned_user_can_still_sign_out,
    a_second_factor_stops_sign_in_and_no_session,
    an_unproven_address_stops_sign_in_where_that_is_wanted,
    a_column_that_cannot_be_read_refuses_the_start,
    columns_that_are_not_honoured_are_named,
);

/// The tables of a Better Auth server with one user, who has a session.
async fn foreign(database: FreshDatabase) -> Scene {
    Foreign { ids: Ids::Text, has_issuer: false }.make(&database).await;
    Scene::new(database).await
}

/// The store opened again, with its columns read again.
async fn reopened(scene: &Scene) -> Store {
    Store::open(&scene.database.url()).await.expect("opens")
}

async fn execute(scene: &Scene, sql: &str) {
    scene.store.database.writer().execute_unprepared(sql).await.expect(sql);
}

async fn add(scene: &Scene, name: &str, kind: &str) {
    execute(scene, &format!(r#"ALTER TABLE "user" ADD COLUMN "{name}" {kind}"#)).await;
}

async fn set(scene: &Scene, values: &str) {
    execute(scene, &format!(r#"UPDATE "user" SET {values}"#)).await;
}

/// The types of flags and timestamps in Better Auth's own tables.
fn own_types(scene: &Scene) -> (&'static str, &'static str) {
    match scene.store.database.backend() {
        DbBackend::Postgres => ("boolean", "timestamptz"),
        _ => ("integer", "date"),
    }
}

fn on(scene: &Scene) -> &'static str {
    if own_types(scene).0 == "boolean" { "true" } else { "1" }
}

fn sessions(scene: &Scene, store: &Store, sign_in: SignInRules) -> Sessions {
    let rules = SessionRules { sign_in, ..SessionRules::default() };
    Sessions::new(store.clone(), rules, keys(&[SECRET]), no_limit(), scene.clock.clone())
}

fn token() -> SessionToken {
    SessionToken::parse(TOKEN, &keys(&[SECRET])).expect("a token")
}

async fn resume(scene: &Scene, store: &Store) -> Result<SignedIn, Error> {
    sessions(scene, store, SignInRules::default()).resume(&token(), &ClientInfo::default()).await
}

async fn sign_in(scene: &Scene, store: &Store, rules: SignInRules) -> Result<Opened, Error> {
    let id = Foreign { ids: Ids::Text, has_issuer: false }.user_id();
    let sessions = sessions(scene, store, rules);
    sessions.open(id, Some(PASSWORD_HASH), &ClientInfo::default(), Stay::Remembered).await
}

fn restriction<T>(outcome: Result<T, Error>) -> Option<Restriction> {
    match outcome {
        Ok(_) => None,
        Err(Error::Restricted(restriction)) => Some(restriction),
        Err(error) => panic!("{error}"),
    }
}

/// A type and how a timestamp is written in it.
type Spelling = (&'static str, fn(DateTime<Utc>) -> String);

fn text(at: DateTime<Utc>) -> String {
    format!("'{}'", at.format("%Y-%m-%dT%H:%M:%S%.3fZ"))
}

fn zoneless(at: DateTime<Utc>) -> String {
    format!("'{}'", at.format("%Y-%m-%d %H:%M:%S%.3f"))
}

fn millis(at: DateTime<Utc>) -> String {
    at.timestamp_millis().to_string()
}

async fn a_ban_is_honoured_in_every_type(database: FreshDatabase) {
    const POSTGRES: [(&str, &str, &str); 3] =
        [("boolean", "true", "false"), ("integer", "1", "0"), ("smallint", "1", "0")];
    const SQLITE: [(&str, &str, &str); 3] =
        [("integer", "1", "0"), ("boolean", "1", "0"), ("boolean", "'true'", "'false'")];
    const POSTGRES_TIMES: [Spelling; 5] = [
        ("timestamptz", text),
        ("timestamp", zoneless),
        ("timestamp(3)", zoneless),
        ("bigint", millis),
        ("text", text),
    ];
    const SQLITE_TIMES: [Spelling; 5] = [
        ("date", text),
        ("text", zoneless),
        ("integer", millis),
        ("datetime", millis),
        ("timestamp", text),
    ];
    let scene = foreign(database).await;
    let (flags, times) = match scene.store.database.backend() {
        DbBackend::Postgres => (POSTGRES, POSTGRES_TIMES),
        _ => (SQLITE, SQLITE_TIMES),
    };
    let (now, tick) = (scene.clock.now(), TimeDelta::milliseconds(1));
    let pairs = flags.iter().map(|flag| (flag, &times[0]));
    for ((flag, on, off), (time, spelt)) in pairs.chain(times.iter().map(|time| (&flags[0], time)))
    {
        add(&scene, "banned", flag).await;
        add(&scene, "banExpires", time).await;
        let store = reopened(&scene).await;
        let banned = Some(Restriction::Banned);
        let (before, later) = (spelt(now - tick), spelt(now + tick));
        for (flag, end, verdict) in [
            ("NULL", "NULL", None),
            (off, "NULL", None),
            (off, &later, None),
            (on, "NULL", banned),
            (on, &later, banned),
            (on, &spelt(now), banned),
            (on, &before, None),
        ] {
            set(&scene, &format!(r#""banned" = {flag}, "banExpires" = {end}"#)).await;
            let title = format!("{time}: {flag} until {end}");
            assert_eq!(restriction(resume(&scene, &store).await), verdict, "{title}");
            let opened = sign_in(&scene, &store, SignInRules::default()).await;
            assert_eq!(restriction(opened), verdict, "{title}");
        }
        execute(&scene, r#"ALTER TABLE "user" DROP COLUMN "banned""#).await;
        execute(&scene, r#"ALTER TABLE "user" DROP COLUMN "banExpires""#).await;
    }
}

async fn a_ban_that_has_lapsed_is_removed_at_sign_in(database: FreshDatabase) {
    let scene = foreign(database).await;
    let (flag, time) = own_types(&scene);
    for (name, kind) in [("banned", flag), ("banReason", "text"), ("banExpires", time)] {
        add(&scene, name, kind).await;
    }
    let store = reopened(&scene).await;
    let lapsed = text(scene.clock.now() - TimeDelta::seconds(1));
    let on = on(&scene);
    set(&scene, &format!(r#""banned" = {on}, "banReason" = 'spam', "banExpires" = {lapsed}"#))
        .await;
    // Use alone writes nothing, as with Better Auth.
    assert_eq!(restriction(resume(&scene, &store).await), None);
    assert_eq!(scene.column("banReason", "user").await, ["spam"]);
    assert_eq!(restriction(sign_in(&scene, &store, SignInRules::default()).await), None);
    let off = if on == "true" { "false" } else { "0" };
    assert_eq!(scene.column("banned", "user").await, [off]);
    let left = r#"SELECT 1 FROM "user" WHERE "banReason" IS NULL AND "banExpires" IS NULL"#;
    let left = store.database.reader().query_all_raw(raw(&store, left.to_owned())).await;
    assert_eq!(left.expect("reads").len(), 1);
}

async fn a_banned_user_can_still_sign_out(database: FreshDatabase) {
    let scene = foreign(database).await;
    add(&scene, "banned", own_types(&scene).0).await;
    let store = reopened(&scene).await;
    set(&scene, &format!(r#""banned" = {}"#, on(&scene))).await;
    let sessions = sessions(&scene, &store, SignInRules::default());
    for outcome in [
        sessions.resume(&token(), &ClientInfo::default()).await.map(drop),
        sessions.resume_as_it_is(&token(), &ClientInfo::default()).await.map(drop),
        sessions.refresh(&token(), &ClientInfo::default()).await.map(drop),
    ] {
        assert_eq!(restriction(outcome), Some(Restriction::Banned));
    }
    let caller = sessions.resume_to_end(&token(), &ClientInfo::default()).await.expect("is known");
    sessions.end(&caller, Which::One(&caller.session().id)).await.expect("ends");
    assert!(matches!(
        sessions.resume_to_end(&token(), &ClientInfo::default()).await,
        Err(Error::Refused(Refusal::InvalidSession))
    ));
}

async fn a_second_factor_stops_sign_in_and_no_session(database: FreshDatabase) {
    let scene = foreign(database).await;
    add(&scene, "twoFactorEnabled", own_types(&scene).0).await;
    let store = reopened(&scene).await;
    let skip = SignInRules { second_factor: SecondFactor::Skip, ..SignInRules::default() };
    let refuse = SignInRules::default();
    for (value, refused) in [("NULL", None), (on(&scene), Some(Restriction::SecondFactor))] {
        set(&scene, &format!(r#""twoFactorEnabled" = {value}"#)).await;
        assert_eq!(restriction(sign_in(&scene, &store, refuse).await), refused, "{value}");
        assert_eq!(restriction(sign_in(&scene, &store, skip).await), None, "{value}");
        // The server that asked for the second factor has opened it.
        assert_eq!(restriction(resume(&scene, &store).await), None, "{value}");
    }
}

async fn an_unproven_address_stops_sign_in_where_that_is_wanted(database: FreshDatabase) {
    let scene = foreign(database).await;
    let store = reopened(&scene).await;
    let wanted = SignInRules { needs_verified_email: true, ..SignInRules::default() };
    let refused = Some(Restriction::UnverifiedEmail);
    assert_eq!(restriction(sign_in(&scene, &store, SignInRules::default()).await), None);
    assert_eq!(restriction(sign_in(&scene, &store, wanted).await), refused);
    assert_eq!(restriction(resume(&scene, &store).await), None);
    set(&scene, &format!(r#""emailVerified" = {}"#, on(&scene))).await;
    assert_eq!(restriction(sign_in(&scene, &store, wanted).await), None);
}

/// Otherwise no user would seem restricted.
async fn a_column_that_cannot_be_read_refuses_the_start(database: FreshDatabase) {
    let scene = foreign(database).await;
    for name in ["banned", "twoFactorEnabled"] {
        add(&scene, name, "bytea").await;
    }
    let Err(OpenError::Tables(differences)) = Store::open(&scene.database.url()).await else {
        panic!("opened")
    };
    let differences = differences.to_string();
    let flag = own_types(&scene).0;
    for name in ["banned", "twoFactorEnabled"] {
        let named = format!("table `user`: column `{name}` is bytea, not {flag}");
        assert!(differences.contains(&named), "{differences}");
    }
}

async fn columns_that_are_not_honoured_are_named(database: FreshDatabase) {
    let scene = foreign(database).await;
    let (flag, time) = own_types(&scene);
    for (name, kind) in [
        ("banned", flag),
        ("banExpires", time),
        ("two_factor_enabled", flag),
        ("disabled", flag),
        ("deletedAt", time),
        ("lastActive", time),
        ("role", "text"),
    ] {
        add(&scene, name, kind).await;
    }
    let schema = Schema::read(&scene.store.database).await.expect("reads");
    assert_eq!(schema.unhonoured(), ["two_factor_enabled", "disabled", "deletedAt"]);
}
