//! Table `erasure`: the erasure outbox, one row per deleted user whose tasks are not erased yet.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "erasure")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// When the account was deleted.
    pub requested_at: DateTimeUtc,
    /// The time from which no access token of the user is valid: what is erased then stays
    /// erased.
    pub last_at: DateTimeUtc,
    /// When the erasure is due; a replica that claims it moves this on first.
    pub next_at: DateTimeUtc,
    /// The number of claims since the last success.
    pub attempts: i32,
    /// When everything was first erased.
    pub first_done_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
