//! Unsupported databases: refused at start, with every reason, and left unchanged.

use fixtures::{Foreign, FreshDatabase, Ids, on_both_databases};
use sea_orm::{ConnectionTrait, DbBackend};
use server::db::Database;

use crate::store::{OpenError, Store};

on_both_databases!(
    drizzles_layout_is_refused_and_named,
    prismas_layout_is_refused_and_named,
    tables_of_other_names_are_not_taken_for_an_empty_database,
    columns_that_this_service_does_not_fill_are_named,
    ids_that_do_not_fit_together_are_named,
    everything_is_named_at_once,
);

/// Runs `statements` on a new database, then tries to start on it. Returns the reason of the
/// refusal.
async fn refusal(database: &FreshDatabase, statements: &[&str]) -> String {
    let connection = Database::connect(&database.url()).await.expect("connects");
    for sql in statements {
        connection.writer().execute_unprepared(sql).await.expect(sql);
    }
    let before = tables(&connection).await;
    let Err(refusal) = Store::open(&database.url()).await else { panic!("opened") };
    assert_eq!(tables(&connection).await, before, "nothing is made");
    connection.close().await.expect("closes");
    let OpenError::Tables(differences) = refusal else { panic!("{refusal}") };
    differences.to_string()
}

#[expect(clippy::disallowed_methods, reason = "tests look at the tables as others see them")]
async fn tables(database: &Database) -> Vec<String> {
    let sql = match database.backend() {
        DbBackend::Postgres => {
            "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        }
        _ => "SELECT name FROM sqlite_master",
    };
    let query = sea_orm::Statement::from_string(database.backend(), sql);
    let rows = database.reader().query_all_raw(query).await.expect("reads");
    rows.iter().map(|row| row.try_get_by_index(0).expect("a name")).collect()
}

fn assert_names(refusal: &str, differences: &[&str]) {
    for difference in differences {
        assert!(refusal.contains(difference), "`{difference}` is not in: {refusal}");
    }
    assert!(refusal.contains("; what can be done: "), "{refusal}");
}

fn is_postgres(database: &FreshDatabase) -> bool {
    database.address().starts_with("postgres")
}

async fn drizzles_layout_is_refused_and_named(database: FreshDatabase) {
    let (time, flag) =
        if is_postgres(&database) { ("timestamp", "boolean") } else { ("integer", "integer") };
    let user = format!(
        r#"create table "user" ("id" text primary key not null, "name" text not null,
           "email" text not null unique, "email_verified" {flag} default false not null,
           "image" text, "created_at" {time} not null, "updated_at" {time} not null)"#
    );
    let session = format!(
        r#"create table "session" ("id" text primary key not null, "expires_at" {time} not null,
           "token" text not null unique, "created_at" {time} not null,
           "updated_at" {time} not null, "ip_address" text, "user_agent" text,
           "user_id" text not null references "user" ("id") on delete cascade)"#
    );
    let refusal = refusal(&database, &[&user, &session]).await;
    assert_names(
        &refusal,
        &[
            "table `user`: column `emailVerified` is missing, but there is `email_verified`",
            "table `session`: column `expiresAt` is missing, but there is `expires_at`",
            "table `session`: column `userId` is missing, but there is `user_id`",
            "this is the layout of Drizzle",
        ],
    );
    assert!(!refusal.contains("has to be filled"), "{refusal}");
}

async fn prismas_layout_is_refused_and_named(database: FreshDatabase) {
    let (time, flag) =
        if is_postgres(&database) { ("timestamp(3)", "boolean") } else { ("datetime", "boolean") };
    let user = format!(
        r#"create table "user" ("id" text not null primary key, "name" text not null,
           "email" text not null, "emailVerified" {flag} not null default false, "image" text,
           "createdAt" {time} not null default CURRENT_TIMESTAMP, "updatedAt" {time} not null)"#
    );
    let unique = r#"create unique index "user_email_key" on "user" ("email")"#;
    let refusal = refusal(&database, &[&user, unique]).await;
    let found = if is_postgres(&database) {
        "table `user`: column `createdAt` is timestamp without time zone, not timestamptz"
    } else {
        "table `user`: column `createdAt` is datetime, not date (a text in ISO 8601)"
    };
    assert_names(&refusal, &[found, "this is the layout of Prisma"]);
    assert!(!refusal.contains("unique"), "{refusal}");
}

/// Otherwise no user would seem to have an account.
async fn tables_of_other_names_are_not_taken_for_an_empty_database(database: FreshDatabase) {
    let flag = if is_postgres(&database) { "boolean" } else { "integer" };
    let users = format!(
        r#"create table "auth_users" ("id" text primary key, "email" text,
           "emailVerified" {flag})"#
    );
    let refusal = refusal(&database, &[&users]).await;
    assert_names(&refusal, &["table `user` is missing, but there is `auth_users`"]);
}

async fn columns_that_this_service_does_not_fill_are_named(database: FreshDatabase) {
    let foreign = Foreign { ids: Ids::Text, has_issuer: true };
    foreign.make(&database).await;
    let time = if is_postgres(&database) { "timestamptz" } else { "date" };
    let session = format!(
        r#"create table "session" ("id" text primary key, "expiresAt" {time} not null,
           "token" text not null unique, "createdAt" {time} not null,
           "updatedAt" {time} not null, "ipAddress" text not null, "userAgent" text,
           "userId" text, "tenant" text not null)"#
    );
    let refusal = refusal(
        &database,
        &[
            r#"alter table "user" add column "role" text default 'user' not null"#,
            r#"alter table "user" add column "banned" integer"#,
            r#"create table "old" as select * from "session""#,
            r#"drop table "session""#,
            &session,
        ],
    )
    .await;
    assert_names(
        &refusal,
        &[
            "table `session`: column `tenant` has to be filled and has no default",
            "table `session`: column `ipAddress` takes no NULL",
            "table `session`: column `userId` may be NULL",
        ],
    );
    for fine in ["role", "banned", "issuer", "`old`"] {
        assert!(!refusal.contains(fine), "{refusal}");
    }
}

async fn ids_that_do_not_fit_together_are_named(database: FreshDatabase) {
    let foreign = Foreign { ids: Ids::Serial, has_issuer: false };
    foreign.make(&database).await;
    let time = if is_postgres(&database) { "timestamptz" } else { "date" };
    let session = format!(
        r#"create table "session" ("id" text not null primary key, "expiresAt" {time} not null,
           "token" text not null unique, "createdAt" {time} not null,
           "updatedAt" {time} not null, "ipAddress" text, "userAgent" text,
           "userId" text not null)"#
    );
    let drop = r#"drop table "session""#;
    let drop_account = r#"drop table "account""#;
    let refusal = refusal(&database, &[drop, &session, drop_account]).await;
    assert_names(
        &refusal,
        &[
            "table `session`: column `userId` is text, but `user`.`id` is integer",
            "table `account` is missing",
        ],
    );
}

async fn everything_is_named_at_once(database: FreshDatabase) {
    let user = r#"create table "user" ("id" real primary key, "email" text, "image" integer)"#;
    let refusal = refusal(&database, &[user]).await;
    assert_names(
        &refusal,
        &[
            "table `user`: column `id` is real, not text, a UUID or a number",
            "table `user`: column `name` is missing",
            "table `user`: column `email` may be NULL",
            "table `user`: column `emailVerified` is missing",
            "table `user`: column `image` is integer, not text",
            "table `user`: column `createdAt` is missing",
            "table `user`: column `updatedAt` is missing",
            "table `user`: nothing makes `email` unique",
        ],
    );
}
