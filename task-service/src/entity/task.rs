//! The tasks, a row each.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// Serialised for the spool of imports.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "task")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub title: String,
    pub description: String,
    /// Whether `completed_at` is set, as a column for an index.
    pub completed: bool,
    /// Microseconds since 1970, as all times.
    pub completed_at: Option<i64>,
    pub priority: i64,
    pub created_at: i64,
    pub updated_at: i64,
    /// The owner's change number of the last change.
    pub revision: i64,
    /// The due; a calendar date is its midnight in UTC.
    pub due: Option<i64>,
    /// The zone of an instant; none for a calendar date.
    pub due_zone: Option<String>,
    /// Optional fields as JSON; none if all are at their defaults.
    pub details: Option<String>,
    pub series_id: Option<Uuid>,
    pub occurrence: Option<i64>,
    /// The position in the user's order.
    pub position: String,
    /// The time of deletion.
    pub deleted_at: Option<i64>,
    /// The sort key of the title. None: not yet computed.
    pub title_key: Option<String>,
    /// The tokens of the full-text index. None: not yet computed.
    pub words: Option<String>,
    /// The words in scripts without spaces, which tell adjacent tokens from others.
    pub phrases: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
