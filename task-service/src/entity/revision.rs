//! The change counter and usage of each user, a row each. The row is also the lock that serialises
//! the changes of the user.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task_revision")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    pub revision: i64,
    /// The greatest change number of a purged deletion.
    pub purged: i64,
    /// The number of tasks, including those in the trash.
    pub tasks: i64,
    /// The bytes of their texts; see [`Usage`](crate::domain::quota::Usage).
    pub bytes: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
