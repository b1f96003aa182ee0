//! The restriction columns of `user`, if they exist.

use sea_orm::{
    DbBackend,
    sea_query::{Expr, ExprTrait},
};

use super::schema::{Column, Schema};
use crate::entity::user;

const BANNED: &str = "banned";
const BAN_REASON: &str = "banReason";
const BAN_EXPIRES: &str = "banExpires";
const TWO_FACTOR: &str = "twoFactorEnabled";

/// Names, in lower case without `_`, under which other software restricts users.
const LOOKALIKES: [&str; 20] = [
    "isbanned",
    "bannedat",
    "banneduntil",
    "blocked",
    "isblocked",
    "suspended",
    "issuspended",
    "suspendedat",
    "disabled",
    "isdisabled",
    "deactivatedat",
    "active",
    "isactive",
    "locked",
    "lockeduntil",
    "deleted",
    "isdeleted",
    "deletedat",
    "archivedat",
    "mfaenabled",
];

/// The type of the end of a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimeKind {
    /// PostgreSQL's timestamps.
    Native,
    /// Texts, or milliseconds.
    Plain,
}

/// The type of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flag {
    Boolean,
    Number,
}

/// The restriction columns that exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RestrictionColumns {
    banned: Option<Flag>,
    has_ban_reason: bool,
    ban_expires: Option<TimeKind>,
    has_two_factor: bool,
}

impl RestrictionColumns {
    /// The columns of this database, or every difference that prevents reading them.
    pub fn of(schema: &Schema) -> Result<Self, Vec<String>> {
        let [user, ..] = &schema.tables;
        let is_postgres = schema.backend == DbBackend::Postgres;
        let mut differences = Vec::new();
        let mut has = |name, fits: fn(&str, bool) -> bool, expected| {
            let column = user.column(name)?;
            if !fits(&column.kind, is_postgres) {
                let found = super::schema_check::type_name(&column.kind);
                differences
                    .push(format!("table `user`: column `{name}` is {found}, not {expected}"));
            }
            Some(column)
        };
        let (flag, time) =
            if is_postgres { ("boolean", "timestamptz") } else { ("integer", "date") };
        let kept = |column: &Column| {
            if is_postgres && column.kind == "boolean" { Flag::Boolean } else { Flag::Number }
        };
        let time_kind = |column: &Column| {
            let is_native = column.kind.starts_with("timestamp") || column.kind == "date";
            if is_postgres && is_native { TimeKind::Native } else { TimeKind::Plain }
        };
        let columns = Self {
            banned: has(BANNED, is_flag, flag).map(kept),
            has_ban_reason: user.column(BAN_REASON).is_some_and(|column| !column.is_required),
            ban_expires: has(BAN_EXPIRES, is_time, time).map(time_kind),
            has_two_factor: has(TWO_FACTOR, is_flag, flag).is_some(),
        };
        if differences.is_empty() { Ok(columns) } else { Err(differences) }
    }

    /// The effect of each column, for an operator.
    pub fn honoured(self) -> Vec<&'static str> {
        let ban = if self.ban_expires.is_some() {
            "`user`.`banned` with `banExpires`: who is banned neither signs in nor uses a session"
        } else {
            "`user`.`banned`: who is banned neither signs in nor uses a session"
        };
        let two_factor = "`user`.`twoFactorEnabled`: who has a second factor signs in as \
                          TWO_FACTOR_ACCOUNTS says";
        [(self.banned.is_some(), ban), (self.has_two_factor, two_factor)]
            .into_iter()
            .filter_map(|(exists, text)| exists.then_some(text))
            .collect()
    }

    /// `banned`, `banExpires` and `twoFactorEnabled` as texts; NULL for a missing one.
    pub fn as_texts(self) -> [Expr; 3] {
        let text = |exists: bool, name: &'static str| {
            if exists {
                Expr::col((user::Entity, name)).cast_as("text")
            } else {
                Expr::cust("CAST(NULL AS text)")
            }
        };
        let expires = match self.ban_expires {
            Some(TimeKind::Native) => {
                Expr::cust(r#"CAST(EXTRACT(EPOCH FROM "user"."banExpires") * 1000 AS text)"#)
            }
            kept => text(kept.is_some(), BAN_EXPIRES),
        };
        [text(self.banned.is_some(), BANNED), expires, text(self.has_two_factor, TWO_FACTOR)]
    }

    /// The values that Better Auth writes when a user with an expired ban signs in.
    pub fn lifted(self) -> Vec<(&'static str, Expr)> {
        let off = self.banned.map(|kept| match kept {
            Flag::Boolean => Expr::val(false),
            Flag::Number => Expr::val(0),
        });
        let null = |exists: bool| exists.then(|| Expr::cust("NULL"));
        [
            (BANNED, off),
            (BAN_REASON, null(self.has_ban_reason)),
            (BAN_EXPIRES, null(self.ban_expires.is_some())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

impl Schema {
    /// Columns of `user` that look like restrictions, and are not honoured.
    pub fn unhonoured(&self) -> Vec<&str> {
        let [user, ..] = &self.tables;
        let known = [BANNED, BAN_EXPIRES, TWO_FACTOR];
        let is_alike = |name: &str| {
            let plain = name.replace('_', "").to_ascii_lowercase();
            let is_ours = known.iter().any(|known| known.eq_ignore_ascii_case(&plain));
            LOOKALIKES.contains(&plain.as_str()) || (is_ours && !known.contains(&name))
        };
        let names = user.columns.iter().map(|column| column.name.as_str());
        names.filter(|name| is_alike(name)).collect()
    }
}

fn is_flag(declared: &str, is_postgres: bool) -> bool {
    let is_number =
        matches!(declared, "integer" | "int" | "smallint" | "bigint" | "tinyint" | "numeric");
    declared == "boolean" || is_number || (!is_postgres && declared == "bool")
}

fn is_time(declared: &str, is_postgres: bool) -> bool {
    // SQLite stores in any column the value it is given: a text or a number.
    !is_postgres
        || declared.starts_with("timestamp")
        || matches!(declared, "date" | "bigint")
        || super::schema_check::is_text(declared)
}
