//! The erasure outbox. A row is inserted with the deletion of its account, in one transaction,
//! and removed when the last erasure was acknowledged: a crash in between loses nothing.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, OnConflict, Order, Query},
};

use super::{Store, timestamp_value};
use crate::entity::{
    erasure::{self, Column, Entity},
    finished_erasure,
};

/// An erasure to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewErasure {
    /// When the account is deleted.
    pub requested_at: DateTime<Utc>,
    /// When the last access token of the user has expired.
    pub last_at: DateTime<Utc>,
}

/// Inserts an erasure. It replaces one of an earlier user with this id.
#[expect(clippy::disallowed_methods, reason = "the account is the one that is deleted")]
pub(super) async fn insert(
    database: &impl ConnectionTrait,
    user_id: &str,
    new: NewErasure,
) -> Result<(), DbErr> {
    let moment = |moment| timestamp_value(database.get_database_backend(), moment);
    let columns = [
        Column::UserId,
        Column::RequestedAt,
        Column::LastAt,
        Column::NextAt,
        Column::Attempts,
        Column::FirstDoneAt,
    ];
    let mut insert = Query::insert();
    insert
        .into_table(Entity)
        .columns(columns)
        .values_panic([
            user_id.into(),
            moment(new.requested_at).into(),
            moment(new.last_at).into(),
            moment(new.requested_at).into(),
            0.into(),
            None::<DateTime<Utc>>.into(),
        ])
        .on_conflict(
            OnConflict::column(Column::UserId)
                .update_columns(columns.into_iter().skip(1))
                .to_owned(),
        );
    database.execute(&insert).await.map(drop)
}

impl Store {
    /// Claims at most `limit` erasures that are due at `now`, until `until`: no other replica
    /// claims them before, and one does then if this process is gone.
    #[expect(clippy::disallowed_methods, reason = "the accounts are deleted: no caller")]
    pub async fn claim_erasures(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<erasure::Model>, DbErr> {
        let due = Query::select()
            .column(Column::UserId)
            .from(Entity)
            .and_where(Expr::col(Column::NextAt).lte(Expr::val(self.timestamp(now))))
            .order_by(Column::NextAt, Order::Asc)
            .limit(limit)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .take();
        Entity::update_many()
            .col_expr(Column::NextAt, Expr::value(self.timestamp(until)))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .filter(Column::UserId.in_subquery(due))
            .exec_with_returning(self.database.writer())
            .await
    }

    /// When the next erasure is due, if there is one.
    #[expect(clippy::disallowed_methods, reason = "a due time has no user")]
    pub async fn next_erasure(&self) -> Result<Option<DateTime<Utc>>, DbErr> {
        Entity::find()
            .select_only()
            .column(Column::NextAt)
            .order_by_asc(Column::NextAt)
            .limit(1)
            .into_tuple()
            .one(self.database.reader())
            .await
    }

    /// Postpones an unfinished erasure to `next_at`.
    #[expect(clippy::disallowed_methods, reason = "the account is deleted: no caller")]
    pub async fn postpone_erasure(
        &self,
        row: &erasure::Model,
        next_at: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        Entity::update_many()
            .col_expr(Column::NextAt, Expr::value(self.timestamp(next_at)))
            .filter(self.is(row))
            .exec(self.database.writer())
            .await
            .map(drop)
    }

    /// Records that everything is erased at `now`; it is repeated at `last_at`.
    #[expect(clippy::disallowed_methods, reason = "the account is deleted: no caller")]
    pub async fn record_erasure(
        &self,
        row: &erasure::Model,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        Entity::update_many()
            .col_expr(Column::NextAt, Expr::value(self.timestamp(row.last_at)))
            .col_expr(Column::FirstDoneAt, Expr::value(self.timestamp(now)))
            .col_expr(Column::Attempts, Expr::value(0))
            .filter(self.is(row))
            .exec(self.database.writer())
            .await
            .map(drop)
    }

    /// Discards an erasure, finished or not: the id may belong to another user by now.
    #[expect(clippy::disallowed_methods, reason = "the account is deleted: no caller")]
    pub async fn discard_erasure(&self, row: &erasure::Model) -> Result<(), DbErr> {
        let transaction = self.begin().await?;
        Entity::delete_many().filter(self.is(row)).exec(&transaction).await?;
        let done = finished_erasure::Column::UserId.eq(row.user_id.as_str());
        finished_erasure::Entity::delete_many().filter(done).exec(&transaction).await?;
        transaction.commit().await
    }

    /// The condition for this erasure, and no later one of another user with this id.
    pub(super) fn is(&self, row: &erasure::Model) -> Condition {
        let requested_at = Expr::val(self.timestamp(row.requested_at));
        Condition::all()
            .add(Column::UserId.eq(row.user_id.as_str()))
            .add(Expr::col(Column::RequestedAt).eq(requested_at))
    }
}
