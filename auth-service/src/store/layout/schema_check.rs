//! The schema check: whether the tables can be used, and every difference that prevents it.

use std::{error::Error, fmt};

use sea_orm::DbBackend;

use super::{
    ISSUER, IdKind, Layout,
    restrictions::RestrictionColumns,
    schema::{Column, Schema, Table},
};

/// The required content of a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Id,
    User,
    Text,
    /// Text or NULL.
    MaybeText,
    Flag,
    Time,
}

use Content::{Flag, Id, MaybeText, Text, Time, User};

/// The columns this service reads and writes, in the order of the tables.
const COLUMNS: [&[(&str, Content)]; 3] = [
    &[
        ("id", Id),
        ("name", Text),
        ("email", Text),
        ("emailVerified", Flag),
        ("image", MaybeText),
        ("createdAt", Time),
        ("updatedAt", Time),
    ],
    &[
        ("id", Id),
        ("expiresAt", Time),
        ("token", Text),
        ("createdAt", Time),
        ("updatedAt", Time),
        ("ipAddress", MaybeText),
        ("userAgent", MaybeText),
        ("userId", User),
    ],
    &[
        ("id", Id),
        ("accountId", Text),
        ("providerId", Text),
        ("userId", User),
        ("scope", MaybeText),
        ("password", MaybeText),
        ("createdAt", Time),
        ("updatedAt", Time),
    ],
];

/// Every difference from a supported schema.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Differences {
    each: Vec<String>,
    /// The tool that seems to have made the tables.
    maker: Option<&'static str>,
}

impl Error for Differences {}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.each.join("; "))?;
        if let Some(maker) = self.maker {
            write!(f, "; this is the layout of {maker}, and only Better Auth's own is supported")?;
        }
        f.write_str(
            "; what can be done: copy the rows into tables that Better Auth's own migration \
             made (`npx @better-auth/cli migrate`), or give this service a database of its own",
        )
    }
}

/// The layout, or every difference from a supported one. Missing tables will be created, with
/// text ids.
pub fn check_schema(schema: &Schema) -> Result<Layout, Differences> {
    let mut differences = Differences::default();
    let [user, session, account] = &schema.tables;
    if !user.exists() {
        for table in &schema.lookalikes {
            differences.add(format!("table `user` is missing, but there is `{table}`"));
        }
    }
    for (table, columns) in schema.tables.iter().zip(COLUMNS) {
        if table.exists() {
            differences.check_columns(schema.backend, table, columns);
        }
    }
    if user.exists() && user.column("email").is_some() && !user.has_unique("email") {
        differences.add("table `user`: nothing makes `email` unique".to_owned());
    }
    // A column that cannot be read must not pass for no restriction.
    let restrictions = RestrictionColumns::of(schema).unwrap_or_else(|unfit| {
        differences.each.extend(unfit);
        RestrictionColumns::default()
    });
    let layout = Layout {
        user: kind_of(schema, user),
        session: kind_of(schema, session),
        account: kind_of(schema, account),
        has_issuer: account.column(ISSUER).is_some_and(is_to_be_filled),
        restrictions,
    };
    for table in [session, account] {
        let Some(column) = table.column("userId") else {
            // The foreign key of the new table would be a text.
            if !table.exists() && matches!(layout.user, IdKind::Uuid | IdKind::Serial) {
                differences.add(format!("table `{}` is missing", table.name));
            }
            continue;
        };
        let has_user_kind = match id_kind(&column.kind) {
            Some(IdKind::Text) => matches!(layout.user, IdKind::Text | IdKind::UuidText),
            kind => kind == Some(layout.user),
        };
        if !has_user_kind {
            let theirs = user.column("id").map_or("text", |id| &id.kind);
            differences.add(format!(
                "table `{}`: column `userId` is {}, but `user`.`id` is {theirs}",
                table.name,
                type_name(&column.kind)
            ));
        }
    }
    if differences.each.is_empty() { Ok(layout) } else { Err(differences) }
}

impl Differences {
    fn add(&mut self, difference: String) {
        self.each.push(difference);
    }

    fn check_columns(&mut self, backend: DbBackend, table: &Table, columns: &[(&str, Content)]) {
        let name = table.name;
        for (wanted, content) in columns {
            let Some(column) = table.column(wanted) else {
                let snake_case = snake_case(wanted);
                let other = table.column(&snake_case).filter(|_| snake_case != *wanted);
                if other.is_some() {
                    self.maker = Some("Drizzle");
                }
                let other =
                    other.map_or_else(String::new, |_| format!(", but there is `{snake_case}`"));
                self.add(format!("table `{name}`: column `{wanted}` is missing{other}"));
                continue;
            };
            if let Some(expected) = expected(*content, &column.kind, backend) {
                if *content == Time {
                    let drizzle = column.kind == "integer";
                    self.maker.get_or_insert(if drizzle { "Drizzle" } else { "Prisma" });
                }
                let found = type_name(&column.kind);
                self.add(format!("table `{name}`: column `{wanted}` is {found}, not {expected}"));
            }
            if *content == MaybeText && is_to_be_filled(column) {
                self.add(format!("table `{name}`: column `{wanted}` takes no NULL"));
            }
            if *content == Id && is_unnumbered(column, backend) {
                self.add(format!(
                    "table `{name}`: column `id` is a number that the database does not give"
                ));
            }
            // SQLite does not report a primary key as required.
            if !matches!(content, Id | MaybeText) && !column.is_required {
                self.add(format!("table `{name}`: column `{wanted}` may be NULL"));
            }
        }
        for column in &table.columns {
            let is_known = columns.iter().any(|(known, _)| column.name == *known)
                || columns.iter().any(|(known, _)| column.name == snake_case(known))
                || (name == "account" && column.name == ISSUER);
            if !is_known && is_to_be_filled(column) {
                self.add(format!(
                    "table `{name}`: column `{}` has to be filled and has no default, and \
                     nothing here fills it",
                    column.name
                ));
            }
        }
    }
}

/// Whether a row needs a value for the column.
fn is_to_be_filled(column: &Column) -> bool {
    column.is_required && !column.has_default
}

/// Whether a number is not assigned by the database. SQLite assigns one itself.
fn is_unnumbered(column: &Column, backend: DbBackend) -> bool {
    backend == DbBackend::Postgres
        && id_kind(&column.kind) == Some(IdKind::Serial)
        && !column.has_default
}

/// The kind of an id column, by its declared type.
fn id_kind(declared: &str) -> Option<IdKind> {
    match declared {
        "uuid" => Some(IdKind::Uuid),
        "integer" | "int" | "bigint" | "smallint" => Some(IdKind::Serial),
        _ if is_text(declared) => Some(IdKind::Text),
        _ => None,
    }
}

/// The kind of a table's ids. SQLite has no type for UUIDs: there the values decide.
fn kind_of(schema: &Schema, table: &Table) -> IdKind {
    match table.column("id").and_then(|id| id_kind(&id.kind)) {
        Some(IdKind::Text) | None if schema.has_uuids => IdKind::UuidText,
        kind => kind.unwrap_or(IdKind::Text),
    }
}

pub(super) fn is_text(declared: &str) -> bool {
    matches!(declared, "text" | "character varying" | "varchar" | "nvarchar" | "citext")
}

/// The expected type, if `declared` is another one.
fn expected(content: Content, declared: &str, backend: DbBackend) -> Option<&'static str> {
    let is_postgres = backend == DbBackend::Postgres;
    let (fits, expected) = match content {
        // SQLite's `uuid` would be a number where it looks like one.
        Id | User => (
            id_kind(declared).is_some_and(|kind| is_postgres || kind != IdKind::Uuid),
            "text, a UUID or a number",
        ),
        Text | MaybeText => (is_text(declared), "text"),
        Flag if is_postgres => (declared == "boolean", "boolean"),
        Flag => (matches!(declared, "integer" | "boolean"), "integer"),
        Time if is_postgres => (declared == "timestamp with time zone", "timestamptz"),
        // A label; but numbers are not supported there.
        Time => (matches!(declared, "date" | "text"), "date (a text in ISO 8601)"),
    };
    (!fits).then_some(expected)
}

pub(super) fn type_name(declared: &str) -> &str {
    if declared.is_empty() { "of no type" } else { declared }
}

/// `expires_at` for `expiresAt`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
