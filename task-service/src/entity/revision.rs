//! One row a user: how many changes there were, and how much there is. The row is also the lock that puts one
//! user's changes in a line.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task_revision")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    pub revision: i64,
    /// The greatest number of a deletion that is forgotten.
    pub purged: i64,
    /// How many tasks there are, those in the trash too.
    pub tasks: i64,
    /// The bytes of their texts; see [`Usage`](crate::domain::quota::Usage).
    pub bytes: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
