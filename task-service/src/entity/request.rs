//! One row a request id that was used, for as long as it counts.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task_request")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub request_id: String,
    pub fingerprint: Vec<u8>,
    /// The task it made; the task may be gone.
    pub task_id: Uuid,
    pub created_at: i64,
    /// The tasks a batch made, 16 bytes each, in order; none for a single one.
    pub task_ids: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
