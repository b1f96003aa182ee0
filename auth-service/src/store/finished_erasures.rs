//! Finished erasures. They are finished in one epoch of task-service's database; a restored
//! backup has another.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    sea_query::{Expr, OnConflict, Query},
};

use super::Store;
use crate::entity::{erased_from, erasure, finished_erasure};

impl Store {
    /// Finishes an erasure, and keeps a record of it.
    #[expect(clippy::disallowed_methods, reason = "the account is deleted: no caller")]
    pub async fn finish_erasure(&self, row: &erasure::Model) -> Result<(), DbErr> {
        use finished_erasure::Column::{RequestedAt, UserId};
        let transaction = self.begin().await?;
        let ended = erasure::Entity::delete_many().filter(self.is(row)).exec(&transaction).await?;
        if ended.rows_affected > 0 {
            let mut insert = Query::insert();
            insert
                .into_table(finished_erasure::Entity)
                .columns([UserId, RequestedAt])
                .values_panic([
                    row.user_id.as_str().into(),
                    self.timestamp(row.requested_at).into(),
                ])
                .on_conflict(OnConflict::column(UserId).update_column(RequestedAt).to_owned());
            transaction.execute(&insert).await?;
        }
        transaction.commit().await
    }

    /// The epoch of task-service's database of the last erasures, if known.
    #[expect(clippy::disallowed_methods, reason = "an epoch has no user")]
    pub async fn erased_from(&self) -> Result<Option<String>, DbErr> {
        let row = erased_from::Entity::find().one(self.database.reader()).await?;
        Ok(row.map(|row| row.epoch))
    }

    /// Schedules all erasures, finished or not, at `now` for this epoch of task-service's
    /// database. Returns how many.
    #[expect(clippy::disallowed_methods, reason = "the accounts are deleted: no caller")]
    pub async fn repeat_erasures(&self, epoch: &str, now: DateTime<Utc>) -> Result<u64, DbErr> {
        use erasure::Column::{Attempts, LastAt, NextAt, RequestedAt, UserId};
        let transaction = self.begin().await?;
        let pending = erasure::Entity::update_many()
            .col_expr(NextAt, Expr::value(self.timestamp(now)))
            .exec(&transaction)
            .await?;
        // No token was valid since: once is enough.
        let done = Query::select()
            .columns([finished_erasure::Column::UserId, finished_erasure::Column::RequestedAt])
            .column(finished_erasure::Column::RequestedAt)
            .expr(Expr::val(self.timestamp(now)))
            .expr(Expr::val(0))
            .from(finished_erasure::Entity)
            // SQLite takes a conflict clause for a join without it.
            .and_where(finished_erasure::Column::UserId.is_not_null())
            .take();
        let mut orders = Query::insert();
        orders
            .into_table(erasure::Entity)
            .columns([UserId, RequestedAt, LastAt, NextAt, Attempts])
            .on_conflict(OnConflict::column(UserId).do_nothing().to_owned());
        // As many columns on both sides.
        let _ = orders.select_from(done);
        let again = transaction.execute(&orders).await?;
        let mut from = Query::insert();
        from.into_table(erased_from::Entity)
            .columns([erased_from::Column::Id, erased_from::Column::Epoch])
            .values_panic([1.into(), epoch.into()])
            .on_conflict(
                OnConflict::column(erased_from::Column::Id)
                    .update_column(erased_from::Column::Epoch)
                    .to_owned(),
            );
        transaction.execute(&from).await?;
        transaction.commit().await?;
        Ok(pending.rows_affected + again.rows_affected())
    }
}
