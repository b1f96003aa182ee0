//! Better Auth's four tables in its built-in layout, where they do not exist yet.

use sea_orm_migration::{
    DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait,
    sea_orm::{ConnectionTrait, DbBackend},
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261121_000001_better_auth"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let database = manager.get_connection();
        // Existing tables get no index.
        let is_new = !manager.has_table("user").await?;
        // SQLite's `date` is only a label: a Better Auth server writes ISO text there.
        let (time, flag) = match manager.get_database_backend() {
            DbBackend::Postgres => ("timestamptz", "boolean"),
            _ => ("date", "integer"),
        };
        for statement in [
            format!(
                r#"CREATE TABLE IF NOT EXISTS "user" (
                    "id" text NOT NULL PRIMARY KEY,
                    "name" text NOT NULL,
                    "email" text NOT NULL UNIQUE,
                    "emailVerified" {flag} NOT NULL,
                    "image" text,
                    "createdAt" {time} NOT NULL DEFAULT CURRENT_TIMESTAMP,
                    "updatedAt" {time} NOT NULL DEFAULT CURRENT_TIMESTAMP
                )"#
            ),
            format!(
                r#"CREATE TABLE IF NOT EXISTS "session" (
                    "id" text NOT NULL PRIMARY KEY,
                    "expiresAt" {time} NOT NULL,
                    "token" text NOT NULL UNIQUE,
                    "createdAt" {time} NOT NULL DEFAULT CURRENT_TIMESTAMP,
                    "updatedAt" {time} NOT NULL,
                    "ipAddress" text,
                    "userAgent" text,
                    "userId" text NOT NULL REFERENCES "user" ("id") ON DELETE CASCADE
                )"#
            ),
            format!(
                r#"CREATE TABLE IF NOT EXISTS "account" (
                    "id" text NOT NULL PRIMARY KEY,
                    "accountId" text NOT NULL,
                    "providerId" text NOT NULL,
                    "userId" text NOT NULL REFERENCES "user" ("id") ON DELETE CASCADE,
                    "accessToken" text,
                    "refreshToken" text,
                    "idToken" text,
                    "accessTokenExpiresAt" {time},
                    "refreshTokenExpiresAt" {time},
                    "scope" text,
                    "password" text,
                    "createdAt" {time} NOT NULL DEFAULT CURRENT_TIMESTAMP,
                    "updatedAt" {time} NOT NULL
                )"#
            ),
            format!(
                r#"CREATE TABLE IF NOT EXISTS "verification" (
                    "id" text NOT NULL PRIMARY KEY,
                    "identifier" text NOT NULL,
                    "value" text NOT NULL,
                    "expiresAt" {time} NOT NULL,
                    "createdAt" {time} NOT NULL DEFAULT CURRENT_TIMESTAMP,
                    "updatedAt" {time} NOT NULL DEFAULT CURRENT_TIMESTAMP
                )"#
            ),
        ] {
            database.execute_unprepared(&statement).await?;
        }
        if is_new {
            for (table, column) in
                [("session", "userId"), ("account", "userId"), ("verification", "identifier")]
            {
                database.execute_unprepared(&index(table, column)).await?;
            }
        }
        Ok(())
    }
}

/// Named as Better Auth does, so that it finds them on a shared database.
fn index(table: &str, column: &str) -> String {
    format!(r#"CREATE INDEX IF NOT EXISTS "{table}_{column}_idx" ON "{table}" ("{column}")"#)
}
