//! One row a task.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// An import holds rows back as they are serialised, for a moment.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "task")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub title: String,
    pub description: String,
    /// Whether `completed_at` is set; an index needs it as a column.
    pub completed: bool,
    /// Microseconds since 1970, as all times.
    pub completed_at: Option<i64>,
    pub priority: i64,
    pub created_at: i64,
    pub updated_at: i64,
    /// The owner's change number of the last change.
    pub revision: i64,
    /// When it is due; a calendar date is its beginning in UTC.
    pub due: Option<i64>,
    /// The zone of an instant. None beside a `due`: that is a calendar date.
    pub due_zone: Option<String>,
    /// What only some tasks have, as JSON; none for the others.
    pub details: Option<String>,
    pub series_id: Option<Uuid>,
    pub occurrence: Option<i64>,
    /// Where it stands in the user's order.
    pub position: String,
    /// When it was put into the trash.
    pub deleted_at: Option<i64>,
    /// What it is sorted by when titles are. None: not yet computed.
    pub title_key: Option<String>,
    /// What it is found by, for the full-text index. None: not yet computed.
    pub words: Option<String>,
    /// What tells its words in scripts without spaces from others with the same tokens.
    pub phrases: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
