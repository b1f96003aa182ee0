//! The sequences over all users, a row each. The row is also the lock that serialises its writers,
//! so that numbers are committed in order.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task_sequence")]
pub struct Model {
    /// The name of the sequence.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The last number.
    pub value: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
