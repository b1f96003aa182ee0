//! The live schema, read from the database.

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, FromQueryResult, QueryResult, Statement, prelude::Uuid,
};
use server::db::Database;

/// Better Auth's tables that this service uses.
pub const TABLES: [&str; 3] = ["user", "session", "account"];

/// The columns of look-ups, besides the ids.
const LOOKUP_COLUMNS: [(&str, &str); 4] =
    [("user", "email"), ("session", "token"), ("session", "userId"), ("account", "userId")];

/// A column.
#[derive(Clone, FromQueryResult)]
pub struct Column {
    pub name: String,
    /// The declared type in lower case, without a length.
    pub kind: String,
    /// NOT NULL.
    pub is_required: bool,
    /// Has a default or is generated.
    pub has_default: bool,
}

/// The first column of an index without a condition.
#[derive(Clone, FromQueryResult)]
pub struct Index {
    pub column_name: String,
    /// The index is unique and has no other column.
    pub is_unique: bool,
}

/// A table; one that does not exist has no columns.
#[derive(Clone)]
pub struct Table {
    pub name: &'static str,
    pub columns: Vec<Column>,
    pub indexes: Vec<Index>,
}

impl Table {
    pub fn exists(&self) -> bool {
        !self.columns.is_empty()
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub fn has_unique(&self, column: &str) -> bool {
        self.indexes.iter().any(|index| index.is_unique && index.column_name == column)
    }
}

/// The schema of the accounts database.
#[derive(Clone)]
pub struct Schema {
    pub backend: DbBackend,
    /// In the order of [`TABLES`].
    pub tables: [Table; 3],
    /// Tables of users under another name.
    pub lookalikes: Vec<String>,
    /// Whether user ids are UUIDs.
    pub has_uuids: bool,
}

impl Schema {
    /// Reads the schema.
    pub async fn read(database: &Database) -> Result<Self, DbErr> {
        let backend = database.backend();
        let [user, session, account] = TABLES;
        let tables = [
            table(database, user).await?,
            table(database, session).await?,
            table(database, account).await?,
        ];
        let lookalikes = rows(database, lookalikes(backend), None, text).await?;
        let has_uuids = tables[0].column("id").is_some()
            && rows(database, SOME_ID, None, text)
                .await?
                .iter()
                .any(|id| Uuid::try_parse(id).is_ok_and(|uuid| uuid.to_string() == *id));
        Ok(Self { backend, tables, lookalikes, has_uuids })
    }

    /// The look-up columns without an index.
    pub fn missing_indexes(&self) -> impl Iterator<Item = String> {
        LOOKUP_COLUMNS.iter().filter_map(|(name, column)| {
            let table = self.tables.iter().find(|table| table.name == *name)?;
            let is_indexed = table.indexes.iter().any(|index| index.column_name == *column);
            let is_slow = table.column(column).is_some() && !is_indexed;
            is_slow.then(|| format!(r#""{name}" ("{column}")"#))
        })
    }
}

async fn table(database: &Database, name: &'static str) -> Result<Table, DbErr> {
    let (columns, indexes) = match database.backend() {
        DbBackend::Postgres => (POSTGRES_COLUMNS, POSTGRES_INDEXES),
        _ => (SQLITE_COLUMNS, SQLITE_INDEXES),
    };
    Ok(Table {
        name,
        columns: rows(database, columns, Some(name), |row| Column::from_query_result(row, ""))
            .await?,
        indexes: rows(database, indexes, Some(name), |row| Index::from_query_result(row, ""))
            .await?,
    })
}

#[expect(clippy::disallowed_methods, reason = "the catalogue has no users")]
async fn rows<T>(
    database: &Database,
    sql: &str,
    table: Option<&str>,
    row: impl Fn(&QueryResult) -> Result<T, DbErr>,
) -> Result<Vec<T>, DbErr> {
    let values = table.map(Into::into);
    let query = Statement::from_sql_and_values(database.backend(), sql, values);
    database.reader().query_all_raw(query).await?.iter().map(row).collect()
}

fn text(row: &QueryResult) -> Result<String, DbErr> {
    row.try_get_by_index(0)
}

const SOME_ID: &str = r#"SELECT CAST("id" AS text) FROM "user" LIMIT 1"#;

// The tables are those that a query finds, in whichever schema of the search path.
const POSTGRES_COLUMNS: &str = r#"
    SELECT a.attname::text AS "name", lower(format_type(a.atttypid, NULL)) AS "kind",
           a.attnotnull AS "is_required",
           a.atthasdef OR a.attidentity <> '' AS "has_default"
    FROM pg_attribute a
    WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum"#;

const POSTGRES_INDEXES: &str = r#"
    SELECT a.attname::text AS "column_name",
           i.indisunique AND i.indnkeyatts = 1 AS "is_unique"
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = to_regclass(quote_ident($1)) AND i.indisvalid AND i.indpred IS NULL"#;

const SQLITE_COLUMNS: &str = r#"
    SELECT "name", lower(substr("type", 1, instr("type" || '(', '(') - 1)) AS "kind",
           "notnull" AS "is_required", "dflt_value" IS NOT NULL OR "hidden" <> 0 AS "has_default"
    FROM pragma_table_xinfo(?) ORDER BY "cid""#;

const SQLITE_INDEXES: &str = r#"
    SELECT c."name" AS "column_name",
           i."unique" AND (SELECT count(*) = 1 FROM pragma_index_info(i."name")) AS "is_unique"
    FROM pragma_index_list(?) i JOIN pragma_index_info(i."name") c ON c."seqno" = 0
    WHERE NOT i."partial" AND c."name" IS NOT NULL"#;

fn lookalikes(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => {
            "SELECT DISTINCT c.relname::text
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
             WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
               AND a.attname IN ('emailVerified', 'email_verified')
               AND lower(c.relname) LIKE '%user%' AND c.relname <> 'user'
             ORDER BY 1"
        }
        _ => {
            r#"SELECT DISTINCT t."name"
               FROM sqlite_master t JOIN pragma_table_info(t."name") c
               WHERE t."type" = 'table' AND c."name" IN ('emailVerified', 'email_verified')
                 AND lower(t."name") LIKE '%user%' AND lower(t."name") <> 'user'
               ORDER BY 1"#
        }
    }
}
