//! The store suite, on two databases.

mod admin;
mod erasures;
mod full_disk;
mod layouts;
mod mixed_case;
mod plans;
mod refused;
mod restrictions;
mod security_events;
mod session_lifetime;
mod sessions;
mod token_rotation;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use fixtures::{Foreign, FreshDatabase, Ids, on_both_databases};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use server::{
    ClientInfo,
    audit_log::{AuditLog, Event, EventKind, Record},
};
use shared::{
    auth::{Keyring, Secret},
    clock::{Clock, ManualClock, SystemClock},
    error::Refusal,
};

use super::{NewUser, Precondition, PreconditionCheck, Schema, Store, UserPatch, Which};
use crate::{
    email::Email,
    error::Error,
    profile::Image,
    rate_limit::InvalidTokens,
    session::{SessionRules, Sessions, Stay},
    session_token::{AtRest, SessionToken},
};

const WEEK: TimeDelta = TimeDelta::days(7);
const SECRET: &str = "test-secret-0123456789-abcdefghijklmnop-XYZ";

/// A keyring of these secrets, the first of which signs.
fn keys(secrets: &[&str]) -> Arc<Keyring> {
    let secrets = secrets.iter().map(|text| Secret::parse((*text).to_owned()).expect("strong"));
    let secrets: Vec<_> = secrets.collect();
    Arc::new(Keyring::new(&secrets[0], &secrets[1..]))
}

/// No limit of invalid tokens.
fn no_limit() -> InvalidTokens {
    InvalidTokens::new(None, Arc::new(SystemClock))
}

struct Scene {
    store: Store,
    clock: Arc<ManualClock>,
    database: FreshDatabase,
}

impl Scene {
    async fn new(database: FreshDatabase) -> Self {
        let store = Store::open(&database.url()).await.expect("opens");
        let start = DateTime::parse_from_rfc3339("2026-11-20T22:22:04.773Z").expect("a moment");
        Self { store, clock: Arc::new(ManualClock::at(start.into())), database }
    }

    fn sessions(&self, at_rest: AtRest) -> Sessions {
        self.ruled(SessionRules { tokens_at_rest: at_rest, ..SessionRules::default() })
    }

    fn ruled(&self, rules: SessionRules) -> Sessions {
        Sessions::new(self.store.clone(), rules, keys(&[SECRET]), no_limit(), self.clock.clone())
    }

    async fn sign_up(&self, id: &str, email: &str) -> Option<SessionToken> {
        let sessions = self.sessions(AtRest::Hashed);
        let (token, mut session) =
            sessions.prepare(id, &ClientInfo::default(), Stay::Remembered).expect("a session");
        let mut user = self.new_user(id, email);
        self.store.create_user(&mut user, &mut session).await.expect("writes").then_some(token)
    }

    fn new_user(&self, id: &str, email: &str) -> NewUser {
        NewUser {
            id: id.to_owned(),
            email: Email::parse(email).expect("an address"),
            name: "Ada".to_owned(),
            image: Image(None),
            password_hash: "salt:key".to_owned(),
            now: self.clock.now(),
        }
    }

    /// One column of all rows, as text.
    async fn column(&self, column: &str, table: &str) -> Vec<String> {
        let sql = format!(r#"SELECT CAST("{column}" AS text) FROM "{table}""#);
        let rows = self.store.database.reader().query_all_raw(raw(&self.store, sql)).await;
        let text = |row: &sea_orm::QueryResult| row.try_get_by_index(0).expect("text");
        rows.expect("reads").iter().map(text).collect()
    }
}

/// An audit record of the user `u1`.
fn record(kind: EventKind) -> Record {
    AuditLog::default().new_record(Event::of(kind, "u1"))
}

#[expect(clippy::disallowed_methods, reason = "tests look at the rows as others see them")]
fn raw(store: &Store, sql: String) -> Statement {
    Statement::from_string(store.database.backend(), sql)
}

on_both_databases!(
    rows_are_written_as_better_auth_writes_them,
    an_email_has_one_account_and_a_refused_one_leaves_nothing,
    accounts_are_listed_with_what_was_granted,
    a_user_goes_with_everything_that_was_theirs,
    a_change_during_a_hash_aborts_the_write_that_relied_on_it,
    a_patch_changes_what_it_names,
    a_database_that_better_auth_made_is_left_as_it_is,
    every_spelling_of_a_timestamp_is_read,
    an_index_that_is_missing_is_named_and_not_made,
);

async fn rows_are_written_as_better_auth_writes_them(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let token = scene.sign_up("u1", "ada@example.com").await.expect("free");
    assert_eq!(scene.column("accountId", "account").await, ["u1"]);
    assert_eq!(scene.column("providerId", "account").await, ["credential"]);
    assert_eq!(scene.column("token", "session").await, [token.at_rest(AtRest::Hashed)]);
    if scene.store.database.backend() == DbBackend::Sqlite {
        assert_eq!(scene.column("createdAt", "user").await, ["2026-11-20T22:22:04.773Z"]);
        assert_eq!(scene.column("expiresAt", "session").await, ["2026-11-27T22:22:04.773Z"]);
        assert_eq!(scene.column("emailVerified", "user").await, ["0"]);
    }
    let user = scene.store.user("u1").await.expect("reads").expect("a user");
    assert_eq!((user.created_at, user.email_verified), (scene.clock.now(), false));
}

async fn an_email_has_one_account_and_a_refused_one_leaves_nothing(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    assert!(scene.sign_up("u1", "ada@example.com").await.is_some());
    assert!(scene.sign_up("u2", "ADA@example.com").await.is_none());
    for table in ["user", "account", "session"] {
        assert_eq!(scene.column("id", table).await.len(), 1, "{table}");
    }
}

async fn accounts_are_listed_with_what_was_granted(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    scene.sign_up("u2", "bob@example.com").await.expect("free");
    let sql = r#"UPDATE "account" SET "scope" = 'openid,email' WHERE "userId" = 'u1'"#;
    scene.store.database.writer().execute_unprepared(sql).await.expect("writes");
    let listed = scene.store.linked_accounts("u1").await.expect("reads");
    let [only] = &listed[..] else { panic!("one account") };
    assert_eq!((only.user_id.as_str(), only.account_id.as_str()), ("u1", "u1"));
    assert_eq!((only.provider_id.as_str(), only.created_at), ("credential", scene.clock.now()));
    assert_eq!(only.scope.as_deref(), Some("openid,email"));
}

async fn a_user_goes_with_everything_that_was_theirs(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    scene.sign_up("u2", "bob@example.com").await.expect("free");
    let record = record(EventKind::AccountDeleted);
    let deleted = scene.store.delete_user("u1", Precondition::default(), &record, None).await;
    assert_eq!(deleted.expect("deletes"), PreconditionCheck::Met);
    assert_eq!(scene.column("kind", "security_event").await, ["account_deleted"]);
    assert_eq!(scene.column("id", "user").await, ["u2"]);
    for table in ["account", "session"] {
        assert_eq!(scene.column("userId", table).await, ["u2"], "{table}");
    }
    assert!(scene.sign_up("u3", "ada@example.com").await.is_some());
}

async fn a_change_during_a_hash_aborts_the_write_that_relied_on_it(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let token = scene.sign_up("u1", "ada@example.com").await.expect("free");
    let sessions = scene.sessions(AtRest::Hashed);
    let session =
        sessions.resume(&token, &ClientInfo::default()).await.expect("live").session().id.clone();
    let now = scene.clock.now();
    let based_on = |hash| Precondition { password_hash: Some(hash), session_id: Some(&session) };
    let change = async |hash, new: &str| {
        let record = record(EventKind::PasswordChanged);
        scene.store.change_password("u1", based_on(hash), new.into(), None, &record, now).await
    };

    assert_eq!(change("salt:key", "salt:new").await.expect("writes"), PreconditionCheck::Met);
    assert_eq!(
        change("salt:key", "salt:late").await.expect("writes"),
        PreconditionCheck::PasswordChanged
    );
    assert_eq!(scene.store.password_hash("u1").await.expect("reads").as_deref(), Some("salt:new"));
    let stale =
        sessions.open("u1", Some("salt:key"), &ClientInfo::default(), Stay::Remembered).await;
    assert!(matches!(stale, Err(Error::Refused(Refusal::InvalidEmailOrPassword))));
    assert_eq!(scene.column("id", "session").await.len(), 1);

    scene.store.end_sessions("u1", Which::All).await.expect("ends");
    assert_eq!(
        change("salt:new", "salt:late").await.expect("writes"),
        PreconditionCheck::SessionEnded
    );
    let deleted = scene
        .store
        .delete_user("u1", based_on("salt:new"), &record(EventKind::AccountDeleted), None)
        .await
        .expect("writes");
    assert_eq!(deleted, PreconditionCheck::SessionEnded);
    assert_eq!(scene.column("password", "account").await, ["salt:new"]);
}

async fn a_patch_changes_what_it_names(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    scene.clock.advance(TimeDelta::seconds(5));
    let now: DateTime<Utc> = scene.clock.now();
    let image = Some("https://example.com/a.png".to_owned());
    let patch = UserPatch { name: None, image: Some(Image(image.clone())) };
    let user = scene.store.update_user("u1", patch, now).await.expect("writes").expect("a user");
    assert_eq!((user.name.as_str(), user.image, user.updated_at), ("Ada", image, now));
    let patch = UserPatch { name: Some("Ada L.".to_owned()), image: Some(Image(None)) };
    let user = scene.store.update_user("u1", patch, now).await.expect("writes").expect("a user");
    assert_eq!((user.name.as_str(), user.image), ("Ada L.", None));
    let patch = UserPatch::default();
    assert!(scene.store.update_user("nobody", patch, now).await.expect("writes").is_none());
}

/// A table as such a server makes it, with a plugin's column and a row of its own.
async fn a_database_that_better_auth_made_is_left_as_it_is(database: FreshDatabase) {
    let connection = server::db::Database::connect(&database.url()).await.expect("connects");
    let (time, flag) = match connection.backend() {
        DbBackend::Postgres => ("timestamptz", ("boolean", "true")),
        _ => ("date", ("integer", "1")),
    };
    for sql in [
        format!(
            r#"create table "user" ("id" text not null primary key, "name" text not null,
               "email" text not null unique, "emailVerified" {} not null, "image" text,
               "createdAt" {time} not null, "updatedAt" {time} not null, "role" text)"#,
            flag.0
        ),
        format!(
            r#"insert into "user" values ('node', 'Ada', 'ada@example.com', {}, null,
               '2026-11-20T22:18:00.970Z', '2026-11-20T22:18:00.970Z', 'admin')"#,
            flag.1
        ),
    ] {
        connection.writer().execute_unprepared(&sql).await.expect("a table");
    }
    connection.close().await.expect("closes");

    let scene = Scene::new(database).await;
    let email = Email::parse("Ada@Example.com").expect("an address");
    let found = scene.store.user_by_email(&email).await.expect("reads").expect("a user");
    assert_eq!((found.id.as_str(), found.email_verified), ("node", true));
    assert_eq!(found.created_at.to_rfc3339(), "2026-11-20T22:18:00.970+00:00");
    assert_eq!(scene.column("role", "user").await, ["admin"]);
    let again = Store::open(&scene.database.url()).await.expect("opens again");
    assert!(again.user("node").await.expect("reads").is_some());
}

/// Better Auth writes the first; others have been observed, and its server reads them.
async fn every_spelling_of_a_timestamp_is_read(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    for spelling in [
        "2026-11-20T22:22:04.773Z",
        "2026-11-20T22:22:04.773+00:00",
        "2026-11-21T00:22:04.773+02:00",
        "2026-11-20 22:22:04.773",
        "2026-11-20 22:22:04.773Z",
        "2026-11-20 22:22:04.773+00:00",
        "2026-11-20T22:22:04.773000001Z",
    ] {
        // Without a zone PostgreSQL would take it to be in that of the connection.
        let update =
            format!(r#"UPDATE "user" SET "createdAt" = '{spelling}', "updatedAt" = '{spelling}'"#);
        scene.store.database.writer().execute_unprepared(&update).await.expect("writes");
        let user = scene.store.user("u1").await.expect(spelling).expect("a user");
        assert_eq!(user.created_at.timestamp_millis(), scene.clock.now().timestamp_millis());
        assert_eq!(user.updated_at.timestamp_millis(), scene.clock.now().timestamp_millis());
    }
}

async fn an_index_that_is_missing_is_named_and_not_made(database: FreshDatabase) {
    let foreign = Foreign { ids: Ids::Text, has_issuer: false };
    foreign.make(&database).await;
    let connection = server::db::Database::connect(&database.url()).await.expect("connects");
    let complete = Schema::read(&connection).await.expect("reads");
    assert_eq!(complete.missing_indexes().count(), 0);
    let drop_index = r#"DROP INDEX "session_userId_idx""#;
    connection.writer().execute_unprepared(drop_index).await.expect("drops");
    connection.close().await.expect("closes");
    for _ in 0..2 {
        let store = Store::open(&database.url()).await.expect("opens");
        let schema = Schema::read(&store.database).await.expect("reads");
        let missing: Vec<_> = schema.missing_indexes().collect();
        assert_eq!(missing, [r#""session" ("userId")"#]);
    }
}
