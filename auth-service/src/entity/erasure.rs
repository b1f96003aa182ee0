//! Table `erasure`: one row a user whose account is gone and who is not yet forgotten
//! elsewhere.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "erasure")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// When the account was deleted.
    pub requested_at: DateTimeUtc,
    /// From then on nobody can write in the user's name: what is erased then stays so.
    pub last_at: DateTimeUtc,
    /// When somebody should see to it; somebody who does moves it on first.
    pub next_at: DateTimeUtc,
    /// How often somebody has since it was last done.
    pub attempts: i32,
    /// When everything there was had been erased for the first time.
    pub first_done_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
