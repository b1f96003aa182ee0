//! One row a task.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
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
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
