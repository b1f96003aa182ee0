//! The rows, with the driver's own pool.

use sqlx::{
    Database, Decode, Error, PgPool, Row, SqlitePool, Type,
    postgres::{PgPoolOptions, PgRow},
    query,
    sqlite::{SqlitePoolOptions, SqliteRow},
};
use uuid::Uuid;

/// As many as a page of task-service has, and its connections.
const PAGE: i64 = 20;
const CONNECTIONS: u32 = 8;

const LIST: &str = "SELECT id, title, description, completed_at, priority, created_at, updated_at, \
    revision, due, due_zone, details, series_id, occurrence, position, deleted_at FROM task \
    WHERE user_id = $1 AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT $2";
const GET: &str = "SELECT id, title, description, completed_at, priority, created_at, updated_at, \
    revision, due, due_zone, details, series_id, occurrence, position, deleted_at FROM task \
    WHERE user_id = $1 AND id = $2 AND deleted_at IS NULL";
/// The tables of task-service are kept valid: the change number and the usage of the user.
const COUNT: &str = "INSERT INTO task_revision (user_id, revision, purged, tasks, bytes) \
    VALUES ($1, 1, 0, 1, $2) ON CONFLICT (user_id) DO UPDATE SET \
    revision = task_revision.revision + 1, tasks = task_revision.tasks + 1, \
    bytes = task_revision.bytes + $2 RETURNING revision";
const INSERT: &str = "INSERT INTO task (user_id, id, title, description, completed, priority, \
    created_at, updated_at, revision, position) VALUES ($1, $2, $3, $4, FALSE, 2, $5, $5, $6, $7)";

/// Both in one statement, where the database has that.
const CREATE: &str = "WITH taken AS (INSERT INTO task_revision (user_id, revision, purged, tasks, \
    bytes) VALUES ($1, 1, 0, 1, $2) ON CONFLICT (user_id) DO UPDATE SET \
    revision = task_revision.revision + 1, tasks = task_revision.tasks + 1, \
    bytes = task_revision.bytes + $2 RETURNING revision) \
    INSERT INTO task (user_id, id, title, description, completed, priority, created_at, updated_at, \
    revision, position) SELECT $1, $3, $4, $5, FALSE, 2, $6, $6, taken.revision, \
    lpad(to_hex(taken.revision), 12, '0') || 'i' FROM taken RETURNING revision";

/// A database of task-service.
#[derive(Clone)]
pub enum Store {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

/// A task, with all columns that task-service reads.
#[expect(dead_code, reason = "some are read for their cost")]
pub struct Task {
    pub id: Uuid,
    pub title: String,
    pub description: String,
    pub completed_at: Option<i64>,
    pub priority: i64,
    pub created_at: i64,
    pub updated_at: i64,
    pub revision: i64,
    pub due: Option<i64>,
    pub due_zone: Option<String>,
    pub details: Option<String>,
    pub series_id: Option<Uuid>,
    pub occurrence: Option<i64>,
    pub position: String,
    pub deleted_at: Option<i64>,
}

impl Task {
    fn read<'r, R>(row: &'r R) -> Result<Self, Error>
    where
        R: Row,
        usize: sqlx::ColumnIndex<R>,
        i64: Decode<'r, R::Database> + Type<R::Database>,
        String: Decode<'r, R::Database> + Type<R::Database>,
        Uuid: Decode<'r, R::Database> + Type<R::Database>,
        Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
        Option<String>: Decode<'r, R::Database> + Type<R::Database>,
        Option<Uuid>: Decode<'r, R::Database> + Type<R::Database>,
        R::Database: Database,
    {
        Ok(Self {
            id: row.try_get(0)?,
            title: row.try_get(1)?,
            description: row.try_get(2)?,
            completed_at: row.try_get(3)?,
            priority: row.try_get(4)?,
            created_at: row.try_get(5)?,
            updated_at: row.try_get(6)?,
            revision: row.try_get(7)?,
            due: row.try_get(8)?,
            due_zone: row.try_get(9)?,
            details: row.try_get(10)?,
            series_id: row.try_get(11)?,
            occurrence: row.try_get(12)?,
            position: row.try_get(13)?,
            deleted_at: row.try_get(14)?,
        })
    }

    fn new(title: String, description: String) -> Self {
        let id = Uuid::now_v7();
        let (seconds, nanos) = id.get_timestamp().map_or((0, 0), |at| at.to_unix());
        let now = seconds.cast_signed() * 1_000_000 + i64::from(nanos / 1_000);
        Self {
            id,
            title,
            description,
            completed_at: None,
            priority: 2,
            created_at: now,
            updated_at: now,
            revision: 0,
            due: None,
            due_zone: None,
            details: None,
            series_id: None,
            occurrence: None,
            position: String::new(),
            deleted_at: None,
        }
    }
}

impl Store {
    pub async fn open(url: &str) -> Result<Self, Error> {
        if url.starts_with("sqlite:") {
            let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS);
            return pool.connect(url).await.map(Self::Sqlite);
        }
        PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await.map(Self::Postgres)
    }

    pub async fn list(&self, user: &str) -> Result<Vec<Task>, Error> {
        match self {
            Self::Postgres(pool) => {
                let rows = query(LIST).bind(user).bind(PAGE).fetch_all(pool).await?;
                rows.iter().map(Task::read::<PgRow>).collect()
            }
            Self::Sqlite(pool) => {
                let rows = query(LIST).bind(user).bind(PAGE).fetch_all(pool).await?;
                rows.iter().map(Task::read::<SqliteRow>).collect()
            }
        }
    }

    pub async fn get(&self, user: &str, id: Uuid) -> Result<Option<Task>, Error> {
        match self {
            Self::Postgres(pool) => {
                let row = query(GET).bind(user).bind(id).fetch_optional(pool).await?;
                row.as_ref().map(Task::read::<PgRow>).transpose()
            }
            Self::Sqlite(pool) => {
                let row = query(GET).bind(user).bind(id).fetch_optional(pool).await?;
                row.as_ref().map(Task::read::<SqliteRow>).transpose()
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "nothing here is cut off half-way")]
    pub async fn create(
        &self,
        user: &str,
        title: String,
        description: String,
    ) -> Result<Task, Error> {
        let mut task = Task::new(title, description);
        let bytes = i64::try_from(task.title.len() + task.description.len()).unwrap_or(i64::MAX);
        match self {
            Self::Postgres(pool) => {
                let create = query(CREATE).bind(user).bind(bytes).bind(task.id);
                let create = create.bind(&task.title).bind(&task.description).bind(task.created_at);
                task.revision = create.fetch_one(pool).await?.try_get(0)?;
                task.position = position(task.revision);
            }
            Self::Sqlite(pool) => {
                let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
                let count = query(COUNT).bind(user).bind(bytes);
                task.revision = count.fetch_one(&mut *transaction).await?.try_get(0)?;
                task.position = position(task.revision);
                let insert = query(INSERT).bind(user).bind(task.id).bind(&task.title);
                let insert = insert.bind(&task.description).bind(task.created_at);
                let insert = insert.bind(task.revision).bind(&task.position);
                insert.execute(&mut *transaction).await?;
                transaction.commit().await?;
            }
        }
        Ok(task)
    }
}

fn position(revision: i64) -> String {
    format!("{revision:012x}i")
}
